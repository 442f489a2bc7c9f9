"""The form that goes back to a unit whose file is no .xlsx: what it typed, each fault marked and listed.

A .xls, .ods or .csv cannot carry the marks without being written anew by another program, so it is made from the
form and never from the sent bytes; own_workbook.py marks an .xlsx itself.
"""

from collections.abc import Sequence

from openpyxl import Workbook
from openpyxl.cell import Cell as SheetCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from directive_etl.masking import mask_digits
from directive_etl.registry.units import Unit
from directive_etl.sources.unit_report import answer_texts as texts
from directive_etl.sources.unit_report.check import Finding
from directive_etl.sources.unit_report.form import DATE_ROW, LARGEST_FIGURE, REPORT_SHEET, UNIT_CODE_ROW, Form
from directive_etl.sources.unit_report.package import to_package, to_parts
from directive_etl.sources.unit_report.report import Cell, ReadReport
from directive_etl.sources.unit_report.workbook import build_workbook

_FILLS = {
    "error": PatternFill("solid", start_color="FFFF9C9C"),
    "warning": PatternFill("solid", start_color="FFFFD58A"),
}
_TITLE = Font(name="Times New Roman", size=14, bold=True)
_BOLD = Font(name="Times New Roman", size=12, bold=True)
_PLAIN = Font(name="Times New Roman", size=12)
_LINK = Font(name="Times New Roman", size=12, underline="single", color="FF0563C1")
_WIDTHS = {"A": 6, "B": 12, "C": 10, "D": 90, "E": 30}
_FIRST_FAULT_ROW = 5
_THIN = Side(style="thin", color="FF7F7F7F")
_BORDER = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
_HEADER_FILL = PatternFill("solid", start_color="FFD9E2F3")
# Programs do not all fit a row to its wrapped text: letters of a line, and the height of one. Unit: points.
_MESSAGE_LETTERS, _LINE_HEIGHT = 95, 16.5

# Faults of the whole file that belong to a cell of the form's head.
_HEAD_CELLS = {
    "wrong_unit": f"C{UNIT_CODE_ROW}",
    "future_date": f"C{DATE_ROW}",
    "outside_directive": f"C{DATE_ROW}",
    "locked": f"C{DATE_ROW}",
}


def returned_workbook(form: Form, unit: Unit, report: ReadReport, findings: Sequence[Finding]) -> bytes:
    """Return an .xlsx: the unit's form as it filled it in, faulty cells marked, and the list of faults.

    The same arguments give the same bytes. A typed text stays a text whatever sign it starts with, and long
    numbers that are no figures are masked.
    """
    workbook = build_workbook(form, unit.name_vi, unit.unit_code, report.report_date)
    sheet = workbook[REPORT_SHEET]
    for key, address in form.addresses.items():
        cell = report.figures.get(key)
        if cell is not None and cell.raw is not None:
            _type(sheet[address], cell)
    for key, reason in report.reasons.items():
        if key in form.addresses:
            row = sheet[form.addresses[key]].row
            _write_text(sheet[f"{get_column_letter(form.reason_column)}{row}"], mask_digits(reason))
    marked = [(finding, _address(form, finding)) for finding in findings]
    for finding, address in marked:
        if address:
            _mark(sheet[address], finding)
    _list_faults(workbook.create_sheet(texts.FAULT_SHEET, 0), marked)
    _open_at_faults(workbook)
    return to_package(to_parts(workbook))


def _address(form: Form, finding: Finding) -> str:
    """Return the faulty cell on the form that goes back; the sent one may have had it elsewhere."""
    if finding.key is not None:
        return form.addresses.get(finding.key, "")
    return _HEAD_CELLS.get(finding.code, "")


def _type(target: SheetCell, cell: Cell) -> None:
    """Repeat what was typed: a figure as a number, anything else as the text it may be shown as."""
    if cell.value is not None and abs(cell.value) <= LARGEST_FIGURE:
        target.value = cell.value
    elif isinstance(cell.raw, float) and abs(cell.raw) <= LARGEST_FIGURE:
        target.value = cell.raw
    else:
        _write_text(target, cell.shown)


def _write_text(cell: SheetCell, text: str) -> None:
    """Write a text that no program may take for a formula, now or when it is edited."""
    cell.value = ILLEGAL_CHARACTERS_RE.sub("", text)
    if text[:1] in ("=", "+", "-", "@", "\t", "\r"):
        cell.data_type = "s"
        cell.quotePrefix = True


def _mark(cell: SheetCell, finding: Finding) -> None:
    """Colour and comment a cell; an error outdoes a warning, and comments add up."""
    said = f"{texts.SEVERITIES[finding.severity]}: {finding.message_vi}"
    before = cell.comment.text + "\n" if cell.comment else ""
    comment = Comment(before + ILLEGAL_CHARACTERS_RE.sub("", said), "directive_etl", height=110, width=320)
    cell.comment = comment
    if finding.severity == "error" or not before:
        cell.fill = _FILLS[finding.severity]


def _list_faults(sheet: Worksheet, marked: Sequence[tuple[Finding, str]]) -> None:
    for letter, width in _WIDTHS.items():
        sheet.column_dimensions[letter].width = width
    sheet["A1"], sheet["A2"] = texts.FAULT_TITLE, texts.FAULT_NOTE.format(sheet=REPORT_SHEET)
    sheet["A1"].font, sheet["A2"].font = _TITLE, _PLAIN
    sheet.merge_cells("A2:E2")
    sheet["A2"].alignment = Alignment(wrap_text=True, vertical="top")
    sheet.row_dimensions[2].height = 36
    for column, name in enumerate(texts.FAULT_COLUMNS, start=1):
        head = sheet.cell(_FIRST_FAULT_ROW - 1, column, name)
        head.font, head.fill, head.border = _BOLD, _HEADER_FILL, _BORDER
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9  # A4
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    for row, (finding, address) in enumerate(marked, start=_FIRST_FAULT_ROW):
        _list_fault(sheet, row, finding, address)


def _list_fault(sheet: Worksheet, row: int, finding: Finding, address: str) -> None:
    written = (
        str(row - _FIRST_FAULT_ROW + 1),
        texts.SEVERITIES[finding.severity],
        address,
        finding.message_vi,
        finding.found,
    )
    for column, text in enumerate(written, start=1):
        cell = sheet[f"{get_column_letter(column)}{row}"]
        _write_text(cell, text)
        cell.font, cell.alignment = _PLAIN, Alignment(wrap_text=True, vertical="top")
        cell.border = _BORDER
    lines = max(-(-len(finding.message_vi) // _MESSAGE_LETTERS), -(-len(finding.found) // 24), 1)
    sheet.row_dimensions[row].height = _LINE_HEIGHT * lines + 2
    sheet.cell(row, 2).fill = _FILLS[finding.severity]
    if address:
        link = sheet.cell(row, 3)
        link.hyperlink = Hyperlink(ref=link.coordinate, location=f"'{REPORT_SHEET}'!{address}")
        link.font = _LINK


def _open_at_faults(workbook: Workbook) -> None:
    workbook.active = 0
    for sheet in workbook.worksheets[1:]:
        sheet.sheet_view.tabSelected = False
