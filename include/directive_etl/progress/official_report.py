"""The official report of a closed day, as a workbook the steering office can print: Vietnamese, A4, Times New Roman.

Form after Decree 30/2020/ND-CP, Annex I: national title, motto, margins 20-25 / 30-35 / 15-20 mm.
"""

import tempfile
from collections.abc import Hashable, Mapping
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pandas as pd
from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, NamedStyle, Side
from openpyxl.worksheet.header_footer import HeaderFooterItem, _HeaderFooterPart
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from directive_etl.registry.directive import Directive
from directive_etl.registry.units import units_on

CITY = "92"
STATUS_VI = {
    "achieved": "Đạt",
    "on_track": "Đúng tiến độ",
    "behind": "Chậm",
    "overdue": "Quá hạn",
    "not_reported": "Chưa báo cáo",
    "not_due": "Chưa đến kỳ",
}
_MM_PER_INCH = 25.4
_FONT = "Times New Roman"
_THIN = Side(style="thin")
_GRID = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)


def write_official_report(
    path: Path, directive: Directive, day: date, progress: pd.DataFrame, missing_units: list[str]
) -> None:
    """Write the day's report; the same content gives the same cells, and an existing file is replaced whole.

    Args:
        path: the workbook to write.
        directive: what the report is about.
        day: the closed day.
        progress: rows of reporting.directive_progress_daily as known at the close.
        missing_units: codes of the units that had not reported.
    """
    workbook = Workbook()
    # Office files keep naive times; the day alone, so that the same content gives the same file.
    workbook.properties.created = workbook.properties.modified = datetime.combine(day, time.min)
    for style in _table_styles():
        workbook.add_named_style(style)
    workbook.remove(workbook.worksheets[0])
    city_sheet: Worksheet = workbook.create_sheet("Toàn thành phố")
    _write_heading(city_sheet, directive, day)
    city = progress[progress["unit_code"] == CITY].set_index("indicator_code")
    header = ["Nội dung", "Chỉ tiêu", "Kết quả", "Mục tiêu", "Mục tiêu tạm tính", "Tình trạng"]
    rows = [
        [clause.code, indicator.name_vi, *_values(city.loc[indicator.code].to_dict())]
        for clause, indicator in directive.indicators
        if indicator.code in city.index
    ]
    _write_table(city_sheet, header, rows)

    unit_sheet = workbook.create_sheet("Từng đơn vị")
    names = {indicator.code: indicator.name_vi for _, indicator in directive.indicators}
    rows = [
        [row["clause_code"], names[row["indicator_code"]], row["unit_name"], *_values(row)]
        for row in progress[progress["unit_code"] != CITY].to_dict("records")
    ]
    _write_table(unit_sheet, [header[0], header[1], "Đơn vị", *header[2:]], rows)

    missing_sheet = workbook.create_sheet("Chưa báo cáo")
    unit_names = {unit.unit_code: unit.name_vi for unit in units_on(day)}
    _write_table(
        missing_sheet, ["Mã đơn vị", "Đơn vị"], [[code, unit_names.get(code, code)] for code in missing_units]
    )

    for sheet in workbook.worksheets:
        _lay_out(sheet)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".xlsx", delete=False) as draft:
        workbook.save(draft)
    Path(draft.name).replace(path)


def _values(row: Mapping[Hashable, Any]) -> list[object]:
    return [
        _number(row["actual_value"]),
        _number(row["target_value"]),
        "có" if row["is_target_assumed"] else "",
        STATUS_VI[row["status_code"]],
    ]


def _number(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


def _write_heading(sheet: Worksheet, directive: Directive, day: date) -> None:
    for text, size, bold in (
        ("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", 13, True),
        ("Độc lập - Tự do - Hạnh phúc", 13, True),
        ("", 13, False),
        ("BÁO CÁO TIẾN ĐỘ", 14, True),
        (f"Công văn số {directive.number}: {directive.title_vi}", 13, False),
        (f"Tính đến 08 giờ 00 của ngày liền sau ngày {day:%d/%m/%Y}", 13, False),
    ):
        sheet.append([text])
        row_number = sheet.max_row
        cell = sheet.cell(row_number, 1)
        cell.font = Font(name=_FONT, size=size, bold=bold)
        cell.alignment = Alignment(horizontal="center", wrap_text=True)
        sheet.merge_cells(start_row=row_number, start_column=1, end_row=row_number, end_column=6)
    sheet.append([])


def _write_table(sheet: Worksheet, header: list[str], rows: list[list[object]]) -> None:
    first_row = sheet.max_row + 1  # asked once: the sheet looks at every cell to tell
    table: list[list[Any]] = [header, *rows]
    for row_number, values in enumerate(table, start=first_row):
        for column_number, value in enumerate(values, start=1):
            cell = sheet.cell(row_number, column_number, value)
            cell.style = "Tiêu đề bảng" if row_number == first_row else "Ô bảng"


def _table_styles() -> list[NamedStyle]:
    """Return the styles of tables; a named style costs a cell far less than a font and a border of its own."""
    wrapped = Alignment(vertical="top", wrap_text=True)
    return [
        NamedStyle(name, font=Font(name=_FONT, size=12, bold=is_bold), border=_GRID, alignment=wrapped)
        for name, is_bold in (("Tiêu đề bảng", True), ("Ô bảng", False))
    ]


def _lay_out(sheet: Worksheet) -> None:
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    margins = {"left": 30, "right": 15, "top": 20, "bottom": 20}
    for side, millimetres in margins.items():
        setattr(sheet.page_margins, side, millimetres / _MM_PER_INCH)
    sheet.oddHeader = HeaderFooterItem(center=_HeaderFooterPart(text="&P"))
    for column, width in zip("ABCDEFG", (12, 48, 34, 14, 14, 14, 18), strict=True):
        sheet.column_dimensions[column].width = width
