"""The events of a scan: a Parquet file for each statement that read some, and a view `events` over all of them.

A table in DuckDB's memory is not packed, so ten million events would fill a limit of 512 MB, and the count after them
would go to the disk and back. Packed in a file they take a quarter of it, and the memory is left to the count.
"""

from pathlib import Path

import duckdb

from directive_etl.sources.sms_log.events import EVENT_TYPES
from directive_etl.sources.sms_log.sql_text import literal

# The second version of the format packs times as differences. Dictionaries of keys that hardly repeat, and a general
# compression, would take half as long again to write as they save to read.
_OPTIONS = "FORMAT parquet, PARQUET_VERSION V2, DICTIONARY_SIZE_LIMIT 1, COMPRESSION uncompressed"
_PLACE = "((file_index << 40) + file_row_number)::BIGINT"


class EventFiles:
    """Writes events to the scratch folder, in order, and shows them.

    The view `events` has the columns of events.py, and place BIGINT, the order of the rows in the files; the places of
    the rows of one file follow each other.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, scratch: Path) -> None:
        """Start without an event."""
        self._connection = connection
        self._folder = scratch / "events"
        self._folder.mkdir()
        self._paths: list[Path] = []

    def forget(self) -> None:
        """Start anew."""
        for path in self._paths:
            path.unlink()
        self._paths = []

    def write(self, select: str) -> None:
        """Write the rows of a SELECT of events behind those that are there: all of them, or none.

        Raises:
            duckdb.Error: a row cannot be read.
        """
        path = self._folder / f"{len(self._paths)}.parquet"
        self._connection.execute(f"COPY ({select}) TO {literal(str(path))} ({_OPTIONS})")
        self._paths.append(path)

    def show(self) -> None:
        """Create the view, or replace it."""
        if self._paths:
            paths = ", ".join(literal(str(path)) for path in self._paths)
            select = f"SELECT *, {_PLACE} AS place FROM read_parquet([{paths}])"
        else:
            columns = ", ".join(f"NULL::{type_name} AS {name}" for name, type_name in EVENT_TYPES.items())
            select = f"SELECT {columns}, NULL::BIGINT AS place WHERE false"
        self._connection.execute(f"CREATE OR REPLACE VIEW events AS {select}")
