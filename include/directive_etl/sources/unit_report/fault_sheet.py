"""The sheet `Lỗi` in a unit's own workbook: each fault on a line, with a link to its cell."""

from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from directive_etl.sources.unit_report import answer_texts as texts
from directive_etl.sources.unit_report.check import Finding
from directive_etl.sources.unit_report.ooxml import MAIN, OwnPackage
from directive_etl.sources.unit_report.sheet_styles import SheetStyles

COLOURS = {"error": "FFFF9C9C", "warning": "FFFFD58A"}
FIRST_FAULT_ROW = 5
WIDTHS = (6, 12, 10, 90, 30)
# Programs do not all fit a row to its wrapped text: letters of a line, and the height of one. Unit: points.
MESSAGE_LETTERS, FOUND_LETTERS, LINE_HEIGHT = 95, 24, 16.5

_HEADER_COLOUR = "FFD9E2F3"
_FONT = '<font ><sz val="{size}"/>{extra}<name val="Times New Roman"/><family val="1"/></font>'
_SIDE = '<{0} style="thin"><color rgb="FF7F7F7F"/></{0}>'
_BORDER = (
    "<border >" + "".join(_SIDE.format(side) for side in ("left", "right", "top", "bottom")) + "</border>"
)
_FORMAT = (
    '<xf numFmtId="0" fontId="{font}" fillId="0" borderId="{border}" xfId="0" applyFont="1" applyBorder="1" '
    'applyAlignment="1"{quote}><alignment vertical="top" wrapText="{wraps}"/></xf>'
)
_SHEET = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<worksheet xmlns="{namespace}">'
    '<sheetPr><pageSetUpPr fitToPage="1"/></sheetPr>'
    '<sheetViews><sheetView tabSelected="1" workbookViewId="0"/></sheetViews><sheetFormatPr defaultRowHeight="15"/>'
    "<cols>{columns}</cols><sheetData>{rows}</sheetData>"
    '<mergeCells count="1"><mergeCell ref="A2:E2"/></mergeCells>{links}'
    '<pageMargins left="0.5" right="0.5" top="0.7" bottom="0.7" header="0.3" footer="0.3"/>'
    '<pageSetup paperSize="9" orientation="landscape" fitToHeight="0"/></worksheet>'
)
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"


def add_fault_sheet(
    package: OwnPackage, styles: SheetStyles, report_sheet: str, findings: Sequence[Finding]
) -> None:
    """List the faults on a first sheet; one that an earlier return left there is written anew.

    Args:
        package: the workbook; it is changed.
        styles: of the workbook; ours are added.
        report_sheet: name of the sheet with the form, for the links.
        findings: in the order in which they are listed.
    """
    content = _to_xml(styles, report_sheet, findings)
    workbook = package.tree(package.workbook_part)
    sheets = workbook.find(f"{MAIN}sheets")
    parts = {id_: part for id_, (_, part) in package.relations(package.workbook_part).items()}
    for sheet in sheets:
        if sheet.get("name") == texts.FAULT_SHEET:
            part = parts.get(next(value for name, value in sheet.attrib.items() if name.endswith("}id")), "")
            if _is_ours(package, part):
                package.replace(part, content)
                _open_at(package, workbook, list(sheets).index(sheet), part)
                return
    part = package.add("xl/worksheets/faults{}.xml", content, _SHEET_TYPE)
    sheet = sheets.makeelement(f"{MAIN}sheet", nsmap=sheets.nsmap)
    taken = {one.get("name") for one in sheets}
    names = (texts.FAULT_SHEET, *(f"{texts.FAULT_SHEET} ({number})" for number in range(2, len(taken) + 3)))
    sheet.set("name", next(name for name in names if name not in taken))
    sheet.set("sheetId", str(1 + max((int(one.get("sheetId", "0")) for one in sheets), default=0)))
    sheet.set(
        "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id",
        package.relate(package.workbook_part, "worksheet", part),
    )
    sheets.insert(0, sheet)
    for name in workbook.iter(f"{MAIN}definedName"):
        if name.get("localSheetId") is not None:
            name.set("localSheetId", str(int(name.get("localSheetId")) + 1))
    _open_at(package, workbook, 0, part)


