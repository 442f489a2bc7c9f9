"""The one page that says how a unit stands: its reports of the last weeks, one line a day.

It is written with the answers, before progress is recomputed, so it is made from the ledger and the registry.
"""

import codecs
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from directive_etl.periods import LOCAL_ZONE, close_of, days_between
from directive_etl.registry.directive import Directive
from directive_etl.registry.obligations import expected_report
from directive_etl.registry.units import units_on
from directive_etl.sources.unit_report import answer_texts as texts
from directive_etl.sources.unit_report.template import write_whole
from directive_etl.warehouse.tables import ops

SUMMARY_NAME = "tong-hop.txt"
_DAYS = timedelta(days=30)
_WIDTHS = (12, 16, 18, 18, 12, 6, 6)


def write_summaries(
    engine: sa.Engine, outbox: Path, directives: Collection[Directive], unit_codes: Collection[str]
) -> None:
    """Write `tong-hop.txt` into the outbox of each unit that has one.

    The newest day of receipt in the ledger is what it calls today, never the process's clock.
    """
    batch = ops.load_batch
    newest = sa.select(sa.func.max(batch.c.known_at)).where(batch.c.source_code == "unit_report")
    with engine.connect() as connection:
        now = connection.execute(newest).scalar()
        if now is None:
            return
        today = now.astimezone(LOCAL_ZONE).date()
        found = connection.execute(_query(unit_codes, today - _DAYS)).all()
    by_unit: dict[str, dict[date, Any]] = {unit_code: {} for unit_code in unit_codes}
    for row in found:
        by_unit[row.unit_code][row.report_date] = row
    for unit_code, rows in by_unit.items():
        folder = outbox / unit_code
        if folder.is_dir():
            text = "\r\n".join([*_iter_lines(unit_code, rows, directives, now), ""])
            write_whole(folder / SUMMARY_NAME, codecs.BOM_UTF8 + text.encode())


def _query(unit_codes: Collection[str], first: date) -> sa.Select[Any]:
    batch = ops.load_batch
    is_loaded = batch.c.status_code == "loaded"
    changing = sa.func.count().filter(is_loaded, batch.c.loaded_count > 0)
    return (
        sa.select(
            batch.c.part_code.label("unit_code"),
            batch.c.report_date,
            sa.func.min(batch.c.known_at).filter(is_loaded).label("received_at"),
            sa.func.greatest(changing - 1, 0).label("revision_count"),
            sa.func.sum(batch.c.critical_failed_count).label("error_count"),
            sa.func.coalesce(sa.func.sum(batch.c.warning_failed_count).filter(is_loaded), 0).label(
                "warning_count"
            ),
        )
        .where(
            batch.c.source_code == "unit_report",
            batch.c.part_code.in_(unit_codes),
            batch.c.status_code != "duplicate",
            batch.c.report_date >= first,
        )
        .group_by(batch.c.part_code, batch.c.report_date)
    )


def _iter_lines(
    unit_code: str, rows: Mapping[date, Any], directives: Collection[Directive], now: datetime
) -> Iterator[str]:
    yield f"{texts.SUMMARY_TITLE}: {unit_code}"
    yield ""
    yield _line(texts.SUMMARY_COLUMNS)
    today = now.astimezone(LOCAL_ZONE).date()
    for day in reversed(days_between(today - _DAYS, today)):
        row, due_at = rows.get(day), _due_at(directives, unit_code, day)
        status = _status(row.received_at if row else None, due_at, has_row=row is not None)
        if row is not None:
            counts = str(row.revision_count), str(row.error_count), str(row.warning_count)
            yield _line(
                (_day(day), texts.STATUSES[status], _minute(row.received_at), _minute(due_at), *counts)
            )
        elif due_at is not None and close_of(day) <= now:
            yield _line((_day(day), texts.STATUSES[status], "-", _minute(due_at), "", "", ""))


def _status(received_at: datetime | None, due_at: datetime | None, *, has_row: bool) -> str:
    """Return the status as reporting.unit_report_status_daily has it."""
    if due_at is None:
        return "not_expected"
    if received_at is not None:
        return "on_time" if received_at <= due_at else "late"
    return "refused" if has_row else "missing"


def _due_at(directives: Collection[Directive], unit_code: str, day: date) -> datetime | None:
    unit = next((one for one in units_on(day) if one.unit_code == unit_code), None)
    if unit is None:
        return None
    dues = (expected_report(directive, unit, day) for directive in directives)
    return min((due for due in dues if due is not None), default=None)


def _line(cells: Sequence[str]) -> str:
    return "".join(cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True)).rstrip()


def _day(day: date) -> str:
    return f"{day:%d/%m/%Y}"


def _minute(at: datetime | None) -> str:
    return f"{at.astimezone(LOCAL_ZONE):%H:%M %d/%m/%Y}" if at else "-"
