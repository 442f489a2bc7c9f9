"""Which later days a changed figure reaches: an indicator that looks back makes its days depend on earlier ones."""

from collections.abc import Iterable
from datetime import date

import sqlalchemy as sa

from directive_etl.warehouse.tables import facts


def days_to_recompute(engine: sa.Engine, changed_days: Iterable[date]) -> list[date]:
    """Return the changed days, and each later day that is already computed, in order.

    Indicators such as "days since the last press item" of a later day read the figures of the days before it.
    """
    changed = set(changed_days)
    if not changed:
        return []
    table = facts.daily_progress
    query = sa.select(table.c.report_date).distinct().where(table.c.report_date > min(changed))
    with engine.connect() as connection:
        later = set(connection.execute(query).scalars())
    return sorted(changed | later)