def _is_ours(package: OwnPackage, part: str) -> bool:
    """Say whether a sheet is a list of faults: its title stands in the sheet, or among the shared texts."""
    if part not in package.parts:
        return False
    shared = package.find_related(package.workbook_part, "sharedStrings")
    looked_at = (package.tree(name) for name in (part, shared) if name is not None)
    return any(text.strip() == texts.FAULT_TITLE for root in looked_at for text in root.itertext(f"{MAIN}t"))


def _open_at(package: OwnPackage, workbook: Any, place: int, part: str) -> None:
    """Show the list of faults when the workbook is opened, and no other sheet selected with it."""
    for view in workbook.iter(f"{MAIN}workbookView"):
        view.set("activeTab", str(place))
        view.set("firstSheet", "0")
    for kind, other in package.relations(package.workbook_part).values():
        if kind == "worksheet" and other != part and b"tabSelected" in package.parts.get(other, b""):
            for view in package.tree(other).iter(f"{MAIN}sheetView"):
                view.attrib.pop("tabSelected", None)


def _to_xml(styles: SheetStyles, report_sheet: str, findings: Sequence[Finding]) -> bytes:
    formats = _Formats(styles)
    rows = [
        _row(1, [(texts.FAULT_TITLE, formats.title)]),
        _row(2, [(texts.FAULT_NOTE.format(sheet=report_sheet), formats.note)], height=36),
        _row(FIRST_FAULT_ROW - 1, [(name, formats.header) for name in texts.FAULT_COLUMNS]),
    ]
    links = []
    for number, finding in enumerate(findings, start=1):
        row = FIRST_FAULT_ROW + number - 1
        lines = max(
            -(-len(finding.message_vi) // MESSAGE_LETTERS), -(-len(finding.found) // FOUND_LETTERS), 1
        )
        cells = [
            (str(number), formats.plain),
            (texts.SEVERITIES[finding.severity], formats.severities[finding.severity]),
            (finding.address, formats.link if finding.address else formats.plain),
            (finding.message_vi, formats.plain),
            (finding.found, formats.quoted if finding.found[:1] in tuple("=+-@\t\r") else formats.plain),
        ]
        rows.append(_row(row, cells, height=LINE_HEIGHT * lines + 2))
        if finding.address:
            place = "'{}'!{}".format(finding.sheet.replace("'", "''"), finding.address)
            links.append(f'<hyperlink ref="C{row}" location={quoteattr(place)}/>')
    columns = "".join(
        f'<col min="{number}" max="{number}" width="{width}" customWidth="1"/>'
        for number, width in enumerate(WIDTHS, start=1)
    )
    written = _SHEET.format(
        namespace=MAIN.strip("{}"),
        columns=columns,
        rows="".join(rows),
        links=f"<hyperlinks>{''.join(links)}</hyperlinks>" if links else "",
    )
    return written.encode()


class _Formats:
    """Our cell formats in the unit's workbook."""

    def __init__(self, styles: SheetStyles) -> None:
        plain, bold, big, link = (
            styles.add("fonts", _FONT.format(size=size, extra=extra))
            for size, extra in (
                (12, ""),
                (12, "<b/>"),
                (14, "<b/>"),
                (12, '<u/><color rgb="FF0563C1"/>'),
            )
        )
        bare, lined = (
            styles.add("borders", "<border ><left/><right/><top/><bottom/></border>"),
            styles.add("borders", _BORDER),
        )

        def add(font: int, border: int, quote: str = "", wraps: int = 1) -> int:
            return styles.add("cellXfs", _FORMAT.format(font=font, border=border, quote=quote, wraps=wraps))

        self.title, self.note = add(big, bare, wraps=0), add(plain, bare)
        self.plain, self.link = add(plain, lined), add(link, lined)
        self.quoted = add(plain, lined, ' quotePrefix="1"')
        self.header = styles.with_fill(add(bold, lined), _HEADER_COLOUR)
        self.severities = {name: styles.with_fill(self.plain, colour) for name, colour in COLOURS.items()}


def _row(number: int, cells: Sequence[tuple[str, int]], height: float | None = None) -> str:
    size = f' ht="{height}" customHeight="1"' if height else ""
    written = "".join(
        f'<c r="{column}{number}" s="{style}" t="inlineStr"><is><t xml:space="preserve">'
        f"{escape(ILLEGAL_CHARACTERS_RE.sub('', text))}</t></is></c>"
        for column, (text, style) in zip("ABCDE", cells, strict=False)
    )
    return f'<row r="{number}"{size}>{written}</row>'
