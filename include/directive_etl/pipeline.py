"""The steps of each source in order: the table of contents of the system.

The DAGs and the command line call these functions, and nothing else, so a run by hand is the same as a scheduled one.
Every function can be repeated freely: the same input again changes nothing. Figures are judged against the day they
are about and the time their channel gives, never against this process's clock.
"""

import imaplib
import logging
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from directive_etl.errors import ConfigurationError, UnfinishedFileError
from directive_etl.landing import LandedFile, iter_landed
from directive_etl.landing.deliver import deliver_files
from directive_etl.landing.place import Connect, is_address, no_connection, open_place
from directive_etl.observability import observed
from directive_etl.periods import day_end
from directive_etl.progress.close import Closed, close_day
from directive_etl.progress.lookback import days_to_recompute
from directive_etl.progress.recompute import recompute_progress
from directive_etl.quality.results import CheckResult
from directive_etl.quality.suites import check_frame
from directive_etl.quality.usable import check_most_usable
from directive_etl.registry import campaigns, operators, procedures, systems
from directive_etl.registry.directive import directives
from directive_etl.registry.units import UnitMatch, matching_units
from directive_etl.settings import SystemConnection, settings
from directive_etl.warehouse import decisions
from directive_etl.warehouse.changed_days import changed_days, notes_of_day, settle
from directive_etl.warehouse.engine import loader_engine
from directive_etl.warehouse.ledger import newest_batch_day
from directive_etl.warehouse.left_files import overdue_files, record_left

log = logging.getLogger(__name__)

# Signs in to a mailbox by its address, and out again.
OpenMailbox = Callable[[str], AbstractContextManager[imaplib.IMAP4]]

SOURCES = ("sms_log", "service_portal", "unit_report")


# --- sms_log ---------------------------------------------------------------------------------------------------------


@observed("sms_log", part="operator_code", day="drop_day")
def count_sms_operator(operator_code: str, drop_day: date, connect: Connect = no_connection) -> list[date]:
    """Land and count one operator's logs: the drop day, and the days before it that still await receipts.

    A drop day near it that was counted before is counted again when a file came late into its folders.

    Args:
        operator_code: as in registry/operators.
        drop_day: the day to count.
        connect: opens a drop that is on the network.

    Returns:
        The reporting days that may have changed.

    Raises:
        SourceUnavailableError: the operator dropped nothing for the day.
        RefusedBatchError: a critical check failed; the batch is in the ledger as refused.
    """
    from directive_etl.sources.sms_log import load
    from directive_etl.sources.sms_log.land import land_drop_day, require_logs

    operator = operators.operator(operator_code)
    drop = open_place(settings().drop, connect)
    # A folder is looked at while its day is open, so a shorter window is a shorter limit.
    limit = timedelta(days=min(settings().unfinished_limit_days, operator.window_days))
    for day in load.open_days(drop_day, operator.window_days, first_day()):
        taken = land_drop_day(drop, settings().landing, operator, day, settings().settle_seconds)
        left = [
            replace(one, is_overdue=one.is_unfinished and drop_day - day >= limit)
            for one in (taken.left if taken else ())
        ]
        record_left(loader_engine(), load.SOURCE, left, operator_code, day)
        if day == drop_day:
            require_logs(operator, day, taken)
    with loader_engine().connect() as connection:
        counted = load.recorded_inputs(connection, operator, drop_day)
    changed: set[date] = set()
    for day in sorted({drop_day, *counted}):
        files = _landed_window(operator, day)
        if day == drop_day or counted[day] != load.input_hash(files):
            changed.update(_count_drop_day(operator, day, files))
    return sorted(changed)


