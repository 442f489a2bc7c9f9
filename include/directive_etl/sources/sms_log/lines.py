"""Line numbers of refused rows, from their place among the rows that were read.

DuckDB reads rows in order and in parallel, but only the rows it rejects have a line number. A row's line follows from
its place, once the lines that are no row are known: what stands before the first row, blank lines, further lines of a
quoted value, and rejected rows. They are looked up only for files in which something is refused.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import duckdb

from directive_etl.registry.log_formats import DelimitedLog, JasminLog, JsonLinesLog, KannelLog, Log
from directive_etl.sources.sms_log.fields import read_lines_call
from directive_etl.sources.sms_log.quoting import Quoting, continued_lines
from directive_etl.sources.sms_log.sql_text import literal
from directive_etl.sources.sms_log.text_files import TextFile

# Forms of log that have lines.
TextLog = DelimitedLog | JsonLinesLog | KannelLog | JasminLog

_REASON_OF_ERROR = {
    "MISSING COLUMNS": "wrong_column_count",
    "TOO MANY COLUMNS": "wrong_column_count",
    "INVALID ENCODING": "invalid_utf8",
    "UNQUOTED VALUE": "bad_quote",
    "LINE SIZE OVER MAXIMUM": "line_too_long",
}


@dataclass(frozen=True)
class Reject:
    """A row that DuckDB could not split into columns.

    Attributes:
        record_no: its line, where a quoted value of several lines counts as one.
        reason_code: from reasons.py.
        content: the row as written, cut off where it is long.
    """

    record_no: int
    reason_code: str
    content: str

    @property
    def swallows_lines(self) -> bool:
        """It may hold good lines: an open quote makes them part of its value."""
        return self.reason_code == "bad_quote" or "\n" in self.content


def read_rejects(
    connection: duckdb.DuckDBPyConnection, files: Sequence[TextFile]
) -> Iterator[tuple[int, Reject]]:
    """Yield file_no and reject of the last scan of these files, each row once, and forget them."""
    by_path = {str(file.path): file.file_no for file in files}
    found = connection.execute(
        """
        SELECT file_path, line, arg_min(error_type, (byte_position, error_type)), any_value(left(csv_line, 1000))
        FROM reject_errors JOIN reject_scans USING (scan_id, file_id)
        GROUP BY file_path, line ORDER BY file_path, line
        """
    ).fetchall()
    forget_rejects(connection)
    for path, line, error_type, content in found:
        code = _REASON_OF_ERROR.get(error_type, "wrong_layout")
        yield by_path[path], Reject(int(line), code, (content or "").strip("\r\n"))


def forget_rejects(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop DuckDB's tables of rejected rows; a scan that failed may have filled them, or not yet have made them."""
    connection.execute("DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans")


class Numbering:
    """Counts 1, 2, 3 ... but for some numbers."""

    def __init__(self, excluded: Iterable[int]) -> None:
        # How many are counted up to and including each excluded number, plus one.
        self._counted = [number - place for place, number in enumerate(sorted(set(excluded)))]

    def nth(self, n: int) -> int:
        """Return the n-th number that counts, n from 1."""
        return n + bisect_right(self._counted, n)


@dataclass(frozen=True)
class SpecialLines:
    """Lines that are no row: blank ones, and those that continue a quoted value of the row before. Sorted."""

    blank: Sequence[int] = ()
    continued: Sequence[int] = ()

    def count_after(self, line: int) -> int:
        """Count those after a line."""
        return sum(number > line for number in (*self.blank, *self.continued))


@dataclass(frozen=True)
class FileLines:
    """Which lines of one file are rows.

    Attributes:
        records: lines without those that only continue a quoted value.
        rows: lines without those, the header, blank lines and rejected rows.
    """

    records: Numbering
    rows: Numbering

    @classmethod
    def of(
        cls,
        special: "SpecialLines",
        skipped_lines: int,
        rejects: Sequence[Reject],
    ) -> "FileLines":
        """Number the lines of a file; `skipped_lines` are those up to the header."""
        records = Numbering(special.continued)
        rejected = [records.nth(reject.record_no) for reject in rejects]
        return cls(
            records, Numbering([*range(1, skipped_lines + 1), *special.blank, *special.continued, *rejected])
        )

    def of_row(self, place: int) -> int:
        """Return the line of a row from its place, from 0, among the rows read."""
        return self.rows.nth(place + 1)

    def of_reject(self, reject: Reject) -> int:
        """Return the line of a rejected row."""
        return self.records.nth(reject.record_no)


def find_special_lines(connection: duckdb.DuckDBPyConnection, file: TextFile, log: TextLog) -> SpecialLines:
    """Look up the lines of a file that are no row, in a pass of its own."""
    quoting = quoting_of(log)
    not_whole = "false"
    if quoting is not None:
        quote, pattern = literal(quoting.quote), literal(quoting.whole_row)
        # The last line of a row may look like a whole one, but for its odd quote.
        is_odd = f"(length(line) - length(replace(line, {quote}, ''))) % 2 = 1"
        not_whole = f"contains(line, {quote}) AND ({is_odd} OR NOT regexp_full_match(line, {pattern}))"
    call = read_lines_call([file], log.encoding)
    found = connection.execute(
        f"""
        SELECT n, line
        FROM (SELECT row_number() OVER () AS n, line FROM {call})
        WHERE line IS NULL OR ({not_whole})
        ORDER BY n
        """
    ).fetchall()
    rejects = [reject for _, reject in read_rejects(connection, [file])]
    unread = Numbering(reject.record_no for reject in rejects)
    numbered = [(unread.nth(int(n)), line) for n, line in found]
    blank = [number for number, line in numbered if line is None]
    if quoting is None:
        return SpecialLines(blank)
    # A line that is no text may open a quote as well.
    special = [(number, line) for number, line in numbered if line is not None]
    special += [(reject.record_no, reject.content) for reject in rejects]
    continued = continued_lines(sorted(special), quoting)
    inside = set(continued)
    return SpecialLines([number for number in blank if number not in inside], continued)


def quoting_of(log: Log) -> Quoting | None:
    """Return how a log quotes; None when it does not."""
    if isinstance(log, DelimitedLog) and log.quote is not None:
        return Quoting(log.quote, log.delimiter)
    return None
