"""When a line of a quoted format is a whole row, and when its row goes on in the next line, as DuckDB sees it.

A value is quoted when its first character, blanks aside, is the quote; a quote inside is doubled, and line breaks are
part of it. Anywhere else a quote is a letter.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Quoting:
    """How one file quotes.

    Attributes:
        quote: the quote character.
        delimiter: between columns.
    """

    quote: str
    delimiter: str

    @cached_property
    def whole_row(self) -> str:
        """Regular expression, for Python and DuckDB, of text that is one row to its end."""
        value = f"(?:{self._quoted} *|{self._plain})"
        return f"(?s:{value}(?:{re.escape(self.delimiter)}{value})*)"

    @cached_property
    def _quoted(self) -> str:
        quote = re.escape(self.quote)
        return f" *{quote}(?:[^{quote}]|{quote}{quote})*{quote}"

    @cached_property
    def _plain(self) -> str:
        quote, first = re.escape(self.quote), re.escape(self.delimiter[0])
        # A delimiter of several characters is rare; its first character then ends a plain value only with the rest.
        rest = f"[^{first}]" if len(self.delimiter) == 1 else f"(?:(?!{re.escape(self.delimiter)}).)"
        return f" *(?:[^{quote} {first}]{rest}*)?"

    @cached_property
    def _is_whole(self) -> re.Pattern[str]:
        return re.compile(self.whole_row)

    @cached_property
    def _is_open(self) -> re.Pattern[str]:
        quote = re.escape(self.quote)
        value = f"(?:{self._quoted} *|{self._plain})"
        return re.compile(f"(?s:(?:{value}{re.escape(self.delimiter)})* *{quote}(?:[^{quote}]|{quote}{quote})*)")

    def is_whole(self, text: str) -> bool:
        """Tell whether the text is one row."""
        return self._is_whole.fullmatch(text) is not None

    def is_open(self, text: str) -> bool:
        """Tell whether the text ends inside a quoted value."""
        return not self.is_whole(text) and self._is_open.fullmatch(text) is not None

    def column_count(self, row: str) -> int:
        """Return the columns of a whole row."""
        return re.sub(self._quoted, "", row, flags=re.DOTALL).count(self.delimiter) + 1


def continued_lines(special: Sequence[tuple[int, str]], quoting: Quoting) -> list[int]:
    """Return the lines that continue the row of a line before them.

    Args:
        special: number and text of the lines that may be no whole row, in order: of a row of several lines the first, the
            last, and those between them that hold a quote.
        quoting: how the file quotes.
    """
    continued: list[int] = []
    first: int | None = None
    text = ""
    for number, line in special:
        if first is None:
            if quoting.is_open(line):
                first, text = number, line
            continue
        text += "\n" + line
        if not quoting.is_open(text):
            continued.extend(range(first + 1, number + 1))
            first = None
    return continued
