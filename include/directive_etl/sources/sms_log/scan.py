"""One scan of the landed files into `events`, with an account of what was read.

DuckDB reads fast and trusts what it gets: it takes damaged gzip as it comes, lets an open quote swallow the rest of a
file, and gives up on mixed line endings. So the bytes of each file are inspected, when it lands or while DuckDB reads,
and what it read is compared with the lines of the file. The few files that fail are read again from a careful copy; a
file that fails then too is refused whole, and the others are read without it.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path

import duckdb

from directive_etl.landing import LandedFile
from directive_etl.landing.texts import DamagedFileError, Inspection, TooLargeError, inspect_text
from directive_etl.registry.campaigns import Campaign
from directive_etl.registry.log_formats import DelimitedLog, ParquetLog
from directive_etl.registry.operators import Operator
from directive_etl.sources.sms_log.careful_copy import Copied, copy_readable_lines
from directive_etl.sources.sms_log.event_files import EventFiles
from directive_etl.sources.sms_log.events import typed_events
from directive_etl.sources.sms_log.fields import Shape, WrongHeaderError
from directive_etl.sources.sms_log.formats import read_shape, to_fields
from directive_etl.sources.sms_log.lines import (
    Reject,
    SpecialLines,
    find_special_lines,
    forget_rejects,
    quoting_of,
    read_rejects,
)
from directive_etl.sources.sms_log.parquet import count_parquet_rows
from directive_etl.sources.sms_log.text_files import TextFile

# Faults that no other way of reading the file would cure.
_NOT_THE_FILE = (
    duckdb.InterruptException,
    duckdb.OutOfMemoryException,
    duckdb.InternalException,
    duckdb.BinderException,
    duckdb.ParserException,
)


@dataclass
class ScannedFile:
    """One file and what became of it.

    Attributes:
        landed: the file.
        text: what is read: the file, or a careful copy of it; None for a file without a byte.
        inspection: what its bytes say; None while they are not inspected.
        special: lines that are no row; None while they are not known.
        shape: how its columns lie; None where the format has none, or the file no rows.
        copied: what the careful copy is, when there is one.
        rejects: rows that could not be split into columns.
        fault: reason code and detail when the file is refused whole.
        row_count: rows that became events.
        first_place: place in `events` of the first of them.
    """

    landed: LandedFile
    text: TextFile | None
    inspection: Inspection | None = None
    special: SpecialLines | None = None
    shape: Shape | None = None
    copied: Copied | None = None
    rejects: list[Reject] = field(default_factory=list)
    fault: tuple[str, str] | None = None
    row_count: int = 0
    first_place: int = 0

    @property
    def skipped_lines(self) -> int:
        """Lines up to the first row."""
        return self.shape.skipped_lines if self.shape else 0

    @property
    def read_count(self) -> int:
        """Rows read; a file that is refused whole counts as one."""
        left_out = len(self.copied.refused) if self.copied else 0
        return 1 if self.fault else self.row_count + len(self.rejects) + left_out


class Scanner:
    """Reads the files of one operator into the view `events` of a connection."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        operator: Operator,
        campaigns: Sequence[Campaign],
        latest_us: int,
        scratch: Path,
        most_bytes: int,
    ) -> None:
        """Prepare a scan.

        Args:
            connection: of the workspace.
            operator: whose files they are.
            campaigns: told apart by.
            latest_us: times after it are impossible. Unit: microseconds since 1970 UTC.
            scratch: folder for the events, and for careful copies.
            most_bytes: a text that unpacks to more is refused.
        """
        self._connection = connection
        self._operator = operator
        self._campaigns = campaigns
        self._latest_us = latest_us
        self._scratch = scratch
        self._events = EventFiles(connection, scratch)
        self._most_bytes = most_bytes

    def scan(self, landed: Sequence[LandedFile]) -> list[ScannedFile]:
        """Fill `events` from all files.

        Args:
            landed: in the order that decides between two receipts of the same time; a file's place is its file_no.

        Returns:
            The files, in the same order.
        """
        files = [self._known(file, place) for place, file in enumerate(landed)]
        with ThreadPoolExecutor(max_workers=1) as pool:
            inspecting = pool.submit(self._inspect, files)
            try:
                troubled = self._read(files)
            except duckdb.InterruptException:
                inspecting.result()
                troubled = self._read(files)  # without the file that is too large
            inspecting.result()
        troubled |= self._find_unsound(files)
        if troubled or any(file.fault for file in files):
            for place in troubled:
                self._copy_carefully(files[place], self._scratch / f"copy-{place}")
            troubled = self._read(files) | self._find_unsound(files)
        if troubled:
            for place in troubled:
                files[place].fault = ("unreadable_file", "its rows cannot be told apart")
            self._read(files)
        return files

    def _known(self, landed: LandedFile, place: int) -> ScannedFile:
        """Return a file with what is known of it since it landed."""
        text = TextFile.of(landed.path, place) if landed.size_bytes else None
        file = ScannedFile(landed, text)
        if not isinstance(self._operator.log, ParquetLog) and landed.inspection is not None:
            file.inspection = landed.inspection
            if file.inspection.size_bytes > self._most_bytes:
                file.fault = ("too_large", str(TooLargeError(self._most_bytes)))
        return file

    def _inspect(self, files: Sequence[ScannedFile]) -> None:
        """Inspect, beside the scan, what landing did not; stop the scan when a text unpacks to too much."""
        if isinstance(self._operator.log, ParquetLog):
            return
        for file in files:
            if file.text is not None and file.inspection is None:
                try:
                    file.inspection = inspect_text(file.text.path, file.text.compression, self._most_bytes)
                except DamagedFileError as error:
                    file.fault = ("unreadable_file", str(error))
                except TooLargeError as error:
                    file.fault = ("too_large", str(error))
                    self._connection.interrupt()

    def _read(self, files: Sequence[ScannedFile]) -> set[int]:
        """Read all files that are not refused whole, from the start; return the places of those that cannot be read."""
        self._events.forget()
        forget_rejects(self._connection)
        troubled: set[int] = set()
        for file in files:
            file.rejects, file.row_count = [], 0
        for batch, shape in self._batches(files):
            troubled |= self._insert(files, batch, shape)
        self._events.show()
        counted = self._connection.execute(
            "SELECT file_no, count(*), min(place) FROM typed_row GROUP BY file_no"
        ).fetchall()
        for file_no, row_count, first_place in counted:
            files[file_no].row_count, files[file_no].first_place = row_count, first_place
        return troubled

    def _batches(self, files: Sequence[ScannedFile]) -> list[tuple[list[TextFile], Shape]]:
        """Return files that one statement can read, together: next to each other, and alike."""
        shaped: list[tuple[TextFile, Shape]] = []
        for file in files:
            if file.text is None or file.fault:
                continue
            try:
                file.shape = read_shape(self._connection, file.text, self._operator.log)
            except WrongHeaderError as error:
                # What the inspection beside may have found meanwhile says more.
                file.fault = file.fault or ("wrong_header", str(error))
            except DamagedFileError as error:
                file.fault = file.fault or ("unreadable_file", str(error))
            if file.shape is not None and not file.fault:
                shaped.append((file.text, file.shape))

        def likeness(entry: tuple[int, tuple[TextFile, Shape]]) -> tuple[str, Shape, int]:
            place, (text, shape) = entry
            return text.compression, shape, text.file_no - place

        groups = (list(group) for _, group in groupby(enumerate(shaped), key=likeness))
        return [([text for _, (text, _) in group], group[0][1][1]) for group in groups]

    def _insert(self, files: Sequence[ScannedFile], batch: list[TextFile], shape: Shape) -> set[int]:
        """Read files that are alike; when that fails, each alone. Return the places of those that fail alone."""
        log = self._operator.log
        rows = typed_events(to_fields(batch, shape, log), self._operator, self._campaigns, self._latest_us)
        try:
            self._events.write(rows)
        except _NOT_THE_FILE:
            raise
        except duckdb.Error:
            forget_rejects(self._connection)  # rows before the failure are read again
            if len(batch) == 1:
                return {batch[0].file_no}
            return {place for text in batch for place in self._insert(files, [text], shape)}
        if isinstance(log, ParquetLog):
            return set()  # it has no lines to reject
        for file_no, reject in read_rejects(self._connection, batch):
            if not isinstance(log, DelimitedLog) and reject.reason_code == "wrong_column_count":
                # a line has no columns, so it has a stray byte
                reject = replace(reject, reason_code="wrong_layout")
            files[file_no].rejects.append(reject)
        return set()

    def _find_unsound(self, files: Sequence[ScannedFile]) -> set[int]:
        """Return the places of files whose bytes are no plain text, or whose rows are not what DuckDB read."""
        return {place for place, file in enumerate(files) if not file.fault and not self._is_sound(file)}

    def _is_sound(self, file: ScannedFile) -> bool:
        log = self._operator.log
        if isinstance(log, ParquetLog):
            return file.text is None or file.row_count == count_parquet_rows(self._connection, file.text)
        if file.text is None or file.inspection is None:
            return True
        found = file.row_count + len(file.rejects)
        if file.copied is not None:
            return found == file.copied.row_count - (1 if file.skipped_lines else 0)
        if file.inspection.has_nul or not file.inspection.is_plainly_ended:
            return False
        if any(reject.swallows_lines for reject in file.rejects):
            return False
        if file.shape is None:
            return True  # blank lines only
        lines = file.inspection.line_count - file.skipped_lines
        if found == lines:
            file.special = SpecialLines()
            return True
        file.special = find_special_lines(self._connection, file.text, log)
        return found + file.special.count_after(file.skipped_lines) == lines

    def _copy_carefully(self, file: ScannedFile, target: Path) -> None:
        if file.fault or file.text is None:
            return
        if isinstance(self._operator.log, ParquetLog):
            file.fault = ("unreadable_file", "a part of the Parquet file cannot be read")
            return
        column_count = max(1, len(file.shape.columns)) if file.shape else 1
        try:
            file.copied = copy_readable_lines(file.text, quoting_of(self._operator.log), column_count, target)
        except DamagedFileError as error:
            file.fault = ("unreadable_file", str(error))
        file.text, file.special = TextFile(target, "none", file.text.file_no), None
