"""SMS logs: land, count, load, publish reach."""

import logging
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from directive_etl.errors import UnfinishedFileError
from directive_etl.landing import LandedFile, iter_landed
from directive_etl.landing.place import Connect, no_connection, open_place
from directive_etl.observability import observed
from directive_etl.pipeline.held_batches import unless_overruled
from directive_etl.quality.suites import check_frame
from directive_etl.quality.usable import check_most_usable
from directive_etl.registry import campaigns, operators
from directive_etl.registry.directive import first_measured_day
from directive_etl.settings import settings
from directive_etl.warehouse.engine import loader_engine
from directive_etl.warehouse.left_files import overdue_files, record_left

log = logging.getLogger(__name__)


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
    for day in load.open_days(drop_day, operator.window_days, first_measured_day()):
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

    days = load.open_days(drop_day, operator.window_days, first_measured_day())
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
        reach_root=_reach_root(),
        most_bytes=settings().largest_log_bytes,
    )
    checks = check_frame(counts.daily, "core.daily_sms", RULES)
    checks.append(check_most_usable(counts.account.refused, counts.account.read))
    checks = unless_overruled(load.SOURCE, operator.operator_code, drop_day, checks)
    batch = load.operator_batch(operator, drop_day, landed, counts, checks)
    log.info("sms_log %s %s: %s", operator.operator_code, drop_day, counts.account)
    changed = load.load_operator_day(loader_engine(), operator, batch, counts, list(landed))
    return list(landed) if changed else []


def publish_sms_reach(drop_day: date) -> list[date]:
    """Count distinct subscribers over all operators, as counted through each drop day that this one's run may change.

    That is the drop day itself, and those around it that were published before a late file was counted again.
    One that was not published is left to its own run, which waits for all its operators.

    Returns:
        The reporting days that changed.
    """
    from directive_etl.sources.sms_log import load
    from directive_etl.sources.sms_log.reach import count_reached

    engine = loader_engine()
    operator_codes = [operator.operator_code for operator in operators.operators()]
    window_days = max(operator.window_days for operator in operators.operators())
    start = first_measured_day()
    with engine.connect() as connection:
        stale = load.stale_drop_days(connection, drop_day - timedelta(days=window_days))
    changed: set[date] = set()
    for counted_through in sorted({drop_day, *stale}):
        days = load.open_days(counted_through, window_days, start)
        final_through = counted_through - timedelta(days=window_days)
        for campaign in campaigns.campaigns():
            count = partial(
                count_reached, _reach_root(), campaign.campaign_code, days, counted_through, start
            )
            if load.publish_reach(engine, operator_codes, campaign, counted_through, count, final_through):
                changed.update(days)
    return sorted(changed)


def _reach_root() -> Path:
    """Return the folder of the reach store: beside the landing zone, never in the warehouse."""
    return settings().landing / "sms_reach"
