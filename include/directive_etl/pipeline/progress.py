"""Progress: which days to recompute, recompute one, close one."""

import logging
from datetime import date

from directive_etl.observability import observed
from directive_etl.progress.close import Closed, close_day
from directive_etl.progress.lookback import days_to_recompute
from directive_etl.progress.recompute import recompute_progress
from directive_etl.settings import settings
from directive_etl.warehouse.changed_days import claim_days, claimed_notes, settle
from directive_etl.warehouse.engine import loader_engine

log = logging.getLogger(__name__)


@observed("directive_progress", day="day")
def recompute_day(day: date) -> int:
    """Recompute one day's progress; returns how many progress rows changed."""
    engine = loader_engine()
    with engine.connect() as connection:
        notes = claimed_notes(connection, day)
    changed = recompute_progress(engine, day)
    with engine.begin() as connection:
        settle(connection, notes)
    log.info("directive_progress %s: %d rows changed", day, changed)
    return changed


def affected_days(source: str, claimant: str) -> list[date]:
    """Return the days whose progress must be recomputed after figures of a source changed.

    Args:
        source: whose figures.
        claimant: who will see to it: the id of a run. What its earlier tries left undone is returned again.
    """
    engine = loader_engine()
    with engine.begin() as connection:
        claimed = claim_days(connection, source, claimant)
    return days_to_recompute(engine, source, claimed)


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
