"""Days whose figures changed and whose progress has not been recomputed since: noted with the figures themselves."""

from datetime import date

import sqlalchemy as sa

from directive_etl.warehouse.tables.ops import changed_day


def changed_days(connection: sa.Connection, source_code: str) -> list[date]:
    """Return the days of a source that wait for their progress, in order."""
    query = (
        sa.select(changed_day.c.report_date)
        .distinct()
        .where(changed_day.c.source_code == source_code)
        .order_by(changed_day.c.report_date)
    )
    return list(connection.execute(query).scalars())


def notes_of_day(connection: sa.Connection, day: date) -> list[int]:
    """Return the notes on a day; read them before its progress is recomputed, and settle those afterwards."""
    query = sa.select(changed_day.c.change_id).where(changed_day.c.report_date == day)
    return list(connection.execute(query).scalars())


def settle(connection: sa.Connection, notes: list[int]) -> None:
    """Remove notes whose day has been recomputed; one that came meanwhile stays."""
    connection.execute(sa.delete(changed_day).where(changed_day.c.change_id.in_(notes)))
