"""The database that one count works in: in memory, spilling to scratch files, and gone with the process."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from directive_etl.sources.sms_log.hashing import create_keyed_hash_macro
from directive_etl.sources.sms_log.scratch import scratch_folder

# Of less, threads have too little to do: they wait for each other, which takes up to half as much processor time again
# and no less of the clock.
_BYTES_WORTH_THREADS = 4 << 20


@contextmanager
def workspace(
    parent: Path, memory_limit: str, hash_key: str, input_bytes: int
) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """Open a database in memory that spills to a scratch folder, where numbers may be.

    Args:
        parent: where the scratch folder is made.
        memory_limit: such as `512MB`; beyond it data goes to the scratch folder.
        hash_key: secret of the keyed hash that stands for a number.
        input_bytes: size of the files that are read.
    """
    with scratch_folder(parent) as scratch:
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory_limit,
            "temp_directory": str(scratch / "spill"),
        }
        if input_bytes < _BYTES_WORTH_THREADS:
            config["threads"] = 1
        with duckdb.connect(":memory:", config=config) as connection:
            # Rows keep the order of the files, in parallel too: their place gives line numbers, and breaks ties.
            connection.execute("SET preserve_insertion_order = true")
            # It turns a long IN into a join, behind which several threads give rows in any order all the same.
            connection.execute("SET disabled_optimizers = 'in_clause'")
            connection.execute("SET enable_progress_bar = false")
            create_keyed_hash_macro(connection, hash_key)
            yield connection, scratch
