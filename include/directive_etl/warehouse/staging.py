"""COPY a frame into a temporary table shaped like its target."""

from collections.abc import Iterator, Sequence
from typing import Any, cast

import pandas as pd
import psycopg
import sqlalchemy as sa
from psycopg import sql

STAGING = "staging"


def stage(connection: sa.Connection, frame: pd.DataFrame, target: sa.Table, columns: Sequence[str]) -> None:
    """Fill the temporary table `staging` with the named columns of the frame; it goes with the transaction.

    Args:
        connection: an open transaction.
        frame: at least the named columns; NaN, NaT and pd.NA become NULL.
        target: the table whose column types the staging table takes.
        columns: which columns, in the frame and in the target alike.
    """
    # The schema is "pg_temp": a table of the same name elsewhere can never be meant.
    names = ", ".join(columns)
    connection.exec_driver_sql(f"drop table if exists pg_temp.{STAGING}")
    connection.exec_driver_sql(
        f"create temporary table {STAGING} on commit drop as select {names} from {target.fullname} with no data"
    )
    driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
    statement = sql.SQL("copy pg_temp.{} ({}) from stdin").format(
        sql.Identifier(STAGING), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in _rows(frame, target, columns):
            copy.write_row(row)


def _rows(frame: pd.DataFrame, target: sa.Table, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Yield plain Python values: COPY knows neither NaN nor numpy's types."""
    values = [_plain(frame[column], target.columns[column].type) for column in columns]
    return zip(*values, strict=True)


def _plain(column: pd.Series, kind: sa.types.TypeEngine[Any]) -> list[Any]:
    if isinstance(kind, sa.Integer):
        column = column.astype("Int64")  # a gap makes pandas hold whole numbers as floats
    as_objects = column.astype(object)
    return as_objects.where(column.notna(), None).tolist()
