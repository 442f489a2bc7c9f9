"""How long a day's figures may be corrected, and the engineers' exceptions.

A report after its due time is late; it is taken all the same. A day is locked much later, so that what the
office has published stops moving; then a unit-day can be reopened, with a reason that is kept.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from directive_etl.errors import ConfigurationError
from directive_etl.masking import mask_digits
from directive_etl.periods import close_of
from directive_etl.registry.directive import directives
from directive_etl.registry.obligations import owed_figures
from directive_etl.registry.units import units_on
from directive_etl.warehouse.tables import ops

# No document sets it: assumed. A fortnight outlasts holidays and the slowest correction.
LOCKED_AFTER = timedelta(days=14)


@dataclass(frozen=True)
class Reopenings:
    """Which unit-days were reopened, and until when (None: without an end)."""

    open_until: dict[tuple[str, date], list[datetime | None]]

    def is_locked(self, unit_code: str, day: date, received_at: datetime) -> bool:
        """Say whether a report for a day comes too late to be taken, by the channel's clock."""
        if received_at <= locked_at(day):
            return False
        ends = self.open_until.get((unit_code, day), [])
        return not any(end is None or received_at <= end for end in ends)


def locked_at(day: date) -> datetime:
    """Return the moment after which a day's figures are not corrected any more, aware."""
    return close_of(day) + LOCKED_AFTER


def reopenings(connection: sa.Connection) -> Reopenings:
    """Return every reopening on record."""
    table = ops.report_reopening
    found: dict[tuple[str, date], list[datetime | None]] = {}
    for row in connection.execute(sa.select(table.c.unit_code, table.c.report_date, table.c.open_until)):
        found.setdefault((row.unit_code, row.report_date), []).append(row.open_until)
    return Reopenings(found)


def reopen(
    engine: sa.Engine, unit_code: str, day: date, reason: str, open_until: datetime | None = None
) -> None:
    """Let a unit correct a locked day again.

    Raises:
        ConfigurationError: there is no such unit, it owes nothing on the day, or no reason is given.
    """
    where = f"unit_report {day} {unit_code}"
    unit = next((one for one in units_on(day) if one.unit_code == unit_code), None)
    if unit is None or not any(owed_figures(directive, unit, day) for directive in directives()):
        raise ConfigurationError(f"{where}: no such unit owes a report on that day; see registry/units")
    if not reason.strip():
        raise ConfigurationError(f"{where}: say why it is reopened, with --reason")
    row = {
        "unit_code": unit_code,
        "report_date": day,
        "reason": mask_digits(reason.strip()),
        "open_until": open_until,
    }
    with engine.begin() as connection:
        connection.execute(sa.insert(ops.report_reopening).values(row))
