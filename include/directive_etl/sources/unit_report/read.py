"""Read the workbooks that units send: figures with their cells, or the reason why a file cannot be read."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
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
    DATE_ANCHOR,
    FIRST_VALUE_COLUMN,
    LARGEST_FIGURE,
    META_SHEET,
    REPORT_SHEET,
    TABLE_ANCHOR,
    FigureKey,
)
from directive_etl.sources.unit_report.reader_process import ReaderProcess

# Rows of a sheet as the reader process gives them: row number and cells, both from 1.
Rows = Sequence[tuple[int, list[Any]]]

_DIGITS = re.compile(r"[+-]?[0-9]{1,15}")
_DAY_MONTH_YEAR = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
_DAY_ZERO = date(1899, 12, 30)
_DAY_NUMBERS = range(36526, 73051)  # 2000 to 2099: a date whose format was lost


@dataclass(frozen=True)
class Cell:
    """What stands in one cell.

    Attributes:
        value: when it is a whole number, else None.
        raw: a number, a text, a truth value or a day, as sent; None when the cell is blank.
        sheet, address: where it stands.
    """

    value: int | None
    raw: object
    sheet: str
    address: str

    @property
    def shown(self) -> str:
        """The content as it may be told to anybody: what could be a phone number is masked."""
        if self.raw is None:
            return ""
        number = self.value if self.value is not None else self.raw
        if isinstance(number, int | float) and abs(number) <= LARGEST_FIGURE:
            return f"{number:g}" if isinstance(number, float) else str(number)
        return f"{number:%d/%m/%Y}" if isinstance(number, date) else mask_digits(str(number))


@dataclass(frozen=True)
class ReadReport:
    """A workbook made from the form.

    Attributes:
        path: the file.
        directive_code, unit_code, template_version: as the workbook says.
        report_date: the day typed into the form.
        date_address: the cell of that day.
        figures: each figure of the unit's form that was found, and any other that is filled in.
    """

    path: Path
    directive_code: str
    unit_code: str
    report_date: date
    date_address: str
    template_version: str
    figures: Mapping[FigureKey, Cell]


@dataclass(frozen=True)
class UnreadableReport:
    """A file from which no report can be read."""

    path: Path
    reason_code: str
    message_vi: str
    message_en: str


class _UnreadableError(Exception):
    def __init__(self, rule: messages.Rule, **details: str) -> None:
        super().__init__(rule.code)
        self.rule, self.details = rule, details


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
    with ReaderProcess([REPORT_SHEET, META_SHEET]) as reader:
        return [to_report(path, reader.read(path), directives) for path in paths]


def to_report(
    path: Path, answer: Mapping[str, Any], directives: Sequence[Directive]
) -> ReadReport | UnreadableReport:
    """Return the report that the reader process found in a file.

    Args:
        path: the file.
        answer: `sheets`, the rows of each sheet by name, or `reason_code`.
        directives: those whose forms are known.
    """
    try:
        if "reason_code" in answer:
            raise _UnreadableError(messages.UNREADABLE_RULES[answer["reason_code"]])
        return _to_report(path, answer["sheets"], directives)
    except _UnreadableError as error:
        rule, details = error.rule, error.details
        return UnreadableReport(path, rule.code, rule.vi.format(**details), rule.en.format(**details))


def _to_report(path: Path, sheets: Mapping[str, Rows], directives: Sequence[Directive]) -> ReadReport:
    for name in (REPORT_SHEET, META_SHEET):
        if name not in sheets:
            raise _UnreadableError(messages.NOT_OUR_FORM, part=f"trang “{name}”")
    meta = {str(_at(cells, 1)): _at(cells, 2) for _, cells in sheets[META_SHEET]}
    keys = {name: _key_text(meta, name) for name in ("template_version", "directive_code", "unit_code")}
    rows = sheets[REPORT_SHEET]
    report_date, date_address = _find_report_date(rows)
    directive = next((one for one in directives if one.code == keys["directive_code"]), None)
    figures = _find_figures(directive, keys["unit_code"], report_date, rows) if directive else {}
    return ReadReport(path=path, report_date=report_date, date_address=date_address, figures=figures, **keys)


def _key_text(meta: Mapping[str, object], name: str) -> str:
    value = to_whole_number(meta.get(name))
    text = str(value) if value is not None else str(meta.get(name) or "").strip()
    if not text:
        raise _UnreadableError(messages.NOT_OUR_FORM, part=f"“{name}” trong trang “{META_SHEET}”")
    return text


def _find_report_date(rows: Rows) -> tuple[date, str]:
    for number, cells in rows:
        if _at(cells, ANCHOR_COLUMN) == DATE_ANCHOR:
            day = to_date(_at(cells, FIRST_VALUE_COLUMN))
            if day is None:
                raise _UnreadableError(messages.NO_REPORT_DATE)
            return day, _address(number, FIRST_VALUE_COLUMN)
    raise _UnreadableError(messages.NOT_OUR_FORM, part="ô “Ngày báo cáo”")


def _find_figures(directive: Directive, unit_code: str, day: date, rows: Rows) -> dict[FigureKey, Cell]:
    """Follow the anchors. A blank cell counts only when the unit owes its figure; others are closed cells."""
    unit = next((one for one in units_on(day) if one.unit_code == unit_code), None)
    owed = owed_figures(directive, unit, day) if unit else []
    owed_keys = {(figure.measure.code, figure.category_code) for figure in owed}
    figures: dict[FigureKey, Cell] = {}
    for key, cell in _iter_cells(directive, rows):
        if cell.raw is None and key not in owed_keys:
            continue
        if key in figures:
            raise _UnreadableError(
                messages.FIGURE_TWICE,
                figure=directive.measure(key[0]).name_vi,
                address=figures[key].address,
                other=cell.address,
            )
        figures[key] = cell
    return figures


def _iter_cells(directive: Directive, rows: Rows) -> Iterator[tuple[FigureKey, Cell]]:
    measures = {one.code: one for one in directive.measures if one.source == "unit_report"}
    listed = {name: {one.code for one in categories} for name, categories in directive.categories.items()}
    columns: dict[int, Measure] = {}
    for number, cells in rows:
        anchor = _at(cells, ANCHOR_COLUMN)
        if not isinstance(anchor, str):
            continue
        if anchor == TABLE_ANCHOR:
            named = ((column, measures.get(str(code))) for column, code in enumerate(cells, start=1))
            columns = {column: measure for column, measure in named if measure and measure.categories}
        elif anchor.startswith(CATEGORY_SIGN):
            category = anchor.removeprefix(CATEGORY_SIGN)
            for column, measure in columns.items():
                if category in listed[measure.categories or ""]:
                    yield (measure.code, category), _cell(number, column, cells)
        elif anchor in measures and measures[anchor].categories is None:
            yield (anchor, None), _cell(number, FIRST_VALUE_COLUMN, cells)


def _cell(row: int, column: int, cells: list[Any]) -> Cell:
    raw = _at(cells, column)
    if isinstance(raw, dict):
        raw = to_date(raw)
    elif isinstance(raw, str):
        raw = raw if raw.strip() else None
    return Cell(to_whole_number(raw), raw, REPORT_SHEET, _address(row, column))


def _at(cells: list[Any], column: int) -> Any:
    return cells[column - 1] if column <= len(cells) else None


def _address(row: int, column: int) -> str:
    return f"{get_column_letter(column)}{row}"


def to_whole_number(raw: object) -> int | None:
    """Return a cell's content as a whole number; None when it is none.

    A text of digits is one, since spreadsheet programs keep typed digits as text in cells of that format. A
    text with dots or commas is not: `1.200` is twelve hundred to one clerk and one and a fifth to another.
    """
    if isinstance(raw, bool):
        return None
    if isinstance(raw, int):
        return raw
    if isinstance(raw, float):
        return int(raw) if raw.is_integer() else None
    if isinstance(raw, str) and _DIGITS.fullmatch(raw.strip()):
        return int(raw)
    return None


def to_date(raw: object) -> date | None:
    """Return a cell's content as a day: a date, day/month/year as text, or a number of days; None if none."""
    if isinstance(raw, dict):
        return date.fromisoformat(raw["date"])
    number = to_whole_number(raw)
    if number is not None:
        return _DAY_ZERO + timedelta(days=number) if number in _DAY_NUMBERS else None
    if not isinstance(raw, str):
        return None
    if match := _DAY_MONTH_YEAR.fullmatch(raw.strip()):
        day, month, year = (int(part) for part in match.groups())
        try:
            return date(year, month, day)
        except ValueError:
            return None
    try:
        return datetime.strptime(raw.strip(), "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return None
