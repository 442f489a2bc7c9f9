"""The comments of one sheet of a unit's own workbook: its own stay, ours are added, ours of before can go."""

import re
from typing import Any

from lxml import etree

from directive_etl.sources.unit_report.ooxml import MAIN, RELATION_ID, NotMarkableError, OwnPackage

_COMMENTS_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.comments+xml"
_DRAWING_TYPE = "application/vnd.openxmlformats-officedocument.vmlDrawing"
_AUTHOR = "directive_etl"
_MOST_COMMENTS = 500
_COMMENTS = f'<comments xmlns="{MAIN.strip("{}")}"><authors/><commentList/></comments>'
_DRAWING = (
    '<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" '
    'xmlns:x="urn:schemas-microsoft-com:office:excel"><v:shapetype id="_x0000_t202" coordsize="21600,21600" '
    'o:spt="202" path="m,l,21600r21600,l21600,xe"><v:stroke joinstyle="miter"/>'
    '<v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype></xml>'
)
_SHAPE = (
    '<v:shape id="_x0000_s9{number}" type="#_x0000_t202" style="position:absolute;margin-left:60pt;margin-top:2pt;'
    'width:260pt;height:90pt;z-index:{number};visibility:hidden" fillcolor="#ffffe1" o:insetmode="auto">'
    '<v:fill color2="#ffffe1"/><v:shadow color="black" obscured="t"/><v:path o:connecttype="none"/>'
    '<v:textbox style="mso-direction-alt:auto"><div style="text-align:left"/></v:textbox>'
    '<x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/>'
    "<x:Anchor>{right}, 15, {row}, 2, {far_right}, 30, {far_row}, 4</x:Anchor>"
    "<x:AutoFill>False</x:AutoFill><x:Row>{row}</x:Row><x:Column>{column}</x:Column></x:ClientData></v:shape>"
)
_ANY_SHAPE = re.compile(rb"<v:shape\b.*?</v:shape>", re.DOTALL)
# What follows the old drawing in a sheet, by the standard's order of elements.
_AFTER_DRAWING = (
    "legacyDrawingHF",
    "drawingHF",
    "picture",
    "oleObjects",
    "controls",
    "webPublishItems",
    "tableParts",
    "extLst",
)


class SheetComments:
    """The comments of a sheet, with the shapes that show them.

    Raises:
        NotMarkableError: the shapes are written in a way that we do not change.
    """

    def __init__(self, package: OwnPackage, sheet_part: str) -> None:
        self._package = package
        self._sheet_part = sheet_part
        self._part = package.find_related(sheet_part, "comments") or self._new_part()
        self._drawing = self._find_drawing()
        root = package.tree(self._part)
        self._authors, self._list = root.find(f"{MAIN}authors"), root.find(f"{MAIN}commentList")
        if self._authors is None or self._list is None or b"</xml>" not in package.parts[self._drawing]:
            raise NotMarkableError("the comments of the sheet are of another make")
        if len(self._list) > _MOST_COMMENTS:
            raise NotMarkableError("the sheet has more comments than anybody writes")

    def texts(self) -> dict[str, str]:
        """Return the text of each comment by its cell."""
        return {one.get("ref", ""): "".join(one.itertext(f"{MAIN}t")) for one in self._list}

    def remove(self, address: str, row: int, column: int) -> None:
        """Remove the comment of a cell; row and column count from 0."""
        for comment in [one for one in self._list if one.get("ref") == address]:
            self._list.remove(comment)
        place = re.compile(rb"<x:Row>\s*%d\s*</x:Row>\s*<x:Column>\s*%d\s*</x:Column>" % (row, column))
        drawing = self._package.parts[self._drawing]
        shapes = _ANY_SHAPE.sub(lambda shape: b"" if place.search(shape[0]) else shape[0], drawing)
        self._package.replace(self._drawing, shapes)

    def add(self, address: str, row: int, column: int, text: str) -> None:
        """Add to a cell's comment, or comment it; row and column count from 0."""
        for comment in self._list:
            if comment.get("ref") == address:
                _write(comment.find(f"{MAIN}text"), f"\n{text}")
                return
        comment = etree.SubElement(self._list, f"{MAIN}comment")
        comment.set("ref", address)
        comment.set("authorId", str(self._author()))
        _write(etree.SubElement(comment, f"{MAIN}text"), text)
        shape = _SHAPE.format(
            number=len(self._list),
            row=row,
            column=column,
            right=column + 1,
            far_right=column + 4,
            far_row=row + 6,
        )
        before, end, after = self._package.parts[self._drawing].rpartition(b"</xml>")
        self._package.replace(self._drawing, before + shape.encode() + end + after)

    def _author(self) -> int:
        names = [author.text for author in self._authors]
        if _AUTHOR not in names:
            etree.SubElement(self._authors, f"{MAIN}author").text = _AUTHOR
            names.append(_AUTHOR)
        return names.index(_AUTHOR)

    def _new_part(self) -> str:
        part = self._package.add("xl/comments{}.xml", _COMMENTS.encode(), _COMMENTS_TYPE)
        self._package.relate(self._sheet_part, "comments", part)
        return part

    def _find_drawing(self) -> str:
        sheet = self._package.tree(self._sheet_part)
        legacy = sheet.find(f"{MAIN}legacyDrawing")
        if legacy is not None:
            _, part = self._package.relations(self._sheet_part).get(legacy.get(RELATION_ID), ("", ""))
            if part not in self._package.parts:
                raise NotMarkableError("the sheet names a drawing that is not there")
            return part
        part = self._package.add("xl/drawings/vmlDrawing{}.vml", _DRAWING.encode(), _DRAWING_TYPE)
        legacy = etree.Element(f"{MAIN}legacyDrawing")
        legacy.set(RELATION_ID, self._package.relate(self._sheet_part, "vmlDrawing", part))
        behind = [one for one in sheet if one.tag in {f"{MAIN}{name}" for name in _AFTER_DRAWING}]
        if behind:
            behind[0].addprevious(legacy)
        else:
            sheet.append(legacy)
        return part


def _write(target: Any, text: str) -> None:
    run = etree.SubElement(target, f"{MAIN}r")
    written = etree.SubElement(run, f"{MAIN}t")
    written.text = text
    written.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
