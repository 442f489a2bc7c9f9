"""What people decide about batches that a critical check held back, and what follows for the next load.

A decision is about what was found, not about bytes: when the same part and day again fails the same checks in the
same number of rows, they count as overruled; anything else that fails holds the batch back again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import sqlalchemy as sa

from directive_etl.errors import ConfigurationError
from directive_etl.masking import mask_digits
from directive_etl.quality.results import CheckResult, failed_critical
from directive_etl.warehouse.tables import ops

# Refused reports are no held batches: their unit corrects them.
_HELD = """
    from ops.load_batch b
    left join ops.batch_decision d using (batch_id)
    where b.status_code = 'refused' and b.source_code in ('sms_log', 'service_portal')
      and exists (
          select from ops.quality_result q
          where q.batch_id = b.batch_id and q.severity = 'critical' and not q.is_success
      )
"""
_FOUND = """
    select b.batch_id, b.source_code, b.part_code, b.report_date, b.reason, b.read_count, d.decision_code,
           exists (
               select from ops.load_batch l
               where (l.source_code, l.part_code, l.report_date) = (b.source_code, b.part_code, b.report_date)
                 and l.batch_id > b.batch_id
           ) as is_superseded
"""
_RELEASES = """
    select d.batch_id, d.reason, d.decided_by, q.check_code, q.column_name, q.failed_count
    from ops.batch_decision d
    join ops.load_batch b using (batch_id)
    join ops.quality_result q using (batch_id)
    where d.decision_code = 'released' and q.severity = 'critical' and not q.is_success
      and b.source_code = :source and b.part_code = :part and b.report_date = :day
    order by d.batch_id
"""
Finding = tuple[str, str, int]


@dataclass(frozen=True)
class HeldBatch:
    """A batch that waits for a decision."""

    batch_id: int
    source_code: str
    part_code: str
    report_date: date
    reason: str
    read_count: int


def held_batch(engine: sa.Engine, batch_id: int) -> HeldBatch:
    """Return a batch that may be released or rejected.

    Raises:
        ConfigurationError: it is not held, or somebody has decided.
    """
    with engine.connect() as connection:
        query = sa.text(f"{_FOUND} {_HELD} and b.batch_id = :batch_id")
        row = connection.execute(query, {"batch_id": batch_id}).one_or_none()
    if row is None:
        raise ConfigurationError(f"batch {batch_id}: no critical check holds it; see the page Quality")
    where = f"{row.source_code} {row.part_code} {row.report_date} batch {batch_id}"
    if row.decision_code is not None:
        raise ConfigurationError(f"{where}: it was {row.decision_code} before; nothing is left to decide")
    if row.is_superseded:
        raise ConfigurationError(
            f"{where}: a newer batch of the same day took its place; decide about that one"
        )
    return HeldBatch(
        row.batch_id, row.source_code, row.part_code, row.report_date, row.reason, row.read_count
    )


def decide(
    engine: sa.Engine,
    batch_id: int,
    decision: str,
    reason: str,
    decided_by: str,
) -> HeldBatch:
    """Record that a batch is `released` or `rejected`; the load itself is run again by the caller.

    Raises:
        ConfigurationError: the batch is not held, was decided about, or there is no reason.
    """
    batch = held_batch(engine, batch_id)
    if not reason.strip():
        raise ConfigurationError(f"batch {batch_id}: say why it is {decision}; the reason is kept")
    row = {
        "batch_id": batch_id,
        "decision_code": decision,
        "reason": mask_digits(reason.strip()),
        "decided_by": decided_by,
    }
    with engine.begin() as connection:
        connection.execute(sa.insert(ops.batch_decision).values(row))
    return batch


def overrule(
    connection: sa.Connection, source_code: str, part_code: str, day: date, checks: Sequence[CheckResult]
) -> list[CheckResult]:
    """Turn the failed critical checks that somebody overruled for this part and day into warnings.

    Args:
        connection: reads the decisions.
        source_code: sms_log or service_portal.
        part_code: operator or portal system.
        day: the day the batch is about.
        checks: what the suite found now.

    Returns:
        The checks in their order; those overruled say by whom and why.
    """
    found = {_finding(check) for check in failed_critical(checks)}
    if not found:
        return list(checks)
    asked = {"source": source_code, "part": part_code, "day": day}
    by_batch: dict[int, tuple[set[Finding], str]] = {}
    for row in connection.execute(sa.text(_RELEASES), asked):
        findings, _ = by_batch.setdefault(
            row.batch_id, (set(), f"overruled by {row.decided_by} (batch {row.batch_id}): {row.reason}")
        )
        findings.add((row.check_code, row.column_name, row.failed_count))
    said: Mapping[frozenset[Finding], str] = {
        frozenset(findings): text for findings, text in by_batch.values()
    }
    text = said.get(frozenset(found))
    if text is None:
        return list(checks)
    return [
        replace(check, severity="warning", notes=f"{check.notes}; {text}")
        if not check.is_success and check.severity == "critical"
        else check
        for check in checks
    ]


def _finding(check: CheckResult) -> Finding:
    return check.check_code, check.column, check.failed_count
