"""A copy of a log in which every line can be read, for the rare file that trips a fast reader.

Line endings become LF. A line that no reader should get becomes a blank line, so that every other line keeps its
number. What is wrong with it is told here:

- it holds a NUL, or is longer than any log line can be;
- it opens a quote that nothing closes: a reader would take the rest of the file for one value.
"""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import BinaryIO

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
class Quoting:
    """How rows with quoted values look: what a row must be for its quote to be closed."""

    quote: str
    delimiter: str
    column_count: int
    encoding: str

    def closes(self, lines: Sequence[bytes]) -> bool:
        """Tell whether the lines are one row together."""
        text = b"\n".join(lines).decode(self.encoding, errors="replace")
        try:
            rows = list(csv.reader(StringIO(text), delimiter=self.delimiter, quotechar=self.quote, strict=True))
        except csv.Error:
            return False
        return len(rows) == 1 and len(rows[0]) == self.column_count


def copy_readable_lines(file: TextFile, quoting: Quoting | None, target: Path) -> list[RefusedLine]:
    """Write the lines of a file that can be read to `target`, as plain text.

    Args:
        file: what to copy.
        quoting: None where values are never quoted.
        target: the copy.

    Returns:
        The lines left out.

    Raises:
        DamagedFileError: the file cannot be decompressed to its end.
    """
    refused: list[RefusedLine] = []
    quote = quoting.quote.encode(quoting.encoding) if quoting else None
    with file.open() as source, target.open("wb") as copy:
        waiting: deque[tuple[int, bytes]] = deque()
        lines = _iter_sound_lines(source, refused)
        while True:
            if not waiting:
                following = next(lines, None)
                if following is None:
                    break
                waiting.append(following)
            number, line = waiting.popleft()
            if quoting is None or quote is None or line.count(quote) % 2 == 0:
                copy.write(line + b"\n")
                continue
            length = _close_quote(line, waiting, lines, quoting)
            if length is None:
                refused.append(RefusedLine(number, "bad_quote", _shown(line)))
                copy.write(b"\n")
                continue
            copy.write(line + b"\n")
            for _ in range(length):
                copy.write(waiting.popleft()[1] + b"\n")
    return sorted(refused, key=lambda row: row.line)


def _close_quote(
    line: bytes, waiting: deque[tuple[int, bytes]], lines: Iterator[tuple[int, bytes]], quoting: Quoting
) -> int | None:
    """Return how many of the following lines belong to a row with an open quote; None when nothing closes it."""
    row = [line]
    while len(row) < _MOST_LINES_OF_A_ROW:
        if len(waiting) < len(row):
            following = next(lines, None)
            if following is None:
                return None
            waiting.append(following)
        row.append(waiting[len(row) - 1][1])
        if quoting.closes(row):
            return len(row) - 1
    return None


def _iter_sound_lines(source: BinaryIO, refused: list[RefusedLine]) -> Iterator[tuple[int, bytes]]:
    """Yield every line with its number and without its end; a line that must not be read as a blank one."""
    number = 0
    while piece := source.readline(LONGEST_LINE):
        number += 1
        line = piece.rstrip(b"\r\n")
        fault = None
        if not piece.endswith(b"\n") and len(piece) == LONGEST_LINE:
            fault = "line_too_long"
            while (rest := source.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                pass
        elif b"\0" in line:
            fault = "nul_byte"
        if fault is not None:
            refused.append(RefusedLine(number, fault, _shown(line)))
            line = b""
        # A carriage return inside a line is a stray one; a reader would end the line there.
        yield number, line.replace(b"\r", b" ")


def _shown(line: bytes) -> str:
    return line[:_LONGEST_CONTENT].replace(b"\0", b"\\0").decode("utf-8", errors="replace")
