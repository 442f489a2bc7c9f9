"""Progress: which days to recompute, recompute one, close one."""

import logging
from collections.abc import Iterable
from datetime import date

from directive_etl.observability import observed
from directive_etl.progress.close import Closed, close_day
from directive_etl.progress.lookback import days_to_recompute
from directive_etl.progress.recompute import recompute_progress
from directive_etl.settings import settings
from directive_etl.warehouse.changed_days import changed_days, notes_of_day, settle
from directive_etl.warehouse.engine import loader_engine

log = logging.getLogger(__name__)


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
