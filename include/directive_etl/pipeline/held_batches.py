"""Batches that a critical check held back, and what a person decides about them."""

import logging
from datetime import date

from directive_etl.quality.results import CheckResult
from directive_etl.warehouse import decisions
from directive_etl.warehouse.engine import loader_engine

log = logging.getLogger(__name__)


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


def unless_overruled(source: str, part: str, day: date, checks: list[CheckResult]) -> list[CheckResult]:
    """Return the checks of a part of a day; those that a release overruled are warnings."""
    with loader_engine().connect() as connection:
        return decisions.overrule(connection, source, part, day, checks)
