"""Rows arrive in the database as they stand in the frame, few or many."""

from datetime import UTC, date, datetime

import pandas as pd
import pytest
import sqlalchemy as sa

from directive_etl.periods import LOCAL_ZONE
from directive_etl.warehouse.staging import STAGING, stage

MANY_ROWS = 5_000

TARGET = sa.Table(
    "pg_temp_target",
    sa.MetaData(),
    sa.Column("number", sa.BigInteger),
    sa.Column("small", sa.SmallInteger),
    sa.Column("text", sa.Text),
    sa.Column("at", sa.DateTime(timezone=True)),
    sa.Column("day", sa.Date),
    sa.Column("flag", sa.Boolean),
    schema="pg_temp",
)
TEXTS = ["plain", "", "\\N", 'a "quoted", one', "two\nlines", "chữ Việt", "\\.", None]


def a_frame(count: int) -> pd.DataFrame:
    numbers = range(count)
    frame = pd.DataFrame(
        {
            "number": [(-1) ** n * (2**63 - 1 - n) for n in numbers],
            "small": [None if n % 3 == 0 else n % 1000 for n in numbers],
            "text": [TEXTS[n % len(TEXTS)] for n in numbers],
            "at": [datetime(2020, 8, 20, 1, 2, 3, n % 1_000_000, tzinfo=UTC) for n in numbers],
            "day": [None if n % 5 == 0 else pd.Timestamp("2020-08-18") for n in numbers],
            "flag": [n % 2 == 0 for n in numbers],
        }
    )
    return frame.astype({"text": "object", "at": "datetime64[us, UTC]", "day": "datetime64[us]"})


@pytest.mark.parametrize("count", [1, MANY_ROWS])
def test_many_rows_arrive_as_few_do(count, warehouse):
    frame = a_frame(count)
    with warehouse.begin() as connection:
        TARGET.create(connection)
        stage(connection, frame, TARGET, [column.name for column in TARGET.columns])
        found = connection.exec_driver_sql(f"select * from pg_temp.{STAGING} order by abs(number) desc").all()
    missing = frame.isna()
    expected = [
        tuple(None if missing.iat[n, place] else value for place, value in enumerate(row))
        for n, row in enumerate(frame.assign(day=frame["day"].dt.date).itertuples(index=False, name=None))
    ]
    assert [tuple(row) for row in found] == expected


def test_a_fraction_is_never_cut_off(warehouse):
    frame = a_frame(MANY_ROWS).assign(small=1.5)
    with warehouse.begin() as connection:
        TARGET.create(connection)
        with pytest.raises((TypeError, ValueError)):
            stage(connection, frame, TARGET, ["small"])


@pytest.mark.parametrize("number", [2**15, -(2**15) - 1])
def test_a_number_too_large_for_its_column_is_never_cut_off(number, warehouse):
    frame = a_frame(MANY_ROWS).assign(small=number)
    with warehouse.begin() as connection:
        TARGET.create(connection)
        with pytest.raises(ValueError, match="small does not fit"):
            stage(connection, frame, TARGET, ["small"])


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("text", [None]),
        ("text", ["x" * 50_000, "", None, "ữ" * 50_000]),
        ("text", [f"{n} of many" for n in range(MANY_ROWS)]),
        (
            "at",
            [None, datetime(1, 1, 2, tzinfo=UTC), datetime(9998, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)],
        ),
        ("at", [None, datetime(2020, 8, 20, 7, tzinfo=LOCAL_ZONE)]),
        ("day", [None, date(1, 1, 1), date(1999, 12, 31), date(2000, 1, 1), date(9998, 12, 31)]),
        ("flag", [None, True, False]),
        ("number", [None, 2**63 - 1, -(2**63), 0]),
        ("number", [-1, 1]),
        ("small", [2**15 - 1, -(2**15)]),
    ],
)
def test_the_edges_of_each_type_arrive_many_at_once(column, values, warehouse):
    told = [values[n % len(values)] for n in range(MANY_ROWS)]
    frame = pd.DataFrame({"number": range(MANY_ROWS)}).assign(**{column: pd.Series(told, dtype=object)})
    with warehouse.begin() as connection:
        TARGET.create(connection)
        stage(connection, frame, TARGET, list(frame.columns))
        found = connection.exec_driver_sql(f"select {column} from pg_temp.{STAGING}").scalars().all()
    assert found == told
