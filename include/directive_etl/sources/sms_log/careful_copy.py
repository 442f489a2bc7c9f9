"""A copy of a log in which every line can be read, for the rare file that trips a fast reader.

Line endings become LF. A line that no reader should get becomes a blank line, so that every other line keeps its
number. What is wrong with it is told here:

- it holds a NUL, or is longer than any log line can be;
- it opens a quote that nothing closes: a reader would take the rest of the file for one value.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from directive_etl.sources.sms_log.quoting import Quoting
from directive_etl.sources.sms_log.text_files import TextFile

LONGEST_LINE = 1 << 20
# A text message has at most a few line breaks; a quoted value that goes on longer is a quote gone astray.
_MOST_LINES_OF_A_ROW = 20
_LONGEST_CONTENT = 1000


@dataclass(frozen=True)
class RefusedLine:
    """A line left out of a copy; `reason_code` is from reasons.py."""

    line: int
    reason_code: str
    content: str


@dataclass(frozen=True)
class Copied:
    """A copy's lines: those left out, in order, and how many rows the others are, a header among them."""

    refused: list[RefusedLine]
    row_count: int


def copy_readable_lines(file: TextFile, quoting: Quoting | None, column_count: int, target: Path) -> Copied:
    """Write the lines of a file that can be read to `target`, as plain text.

    Args:
        file: what to copy.
        quoting: None where values are never quoted.
        column_count: columns of a row; only rows of several lines are counted.
        target: the copy.

    Raises:
        DamagedFileError: the file cannot be decompressed to its end.
    """
    refused: list[RefusedLine] = []
    row_count = 0
    with file.open() as source, target.open("wb") as copy:
        lines = _Lines(source)
        while (line := lines.take()) is not None:
            row = [line]
            if quoting is not None and quoting.quote in line.text and not quoting.is_whole(line.text):
                row = _whole_row(line, lines, quoting, column_count)
            fault = next((part.fault for part in row if part.fault), None)
            if len(row) == 1 and fault is None and quoting is not None and not quoting.is_whole(line.text):
                fault = "bad_quote"
            if fault is not None:
                refused.append(RefusedLine(line.number, fault, _shown(row)))
            elif line.content:
                row_count += 1
            for part in row:
                copy.write((b"" if fault else part.content) + b"\n")
    return Copied(refused, row_count)


@dataclass(frozen=True)
class _Line:
    """A line without its end; `fault` is why it must not be read."""

    number: int
    content: bytes
    fault: str | None

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", errors="surrogateescape")


class _Lines:
    """The lines of a file, of which some may be looked at ahead."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._ahead: deque[_Line] = deque()
        self._count = 0

    def take(self) -> _Line | None:
        return self._ahead.popleft() if self._ahead else self._read()

    def look(self, distance: int) -> _Line | None:
        """Return the line at a distance, from 0, without taking it."""
        while len(self._ahead) <= distance:
            line = self._read()
            if line is None:
                return None
            self._ahead.append(line)
        return self._ahead[distance]

    def _read(self) -> _Line | None:
        piece = self._source.readline(LONGEST_LINE)
        if not piece:
            return None
        self._count += 1
        fault = None
        if len(piece) == LONGEST_LINE and not piece.endswith(b"\n"):
            fault = "line_too_long"
            while (rest := self._source.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                pass
        elif b"\0" in piece:
            fault = "nul_byte"
        # A carriage return inside a line is a stray one; a reader would end the line there.
        return _Line(self._count, piece.rstrip(b"\r\n").replace(b"\r", b" "), fault)


def _whole_row(line: _Line, lines: _Lines, quoting: Quoting, column_count: int) -> list[_Line]:
    """Take the lines that belong to the row of a line; the line alone when they make no row together."""
    row, text = [line], line.text
    while len(row) < _MOST_LINES_OF_A_ROW and quoting.is_open(text):
        following = lines.look(len(row) - 1)
        if following is None:
            return [line]
        row.append(following)
        text += "\n" + following.text
    if not quoting.is_whole(text) or quoting.column_count(text) != column_count:
        return [line]
    for _ in row[1:]:
        lines.take()
    return row


def _shown(row: Sequence[_Line]) -> str:
    content = b" ".join(part.content for part in row)[:_LONGEST_CONTENT]
    return content.replace(b"\0", b"\\0").decode("utf-8", errors="replace")
