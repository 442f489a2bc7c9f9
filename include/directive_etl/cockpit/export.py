"""Tables as CSV and XLSX that open safely: a text is never taken for a formula."""

import csv
import io
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import Query
from fastapi.responses import Response
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from directive_etl.cockpit.asked import Row

Format = Annotated[Literal["csv", "xlsx"], Query()]
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# What makes a spreadsheet program compute a cell of a CSV file, also behind blanks (OWASP, CSV injection).
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NOT_IN_XML = dict.fromkeys([*range(0x20), 0xFFFE, 0xFFFF]) | {0x09: 0x09, 0x0A: 0x0A, 0x0D: 0x0D}


def table_response(rows: Sequence[Row], name: str, format: Literal["csv", "xlsx"]) -> Response:
    """Return rows as a file to save; the columns are the keys of the first row."""
    body, media_type = (
        (to_csv(rows), "text/csv; charset=utf-8") if format == "csv" else (to_xlsx(rows), _XLSX)
    )
    disposition = f'attachment; filename="{name}.{format}"'
    return Response(body, media_type=media_type, headers={"Content-Disposition": disposition})


def to_csv(rows: Sequence[Row]) -> bytes:
    """Return rows as CSV; its mark tells Excel it is UTF-8, and texts like formulas get a quote."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    if rows:
        writer.writerow(rows[0])
    writer.writerows([guard_formula(_plain(value)) for value in row.values()] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def to_xlsx(rows: Sequence[Row]) -> bytes:
    """Return rows as a workbook in which every text is a text cell."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("data")
    sheet.freeze_panes = "A2"
    for row in [list(rows[0]), *(list(row.values()) for row in rows)] if rows else []:
        cells = []
        for value in row:
            plain = _plain(value)
            cell = WriteOnlyCell(
                sheet, value=plain.translate(_NOT_IN_XML) if isinstance(plain, str) else plain
            )
            if isinstance(plain, str):
                cell.data_type = "s"
            cells.append(cell)
        sheet.append(cells)
    saved = io.BytesIO()
    book.save(saved)
    return saved.getvalue()


def guard_formula(value: Any) -> Any:
    """Put a quote before a text that a spreadsheet program would compute."""
    if isinstance(value, str) and value.lstrip(" \u00a0").startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value) if value % 1 else int(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return value
