"""Refused rows as the ledger keeps them: file, line, reason and masked content."""

from collections.abc import Sequence

import duckdb
import pandas as pd

from directive_etl.quality import mask_digits, refused_frame
from directive_etl.registry.log_formats import ParquetLog
from directive_etl.registry.operators import Operator
from directive_etl.sources.sms_log.lines import FileLines, find_special_lines
from directive_etl.sources.sms_log.outline import outline
from directive_etl.sources.sms_log.reasons import CODES, IS_REFUSED, REASONS
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
        connection: with `typed_row` of all the files.
        files: from the scanner.
        operator: whose they are.
        first_place: place of the first file to tell of.
    """
    # Whole columns: of a large log tens of thousands of rows may be refused.
    events = connection.execute(
        f"""
        SELECT file_no, place, reason, content FROM typed_row
        WHERE {IS_REFUSED} AND file_no >= {first_place}
        ORDER BY place
        """
    ).df()
    parts = [
        _refused_whole(file)
        if file.fault
        else _refused_lines(connection, file, operator, events[events["file_no"] == place])
        for place, file in enumerate(files[first_place:], start=first_place)
    ]
    return pd.concat([refused_frame(), *parts], ignore_index=True)


def _refused_whole(file: ScannedFile) -> pd.DataFrame:
    if file.fault is None:
        return refused_frame()
    code, detail = file.fault
    reason = f"{REASONS[code]}: {mask_digits(detail)}"
    return _frame(file, ["file"], [code], [reason], [file.landed.origin])


def _refused_lines(
    connection: duckdb.DuckDBPyConnection, file: ScannedFile, operator: Operator, events: pd.DataFrame
) -> pd.DataFrame:
    """Return a file's refused lines: what its careful copy left out, its rejects, and its refused events."""
    rows = (events["place"] - file.first_place).tolist()
    left_out = file.copied.refused if file.copied else []
    if isinstance(operator.log, ParquetLog):
        word, numbers = "row", [row + 1 for row in rows]
    else:
        word, numbers = "line", [row.line for row in left_out]
        if file.text is not None and (rows or file.rejects):
            special = file.special or find_special_lines(connection, file.text, operator.log)
            lines = FileLines.of(special, file.skipped_lines, file.rejects)
            numbers += [*map(lines.of_reject, file.rejects), *map(lines.of_row, rows)]
    unread = [(row.reason_code, row.content) for row in left_out]
    unread += [(reject.reason_code, reject.content) for reject in file.rejects]
    codes = [code for code, _ in unread] + events["reason"].map(CODES).tolist()
    contents = [content for _, content in unread] + events["content"].tolist()
    in_order = sorted(range(len(numbers)), key=numbers.__getitem__)
    return _frame(
        file,
        [f"{word} {numbers[n]}" for n in in_order],
        [codes[n] for n in in_order],
        [REASONS[codes[n]] for n in in_order],
        [contents[n] for n in in_order],
    )


def _frame(
    file: ScannedFile, places: list[str], codes: list[str], reasons: list[str], contents: list[str]
) -> pd.DataFrame:
    shown = [_shown(content, code) for content, code in zip(contents, codes, strict=True)]
    columns = {
        "sha256": file.landed.sha256,
        "place": places,
        "reason_code": codes,
        "reason": reasons,
        "content": shown,
    }
    return pd.DataFrame(columns, dtype=object)


def _shown(content: str, code: str) -> str:
    # Cut first what is far too long, then mask: a number that the cut splits is masked all the same.
    cut = content[: 2 * _LONGEST_CONTENT]
    return (outline(cut) if code in _NOT_TAKEN_APART else mask_digits(cut))[:_LONGEST_CONTENT]
