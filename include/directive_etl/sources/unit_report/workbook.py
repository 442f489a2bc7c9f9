"""Build the workbook of a form: the report, the guide, and the hidden sheet that says whose form it is."""

from datetime import date

from openpyxl import Workbook
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from directive_etl.sources.unit_report import form_texts as texts
from directive_etl.sources.unit_report.form import (
    ANCHOR_COLUMN,
    CATEGORY_SIGN,
    COLUMNS_ANCHOR,
    COLUMNS_ROW,
    DATE_ANCHOR,
    DATE_ROW,
    FIRST_VALUE_COLUMN,
    FORM_SIGN,
    GUIDE_SHEET,
    LABEL_COLUMN,
    LARGEST_FIGURE,
    MADE_FOR_SIGN,
    META_SHEET,
    NOTE_ROW,
    REASON_ANCHOR,
    REPORT_SHEET,
    SUBJECT_ROW,
    TABLE_ANCHOR,
    TEMPLATE_VERSION,
    TITLE_ROW,
    UNIT_CODE_ANCHOR,
    UNIT_CODE_ROW,
    UNIT_ROW,
    VALUE_ANCHOR,
    Block,
    Form,
)

LAST_COLUMN = 7
DATE_FORMAT = "dd/mm/yyyy"

_THIN = Side(style="thin", color="FF7F7F7F")
_BORDER = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
_PLAIN = Font(name="Times New Roman", size=12)
_BOLD = Font(name="Times New Roman", size=12, bold=True)
_TITLE = Font(name="Times New Roman", size=14, bold=True)
_ITALIC = Font(name="Times New Roman", size=11, italic=True)
_HEADER_FILL = PatternFill("solid", start_color="FFD9E2F3")
_INPUT_FILL = PatternFill("solid", start_color="FFFFF9DB")
_EXCEEDS_FILL = PatternFill("solid", start_color="FFF4B6B6", end_color="FFF4B6B6")
_CLOSED_FILL = PatternFill("solid", start_color="FFE4E4E4")
_WRAPPED = Alignment(wrap_text=True, vertical="center")
_CENTERED = Alignment(wrap_text=True, vertical="center", horizontal="center")
_OPEN = Protection(locked=False)


def build_workbook(form: Form, unit_name: str, unit_code: str, report_date: date) -> Workbook:
    """Build the empty form of a unit for a day: input cells open, all else locked without a password."""
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    sheet = workbook.create_sheet(REPORT_SHEET)
    _write_head(sheet, form, unit_name, unit_code, report_date)
    for number, block in enumerate(form.blocks, start=1):
        _write_block(sheet, form, number, block)
    _write_checks(sheet, form)
    _set_page(sheet, form.reason_column)
    _write_guide(workbook.create_sheet(GUIDE_SHEET), form)
    meta = workbook.create_sheet(META_SHEET)
    for row in (
        ("template_version", TEMPLATE_VERSION),
        ("directive_code", form.directive.code),
        ("unit_code", unit_code),
        ("report_date", report_date),
    ):
        meta.append(row)
    meta["B4"].number_format = DATE_FORMAT
    meta.sheet_state = "hidden"
    meta.protection.enable()
    return workbook


def _write_head(sheet: Worksheet, form: Form, unit_name: str, unit_code: str, report_date: date) -> None:
    directive = form.directive
    for row, text, font in (
        (TITLE_ROW, texts.title(directive), _TITLE),
        (SUBJECT_ROW, directive.title_vi, _ITALIC),
        (NOTE_ROW, texts.FILL_IN_NOTE, _ITALIC),
    ):
        sheet.merge_cells(start_row=row, end_row=row, start_column=LABEL_COLUMN, end_column=LAST_COLUMN)
        cell = sheet.cell(row, LABEL_COLUMN, text)
        cell.font, cell.alignment = font, (_WRAPPED if row == NOTE_ROW else _CENTERED)
        sheet.row_dimensions[row].height = 36
    for row, label, value in (
        (UNIT_ROW, texts.UNIT_LABEL, unit_name),
        (UNIT_CODE_ROW, texts.UNIT_CODE_LABEL, unit_code),
        (DATE_ROW, texts.DATE_LABEL, report_date),
    ):
        sheet.cell(row, LABEL_COLUMN, label).font = _BOLD
        cell = sheet.cell(row, FIRST_VALUE_COLUMN, value)
        cell.font, cell.alignment = _BOLD, Alignment(horizontal="left")
    sheet.cell(TITLE_ROW, ANCHOR_COLUMN, f"{FORM_SIGN}{TEMPLATE_VERSION}:{directive.code}")
    sheet.cell(UNIT_ROW, ANCHOR_COLUMN, f"{MADE_FOR_SIGN}{report_date.isoformat()}")
    sheet.cell(UNIT_CODE_ROW, ANCHOR_COLUMN, UNIT_CODE_ANCHOR)
    sheet.cell(DATE_ROW, ANCHOR_COLUMN, DATE_ANCHOR)
    sheet.cell(COLUMNS_ROW, ANCHOR_COLUMN, COLUMNS_ANCHOR)
    sheet.cell(COLUMNS_ROW, FIRST_VALUE_COLUMN, VALUE_ANCHOR)
    sheet.cell(COLUMNS_ROW, form.reason_column, REASON_ANCHOR)
    sheet.row_dimensions[COLUMNS_ROW].hidden = True
    heading = sheet.cell(NOTE_ROW, form.reason_column, texts.REASON_LABEL)
    heading.font, heading.alignment = _BOLD, _CENTERED
    typed = sheet.cell(DATE_ROW, FIRST_VALUE_COLUMN)
    typed.number_format, typed.protection = DATE_FORMAT, _OPEN
    typed.fill, typed.border = _INPUT_FILL, _BORDER


