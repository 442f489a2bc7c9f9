"""The only module that imports airflow: the day of a run, schedules, assets, connections, retry policy, alerts."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from airflow.sdk import (
    Asset,
    BaseHook,
    CronPartitionTimetable,
    ObjectStoragePath,
    Param,
    PartitionedAssetTimetable,
    TriggerRule,
)
from airflow.sdk.bases.notifier import BaseNotifier
from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference
from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException
from airflow.sdk.io import attach

from directive_etl.errors import ConfigurationError, DirectiveEtlError, SourceUnavailableError
from directive_etl.landing.place import is_address
from directive_etl.periods import LOCAL_ZONE, day_start
from directive_etl.settings import SystemConnection, settings

if TYPE_CHECKING:
    import imaplib

    from fsspec import AbstractFileSystem

    from directive_etl.alerts import Affected
    from directive_etl.landing.place import Place

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
    "connected_mailbox",
    "connected_place",
    "daily_at",
    "day_param",
    "load_released",
    "no_retry_on_bad_data",
    "portal_connection",
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
            "redirect_hosts": found.extra_dejson.get("redirect_hosts", ()),
            "ca_file": found.extra_dejson.get("ca_file"),
        }
    )


def connected_place(address: str) -> "Place":
    """Open `sftp://CONNECTION@/folder` or `s3://CONNECTION@bucket/prefix` by an Airflow connection.

    By hand, without a running task, Airflow finds connections in `AIRFLOW_CONN_<ID>` and in its secrets backends.

    Raises:
        ConfigurationError: the address names no connection or one that does not exist, or an SFTP connection does
            not say which host key to expect.
        SourceUnavailableError: the other side cannot be reached.
    """
    from directive_etl.landing.remote_place import RemotePlace, reaching

    scheme, connection_id = urlsplit(address).scheme, urlsplit(address).username
    if scheme not in ("sftp", "s3") or not connection_id:
        raise ConfigurationError(
            f"{address}: write sftp://CONNECTION@/folder or s3://CONNECTION@bucket/prefix"
        )
    try:
        with reaching(address):
            if scheme == "sftp":
                # Before the path, which would else connect by itself, to any server.
                attach("sftp", connection_id).fs = _sftp(address, connection_id)
            path = ObjectStoragePath(address)
            return RemotePlace(path.fs, path.path, address)
    except AirflowNotFoundException:
        raise _unknown_connection(address, connection_id) from None


def _sftp(address: str, connection_id: str) -> "AbstractFileSystem":
    """Connect to an SFTP server whose host key is known: Airflow's own file system would accept any."""
    import asyncssh
    from airflow.providers.sftp.fs.sftp import get_fs

    asyncssh.set_log_level("WARNING")  # it logs the names of files, which may hold phone numbers
    connection = BaseHook.get_connection(connection_id)
    extra = connection.extra_dejson
    if not connection.host or not connection.login:
        raise ConfigurationError(f"{address}: the connection must give host and login")
    host_key, is_unchecked = extra.get("host_key"), str(extra.get("no_host_key_check", "")).lower() == "true"
    if not host_key and not is_unchecked:
        raise ConfigurationError(
            f"{address}: the connection must give the server's public key as `host_key` in its extra, "
            "as `ssh-keyscan` shows it without the host name"
        )
    known_hosts = None
    if host_key:
        try:
            key = asyncssh.import_public_key(host_key).export_public_key().decode()
        except asyncssh.KeyImportError as error:
            raise ConfigurationError(f"{address}: `host_key` of the connection: {error}") from None
        known_hosts = asyncssh.import_known_hosts(f"* {key}")
    # Names that are no text come as surrogates instead of failing the whole listing.
    options = {"known_hosts": known_hosts, "sftp_client_kwargs": {"path_errors": "surrogateescape"}}
    return get_fs(connection_id, options)


@contextmanager
def connected_mailbox(address: str) -> Iterator["imaplib.IMAP4"]:
    """Sign in to `imap://CONNECTION@/FOLDER` by an Airflow connection, and out again.

    Raises:
        ConfigurationError: the address names no connection, or one that does not exist.
        SourceUnavailableError: the mail server cannot be reached, or turns us away.
    """
    import imaplib

    from airflow.providers.imap.hooks.imap import ImapHook

    connection_id = urlsplit(address).username
    if not connection_id:
        raise ConfigurationError(f"{address}: write imap://CONNECTION@/FOLDER")
    try:
        hook = ImapHook(connection_id).get_conn()
    except AirflowNotFoundException:
        raise _unknown_connection(address, connection_id) from None
    except (imaplib.IMAP4.error, OSError) as error:
        raise SourceUnavailableError(
            f"{address}: cannot sign in: {error}; ask its owner, or correct the connection"
        ) from error
    client = hook.mail_client
    try:
        yield client
    finally:
        with suppress(imaplib.IMAP4.error, OSError):
            client.logout()


def _unknown_connection(address: str, connection_id: str) -> ConfigurationError:
    return ConfigurationError(
        f"{address}: there is no Airflow connection {connection_id}; a run by hand does not see those of Airflow's "
        f"pages, so give it as AIRFLOW_CONN_{connection_id.upper()}"
    )
