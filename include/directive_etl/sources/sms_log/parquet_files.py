"""Parquet files of our own stores: whole or not at all, and the same rows give the same bytes."""

import os
import tempfile
from pathlib import Path

import duckdb

from directive_etl.sources.sms_log.sql_text import literal


def write_parquet(connection: duckdb.DuckDBPyConnection, select: str, target: Path) -> None:
    """Write the rows of a SELECT in place of what stands at `target`."""
    handle, draft = tempfile.mkstemp(prefix=".draft-", suffix=".parquet", dir=target.parent)
    os.close(handle)
    try:
        connection.execute(f"COPY ({select}) TO {literal(draft)} (FORMAT parquet, COMPRESSION zstd)")
        Path(draft).replace(target)
    finally:
        Path(draft).unlink(missing_ok=True)
