"""The styles of a unit's own workbook: those that are there stay, ours are added behind them."""

from copy import deepcopy
from typing import Any

from lxml import etree

from directive_etl.sources.unit_report.ooxml import MAIN, NotMarkableError


class SheetStyles:
    """The part `styles.xml`.

    Args:
        root: of the part; it is changed.

    Raises:
        NotMarkableError: a list of styles is missing that every workbook has.
    """

    def __init__(self, root: Any) -> None:
        self._lists = {name: root.find(f"{MAIN}{name}") for name in ("fonts", "fills", "borders", "cellXfs")}
        if any(found is None for found in self._lists.values()):
            raise NotMarkableError("the workbook has no list of styles")
        self._fills: dict[str, int] = {}
        self._filled: dict[tuple[int, str, bool], int] = {}

    def with_fill(self, style: int, colour: str, *, is_quoted: bool = False) -> int:
        """Return a style that is another one but for the colour behind the cell.

        Args:
            style: number of the other one.
            colour: as ARGB in hexadecimal.
            is_quoted: whether the content stays a text when it is edited, whatever sign it starts with.
        """
        key = style, colour, is_quoted
        if key not in self._filled:
            cells = self._lists["cellXfs"]
            cell_format = deepcopy(cells[style]) if style < len(cells) else etree.Element(f"{MAIN}xf")
            cell_format.set("fillId", str(self._fill(colour)))
            cell_format.set("applyFill", "1")
            if is_quoted:
                cell_format.set("quotePrefix", "1")
            self._filled[key] = self._append("cellXfs", cell_format)
        return self._filled[key]

    def colour_of(self, style: int) -> str:
        """Return the colour behind cells of a style as ARGB; empty for none, or one that is no plain colour."""
        cells, fills = self._lists["cellXfs"], self._lists["fills"]
        number = int(cells[style].get("fillId", "0")) if style < len(cells) else 0
        found = fills[number].find(f".//{MAIN}fgColor") if number < len(fills) else None
        return "" if found is None else found.get("rgb", "")

    def add(self, name: str, xml: str) -> int:
        """Add a font, fill, border or cell format given as XML without a namespace; returns its number."""
        element = etree.fromstring(xml.replace(" ", f' xmlns="{MAIN.strip("{}")}" ', 1))
        return self._append(name, element)

    def _fill(self, colour: str) -> int:
        if colour not in self._fills:
            self._fills[colour] = self.add(
                "fills",
                f'<fill ><patternFill patternType="solid"><fgColor rgb="{colour}"/><bgColor indexed="64"/>'
                "</patternFill></fill>",
            )
        return self._fills[colour]

    def _append(self, name: str, element: Any) -> int:
        listed = self._lists[name]
        listed.append(element)
        listed.set("count", str(len(listed)))
        return len(listed) - 1