def require_whole_files(drop_day: date) -> list[date]:
    """Raise the alert for files on the drop that stay unfinished; what is whole has been counted.

    Returns:
        No day, for it changes none.

    Raises:
        UnfinishedFileError: all such files of the days that a run of the drop day looks at.
    """
    window_days = max(operator.window_days for operator in operators.operators())
    overdue = overdue_files(loader_engine(), "sms_log", drop_day - timedelta(days=window_days), drop_day)
    if overdue:
        raise UnfinishedFileError(
            f"sms_log {drop_day}: {'; '.join(overdue)} Ask the operator to send it whole."
        )
    return []


def _landed_window(operator: operators.Operator, drop_day: date) -> dict[date, list[LandedFile]]:
    """Return what has landed of a drop day and of the days before it that it may hold receipts for."""
    from directive_etl.sources.sms_log import load

    days = load.open_days(drop_day, operator.window_days, first_day())
    landed = {
        day: list(iter_landed(settings().landing, load.SOURCE, operator.operator_code, day)) for day in days
    }
    return {day: files for day, files in landed.items() if files}


def _count_drop_day(
    operator: operators.Operator, drop_day: date, landed: dict[date, list[LandedFile]]
) -> list[date]:
    from directive_etl.sources.sms_log import load
    from directive_etl.sources.sms_log.count import count_drop_day
    from directive_etl.sources.sms_log.rules import RULES

    counts = count_drop_day(
        landed,
        operator,
        campaigns.campaigns(),
        drop_day,
        hash_key=settings().require("hash_key"),
        memory_limit=settings().duckdb_memory_limit,
        reach_root=reach_root(),
        most_bytes=settings().largest_log_bytes,
    )
    checks = check_frame(counts.daily, "core.daily_sms", RULES)
    checks.append(check_most_usable(counts.account.refused, counts.account.read))
    checks = _unless_overruled(load.SOURCE, operator.operator_code, drop_day, checks)
    batch = load.operator_batch(operator, drop_day, landed, counts, checks)
    log.info("sms_log %s %s: %s", operator.operator_code, drop_day, counts.account)
    changed = load.load_operator_day(loader_engine(), operator, batch, counts, list(landed))
    return list(landed) if changed else []


def publish_sms_reach(drop_day: date) -> list[date]:
    """Count distinct subscribers over all operators, as counted through each drop day that this one's run may change.

    That is the drop day itself, and those around it that were published before: a late file may have changed them.
    One that was not is left to its own run, which waits for all its operators.

    Returns:
        The reporting days that changed.
    """
    from directive_etl.sources.sms_log import load
    from directive_etl.sources.sms_log.reach import count_reached

    engine = loader_engine()
    window_days = max(operator.window_days for operator in operators.operators())
    start = first_day()
    with engine.connect() as connection:
        published = load.published_drop_days(connection, drop_day - timedelta(days=window_days))
    changed: set[date] = set()
    for counted_through in sorted({drop_day, *published}):
        days = load.open_days(counted_through, window_days, start)
        for campaign in campaigns.campaigns():
            code = campaign.campaign_code
            reached = {day: count_reached(reach_root(), code, day, counted_through, start) for day in days}
            final_through = counted_through - timedelta(days=window_days)
            if load.publish_reach(engine, campaign, counted_through, reached, final_through):
                changed.update(days)
    return sorted(changed)


# --- service_portal --------------------------------------------------------------------------------------------------

PORTAL_UNITS = UnitMatch(
    unit_types=("so_ban_nganh", "ban_quan_ly_kcx_kcn", "ubnd_quan_huyen", "xa_phuong"), units=()
)


