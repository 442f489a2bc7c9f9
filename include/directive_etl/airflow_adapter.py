"""The only module that imports airflow: the day of a run, schedules, assets, connections, retry policy."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

from airflow.sdk import Asset, BaseHook, CronPartitionTimetable, PartitionedAssetTimetable, TriggerRule
from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException

from directive_etl.errors import DirectiveEtlError, SourceUnavailableError
from directive_etl.periods import LOCAL_ZONE, day_start
from directive_etl.settings import SystemConnection, settings

__all__ = [
    "ANY_FIGURES",
    "EVERY_TEN_MINUTES",
    "ONE_DAY_PER_RUN",
    "PORTAL_FIGURES",
    "REPORT_FIGURES",
    "SMS_FIGURES",
    "WEEKLY",
    "TriggerRule",
    "daily_at",
    "no_retry_on_bad_data",
    "portal_connection",
    "publish_days",
    "reporting_day",
]

_DAY_FORMAT = "%Y-%m-%d"
_FIRST_DAY = day_start(date(2020, 8, 18))

# Each source publishes the days whose figures changed: one asset event a day, the day being its partition key.
# An asset has the name of its source.
SMS_FIGURES = Asset("sms_log")
PORTAL_FIGURES = Asset("service_portal")
REPORT_FIGURES = Asset("unit_report")
ANY_FIGURES = PartitionedAssetTimetable(assets=SMS_FIGURES | PORTAL_FIGURES | REPORT_FIGURES)

EVERY_TEN_MINUTES = timedelta(minutes=10)
WEEKLY = timedelta(weeks=1)


def _last_moment() -> datetime | None:
    """A city whose sources ended (the demo) is scheduled no further; any day can still be run or backfilled."""
    last_day = settings().last_day
    return None if last_day is None else day_start(last_day + timedelta(days=2))


_TASK_DEFAULTS = {
    "owner": "data-engineering",
    "retries": 3,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": True,
}
# Arguments of a DAG whose runs are each about one reporting day and may run side by side, in any order.
ONE_DAY_PER_RUN: dict[str, Any] = {
    "start_date": _FIRST_DAY,
    "end_date": _last_moment(),
    "catchup": False,
    "max_active_runs": 4,
    "default_args": _TASK_DEFAULTS,
}


def daily_at(hour: int) -> CronPartitionTimetable:
    """Return a schedule that runs each morning for the day before, local time, with that day as partition key."""
    return CronPartitionTimetable(
        f"0 {hour} * * *", timezone=str(LOCAL_ZONE), run_offset=-1, key_format=_DAY_FORMAT
    )


def reporting_day(context: Mapping[str, Any]) -> date:
    """Return the reporting day of a run: its partition key, never the clock."""
    return date.fromisoformat(context["dag_run"].partition_key)


@contextmanager
def no_retry_on_bad_data() -> Iterator[None]:
    """Fail at once on errors that time cannot heal; only an unavailable source is worth a retry."""
    try:
        yield
    except SourceUnavailableError:
        raise
    except DirectiveEtlError as error:
        raise AirflowFailException(str(error)) from error


def publish_days(
    context: Mapping[str, Any], asset: Asset, changed: Iterable[Iterable[date | str]]
) -> list[str]:
    """Say of an outlet which days changed, so that their progress, and what looks back on them, is recomputed.

    Args:
        context: of the task, which has the asset as its outlet.
        asset: the outlet.
        changed: the days that each step changed; dates, or the same as XCom brought them.

    Returns:
        The days to recompute, in order.
    """
    from directive_etl import pipeline

    days = {date.fromisoformat(str(day)) for step in changed for day in step}
    keys = [day.strftime(_DAY_FORMAT) for day in pipeline.affected_days(asset.name, days)]
    if keys:
        context["outlet_events"][asset].add_partitions(keys)
    return keys


def portal_connection(system_code: str) -> SystemConnection | None:
    """Return the Airflow connection `directive_etl_<system_code>`, or None to use the settings."""
    try:
        found = BaseHook.get_connection(f"directive_etl_{system_code}")
    except AirflowNotFoundException:
        return None
    scheme = found.schema or "https"
    address = f"{scheme}://{found.host}" + (f":{found.port}" if found.port else "")
    return SystemConnection.model_validate(
        {
            "base_url": address + str(found.extra_dejson.get("path", "")),
            "username": found.login or "",
            "password": found.password or "",
        }
    )
