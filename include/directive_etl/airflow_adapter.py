"""What the DAGs need of Airflow: the day of a run, schedules, assets, retry policy, alerts."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from airflow.sdk import (
    Asset,
    CronPartitionTimetable,
    Param,
    PartitionedAssetTimetable,
    TriggerRule,
)
from airflow.sdk.bases.notifier import BaseNotifier
from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference
from airflow.sdk.exceptions import AirflowFailException

from directive_etl.airflow_connections import connected_place, portal_connection
from directive_etl.errors import DirectiveEtlError, SourceUnavailableError
from directive_etl.landing.place import is_address
from directive_etl.periods import LOCAL_ZONE, day_start
from directive_etl.settings import settings

if TYPE_CHECKING:
    from directive_etl.alerts import Affected

__all__ = [
    "ANY_FIGURES",
    "BY_HAND",
    "CLOSED_IN_TIME",
    "EVERY_TEN_MINUTES",
    "FIGURES_OF",
    "HAS_MAILBOX",
    "HAS_REMOTE_OUTBOX",
    "ONE_DAY_PER_RUN",
    "ONE_RUN_AT_A_TIME",
    "PORTAL_FIGURES",
    "REPORT_FIGURES",
    "SMS_FIGURES",
    "WEEKLY",
    "Param",
    "TriggerRule",
    "asked_day",
    "daily_at",
    "day_param",
    "load_released",
    "no_retry_on_bad_data",
    "publish_days",
    "reason_param",
    "record_decision",
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

FIGURES_OF = {asset.name: asset for asset in (SMS_FIGURES, PORTAL_FIGURES)}

# Tasks that only some installations need.
HAS_MAILBOX = bool(settings().mailbox)
HAS_REMOTE_OUTBOX = is_address(settings().outbox)

EVERY_TEN_MINUTES = timedelta(minutes=10)
WEEKLY = timedelta(weeks=1)


def _last_moment() -> datetime | None:
    """A city whose sources ended (the demo) is scheduled no further; any day can still be run or backfilled."""
    last_day = settings().last_day
    return None if last_day is None else day_start(last_day + timedelta(days=2))


# Of a mapped task: what each of its instances is about.
_PART_ARGUMENTS = ("operator_code", "system_code")


def affected_task(context: Mapping[str, Any]) -> "Affected":
    """Return what a callback's context is about: DAG, task, operator or system, and day."""
    from directive_etl.alerts import Affected

    run, task = context["dag_run"], context["task"]
    given = getattr(task, "op_kwargs", {})
    part = next((given[name] for name in _PART_ARGUMENTS if name in given), "")
    asked = (getattr(run, "conf", None) or {}).get("report_date", "")
    return Affected(run.dag_id, context["ti"].task_id, part, str(run.partition_key or asked))


class AlertNotifier(BaseNotifier):  # type: ignore[misc] # airflow has no types for mypy here
    """Tells people of a task that failed for good, or that one has recovered; docs/alerts.md."""

    def __init__(self, outcome: Literal["failed", "succeeded"]) -> None:
        super().__init__()
        self.outcome = outcome

    def notify(self, context: Mapping[str, Any]) -> None:
        """Write the outcome into the book of alerts, and send what it makes due."""
        from directive_etl import alerts

        affected = affected_task(context)
        if self.outcome == "failed":
            alerts.tell_failure(affected, context.get("exception"))
        else:
            alerts.tell_success(affected)


def tell_overdue_close(context: Mapping[str, Any]) -> None:
    """Tell that a run of daily_close has not ended in time; called by Airflow when the deadline passes."""
    from directive_etl import alerts

    run = context["dag_run"]
    alerts.tell_overdue_close(str(run["partition_key"] if isinstance(run, Mapping) else run.partition_key))


