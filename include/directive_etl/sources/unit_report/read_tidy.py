"""Read the tidy table that a unit's own system writes: one row per figure, unit and day in each row."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from directive_etl.registry.directive import Directive
from directive_etl.registry.obligations import owed_figures
from directive_etl.registry.units import units_on
from directive_etl.sources.unit_report import messages
from directive_etl.sources.unit_report.form import TEMPLATE_VERSION, FigureKey
from directive_etl.sources.unit_report.report import Cell, ReadReport, UnreadableError, to_cell
from directive_etl.sources.unit_report.typed_values import to_date, to_plain_text

_UNIT, _DAY, _MEASURE, _CATEGORY, _VALUE = range(5)
_VALUE_COLUMN = "E"


def read_tidy(
    path: Path, rows: Sequence[tuple[int, list[Any]]], directives: Sequence[Directive]
) -> ReadReport:
    """Return the report of a tidy table; a figure without a row is blank.

    Args:
        path: the file.
        rows: after the header: unit_code, report_date, measure_code, category_code, value.
        directives: those whose measures are known; the one that declares all the rows' measures is meant.

    Raises:
        UnreadableError: more than one unit or day, no day, an unknown measure, or a figure given twice.
    """
    filled = [(number, [*cells, *[None] * 5][:5]) for number, cells in rows if any(cells)]
    unit_codes = {to_plain_text(str(cells[_UNIT] or "")) for _, cells in filled}
    days = {to_date(cells[_DAY]) for _, cells in filled}
    if len(unit_codes) != 1 or len(days) != 1:
        raise UnreadableError(messages.MIXED_TABLE)
    unit_code, day = unit_codes.pop(), days.pop()
    if day is None:
        raise UnreadableError(messages.NO_REPORT_DATE)
    directive = _directive_of(filled, directives)
    figures: dict[FigureKey, Cell] = {
        key: Cell(None, None, "", "") for key in _owed(directive, unit_code, day)
    }
    for number, cells in filled:
        key = str(cells[_MEASURE]).strip(), str(cells[_CATEGORY] or "").strip() or None
        cell = to_cell(cells[_VALUE], "CSV", f"{_VALUE_COLUMN}{number}")
        if key in figures and figures[key].address:
            raise UnreadableError(
                messages.FIGURE_TWICE,
                figure=directive.measure(key[0]).name_vi,
                address=figures[key].address,
                other=cell.address,
            )
        figures[key] = cell
    return ReadReport(
        path=path,
        directive_code=directive.code,
        unit_code=unit_code,
        report_date=day,
        date_address="B2",
        template_version=TEMPLATE_VERSION,
        figures=figures,
    )


def _directive_of(rows: Sequence[tuple[int, list[Any]]], directives: Sequence[Directive]) -> Directive:
    keys = {
        (str(cells[_MEASURE] or "").strip(), str(cells[_CATEGORY] or "").strip() or None) for _, cells in rows
    }
    unknown: set[str] = set()
    for directive in directives:
        known = _keys_of(directive)
        if keys <= known:
            return directive
        unknown = unknown or {f"{measure} {category or ''}".strip() for measure, category in keys - known}
    raise UnreadableError(messages.UNKNOWN_MEASURE, found=", ".join(sorted(unknown)[:5])[:200])


def _keys_of(directive: Directive) -> set[FigureKey]:
    return {
        (measure.code, category)
        for measure in directive.measures
        if measure.source == "unit_report"
        for category in (
            [one.code for one in directive.categories[measure.categories]] if measure.categories else [None]
        )
    }


def _owed(directive: Directive, unit_code: str, day: date) -> list[FigureKey]:
    unit = next((one for one in units_on(day) if one.unit_code == unit_code), None)
    owed = owed_figures(directive, unit, day) if unit else []
    return [(figure.measure.code, figure.category_code) for figure in owed]
