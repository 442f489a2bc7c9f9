"""A unit's figures beside those that its parent and its children report of the same thing for the same day."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache

from directive_etl.registry.directive import Directive
from directive_etl.registry.obligations import owed_figures
from directive_etl.registry.units import Unit, units_on
from directive_etl.sources.unit_report import messages
from directive_etl.sources.unit_report.form import FigureKey
from directive_etl.sources.unit_report.messages import Rule
from directive_etl.sources.unit_report.report import Cell, ReadReport

# By measure and category, '' without one.
KnownFigures = Mapping[tuple[str, str], int]


@dataclass(frozen=True)
class Relatives:
    """What a unit's parent and children had reported for the day when its own report came.

    Attributes:
        parent: figures of the parent.
        children: figures of each child that had reported, by its code.
    """

    parent: KnownFigures = field(default_factory=dict)
    children: Mapping[str, KnownFigures] = field(default_factory=dict)


@cache
def parent_of(unit_code: str, day: date) -> str | None:
    """Return the unit's parent on a day; None for the city, and for a code that is no unit's."""
    return next((unit.parent_unit_code for unit in units_on(day) if unit.unit_code == unit_code), None)


@cache
def children_of(unit_code: str, day: date) -> tuple[Unit, ...]:
    """Return the units that are added up to this one on a day."""
    return tuple(unit for unit in units_on(day) if unit.parent_unit_code == unit_code)


def relatives_of(unit_code: str, day: date) -> list[str]:
    """Return the codes of the unit's parent, if it has one, and of its children."""
    parent = parent_of(unit_code, day)
    return [*([parent] if parent else []), *(child.unit_code for child in children_of(unit_code, day))]


def compare_with_relatives(
    report: ReadReport, directive: Directive, relatives: Relatives
) -> Iterator[tuple[Rule, FigureKey, Cell, dict[str, str]]]:
    """Yield each figure that does not fit those of the parent or the children, with the rule and its details.

    A sum of children is compared once all that owe the figure have reported it; before, the parent's own total
    can only be too small.
    """
    for key, cell in report.figures.items():
        known_key = key[0], key[1] or ""
        if cell.value is None:
            continue
        above = relatives.parent.get(known_key)
        if above is not None and cell.value > above:
            yield messages.ABOVE_PARENT, key, cell, {"limit": str(above)}
        owing = _children_owing(directive, report.unit_code, report.report_date, key)
        values = [
            relatives.children[code][known_key]
            for code in owing
            if known_key in relatives.children.get(code, {})
        ]
        total = sum(values)
        if values and (cell.value < total or (len(values) == len(owing) and cell.value != total)):
            details = {"total": str(total), "count": str(len(values)), "owing": str(len(owing))}
            yield messages.UNLIKE_CHILDREN, key, cell, details


@cache
def _children_owing(directive: Directive, unit_code: str, day: date, key: FigureKey) -> tuple[str, ...]:
    return tuple(
        child.unit_code
        for child in children_of(unit_code, day)
        if any((owed.measure.code, owed.category_code) == key for owed in owed_figures(directive, child, day))
    )
