"""COPY a frame into a temporary table shaped like its target."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pandas as pd
import psycopg
import sqlalchemy as sa
from psycopg import sql

STAGING = "staging"
# PostgreSQL's binary form of a time is microseconds from here, that of a date days.
_EPOCH = np.datetime64("2000-01-01", "us")


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
    kinds = [target.columns[column].type for column in columns]
    types = [_binary_type(kind) for kind in kinds]
    # As text, a hundred thousand times take seconds; in binary form they are numbers.
    is_binary = None not in types
    as_told = _binary if is_binary else _plain
    values = [as_told(frame[column], kind) for column, kind in zip(columns, kinds, strict=True)]
    form = sql.SQL(" (format binary)" if is_binary else "")
    with (
        driver.cursor() as cursor,
        cursor.copy(sql.SQL("copy {} ({}) from stdin").format(into, names) + form) as copy,
    ):
        if is_binary:
            copy.set_types(cast("list[str]", types))
        for row in zip(*values, strict=True):
            copy.write_row(row)


def _binary_type(kind: sa.types.TypeEngine[Any]) -> str | None:
    """Return the type in whose binary form a value is sent; None where text serves better."""
    match kind:
        case sa.SmallInteger():
            return "int2"
        case sa.BigInteger() | sa.DateTime(timezone=True):  # microseconds since _EPOCH
            return "int8"
        case sa.Integer() | sa.Date():  # days since _EPOCH
            return "int4"
        case sa.Boolean():
            return "bool"
        case sa.Text():
            return "text"
    return None


def _binary(column: pd.Series, kind: sa.types.TypeEngine[Any]) -> list[Any]:
    """Return values whose binary form is the one that PostgreSQL has for the type of the column."""
    if isinstance(kind, sa.DateTime):
        moments = pd.to_datetime(column, utc=True).dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
        return _without_missing((moments - _EPOCH).astype("i8").tolist(), column)
    if isinstance(kind, sa.Date):
        days = pd.to_datetime(column).to_numpy(dtype="datetime64[D]")
        return _without_missing((days - _EPOCH.astype("datetime64[D]")).astype("i8").tolist(), column)
    return _plain(column, kind)


def _plain(column: pd.Series, kind: sa.types.TypeEngine[Any]) -> list[Any]:
    """Return plain Python values: COPY knows neither NaN nor numpy's types."""
    values = _without_missing(column.tolist(), column)
    return _whole_numbers(values, column, kind) if isinstance(kind, sa.Integer) else values


def _without_missing(values: list[Any], column: pd.Series) -> list[Any]:
    missing = column.isna()
    if not missing.any():
        return values
    return [None if absent else value for value, absent in zip(values, missing.tolist(), strict=True)]


def _whole_numbers(values: list[Any], column: pd.Series, kind: sa.Integer) -> list[Any]:
    """Return the numbers as integers that fit: a gap makes pandas hold whole numbers as floats."""
    if not pd.api.types.is_integer_dtype(column):
        values = [None if value is None else _whole(value) for value in values]
    bits = 16 if isinstance(kind, sa.SmallInteger) else 64 if isinstance(kind, sa.BigInteger) else 32
    told = [value for value in values if value is not None]
    if told and not -(2 ** (bits - 1)) <= min(told) <= max(told) < 2 ** (bits - 1):
        raise ValueError(f"a number of {column.name} does not fit into {bits} bits")
    return values


def _whole(value: Any) -> int:
    if int(value) != value:
        raise ValueError(f"{value!r} is not a whole number")
    return int(value)
