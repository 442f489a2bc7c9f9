"""Text tables in the reader process: the form saved as .csv, or the tidy table of a unit's own system.

Old Vietnamese fonts (TCVN3, VNI) decode without an error as Western text, so they are told by words that
every report has; they are refused with their name, never guessed at.
"""

import codecs
import csv
import io
import unicodedata
from typing import Any

TIDY_HEADER = ["unit_code", "report_date", "measure_code", "category_code", "value"]
FORM_SIGN = "@report_date"
TEXT_TABLE = "csv"  # what its only sheet is called

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DELIMITERS = ",;\t|"
# The ends of "ngày", "báo", "cáo", "số", "đơn vị", "người", "của" in each one-byte encoding.
_WORDS = {
    "windows-1258": (b"g\xe0y", b"b\xe1o", b"c\xe1o", b"s\xf4\xec", b"\xf5n v", b"\xfd\xf5\xcc", b"cu\xd2a"),
    "TCVN3": (b"g\xb5y", b"b\xb8o", b"c\xb8o", b"s\xe8", b"\xacn v", b"\xad\xeai", b"c\xf1a"),
    "VNI": (b"ga\xf8y", b"ba\xf9o", b"ca\xf9o", b"so\xe1", b"\xf4n v\xf2", b"\xf6\xf4\xf8i", b"cu\xfba"),
}  # fmt: skip


def read_text(content: bytes, limits: tuple[int, int, int]) -> dict[str, Any]:
    """Return `sheets` with the one table, `tidy` with the rows of a tidy table, or a `reason_code`.

    Args:
        content: of the whole file.
        limits: rows, columns and characters of a cell that are handed on.
    """
    encoding = _encoding(content)
    if encoding is None:
        return {"reason_code": "unreadable"}
    if encoding in ("TCVN3", "VNI"):
        return {"reason_code": "old_encoding", "details": {"found": encoding}}
    try:
        text = unicodedata.normalize("NFC", content.decode(encoding))
    except UnicodeDecodeError:
        return {"reason_code": "unreadable"}
    table = _table(text, limits)
    if table is None:
        return {"reason_code": "unreadable"}
    header = [str(cell or "").strip().lower() for cell in table[0][1]] if table else []
    return (
        {"tidy": table[1:]} if header[: len(TIDY_HEADER)] == TIDY_HEADER else {"sheets": {TEXT_TABLE: table}}
    )


def _encoding(content: bytes) -> str | None:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return encoding
    if b"\0" in content[:4000]:
        # UTF-16 without a mark: the high byte of an ASCII letter is zero.
        start = content[:4000]
        even, odd = start[::2].count(0), start[1::2].count(0)
        if max(even, odd) * 4 < len(start):
            return None
        return "utf-16-le" if odd > even else "utf-16-be"
    try:
        content.decode()
    except UnicodeDecodeError:
        lower = content.lower()  # of ASCII letters only
        hits = {name: sum(lower.count(word) for word in words) for name, words in _WORDS.items()}
        return max(hits, key=lambda name: hits[name]) if any(hits.values()) else None
    return "utf-8"


def _table(text: str, limits: tuple[int, int, int]) -> list[tuple[int, list[Any]]] | None:
    """Return the numbered rows; None when the text is neither the form nor a tidy table."""
    rows, columns, characters = limits
    lines = text.lstrip("\ufeff").splitlines(keepends=True)
    if lines and lines[0].lower().startswith("sep="):
        lines = lines[1:]
    signs = (FORM_SIGN, TIDY_HEADER[0])
    marked = next((line for line in lines[:rows] if line.lower().lstrip('" ').startswith(signs)), None)
    if marked is None:
        marked = next((line for line in lines[:rows] if FORM_SIGN in line), None)
    if marked is None:
        return None
    delimiter = max(_DELIMITERS, key=marked.count)
    csv.field_size_limit(1 << 20)
    try:
        reader = csv.reader(io.StringIO("".join(lines), newline=""), delimiter=delimiter)
        return [
            (number, [cell[:characters] or None for cell in cells[:columns]])
            for number, cells in zip(range(1, rows + 1), reader, strict=False)
        ]
    except csv.Error:
        return None
