"""The rows of a scan, typed: a Parquet file for each statement that read some, and views over all of them.

A table in DuckDB's memory is not packed, so ten million rows would fill a limit of 512 MB, and the count after them
would go to the disk and back. In a file they take less, and the memory is left to the count.
"""

from pathlib import Path

import duckdb

from directive_etl.sources.sms_log.events import ROW_TYPES
from directive_etl.sources.sms_log.sql_text import literal

# Dictionaries of keys that hardly repeat, times packed as differences and a general compression all take longer to
# write than they save to read.
_OPTIONS = "FORMAT parquet, DICTIONARY_SIZE_LIMIT 1, COMPRESSION uncompressed"
_PLACE = "((file_index << 40) + file_row_number)::BIGINT"


class EventFiles:
    """Writes typed rows to the scratch folder, in order, and shows them.

    The view `typed_row` has the columns of events.py, and place BIGINT, the order of the rows in the files; the places
    of the rows of one file follow each other. The view `events` has those that are events of a message.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, scratch: Path) -> None:
        """Start without a row."""
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
        """Write the rows of a SELECT of typed rows behind those that are there: all of them, or none.

        Raises:
            duckdb.Error: a row cannot be read.
        """
        path = self._folder / f"{len(self._paths)}.parquet"
        self._connection.execute(f"COPY ({select}) TO {literal(str(path))} ({_OPTIONS})")
        self._paths.append(path)

    def show(self) -> None:
        """Create the views, or replace them."""
        if self._paths:
            paths = ", ".join(literal(str(path)) for path in self._paths)
            select = f"SELECT *, {_PLACE} AS place FROM read_parquet([{paths}])"
        else:
            columns = ", ".join(f"NULL::{type_name} AS {name}" for name, type_name in ROW_TYPES.items())
            select = f"SELECT {columns}, NULL::BIGINT AS place WHERE false"
        self._connection.execute(f"CREATE OR REPLACE VIEW typed_row AS {select}")
        self._connection.execute(
            "CREATE OR REPLACE VIEW events AS SELECT * EXCLUDE (reason, content) FROM typed_row WHERE reason = 0"
        )
