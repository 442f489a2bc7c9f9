"""Refused rows as the ledger keeps them: file, line, reason and masked content."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import duckdb
import pandas as pd

from directive_etl.quality import mask_digits, refused_frame
from directive_etl.registry.log_formats import ParquetLog
from directive_etl.registry.operators import Operator
from directive_etl.sources.sms_log.lines import FileLines, find_special_lines
from directive_etl.sources.sms_log.outline import outline
from directive_etl.sources.sms_log.reasons import CODES, REASONS
from directive_etl.sources.sms_log.scan import ScannedFile

_LONGEST_CONTENT = 500
# Rows of which nobody knows where the text of a message begins.
_NOT_TAKEN_APART = {
    "wrong_layout",
    "wrong_column_count",
    "invalid_utf8",
    "bad_quote",
    "line_too_long",
    "nul_byte",
}


def refused_rows(
    connection: duckdb.DuckDBPyConnection, files: Sequence[ScannedFile], operator: Operator, first_place: int
) -> pd.DataFrame:
    """Return what is refused of the files from `first_place` on, as REFUSED_COLUMNS, in order of file and line.

    Args:
        connection: with `events` of all the files.
        files: from the scanner.
        operator: whose they are.
        first_place: place of the first file to tell of.
    """
    return refused_frame(_iter_refused(connection, files, operator, first_place))


def _iter_refused(
    connection: duckdb.DuckDBPyConnection, files: Sequence[ScannedFile], operator: Operator, first_place: int
) -> Iterator[dict[str, str]]:
    events = _refused_events(connection, files, first_place)
    for place, file in enumerate(files[first_place:], start=first_place):
        if file.fault:
            code, detail = file.fault
            yield _refused(file, "file", code, f"{REASONS[code]}: {mask_digits(detail)}", file.landed.origin)
            continue
        left_out = file.copied.refused if file.copied else []
        numbered = [(row.line, row.reason_code, row.content) for row in left_out]
        if (events[place] or file.rejects) and file.text:
            numbered += _numbered(connection, file, operator, events[place])
        word = "row" if isinstance(operator.log, ParquetLog) else "line"
        for number, code, content in sorted(numbered):
            yield _refused(file, f"{word} {number}", code, REASONS[code], content)


def _numbered(
    connection: duckdb.DuckDBPyConnection,
    file: ScannedFile,
    operator: Operator,
    events: Sequence[tuple[int, int, str]],
) -> list[tuple[int, str, str]]:
    """Return line, reason code and content of a file's rejects and refused events."""
    if file.text is None:
        return []
    if isinstance(operator.log, ParquetLog):
        return [(row + 1, CODES[reason], content) for row, reason, content in events]
    special = file.special or find_special_lines(connection, file.text, operator.log)
    lines = FileLines.of(special, file.skipped_lines, file.rejects)
    return [
        *((lines.of_reject(reject), reject.reason_code, reject.content) for reject in file.rejects),
        *((lines.of_row(row), CODES[reason], content) for row, reason, content in events),
    ]


def _refused_events(
    connection: duckdb.DuckDBPyConnection, files: Sequence[ScannedFile], first_place: int
) -> defaultdict[int, list[tuple[int, int, str]]]:
    """Return place among the file's rows, reason and content of the refused events, by file_no."""
    found = connection.execute(
        f"""
        SELECT file_no, rowid, reason, content FROM events
        WHERE reason <> 0 AND file_no >= {first_place}
        ORDER BY rowid
        """
    ).fetchall()
    events: defaultdict[int, list[tuple[int, int, str]]] = defaultdict(list)
    for file_no, row, reason, content in found:
        events[file_no].append((row - files[file_no].first_row, reason, content))
    return events


def _refused(file: ScannedFile, place: str, code: str, reason: str, content: str) -> dict[str, str]:
    # Cut first what is far too long, then mask: a number that the cut splits is masked all the same.
    shown = content[: 2 * _LONGEST_CONTENT]
    shown = (outline(shown) if code in _NOT_TAKEN_APART else mask_digits(shown))[:_LONGEST_CONTENT]
    return {
        "sha256": file.landed.sha256,
        "place": place,
        "reason_code": code,
        "reason": reason,
        "content": shown,
    }
