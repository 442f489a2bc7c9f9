"""Ids of messages whose day is final, kept for a while: a gateway's receipt tells no submission, and may be late.

    <root>/<operator_code>/<report_date>.parquet    message_key UBIGINT, sorted: the hash of connection and id

A day's ids are written by the drop day that makes it final, so that no folder of the past is read again for them.
"""

from datetime import date, timedelta
from pathlib import Path

import duckdb

from directive_etl.registry.log_formats import ColumnLog
from directive_etl.registry.operators import Operator
from directive_etl.sources.sms_log.parquet_files import write_parquet
from directive_etl.sources.sms_log.sql_text import literal

_KEPT = timedelta(days=14)


def closed_ids_root(reach_root: Path) -> Path:
    """Return the folder of the ids: beside the reach store."""
    return reach_root.with_name(f"{reach_root.name}_closed_ids")


def are_needed(operator: Operator) -> bool:
    """Tell whether receipts of an operator may not tell their submission."""
    return not isinstance(operator.log, ColumnLog) or operator.log.reads_receipts


def write_closed_ids(
    connection: duckdb.DuckDBPyConnection, root: Path, operator: Operator, closing: date
) -> None:
    """Write the ids of the day that becomes final, from `messages`, and delete those that are kept no longer."""
    folder = root / operator.operator_code
    folder.mkdir(parents=True, exist_ok=True)
    select = "SELECT message_key FROM messages WHERE is_closing ORDER BY message_key"
    write_parquet(connection, select, folder / f"{closing}.parquet")
    for path in folder.glob("[!.]*.parquet"):
        if date.fromisoformat(path.stem) < closing - _KEPT:
            path.unlink(missing_ok=True)


def closed_ids_sql(root: Path, operator: Operator, closing: date) -> str | None:
    """Return the SELECT of message_key of the days before the one that becomes final; None when none are kept."""
    paths = [
        literal(str(path))
        for path in sorted((root / operator.operator_code).glob("[!.]*.parquet"))
        if closing - _KEPT <= date.fromisoformat(path.stem) < closing
    ]
    return f"SELECT message_key FROM read_parquet([{', '.join(paths)}])" if paths else None
