"""What the last look at a place left there: rows come, change and go with the files."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from directive_etl.landing.left import REASONS, LeftFile
from directive_etl.warehouse.tables import ops

_TABLE = ops.left_file
_COMPARED = [column.name for column in _TABLE.columns if column.name != "recorded_at"]


def record_left(
    engine: sa.Engine,
    source_code: str,
    left: Sequence[LeftFile],
    part_code: str | None = None,
    report_date: date | None = None,
) -> bool:
    """Make the table say what a look at a place left there.

    An alert that was raised stands while the file is the same, whichever day is run again.

    Args:
        engine: of the role etl_loader.
        source_code: the source.
        left: all that was left in what was looked at.
        part_code: the part that was looked at; None for all.
        report_date: the day that was looked at; None for all.

    Returns:
        Whether anything was written.
    """
    scope = [_TABLE.c.source_code == source_code]
    if part_code is not None:
        scope.append(_TABLE.c.part_code == part_code)
    if report_date is not None:
        scope.append(_TABLE.c.report_date == report_date)
    with engine.begin() as connection:
        held = [row._asdict() for row in connection.execute(sa.select(_TABLE).where(*scope))]
        alerted = {_identity(row) for row in held if row["is_overdue"]}
        rows = _rows(source_code, left, alerted)
        if sorted(map(_values, held)) == sorted(map(_values, rows)):
            return False
        connection.execute(sa.delete(_TABLE).where(*scope))
        if rows:
            connection.execute(sa.insert(_TABLE), rows)
    return True


def overdue_files(engine: sa.Engine, source_code: str, first: date, last: date) -> list[str]:
    """Return, of the days from `first` to `last`, each overdue file in a sentence that says whose it is."""
    query = (
        sa.select(_TABLE.c.part_code, _TABLE.c.report_date, _TABLE.c.origin, _TABLE.c.reason)
        .where(_TABLE.c.source_code == source_code, _TABLE.c.is_overdue)
        .where(_TABLE.c.report_date.between(first, last))
        .order_by(_TABLE.c.part_code, _TABLE.c.report_date, _TABLE.c.file_number)
    )
    with engine.connect() as connection:
        return [
            f"{row.part_code} {row.report_date} {row.origin}: {row.reason}"
            for row in connection.execute(query)
        ]


def _rows(source_code: str, left: Sequence[LeftFile], alerted: set[tuple[Any, ...]]) -> list[dict[str, Any]]:
    counted: dict[tuple[str, date], int] = {}
    rows = []
    for one in sorted(left, key=lambda one: (one.part_code, one.report_date, one.origin, one.modified_at)):
        key = (one.part_code, one.report_date)
        row = {
            "source_code": source_code,
            "part_code": one.part_code,
            "report_date": one.report_date,
            "file_number": counted.get(key, 0),
            "origin": one.origin,
            "reason_code": one.reason_code,
            "reason": REASONS[one.reason_code],
            "size_bytes": one.size_bytes,
            "modified_at": one.modified_at,
            "is_overdue": one.is_overdue,
        }
        row["is_overdue"] = one.is_overdue or _identity(row) in alerted
        counted[key] = counted.get(key, 0) + 1
        rows.append(row)
    return rows


def _identity(row: dict[str, Any]) -> tuple[Any, ...]:
    names = ("part_code", "report_date", "origin", "reason_code", "size_bytes", "modified_at")
    return tuple(row[name] for name in names)


def _values(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _COMPARED)
