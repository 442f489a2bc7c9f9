"""The layout of a unit's form: which figure stands in which cell, derived from the directive alone.

Column A is hidden and carries anchors: the codes of what stands in a row. A reader follows the anchors, so a
form whose rows were moved, or that was saved by another program, is still read.
"""

from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import groupby

from openpyxl.utils import get_column_letter

from directive_etl.registry.directive import Category, Clause, Directive, Measure
from directive_etl.registry.obligations import OwedFigure, owed_figures
from directive_etl.registry.units import Unit

TEMPLATE_VERSION = "1"

REPORT_SHEET = "Báo cáo"
GUIDE_SHEET = "Hướng dẫn"
META_SHEET = "_meta"

# Anchors in column A. A single figure is anchored by its measure's code, a row of a table by its category's
# code with a sign before it, since a category may be called like a measure.
DATE_ANCHOR = "@report_date"
UNIT_CODE_ANCHOR = "@unit_code"
TABLE_ANCHOR = "@measures"
CATEGORY_SIGN = "#"
# Before version and directive in the first row: a form saved as .csv has lost its hidden sheet.
FORM_SIGN = "@form:"
# The day it was made for, in ISO: an American program writes 8 September as 09/08/2020 into a .csv.
MADE_FOR_SIGN = "@made_for:"
# A hidden row says in which columns single figures and reasons stand, so that inserted columns do no harm.
COLUMNS_ANCHOR, VALUE_ANCHOR, REASON_ANCHOR = "@columns", "@value", "@reason"

ANCHOR_COLUMN, LABEL_COLUMN, FIRST_VALUE_COLUMN = 1, 2, 3
TITLE_ROW, SUBJECT_ROW, UNIT_ROW, UNIT_CODE_ROW, DATE_ROW, NOTE_ROW, COLUMNS_ROW = 1, 2, 4, 5, 6, 7, 8
FIRST_BLOCK_ROW = 9

FigureKey = tuple[str, str | None]

# No unit of a city counts this many of anything, and every phone number is longer: none can pass as a figure.
LARGEST_FIGURE = 99_999_999


@dataclass(frozen=True)
class Block:
    """A part of the form: a table of measures by category, or single figures one below the other.

    Attributes:
        clause: the clause that first asks for these measures.
        heading_row: row of the heading; a table has two header rows below it (codes, hidden, then names).
        measures: the columns of a table, or the rows of single figures.
        categories: the rows of a table; empty for single figures.
    """

    clause: Clause
    heading_row: int
    measures: tuple[Measure, ...]
    categories: tuple[Category, ...]

    @property
    def is_table(self) -> bool:
        """Whether figures are split by category."""
        return bool(self.categories)

    @property
    def code_row(self) -> int:
        """Hidden row of a table that carries the measures' codes."""
        return self.heading_row + 1

    @property
    def name_row(self) -> int:
        """Row of a table that carries the measures' names."""
        return self.heading_row + 2

    @property
    def first_value_row(self) -> int:
        """First row that takes figures."""
        return self.heading_row + (3 if self.is_table else 1)

    @property
    def last_row(self) -> int:
        """Last row that takes figures."""
        return self.first_value_row + len(self.categories if self.is_table else self.measures) - 1


@dataclass(frozen=True)
class Form:
    """What a unit fills in.

    Attributes:
        directive: the directive it is about.
        figures: in the order of the directive.
        blocks: from top to bottom.
        addresses: cell of each figure on the sheet `Báo cáo`, e.g. `C12`.
    """

    directive: Directive
    figures: tuple[OwedFigure, ...]
    blocks: tuple[Block, ...]
    addresses: dict[FigureKey, str]

    @property
    def reason_column(self) -> int:
        """Column in which the clerk may confirm, with a reason, what a row is warned about."""
        widest = max((len(block.measures) for block in self.blocks if block.is_table), default=1)
        return FIRST_VALUE_COLUMN + max(widest, 5)

    def bound_of(self, key: FigureKey) -> FigureKey | None:
        """Return the figure that this one cannot exceed; None when nothing bounds it."""
        bound = self.directive.measure(key[0]).at_most
        return None if bound is None else (bound, key[1])


def form_of(directive: Directive, unit: Unit, day: date) -> Form:
    """Lay out a unit's form for a day; without figures when it owes none."""
    return layout_form(directive, tuple(owed_figures(directive, unit, day)))


def layout_form(directive: Directive, figures: tuple[OwedFigure, ...]) -> Form:
    """Lay out a form: a block for each run of measures that one clause asks for with the same categories."""
    blocks: list[Block] = []
    addresses: dict[FigureKey, str] = {}
    row = FIRST_BLOCK_ROW
    clauses = _first_clauses(directive)
    for _, run in groupby(figures, key=lambda f: (clauses[f.measure.code].code, f.measure.categories)):
        block = _block(directive, clauses, row, list(run))
        blocks.append(block)
        row = block.last_row + 2
    for figure in figures:
        addresses[figure.measure.code, figure.category_code] = _address(blocks, figure)
    return Form(directive, figures, tuple(blocks), addresses)


def _block(directive: Directive, clauses: dict[str, Clause], row: int, run: list[OwedFigure]) -> Block:
    measures = tuple({figure.measure.code: figure.measure for figure in run}.values())
    owed = {figure.category_code for figure in run}
    listed = directive.categories[measures[0].categories] if measures[0].categories else ()
    return Block(
        clause=clauses[measures[0].code],
        heading_row=row,
        measures=measures,
        categories=tuple(category for category in listed if category.code in owed),
    )


def _address(blocks: list[Block], figure: OwedFigure) -> str:
    block, place = next(
        (block, place)
        for block in blocks
        for place, measure in enumerate(block.measures)
        if measure.code == figure.measure.code
    )
    if not block.is_table:
        return f"{get_column_letter(FIRST_VALUE_COLUMN)}{block.first_value_row + place}"
    category = [category.code for category in block.categories].index(figure.category_code or "")
    return f"{get_column_letter(FIRST_VALUE_COLUMN + place)}{block.first_value_row + category}"


@cache
def _first_clauses(directive: Directive) -> dict[str, Clause]:
    """Return, by measure, the first clause with an indicator that uses it or what it bounds."""
    clauses: dict[str, Clause] = {}
    for clause, indicator in directive.indicators:
        for figure_sum in indicator.sums:
            measure = directive.measure(figure_sum.measure)
            for used in (measure, *directive.at_most_chain(measure)):
                clauses.setdefault(used.code, clause)
    by_code = {clause.code: clause for clause in directive.clauses}
    for witness in directive.witnesses:
        clauses.setdefault(witness.measure, by_code[witness.clause])
    return clauses
