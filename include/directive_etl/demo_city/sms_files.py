"""The log files of one operator's drop folder, in the operator's own form."""

import gzip
import os
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

from directive_etl.demo_city.sms_kannel import Gateway, gateway_of, write_lines
from directive_etl.demo_city.sms_rows import Rows
from directive_etl.demo_city.sms_subscribers import MOBIFONE, VIETTEL, VINAPHONE, Subscribers
from directive_etl.demo_city.sms_tables import write_restcomm, write_vinaphone
from directive_etl.demo_city.sms_traffic import Messages


class FolderWriter:
    """Writes the folders of one operator; the ids of its messages stay the same from folder to folder."""

    def __init__(self, operator: int, messages: Messages, subscribers: Subscribers, first_day: date) -> None:
        self._operator = operator
        self._messages = messages
        self._subscribers = subscribers
        self._first_day = first_day
        self._gateway: Gateway | None = (
            gateway_of(operator, messages) if operator in (VIETTEL, MOBIFONE) else None
        )

    def write(self, folder: Path, rows: Rows, delivered_at: datetime) -> list[Path]:
        """Write the files of a folder.

        Args:
            folder: made when absent; files of the same names are replaced.
            rows: all rows of the folder, in order; at least one per file.
            delivered_at: mtime of the last file; each one before came a minute earlier.
        """
        folder.mkdir(parents=True, exist_ok=True)
        file_count = int(rows.file.max()) + 1
        written = []
        for file in range(file_count):
            path = folder / self._file_name(file, file_count)
            path.write_bytes(self._content(path.suffix, rows.take(rows.file == file)))
            moment = (delivered_at - timedelta(minutes=file_count - 1 - file)).timestamp()
            os.utime(path, (moment, moment))
            written.append(path)
        return written

    def _file_name(self, file: int, file_count: int) -> str:
        if self._operator == VIETTEL:
            return f"access-{file:02}.log.gz"
        if self._operator == MOBIFONE:
            # logrotate's way: the newest has no number, older ones count up.
            age = file_count - 1 - file
            return f"access.log.{age}" if age else "access.log"
        return f"sms_{file + 1}.csv.gz" if self._operator == VINAPHONE else "cdr.csv"

    def _content(self, suffix: str, rows: Rows) -> bytes:
        lines: Iterator[str]
        refers_to = (self._messages, self._subscribers, self._first_day)
        if self._gateway is not None:
            lines = write_lines(rows, self._gateway, *refers_to)
        else:
            write = write_vinaphone if self._operator == VINAPHONE else write_restcomm
            lines = write(rows, *refers_to)
        # Lines damaged on purpose carry a byte that is no UTF-8 as a lone surrogate.
        content = ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")
        if self._operator == VINAPHONE:
            content = b"\xef\xbb\xbf" + content
        return gzip.compress(content, compresslevel=1, mtime=0) if suffix == ".gz" else content
