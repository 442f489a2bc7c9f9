"""COPY a frame into a temporary table shaped like its target."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import duckdb
import pandas as pd
import psycopg
import sqlalchemy as sa
from psycopg import sql

STAGING = "staging"
# From here on DuckDB writes the rows, several times faster than Python; below, its start costs more than it saves.
MANY_ROWS = 5_000
_BLOCK_BYTES = 1 << 20


def stage(connection: sa.Connection, frame: pd.DataFrame, target: sa.Table, columns: Sequence[str]) -> None:
    """Fill the temporary table `staging` with the named columns of the frame; it goes with the transaction.

    Args:
        connection: an open transaction.
        frame: at least the named columns; NaN, NaT and pd.NA become NULL.
        target: the table whose column types the staging table takes.
        columns: which columns, in the frame and in the target alike.
    """
    names = ", ".join(columns)
    connection.exec_driver_sql(f"drop table if exists pg_temp.{STAGING}")
    connection.exec_driver_sql(
        f"create temporary table {STAGING} on commit drop as select {names} from {target.fullname} with no data"
    )
    # The schema is pg_temp: a table of the same name elsewhere can never be meant.
    _copy(connection, frame, target, columns, sql.Identifier("pg_temp", STAGING))


def append_rows(connection: sa.Connection, target: sa.Table, frame: pd.DataFrame) -> None:
    """COPY rows straight into a table, for rows that cannot be there yet; the frame's other columns are left out."""
    columns = [column.name for column in target.columns if column.name in frame.columns]
    _copy(connection, frame, target, columns, sql.Identifier(*target.fullname.split(".")))


def _copy(
    connection: sa.Connection,
    frame: pd.DataFrame,
    target: sa.Table,
    columns: Sequence[str],
    into: sql.Identifier,
) -> None:
    driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    is_binary = any(isinstance(target.columns[column].type, sa.LargeBinary) for column in columns)
    if len(frame) >= MANY_ROWS and not is_binary:
        statement = sql.SQL("copy {} ({}) from stdin (format csv, null '\\N')").format(into, names)
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for block in _csv_blocks(frame, target, columns):
                copy.write(block)
        return
    with (
        driver.cursor() as cursor,
        cursor.copy(sql.SQL("copy {} ({}) from stdin").format(into, names)) as copy,
    ):
        for row in _rows(frame, target, columns):
            copy.write_row(row)


def _csv_blocks(frame: pd.DataFrame, target: sa.Table, columns: Sequence[str]) -> Iterator[bytes]:
    """Yield the rows as CSV in which every text is quoted, so that only an unquoted mark is NULL."""
    plain = frame[list(columns)]
    for name in columns:
        kind = target.columns[name].type
        if isinstance(kind, sa.Integer) and not pd.api.types.is_integer_dtype(plain[name]):
            plain = plain.assign(**{name: pd.array(_plain(plain[name], kind), dtype="Int64")})
    texts = ", ".join(
        f'"{name}"' for name in columns if isinstance(target.columns[name].type, sa.Text | sa.JSON)
    )
    quoted = f", force_quote ({texts})" if texts else ""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        with duckdb.connect(config={"threads": 2, "pandas_analyze_sample": len(frame)}) as connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.register("rows", plain)
            connection.execute(f"copy rows to '{path}' (format csv, header false, nullstr '\\N'{quoted})")
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                yield block


def _rows(frame: pd.DataFrame, target: sa.Table, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Yield plain Python values: COPY knows neither NaN nor numpy's types."""
    values = [_plain(frame[column], target.columns[column].type) for column in columns]
    return zip(*values, strict=True)


def _plain(column: pd.Series, kind: sa.types.TypeEngine[Any]) -> list[Any]:
    values = column.tolist()
    missing = column.isna().tolist()
    if isinstance(kind, sa.Integer):  # a gap makes pandas hold whole numbers as floats
        return [None if absent else _whole(value) for value, absent in zip(values, missing, strict=True)]
    return [None if absent else value for value, absent in zip(values, missing, strict=True)]


def _whole(value: Any) -> int:
    if int(value) != value:
        raise ValueError(f"{value!r} is not a whole number")
    return int(value)
