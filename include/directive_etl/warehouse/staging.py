"""COPY a frame into a temporary table shaped like its target."""

from collections.abc import Iterator, Sequence
from typing import Any, cast

import pandas as pd
import psycopg
import sqlalchemy as sa
from psycopg import sql

from directive_etl.warehouse.binary_copy import pack_rows

STAGING = "staging"
# From here on rows are packed column by column, several times faster than Python writes them one by one.
MANY_ROWS = 5_000


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
    blocks = pack_rows(frame, target, columns) if len(frame) >= MANY_ROWS else None
    form = "" if blocks is None else " (format binary)"
    with (
        driver.cursor() as cursor,
        cursor.copy(sql.SQL("copy {} ({}) from stdin" + form).format(into, names)) as copy,
    ):
        if blocks is None:
            for row in _rows(frame, target, columns):
                copy.write_row(row)
        else:
            for block in blocks:
                copy.write(block)


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
