"""The unit's own .xlsx with its faulty cells marked and the sheet `Lỗi` before its own; all else as it was sent.

The archive is changed part by part and never unpacked to a disk; parts without a mark are the bytes as sent.
Marks of an earlier return are taken away first, since the clerk corrects the returned file and sends it again.
"""

import unicodedata
from collections.abc import Sequence
from typing import Any

from lxml import etree
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.utils.cell import coordinate_to_tuple, get_column_letter

from directive_etl.sources.unit_report import answer_texts as texts
from directive_etl.sources.unit_report.check import Finding
from directive_etl.sources.unit_report.fault_sheet import COLOURS, add_fault_sheet
from directive_etl.sources.unit_report.form import LARGEST_FIGURE
from directive_etl.sources.unit_report.ooxml import MAIN, RELATION_ID, NotMarkableError, OwnPackage
from directive_etl.sources.unit_report.report import Cell, ReadReport
from directive_etl.sources.unit_report.sheet_comments import SheetComments
from directive_etl.sources.unit_report.sheet_styles import SheetStyles

# What the form has behind a cell that takes a figure.
_INPUT_COLOUR = "FFFFF9DB"


def mark_own_workbook(content: bytes, report: ReadReport, findings: Sequence[Finding]) -> tuple[str, bytes]:
    """Return the suffix and the bytes of the unit's own workbook with every fault marked.

    Only the cells with a fault change: their colour, their comment, and, where a content could be a phone number,
    the content, which is masked. The same arguments give the same bytes.

    Args:
        content: of the file as sent.
        report: what was read from it.
        findings: errors and warnings; those of a cell name its sheet and address.

    Raises:
        NotMarkableError: it is no .xlsx, or of a make that cannot be changed without harm.
    """
    package = OwnPackage(content)
    styles = SheetStyles(package.tree(package.related(package.workbook_part, "styles")))
    sheet_part, sheet_name = _find_sheet(package, report.sheet_name)
    comments = SheetComments(package, sheet_part)
    cells = _SheetCells(package.tree(sheet_part))
    _remove_earlier_marks(cells, styles, comments)
    typed = {cell.address: cell for cell in report.figures.values()}
    for finding in findings:
        if finding.address:
            _mark(cells, styles, comments, finding, typed.get(finding.address))
    add_fault_sheet(package, styles, sheet_name, findings)
    return package.suffix, package.to_bytes()


def _find_sheet(package: OwnPackage, name: str) -> tuple[str, str]:
    """Return the part of the sheet with the form, and its name as the workbook spells it."""
    relations = package.relations(package.workbook_part)
    for sheet in package.tree(package.workbook_part).iter(f"{MAIN}sheet"):
        spelled = sheet.get("name", "")
        if unicodedata.normalize("NFC", spelled) == name:
            _, part = relations.get(sheet.get(RELATION_ID, ""), ("", ""))
            if part in package.parts:
                return part, spelled
    raise NotMarkableError("the sheet of the form is not found")


def _remove_earlier_marks(cells: "_SheetCells", styles: SheetStyles, comments: SheetComments) -> None:
    starts = tuple(f"{name}: " for name in texts.SEVERITIES.values())
    for address, text in comments.texts().items():
        if not text.startswith(starts):
            continue
        row, column = coordinate_to_tuple(address)
        cell = cells.get(row, column)
        style = int(cell.get("s", "0"))
        if styles.colour_of(style) in COLOURS.values():
            cell.set("s", str(styles.with_fill(style, _INPUT_COLOUR)))
            comments.remove(address, row - 1, column - 1)


def _mark(
    cells: "_SheetCells", styles: SheetStyles, comments: SheetComments, finding: Finding, typed: Cell | None
) -> None:
    row, column = coordinate_to_tuple(finding.address)
    cell = cells.get(row, column)
    style = int(cell.get("s", "0"))
    is_error_already = styles.colour_of(style) == COLOURS["error"]
    if finding.severity == "error" or not is_error_already:
        is_quoted = finding.found[:1] in tuple("=+-@")
        cell.set("s", str(styles.with_fill(style, COLOURS[finding.severity], is_quoted=is_quoted)))
    said = ILLEGAL_CHARACTERS_RE.sub("", finding.message_vi)
    comments.add(finding.address, row - 1, column - 1, f"{texts.SEVERITIES[finding.severity]}: {said}")
    if typed is not None and _may_be_personal(typed):
        _write_text(cell, typed.shown)


def _may_be_personal(cell: Cell) -> bool:
    """Say whether a content is told in masked form only."""
    if isinstance(cell.raw, str):
        return cell.shown not in (cell.raw, str(cell.value))
    return isinstance(cell.raw, int | float) and abs(cell.raw) > LARGEST_FIGURE


def _write_text(cell: Any, text: str) -> None:
    for child in list(cell):
        cell.remove(child)
    cell.set("t", "inlineStr")
    inline = etree.SubElement(cell, f"{MAIN}is")
    etree.SubElement(inline, f"{MAIN}t").text = ILLEGAL_CHARACTERS_RE.sub("", text)


class _SheetCells:
    """The cells of a sheet, by row and column from 1; one that is not there yet is made.

    Raises:
        NotMarkableError: rows or cells do not say where they are.
    """

    def __init__(self, sheet: Any) -> None:
        self._data = sheet.find(f"{MAIN}sheetData")
        if self._data is None or any(row.get("r") is None for row in self._data):
            raise NotMarkableError("the sheet's rows have no numbers")
        self._rows = {int(row.get("r")): row for row in self._data}

    def get(self, row: int, column: int) -> Any:
        """Return a cell."""
        if row not in self._rows:
            made = etree.Element(f"{MAIN}row", r=str(row))
            _insert(self._data, made, [number > row for number in self._rows])
            self._rows = {int(one.get("r")): one for one in self._data}
        cells = self._rows[row]
        if any(cell.get("r") is None for cell in cells):
            raise NotMarkableError("the sheet's cells have no addresses")
        columns = [coordinate_to_tuple(cell.get("r"))[1] for cell in cells]
        if column not in columns:
            made = etree.Element(f"{MAIN}c", r=f"{get_column_letter(column)}{row}")
            _insert(cells, made, [one > column for one in columns])
            return made
        return cells[columns.index(column)]


def _insert(parent: Any, made: Any, is_behind: Sequence[bool]) -> None:
    parent.insert(is_behind.index(True) if True in is_behind else len(is_behind), made)
