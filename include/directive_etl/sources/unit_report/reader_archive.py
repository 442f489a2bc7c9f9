"""What the reader process asks of an archive before it is opened: no bomb, no way out, no entities.

Nothing is ever unpacked to a disk. The scan also finds what calamine passes over in silence: formulas that
no program has calculated, cells in error, and days that are counted from 1904.
"""

import lzma
import re
import zipfile
import zlib
from typing import IO, Any

ENTRIES = 2000
UNPACKED_BYTES = 150 * 1024 * 1024
PART_BYTES = 30 * 1024 * 1024

# What a broken archive raises, each of which was seen on damaged ones. A RuntimeError is an encrypted part or a way
# of packing that nobody knows, a ValueError a name that is no UTF-8, an OSError bzip2 or a place before the file.
ARCHIVE_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
)

_WORKBOOK_PART, _RELATIONS_PART = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
_CELL = re.compile(rb"<c\b([^>]*?)(?:/>|>(.*?)</c>)", re.DOTALL)
_REFERENCE = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')
_SHEET = re.compile(rb'<sheet\b[^>]*?\bname="([^"]*)"[^>]*?\b(?:r:)?id="([^"]*)"')
_RELATION = re.compile(rb"<Relationship\b[^>]*>")
_ATTRIBUTE = re.compile(rb'\b(Id|Target)="([^"]*)"')
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&"))


def archive_fault(file: IO[bytes]) -> str | None:
    """Return the reason code of an archive that must not be opened; None for a sound one."""
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            sizes = [entry.file_size for entry in entries]
            if len(entries) > ENTRIES or sum(sizes) > UNPACKED_BYTES or max(sizes, default=0) > PART_BYTES:
                return "too_large"
            names = [entry.filename for entry in entries]
            if len(set(names)) != len(names) or any(_leads_out(name) for name in names):
                return "unsafe"
            if any(entry.flag_bits & 1 for entry in entries):
                return "password"
            for entry in entries:
                if entry.filename.endswith((".xml", ".rels")):
                    content = _read(archive, entry.filename)
                    # The zeros are those of UTF-16; the whole part is looked at, since a long comment may come first.
                    if b"<!DOCTYPE" in (content.replace(b"\0", b"") if b"\0" in content[:8] else content):
                        return "unsafe"
    except ARCHIVE_ERRORS:
        return "unreadable"
    return None


def _leads_out(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return ".." in parts or name.startswith(("/", "\\")) or ":" in parts[0]


def find_marks(file: IO[bytes]) -> tuple[dict[str, dict[tuple[int, int], str]], bool]:
    """Return what an .xlsx says that calamine does not.

    Returns:
        By sheet name the cells, by row and column from 1, that are a `formula` without a result or an
        `error`; and whether days are counted from 1904.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            parts = set(archive.namelist())
            if not {_WORKBOOK_PART, _RELATIONS_PART} <= parts:
                return {}, False
            workbook = _read(archive, _WORKBOOK_PART)
            relations = _relations(_read(archive, _RELATIONS_PART))
            from_1904 = bool(re.search(rb'<workbookPr\b[^>]*\bdate1904="(?:1|true)"', workbook))
            marks = {}
            for name, relation in _SHEET.findall(workbook):
                part = relations.get(relation.decode(), "")
                if part in parts:
                    marks[_unescape(name.decode())] = _marks_of(_read(archive, part))
            return marks, from_1904
    except ARCHIVE_ERRORS:
        return {}, False


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as part:
        return part.read(PART_BYTES)


def _relations(content: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for element in _RELATION.findall(content):
        attributes: dict[Any, bytes] = dict(_ATTRIBUTE.findall(element))
        target = attributes.get(b"Target", b"").decode(errors="replace")
        part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        found[attributes.get(b"Id", b"").decode(errors="replace")] = part
    return found


def _marks_of(sheet: bytes) -> dict[tuple[int, int], str]:
    if b"<f" not in sheet and b't="e"' not in sheet:
        return {}
    marks = {}
    for attributes, content in _CELL.findall(sheet):
        reference = _REFERENCE.search(attributes)
        if reference is None:
            continue
        place = int(reference[2]), _column(reference[1])
        if b't="e"' in attributes:
            marks[place] = "error"
        elif b"<f" in content and not re.search(rb"<v>[^<]", content):
            marks[place] = "formula"
    return marks


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _unescape(text: str) -> str:
    for entity, sign in _ENTITIES:
        text = text.replace(entity, sign)
    return text
