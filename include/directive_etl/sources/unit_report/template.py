"""Write the workbook a unit fills in: empty, or with figures.

Building a workbook with openpyxl takes tens of milliseconds, so each form is built once and kept as its
parts; a unit's workbook is those parts with its own cells put in.
"""

import re
import tempfile
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from xml.sax.saxutils import escape

from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from directive_etl.errors import RegistryError
from directive_etl.registry.directive import Directive
from directive_etl.registry.obligations import OwedFigure, owed_figures
from directive_etl.registry.units import Unit
from directive_etl.sources.unit_report.form import (
    DATE_ROW,
    MADE_FOR_SIGN,
    UNIT_CODE_ROW,
    UNIT_ROW,
    FigureKey,
    Form,
    form_of,
    layout_form,
)
from directive_etl.sources.unit_report.package import to_package, to_parts
from directive_etl.sources.unit_report.workbook import build_workbook

__all__ = ["form_of", "write_workbook"]

_REPORT_PART = "xl/worksheets/sheet1.xml"
_META_PART = "xl/worksheets/sheet3.xml"
_DAY_ZERO = date(1899, 12, 30)  # what spreadsheet programs count days from, for any day after February 1900
_CELL = re.compile(
    r'<c r="([A-Z]+[0-9]+)"( s="[0-9]+")?(?: t="[A-Za-z]+")?'
    # An empty cell is written in two ways, with and without lxml.
    r"(?: ?/>|></c>|><v>[^<]*</v></c>|><is><t[^>]*>[^<]*</t></is></c>)"
)


def write_workbook(
    path: Path, directive: Directive, unit: Unit, day: date, figures: Mapping[FigureKey, object] | None = None
) -> None:
    """Write a unit's workbook for a day, whole or not at all; the same arguments give the same bytes.

    Args:
        path: file to write; its folder exists.
        directive: the directive it reports on.
        unit: the unit that reports.
        day: the report date.
        figures: what is typed into each cell, by measure and category (None for a measure without
        categories):
            a number, a text, or None for a blank cell. None writes the empty form.

    Raises:
        RegistryError: the unit owes nothing on that day, or a figure is not on its form.
    """
    owed = tuple(owed_figures(directive, unit, day))
    form, parts = _prepared(directive, owed)
    strays = sorted(str(key) for key in set(figures or ()) - set(form.addresses))
    where = f"unit_report {day} {unit.unit_code} (directive {directive.code})"
    if not owed:
        raise RegistryError(f"{where}: the unit owes no figure, so there is no form")
    if strays:
        raise RegistryError(f"{where}: not on the unit's form: {', '.join(strays)}")
    typed: dict[str, object] = {
        f"C{UNIT_ROW}": unit.name_vi,
        f"C{UNIT_CODE_ROW}": unit.unit_code,
        f"C{DATE_ROW}": day,
    }
    typed[f"A{UNIT_ROW}"] = f"{MADE_FOR_SIGN}{day.isoformat()}"
    typed |= {form.addresses[key]: value for key, value in (figures or {}).items()}
    filled = {
        _REPORT_PART: _fill(parts[_REPORT_PART], typed),
        _META_PART: _fill(parts[_META_PART], {"B3": unit.unit_code, "B4": day}),
    }
    write_whole(path, to_package(parts | filled))


@lru_cache(maxsize=64)
def _prepared(directive: Directive, owed: tuple[OwedFigure, ...]) -> tuple[Form, dict[str, bytes]]:
    """Return a form and the parts of its workbook, without unit, day and figures."""
    form = layout_form(directive, owed)
    return form, to_parts(build_workbook(form, unit_name="", unit_code="", report_date=directive.active_from))


def _fill(part: bytes, typed: Mapping[str, object]) -> bytes:
    """Return a worksheet part with some cells' contents replaced; their styles stay."""

    def replace(match: re.Match[str]) -> str:
        address, style = match[1], match[2] or ""
        if address not in typed:
            return match[0]
        return f'<c r="{address}"{style}{_content(typed[address])}'

    return _CELL.sub(replace, part.decode()).encode()


def _content(value: object) -> str:
    """Return the rest of a cell's element; a text stays a text, whatever sign it starts with."""
    if value is None:
        return "/>"
    if isinstance(value, bool):
        return f' t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f"><v>{value!r}</v></c>"
    if isinstance(value, date):
        return f"><v>{(value - _DAY_ZERO).days}</v></c>"
    text = escape(ILLEGAL_CHARACTERS_RE.sub("", str(value)))
    return f' t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def write_whole(path: Path, content: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".writing-", delete=False) as draft:
        draft.write(content)
    Path(draft.name).chmod(0o644)
    Path(draft.name).replace(path)