# The close takes a minute; half an hour after it was due, people should look.
CLOSED_IN_TIME = DeadlineAlert(
    reference=DeadlineReference.DAGRUN_QUEUED_AT,
    interval=timedelta(minutes=30),
    callback=SyncCallback(tell_overdue_close),
)
_CALLBACKS = {
    "on_failure_callback": [AlertNotifier("failed")],
    "on_success_callback": [AlertNotifier("succeeded")],
}
_TASK_DEFAULTS = {
    "owner": "data-engineering",
    "retries": 3,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": True,
    **_CALLBACKS,
}
# Arguments of a DAG whose runs are each about one reporting day and may run side by side, in any order.
ONE_DAY_PER_RUN: dict[str, Any] = {
    "start_date": _FIRST_DAY,
    "end_date": _last_moment(),
    "catchup": False,
    "max_active_runs": 4,
    "default_args": _TASK_DEFAULTS,
}
# Arguments of a DAG whose runs follow each other and are not about one day.
ONE_RUN_AT_A_TIME: dict[str, Any] = {
    "start_date": _FIRST_DAY,
    "catchup": False,
    "max_active_runs": 1,
    "default_args": {"owner": "data-engineering", "retries": 1, **_CALLBACKS},
}
# Arguments of a DAG that a person starts, from the pages or from Airflow's form.
BY_HAND: dict[str, Any] = {
    "schedule": None,
    "start_date": _FIRST_DAY,
    "catchup": False,
    "max_active_runs": 4,
    "default_args": {
        "owner": "data-engineering",
        "retries": 1,
        "retry_delay": timedelta(seconds=10),
        **_CALLBACKS,
    },
}


def asked_day(context: Mapping[str, Any]) -> date:
    """Return the day that a run by hand was asked for."""
    return date.fromisoformat(context["params"]["report_date"])


def day_param() -> Param:
    """Return the parameter of a run that is about one day, as a person types it."""
    return Param(None, type="string", format="date", description="Reporting day, YYYY-MM-DD.")


def reason_param() -> Param:
    """Return the parameter that says why; it is kept."""
    return Param(None, type="string", minLength=5, maxLength=500, description="Why; it is kept.")


def record_decision(decision: str, answer: Mapping[str, Any], params: Mapping[str, Any]) -> list[str]:
    """Record what a person answered about a held batch, with the name Airflow knows that person by.

    Args:
        decision: released or rejected.
        answer: what an ApprovalOperator returns.
        params: of the run: batch_id, and the reason it was asked with.

    Returns:
        Source, part and day of the batch, fit for XCom.
    """
    from directive_etl import alerts, pipeline

    user = answer.get("responded_by_user") or {}
    note = (answer.get("params_input") or {}).get("note")
    reason = "; ".join(filter(None, (params["reason"], note)))
    name = str(user.get("name") or user.get("id") or "unknown")
    with no_retry_on_bad_data():
        source, part, day = pipeline.decide_batch(params["batch_id"], decision, reason, name)
    if decision == "rejected":  # nothing is left to decide; a release is told once it is loaded
        alerts.tell_success(alerts.Affected(source, "", part, str(day)))
    return [source, part, str(day)]


def load_released(context: Mapping[str, Any], released: Sequence[str]) -> list[str]:
    """Read a released part of a day again, and publish the days that changed; see `publish_days`."""
    from directive_etl import alerts, pipeline

    source, part, day = released
    connection = portal_connection(part) if source == PORTAL_FIGURES.name else None
    with no_retry_on_bad_data():
        pipeline.load_released(source, part, date.fromisoformat(day), connection, connected_place)
        alerts.tell_success(alerts.Affected(source, "", part, day))
        return publish_days(context, FIGURES_OF[source])


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


def publish_days(context: Mapping[str, Any], asset: Asset) -> list[str]:
    """Say of an outlet which days changed, so that their progress, and what looks back on them, is recomputed.

    Args:
        context: of the task, which has the asset as its outlet.
        asset: the outlet.

    Returns:
        The days to recompute, in order.
    """
    from directive_etl import pipeline

    days = pipeline.affected_days(asset.name, context["dag_run"].run_id)
    keys = [day.strftime(_DAY_FORMAT) for day in days]
    if keys:
        context["outlet_events"][asset].add_partitions(keys)
    return keys
