"""Which later days a changed figure reaches: an indicator that looks back makes its days depend on earlier ones."""

from collections.abc import Iterable
from datetime import date

import sqlalchemy as sa

from directive_etl.registry.directive import directives
from directive_etl.warehouse.tables import facts


def days_to_recompute(engine: sa.Engine, source: str, changed_days: Iterable[date]) -> list[date]:
    """Return the changed days and, for a source that is looked back on, each later day already computed, in order.

    Indicators such as "days since the last press item" of a later day read the figures of the days before it.
    """
    changed = set(changed_days)
    if not changed or not _is_looked_back_on(source):
        return sorted(changed)
    table = facts.daily_progress
    query = sa.select(table.c.report_date).distinct().where(table.c.report_date > min(changed))
    with engine.connect() as connection:
        later = set(connection.execute(query).scalars())
    return sorted(changed | later)


def _is_looked_back_on(source: str) -> bool:
    return any(
        indicator.calculation == "days_since"
        and directive.measure(indicator.numerator.measure).source == source
        for directive in directives()
        for _, indicator in directive.indicators
    )
