"""The one page that says how a unit stands: its reports of the last weeks, one line a day."""

import codecs
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from directive_etl.periods import LOCAL_ZONE
from directive_etl.sources.unit_report import answer_texts as texts
from directive_etl.sources.unit_report.template import write_whole

SUMMARY_NAME = "tong-hop.txt"
_DAYS = 31
_WIDTHS = (12, 16, 18, 18, 12, 6, 6)

# From the first report on. A day without a report that is not closed yet has no line.
_QUERY = sa.text("""
    select unit_code, report_date, status_code, received_at, due_at,
           revision_count, error_count, warning_count
    from (
        select *, row_number() over (partition by unit_code order by report_date desc) as place
        from reporting.unit_report_status_daily
        where unit_code = any(:unit_codes)
          and report_date <= (select max(report_date) from ops.load_batch where source_code = 'unit_report')
          and report_date >= (select min(report_date) from ops.load_batch where source_code = 'unit_report')
    ) s
    where place <= :days
    order by unit_code, report_date desc
""")


def write_summaries(engine: sa.Engine, outbox: Path, unit_codes: Collection[str]) -> None:
    """Write `tong-hop.txt` into the outbox of each unit that has one, from what the warehouse says now."""
    with engine.connect() as connection:
        rows = connection.execute(_QUERY, {"unit_codes": sorted(unit_codes), "days": _DAYS}).all()
    by_unit: dict[str, list[sa.Row[tuple[object, ...]]]] = {}
    for row in rows:
        by_unit.setdefault(row.unit_code, []).append(row)
    for unit_code, days in by_unit.items():
        folder = outbox / unit_code
        if folder.is_dir():
            text = "\r\n".join([*_iter_lines(unit_code, days), ""])
            write_whole(folder / SUMMARY_NAME, codecs.BOM_UTF8 + text.encode())


def _iter_lines(unit_code: str, days: Sequence[sa.Row[tuple[object, ...]]]) -> Iterator[str]:
    yield f"{texts.SUMMARY_TITLE}: {unit_code}"
    yield ""
    yield _line(texts.SUMMARY_COLUMNS)
    for day in days:
        yield _line(
            (
                f"{day.report_date:%d/%m/%Y}",
                texts.STATUSES[day.status_code],
                _minute(day.received_at),
                _minute(day.due_at),
                str(day.revision_count),
                str(day.error_count),
                str(day.warning_count),
            )
        )


def _line(cells: Sequence[str]) -> str:
    return "".join(cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True)).rstrip()


def _minute(at: datetime | None) -> str:
    return f"{at.astimezone(LOCAL_ZONE):%H:%M %d/%m/%Y}" if at else "-"
