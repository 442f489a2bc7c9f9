"""The child process that opens workbooks: it imports calamine, the standard library and its own two helpers.

A hostile file can make calamine ask for all memory and abort its process, which no `except` can catch. So
this process has limits, no secrets in its environment, and may die: `reader_process.py` starts another.

Started by `reader_process.py`. It says `{"ready": true}`, then answers each line
`{"path": ..., "processor_seconds": ...}` on standard input by a line on standard output:
`{"sheets": {NAME: [[ROW, [CELL, ...]], ...]}, "from_1904": BOOL}`, `{"tidy": [[ROW, [CELL, ...]], ...]}` or
`{"reason_code": ...}`. Rows and columns count from 1; a day is `{"date": ISO}`, a formula without a result or a cell
in error `{"broken": "formula" | "error"}`.
"""

import datetime
import json
import os
import resource
import stat
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import python_calamine

from directive_etl.sources.unit_report.reader_archive import archive_fault, find_marks
from directive_etl.sources.unit_report.reader_text import read_text

MEMORY_BYTES = 640 * 1024 * 1024
FILE_BYTES = 20 * 1024 * 1024

# A form has some 60 rows and 10 columns; what lies beyond is no part of any form and is not handed on.
ROWS, COLUMNS, CHARACTERS = 1000, 60, 500
SHEETS = 12

_OLE_MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")
_ARCHIVE_MAGIC = b"PK"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def read_workbook(path: Path) -> dict[str, Any]:
    """Return the sheets of a workbook or the table of a text, or the reason why it cannot be opened."""
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            return {"reason_code": "unreadable"}
        if status.st_size > FILE_BYTES:
            return {"reason_code": "too_large"}
        start = file.read(1 << 16)
        if start.startswith(_OLE_MAGIC):
            return {"reason_code": "password"} if _ENCRYPTED in start else _read_sheets(file)
        if not start.startswith(_ARCHIVE_MAGIC):
            return read_text(start + file.read(), (ROWS, COLUMNS, CHARACTERS))
        fault = archive_fault(file)
        return {"reason_code": fault} if fault else _read_sheets(file)


def _read_sheets(file: IO[bytes]) -> dict[str, Any]:
    marks, from_1904 = find_marks(file)
    file.seek(0)
    try:
        workbook = python_calamine.load_workbook(file)
        sheets = {
            # A name typed on another system may spell its letters in another way.
            unicodedata.normalize("NFC", one.name): _with_marks(
                list(_iter_rows(workbook.get_sheet_by_name(one.name))), marks.get(one.name, {})
            )
            for one in workbook.sheets_metadata[:SHEETS]
            if one.typ == python_calamine.SheetTypeEnum.WorkSheet
        }
    except python_calamine.PasswordError:
        return {"reason_code": "password"}
    except (python_calamine.CalamineError, OSError, ValueError):
        return {"reason_code": "unreadable"}
    return {"sheets": sheets, "from_1904": from_1904}


def _with_marks(
    rows: list[tuple[int, list[Any]]], marks: dict[tuple[int, int], str]
) -> list[tuple[int, list[Any]]]:
    """Put broken cells in their places, which calamine leaves blank."""
    by_row = dict(rows)
    for (row, column), kind in marks.items():
        if row <= ROWS and column <= COLUMNS:
            cells = by_row.setdefault(row, [])
            cells.extend([None] * (column - len(cells)))
            cells[column - 1] = {"broken": kind}
    return sorted(by_row.items())


def _iter_rows(sheet: python_calamine.CalamineSheet) -> Iterator[tuple[int, list[Any]]]:
    if sheet.start is None:
        return
    first_row, first_column = sheet.start
    rows = sheet.to_python(skip_empty_area=True, nrows=max(0, ROWS - first_row))
    for number, cells in enumerate(rows, start=first_row + 1):
        kept = cells[: max(0, COLUMNS - first_column)]
        yield number, [None] * first_column + [_plain(cell) for cell in kept]


def _plain(cell: Any) -> Any:
    if isinstance(cell, str):
        return cell[:CHARACTERS] or None
    if isinstance(cell, datetime.datetime):
        return {"date": cell.date().isoformat()}
    if isinstance(cell, datetime.date):
        return {"date": cell.isoformat()}
    return cell if isinstance(cell, bool | int | float) else str(cell)


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _allow_processor_time(seconds: int) -> None:
    """Give the next file its own share, after which SIGXCPU ends the process; the limit counts from its start."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(usage.ru_utime + usage.ru_stime)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (spent + seconds, hard))


def main() -> None:
    """Answer one file a line until standard input ends."""
    _limit()
    _say({"ready": True})
    for line in sys.stdin:
        asked = json.loads(line)
        _allow_processor_time(asked["processor_seconds"])
        _say(read_workbook(Path(asked["path"])))


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