@observed("service_portal", part="system_code", day="day")
def pull_portal_system(system_code: str, day: date, connection: SystemConnection | None = None) -> list[date]:
    """Pull the dossiers that changed on a day from one system, and recount every day they touch.

    Args:
        system_code: as in registry/systems.
        day: the day the pull closes.
        connection: where the system answers; None takes it from the settings.

    Returns:
        The reporting days that changed.

    Raises:
        SourceUnavailableError: the system does not answer.
        SourceChangedError: a page cannot be read however often it is asked for.
        RefusedBatchError: a critical check failed; the batch is in the ledger as refused.
    """
    from directive_etl.sources.service_portal import load
    from directive_etl.sources.service_portal.extract import open_client, pull_day
    from directive_etl.sources.service_portal.journal import resumable_pull
    from directive_etl.sources.service_portal.read import read_pages
    from directive_etl.sources.service_portal.rules import RULES
    from directive_etl.sources.service_portal.weekday import WEEK, find_sudden_drop, received_on

    system = systems.system(system_code)
    engine = loader_engine()
    with engine.connect() as warehouse:
        proved_through = load.last_proven_day(warehouse, system_code, day)
        window = load.recorded_window(warehouse, system_code, day)
        week_before = received_on(warehouse, system_code, day - WEEK)
    with resumable_pull(settings().landing, system_code, day) as journal:
        with open_client(system, connection or system_connection(system_code)) as client:
            pull = pull_day(
                client,
                system,
                day,
                settings().landing,
                first_pull=proved_through is None,
                proved_through=proved_through,
                window=window,
                journal=journal,
            )
        pages = read_pages(pull.files, system, hash_key=settings().require("hash_key"), day=day)
        checks = check_frame(pages.versions, "core.portal_dossier_version", RULES)
        checks.append(find_sudden_drop(pages.versions, day, week_before))
        checks.append(check_most_usable(len(pages.refused), pages.read_count))
        checks = _unless_overruled(load.SOURCE, system_code, day, checks)
        batch = load.pull_batch(system_code, day, pull, pages, checks)
        log.info("service_portal %s %s: %s", system_code, day, batch.account)
        return load.load_pull(
            engine,
            batch,
            pull,
            pages,
            shows_past_state=system.window.shows_past_state,
            unit_codes=[unit.unit_code for unit in matching_units(PORTAL_UNITS, day)],
            procedures=procedures.procedures(),
            directive_start=first_day(),
        )


def system_connection(system_code: str) -> SystemConnection:
    """Return where a portal system answers, from the settings.

    Raises:
        ConfigurationError: the settings do not name the system.
    """
    try:
        return settings().system_connections[system_code]
    except KeyError:
        raise ConfigurationError(
            f"service_portal {system_code}: add it to DIRECTIVE_ETL_SYSTEM_CONNECTIONS, "
            f"or make the Airflow connection directive_etl_{system_code}"
        ) from None


# --- unit_report -----------------------------------------------------------------------------------------------------


def take_mail(open_mailbox: OpenMailbox = no_connection) -> list[date]:
    """Land the reports that came by e-mail since the last time; `answer_inbox` reads and answers them.

    Args:
        open_mailbox: signs in to the mailbox.

    Returns:
        No day, for it changes none.

    Raises:
        ConfigurationError: nothing says whom to believe about a sender.
        SourceUnavailableError: the mailbox cannot be reached.
    """
    from directive_etl.sources.unit_report.mailbox import LEFT_SOURCE, Senders, land_mail

    places = settings()
    if not places.mailbox_authserv_id:
        raise ConfigurationError(
            "DIRECTIVE_ETL_MAILBOX_AUTHSERV_ID is not set: name the mail server whose Authentication-Results are "
            "believed, or `*` where nobody but declared senders can send (docs/channels.md)"
        )
    senders = Senders(places.mailbox_senders, places.mailbox_authserv_id)
    with open_mailbox(places.mailbox) as client:
        left = land_mail(client, places.mailbox, places.landing, senders)
    record_left(loader_engine(), LEFT_SOURCE, left)
    return []


