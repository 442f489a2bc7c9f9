"""Days whose figures changed and whose progress has not been recomputed since: noted with the figures themselves.

A note is claimed by the run that publishes its day, so that it is published once, and by the next try of that run when
a try dies. It goes when the day has been recomputed.
"""

from datetime import date

import sqlalchemy as sa

from directive_etl.warehouse.tables.ops import changed_day


def claim_days(connection: sa.Connection, source_code: str, claimant: str) -> list[date]:
    """Claim the days of a source that nobody has claimed.

    Args:
        connection: an open transaction.
        source_code: whose figures changed.
        claimant: who publishes them: a run, the same in each of its tries.

    Returns:
        The days claimed now, and those that the claimant claimed before and that still wait, in order.
    """
    claimed = (
        sa.update(changed_day)
        .where(
            changed_day.c.source_code == source_code,
            sa.func.coalesce(changed_day.c.claimed_by, claimant) == claimant,
        )
        .values(claimed_by=claimant)
        .returning(changed_day.c.report_date)
    )
    return sorted(set(connection.execute(claimed).scalars()))


def claimed_notes(connection: sa.Connection, day: date) -> list[int]:
    """Return the claimed notes on a day; read them before its progress is recomputed, and settle those afterwards."""
    query = sa.select(changed_day.c.change_id).where(
        changed_day.c.report_date == day, changed_day.c.claimed_by.is_not(None)
    )
    return list(connection.execute(query).scalars())


def settle(connection: sa.Connection, notes: list[int]) -> None:
    """Remove notes whose day has been recomputed; one that came meanwhile stays."""
    connection.execute(sa.delete(changed_day).where(changed_day.c.change_id.in_(notes)))