def _write_block(sheet: Worksheet, form: Form, number: int, block: Block) -> None:
    heading = sheet.cell(block.heading_row, LABEL_COLUMN, texts.heading(form.directive, number, block.clause))
    heading.font = _BOLD
    if not block.is_table:
        for row, measure in enumerate(block.measures, start=block.first_value_row):
            sheet.cell(row, ANCHOR_COLUMN, measure.code)
            _write_label(sheet, row, measure.name_vi)
            _open_cell(sheet, row, FIRST_VALUE_COLUMN)
            _open_reason(sheet, row, form.reason_column)
        return
    sheet.cell(block.code_row, ANCHOR_COLUMN, TABLE_ANCHOR)
    sheet.row_dimensions[block.code_row].hidden = True
    sheet.row_dimensions[block.name_row].height = 48
    _write_label(sheet, block.name_row, texts.CATEGORY_LABEL)
    for column, measure in enumerate(block.measures, start=FIRST_VALUE_COLUMN):
        sheet.cell(block.code_row, column, measure.code)
        cell = sheet.cell(block.name_row, column, measure.name_vi)
        cell.font, cell.fill, cell.alignment, cell.border = _BOLD, _HEADER_FILL, _CENTERED, _BORDER
    for row, category in enumerate(block.categories, start=block.first_value_row):
        sheet.cell(row, ANCHOR_COLUMN, CATEGORY_SIGN + category.code)
        _write_label(sheet, row, category.name_vi)
        for column, measure in enumerate(block.measures, start=FIRST_VALUE_COLUMN):
            if (measure.code, category.code) in form.addresses:
                _open_cell(sheet, row, column)
            else:
                sheet.cell(row, column).fill = _CLOSED_FILL
        _open_reason(sheet, row, form.reason_column)


def _open_reason(sheet: Worksheet, row: int, column: int) -> None:
    cell = sheet.cell(row, column)
    cell.font, cell.border, cell.protection, cell.alignment = _ITALIC, _BORDER, _OPEN, _WRAPPED
    cell.number_format = "@"


def _write_label(sheet: Worksheet, row: int, text: str) -> None:
    cell = sheet.cell(row, LABEL_COLUMN, text)
    cell.font, cell.fill, cell.alignment, cell.border = _PLAIN, _HEADER_FILL, _WRAPPED, _BORDER


def _open_cell(sheet: Worksheet, row: int, column: int) -> None:
    cell = sheet.cell(row, column)
    cell.font, cell.fill, cell.border, cell.protection = _PLAIN, _INPUT_FILL, _BORDER, _OPEN
    cell.number_format = "#,##0"


def _write_checks(sheet: Worksheet, form: Form) -> None:
    """Let the spreadsheet program refuse what is no count, and redden a part that exceeds its whole."""
    whole = DataValidation(
        type="whole",
        operator="between",
        formula1="0",
        formula2=str(LARGEST_FIGURE),
        allow_blank=True,
        errorTitle=texts.WHOLE_NUMBER_TITLE,
        error=texts.WHOLE_NUMBER_ERROR,
    )
    first = form.directive.active_from
    day = DataValidation(
        type="date",
        operator="greaterThanOrEqual",
        formula1=f"DATE({first.year},{first.month},{first.day})",
        errorTitle=texts.DATE_TITLE,
        error=texts.date_error(form.directive),
    )
    day.add(f"{get_column_letter(FIRST_VALUE_COLUMN)}{DATE_ROW}")
    for key, address in form.addresses.items():
        whole.add(address)
        bound = form.addresses.get(form.bound_of(key) or ("", None))
        if bound:
            exceeds = f"AND(ISNUMBER({address}),ISNUMBER({bound}),{address}>{bound})"
            rule = FormulaRule([exceeds], fill=_EXCEEDS_FILL)  # type: ignore[no-untyped-call]
            sheet.conditional_formatting.add(address, rule)
    sheet.add_data_validation(day)
    if form.addresses:
        sheet.add_data_validation(whole)


def _set_page(sheet: Worksheet, reason_column: int) -> None:
    sheet.column_dimensions[get_column_letter(ANCHOR_COLUMN)].hidden = True
    sheet.column_dimensions[get_column_letter(LABEL_COLUMN)].width = 44
    for column in range(FIRST_VALUE_COLUMN, LAST_COLUMN + 1):
        sheet.column_dimensions[get_column_letter(column)].width = 18
    sheet.column_dimensions[get_column_letter(reason_column)].width = 34
    sheet.sheet_view.showGridLines = False
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9  # A4
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.protection.enable()


def _write_guide(sheet: Worksheet, form: Form) -> None:
    sheet.column_dimensions["A"].width = 110
    for row, text in enumerate(texts.guide(form), start=1):
        cell = sheet.cell(row, 1, text)
        cell.font = _TITLE if row == 1 else _PLAIN
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.protection.enable()