@observed("unit_report", day="again_for")
def answer_inbox(again_for: date | None = None, connect: Connect = no_connection) -> list[date]:
    """Land, read, check, load or refuse each new file of the inbox alone, and answer the unit that sent it.

    Args:
        again_for: also go once more through the files already answered for this day.
        connect: opens an inbox that is on the network.

    Returns:
        The reporting days that changed.

    Raises:
        SourceUnavailableError: the inbox cannot be reached.
    """
    from directive_etl.sources.unit_report.arrivals import SOURCE, take_inbox
    from directive_etl.sources.unit_report.inbox import Inbox
    from directive_etl.sources.unit_report.mailbox import iter_mailed

    places = settings()
    limit = timedelta(days=places.unfinished_limit_days)
    inbox = open_place(places.inbox, connect)
    arrived, left = take_inbox(inbox, places.landing, places.settle_seconds, limit)
    record_left(loader_engine(), SOURCE, left)
    arrived = sorted([*arrived, *iter_mailed(places.landing)], key=lambda file: file.known_at)
    outbox = _staged_answers() if is_address(places.outbox) else Path(places.outbox)
    return Inbox(loader_engine(), arrived, outbox, directives()).process(again_for)


def deliver_answers(connect: Connect = no_connection) -> list[date]:
    """Hand the answers over to an outbox on the network; what cannot be handed over stays for the next time.

    Args:
        connect: opens the outbox.

    Returns:
        No day, for it changes none.

    Raises:
        SourceUnavailableError: the outbox cannot be reached.
    """
    count = deliver_files(_staged_answers(), open_place(settings().outbox, connect))
    log.info("unit_report: %d answers handed over", count)
    return []


def _staged_answers() -> Path:
    """Return the folder in which answers for an outbox on the network wait: they hold what units typed."""
    return settings().landing / "outbox"


def reopen_report(unit_code: str, day: date, reason: str, open_until: date | None = None) -> None:
    """Let a unit correct a locked day again, up to the end of a day if one is given.

    Raises:
        ConfigurationError: no such unit owes a report on the day, or there is no reason.
    """
    from directive_etl.sources.unit_report.locks import reopen

    reopen(loader_engine(), unit_code, day, reason, day_end(open_until) if open_until else None)


# --- decisions about held batches ------------------------------------------------------------------------------------


def describe_held_batch(batch_id: int) -> str:
    """Say what a release would do, for who is to decide.

    Raises:
        ConfigurationError: the batch is not held, or somebody has decided.
    """
    held = decisions.held_batch(loader_engine(), batch_id)
    return (
        f"{held.source_code} {held.part_code} {held.report_date}: {held.read_count} rows are kept out.\n\n"
        f"Found: {held.reason}\n\n"
        "Approve: the part is read again and loaded; what failed now becomes a warning with your name and the "
        "reason. Reject: the part stays out of the day."
    )


def decide_batch(batch_id: int, decision: str, reason: str, decided_by: str) -> tuple[str, str, date]:
    """Record that a held batch is `released` or `rejected`; returns its source, part and day.

    Raises:
        ConfigurationError: the batch is not held, was decided about, or there is no reason.
    """
    held = decisions.decide(loader_engine(), batch_id, decision, reason, decided_by)
    log.info("batch %d was %s by %s", batch_id, decision, decided_by)
    return held.source_code, held.part_code, held.report_date


def load_released(
    source: str,
    part: str,
    day: date,
    connection: SystemConnection | None = None,
    connect: Connect = no_connection,
) -> list[date]:
    """Read a released part of a day again; returns the reporting days that changed."""
    if source == "sms_log":
        return count_sms_operator(part, day, connect)
    return pull_portal_system(part, day, connection)


def _unless_overruled(source: str, part: str, day: date, checks: list[CheckResult]) -> list[CheckResult]:
    with loader_engine().connect() as connection:
        return decisions.overrule(connection, source, part, day, checks)


# --- progress --------------------------------------------------------------------------------------------------------


@observed("directive_progress", day="day")
def recompute_day(day: date) -> int:
    """Recompute one day's progress; returns how many progress rows changed."""
    engine = loader_engine()
    with engine.connect() as connection:
        notes = notes_of_day(connection, day)
    changed = recompute_progress(engine, day)
    with engine.begin() as connection:
        settle(connection, notes)
    log.info("directive_progress %s: %d rows changed", day, changed)
    return changed


