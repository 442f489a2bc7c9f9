"""Read the reports that units send: figures with their cells, or the reason why a file cannot be read.

A form is read by its anchors, wherever they stand: on a sheet of another name, in moved rows or columns.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from openpyxl.utils import get_column_letter

from directive_etl.masking import mask_digits
from directive_etl.registry.directive import Directive, Measure
from directive_etl.registry.obligations import owed_figures
from directive_etl.registry.units import units_on
from directive_etl.sources.unit_report import messages
from directive_etl.sources.unit_report.form import (
    ANCHOR_COLUMN,
    CATEGORY_SIGN,
    COLUMNS_ANCHOR,
    DATE_ANCHOR,
    FIRST_VALUE_COLUMN,
    FORM_SIGN,
    MADE_FOR_SIGN,
    META_SHEET,
    REASON_ANCHOR,
    REPORT_SHEET,
    TABLE_ANCHOR,
    UNIT_CODE_ANCHOR,
    VALUE_ANCHOR,
    FigureKey,
)
from directive_etl.sources.unit_report.read_tidy import read_tidy
from directive_etl.sources.unit_report.reader_process import ReaderProcess
from directive_etl.sources.unit_report.reader_text import TEXT_TABLE
from directive_etl.sources.unit_report.report import (
    Broken,
    Cell,
    ReadReport,
    UnreadableError,
    UnreadableReport,
    to_cell,
)
from directive_etl.sources.unit_report.typed_values import to_date, to_plain_text, to_whole_number, transposed

__all__ = [
    "Broken",
    "Cell",
    "ReadReport",
    "UnreadableReport",
    "read_reports",
    "to_date",
    "to_report",
    "to_whole_number",
]

# Rows of a sheet as the reader process gives them: row number and cells, both from 1.
Rows = Sequence[tuple[int, list[Any]]]

_META_KEYS = ("template_version", "directive_code", "unit_code")
_REASON_CHARACTERS = 300


@dataclass(frozen=True)
class _Sheet:
    """The sheet of the form, and where its columns are now."""

    name: str
    rows: Rows
    anchor_column: int
    value_column: int
    reason_column: int | None
    date_row: int


def read_reports(
    paths: Sequence[Path], directives: Sequence[Directive]
) -> list[ReadReport | UnreadableReport]:
    """Read workbooks in a child process with limits on memory and time; a file that kills it costs itself.

    Args:
        paths: files, of any content.
        directives: those whose forms are known.

    Returns:
        One answer for each path, in their order.

    Raises:
        ConfigurationError: the child process does not start.
    """
    with ReaderProcess() as reader:
        return [to_report(path, reader.read(path), directives) for path in paths]


def to_report(
    path: Path, answer: Mapping[str, Any], directives: Sequence[Directive]
) -> ReadReport | UnreadableReport:
    """Return the report that the reader process found in a file.

    Args:
        path: the file.
        answer: `sheets`, the rows of each sheet by name; `tidy`, the rows of a tidy table; or `reason_code`.
        directives: those whose forms are known.
    """
    try:
        if "reason_code" in answer:
            rule = messages.UNREADABLE_RULES[answer["reason_code"]]
            raise UnreadableError(rule, **answer.get("details", {}))
        if "tidy" in answer:
            return read_tidy(path, answer["tidy"], directives)
        return _to_report(path, answer["sheets"], directives, bool(answer.get("from_1904")))
    except UnreadableError as error:
        rule, details = error.rule, error.details
        return UnreadableReport(path, rule.code, rule.vi.format(**details), rule.en.format(**details))


def _to_report(
    path: Path, sheets: Mapping[str, Rows], directives: Sequence[Directive], from_1904: bool
) -> ReadReport:
    sheet = _report_sheet(sheets)
    keys = _find_keys(sheets, sheet)
    raw_date = _value_at(sheet, sheet.date_row)
    report_date = to_date(raw_date, counts_from_1904=from_1904)
    if TEXT_TABLE in sheets and _made_for(sheet) == transposed(report_date):
        report_date = transposed(report_date)
    if report_date is None:
        raise UnreadableError(messages.NO_REPORT_DATE)
    directive = next((one for one in directives if one.code == keys["directive_code"]), None)
    figures: dict[FigureKey, Cell] = {}
    reasons: dict[FigureKey, str] = {}
    if directive:
        figures, reasons = _find_figures(directive, keys["unit_code"], report_date, sheet)
    return ReadReport(
        path=path,
        report_date=report_date,
        date_address=_address(sheet.date_row, sheet.value_column),
        figures=figures,
        reasons=reasons,
        unit_address=_unit_address(sheet),
        sheet_name=sheet.name,
        **keys,
    )


def _report_sheet(sheets: Mapping[str, Rows]) -> _Sheet:
    """Find the sheet with the anchors; two of them are never chosen between."""
    found = [one for name, rows in sheets.items() if (one := _to_sheet(name, rows)) is not None]
    if not found:
        missing = "ô “Ngày báo cáo”" if REPORT_SHEET in sheets else f"trang “{REPORT_SHEET}”"
        raise UnreadableError(messages.NOT_OUR_FORM, part=missing)
    if len(found) > 1:
        names = ", ".join(f"“{mask_digits(one.name)}”" for one in found)
        raise UnreadableError(messages.TWO_REPORTS, found=names)
    return found[0]


def _to_sheet(name: str, rows: Rows) -> _Sheet | None:
    place = next(
        (
            (number, column)
            for number, cells in rows
            for column, cell in enumerate(cells, start=1)
            if isinstance(cell, str) and cell.strip() == DATE_ANCHOR
        ),
        None,
    )
    if place is None:
        return None
    date_row, anchor_column = place
    value_column: int = anchor_column + FIRST_VALUE_COLUMN - ANCHOR_COLUMN
    reason_column = None
    for _, cells in rows:
        if _at(cells, anchor_column) == COLUMNS_ANCHOR:
            value_column = cells.index(VALUE_ANCHOR) + 1 if VALUE_ANCHOR in cells else value_column
            reason_column = cells.index(REASON_ANCHOR) + 1 if REASON_ANCHOR in cells else None
    return _Sheet(name, rows, anchor_column, value_column, reason_column, date_row)


def _made_for(sheet: _Sheet) -> date | None:
    """Return the day that the form was written for; the clerk may have typed another."""
    anchors = (str(_at(cells, sheet.anchor_column) or "") for _, cells in sheet.rows)
    said = next((one.removeprefix(MADE_FOR_SIGN) for one in anchors if one.startswith(MADE_FOR_SIGN)), None)
    return to_date(said)


def _value_at(sheet: _Sheet, row: int) -> Any:
    return next((_at(cells, sheet.value_column) for number, cells in sheet.rows if number == row), None)


def _unit_address(sheet: _Sheet) -> str:
    rows = (number for number, cells in sheet.rows if _at(cells, sheet.anchor_column) == UNIT_CODE_ANCHOR)
    return next((_address(row, sheet.value_column) for row in rows), "")


def _find_keys(sheets: Mapping[str, Rows], sheet: _Sheet) -> dict[str, str]:
    """Return whose form it is: as the hidden sheet says, else as the anchors of the report sheet do."""
    meta = sheets.get(META_SHEET) or next(
        (rows for rows in sheets.values() if any(_META_KEYS[0] in cells for _, cells in rows)), None
    )
    if meta is not None:
        said = {str(_at(cells, 1)): _at(cells, 2) for _, cells in meta}
        return {name: _key_text(said, name) for name in _META_KEYS}
    said = {}
    for _, cells in sheet.rows:
        anchor = str(_at(cells, sheet.anchor_column) or "")
        if anchor.startswith(FORM_SIGN):
            version, _, directive_code = anchor.removeprefix(FORM_SIGN).partition(":")
            said |= {"template_version": version, "directive_code": directive_code}
        elif anchor == UNIT_CODE_ANCHOR:
            said["unit_code"] = _at(cells, sheet.value_column)
    if not said:
        raise UnreadableError(messages.NOT_OUR_FORM, part=f"trang “{META_SHEET}”")
    return {name: _key_text(said, name) for name in _META_KEYS}


def _key_text(said: Mapping[str, object], name: str) -> str:
    value = said.get(name)
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    text = to_plain_text(str(whole if whole is not None else ""))
    if not text:
        raise UnreadableError(messages.NOT_OUR_FORM, part=f"“{name}” trong trang “{META_SHEET}”")
    return text


def _find_figures(
    directive: Directive, unit_code: str, day: date, sheet: _Sheet
) -> tuple[dict[FigureKey, Cell], dict[FigureKey, str]]:
    """Follow the anchors. A blank cell counts only when the unit owes its figure; others are closed cells."""
    unit = next((one for one in units_on(day) if one.unit_code == unit_code), None)
    owed = owed_figures(directive, unit, day) if unit else []
    owed_keys = {(figure.measure.code, figure.category_code) for figure in owed}
    figures: dict[FigureKey, Cell] = {}
    reasons: dict[FigureKey, str] = {}
    for key, cell, reason in _iter_cells(directive, sheet):
        if cell.raw is None and key not in owed_keys:
            continue
        if key in figures:
            raise UnreadableError(
                messages.FIGURE_TWICE,
                figure=directive.measure(key[0]).name_vi,
                address=figures[key].address,
                other=cell.address,
            )
        figures[key] = cell
        if reason:
            reasons[key] = reason
    return figures, reasons


def _iter_cells(directive: Directive, sheet: _Sheet) -> Iterator[tuple[FigureKey, Cell, str]]:
    measures = {one.code: one for one in directive.measures if one.source == "unit_report"}
    listed = {name: {one.code for one in categories} for name, categories in directive.categories.items()}
    columns: dict[int, Measure] = {}
    for number, cells in sheet.rows:
        anchor = _at(cells, sheet.anchor_column)
        if not isinstance(anchor, str):
            continue
        anchor = unicodedata.normalize("NFC", anchor.strip())
        reason = _reason_at(cells, sheet)
        if anchor == TABLE_ANCHOR:
            named = ((column, measures.get(str(code))) for column, code in enumerate(cells, start=1))
            columns = {column: measure for column, measure in named if measure and measure.categories}
        elif anchor.startswith(CATEGORY_SIGN):
            category = anchor.removeprefix(CATEGORY_SIGN)
            for column, measure in columns.items():
                if category in listed[measure.categories or ""]:
                    cell = to_cell(_at(cells, column), sheet.name, _address(number, column))
                    yield (measure.code, category), cell, reason
        elif anchor in measures and measures[anchor].categories is None:
            address = _address(number, sheet.value_column)
            yield (anchor, None), to_cell(_at(cells, sheet.value_column), sheet.name, address), reason


def _reason_at(cells: list[Any], sheet: _Sheet) -> str:
    raw = _at(cells, sheet.reason_column) if sheet.reason_column else None
    return to_plain_text(raw)[:_REASON_CHARACTERS] if isinstance(raw, str) else ""


def _at(cells: list[Any], column: int) -> Any:
    return cells[column - 1] if column <= len(cells) else None


def _address(row: int, column: int) -> str:
    return f"{get_column_letter(column)}{row}"
