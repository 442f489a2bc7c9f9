"""Rows arrive in the database as they stand in the frame, few or many."""

from datetime import UTC, datetime

import pandas as pd
import pytest
import sqlalchemy as sa

from directive_etl.warehouse.staging import MANY_ROWS, STAGING, stage

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


@pytest.mark.parametrize("count", [MANY_ROWS - 1, MANY_ROWS])
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