def affected_days(source: str, changed: Iterable[date]) -> list[date]:
    """Return the days whose progress must be recomputed after figures of a source changed.

    Those of a try that died after its load are among them.
    """
    engine = loader_engine()
    with engine.connect() as connection:
        waiting = changed_days(connection, source)
    return days_to_recompute(engine, source, {*changed, *waiting})


@observed("daily_close", day="day")
def close(day: date) -> list[Closed]:
    """Close a day: who reported in time, freeze what was known, export the official report."""
    closed = close_day(loader_engine(), day, settings().reports)
    for entry in closed:
        log.info(
            "daily_close %s %s: %d progress rows published, not reported: %s",
            entry.directive_number,
            day,
            entry.row_count,
            ", ".join(entry.missing_units) or "nobody",
        )
    return closed


def care_for_storage() -> int:
    """Delete landed files about persons past their retention; returns how many days of a part were deleted."""
    from directive_etl.landing.retention import PERSONAL_SOURCES, delete_days_before

    with loader_engine().connect() as connection:
        newest = newest_batch_day(connection)
    if newest is None:
        return 0
    first_kept = newest - timedelta(days=settings().landing_retention_days)
    landing = settings().landing
    deleted = {source: delete_days_before(landing / source, first_kept) for source in PERSONAL_SOURCES}
    log.info("warehouse_care: landed days before %s deleted: %s", first_kept, deleted)
    return sum(deleted.values())


def migrate_warehouse() -> None:
    """Bring the warehouse to the schema of this code, grant the rights, load the registry.

    Raises:
        ConfigurationError: the owner of the schema is not in the settings.
    """
    from directive_etl.warehouse.engine import engine_for
    from directive_etl.warehouse.schema import migrate

    migrate(engine_for("migration_url"))
    log.info("the warehouse is at the newest schema")


def run_source(
    source: str,
    day: date,
    connect: Connect = no_connection,
    open_mailbox: OpenMailbox = no_connection,
) -> list[date]:
    """Run one source for one day, all its parts, and recompute the progress it changes: what a day of DAGs does.

    Args:
        source: one of SOURCES.
        day: the day.
        connect: opens places that are on the network.
        open_mailbox: signs in to the mailbox, if there is one.

    Raises:
        ExceptionGroup: the errors of the parts that failed; the other parts are loaded.
    """
    steps: dict[str, list[Callable[[], list[date]]]] = {
        "sms_log": [
            *(
                partial(count_sms_operator, operator.operator_code, day, connect)
                for operator in operators.operators()
            ),
            partial(publish_sms_reach, day),
            partial(require_whole_files, day),
        ],
        "service_portal": [
            partial(pull_portal_system, system.system_code, day) for system in systems.systems()
        ],
        "unit_report": [
            *([partial(take_mail, open_mailbox)] if settings().mailbox else ()),
            partial(answer_inbox, day, connect),
            *([partial(deliver_answers, connect)] if is_address(settings().outbox) else ()),
        ],
    }
    changed: set[date] = set()
    errors: list[Exception] = []
    for step in steps[source]:
        try:
            changed.update(step())
        except Exception as error:  # noqa: BLE001 - a part that fails must not keep the others out; all are raised below
            errors.append(error)
    for changed_day in affected_days(source, changed):
        recompute_day(changed_day)
    if errors:
        message = f"{source} {day}: {len(errors)} of {len(steps[source])} steps failed, the rest is loaded"
        raise ExceptionGroup(message, errors)
    return sorted(changed)


def first_day() -> date:
    """Return the first day any directive measures."""
    return min(directive.active_from for directive in directives())


def reach_root() -> Path:
    """Return the folder of the reach store: beside the landing zone, never in the warehouse."""
    return settings().landing / "sms_reach"
