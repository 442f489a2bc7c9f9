"""Who was reached: distinct over days and operators, as counted through any drop day, by keyed hash only."""

import shutil
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from directive_etl.periods import days_between
from directive_etl.registry.operators import Operator
from directive_etl.sources.sms_log.hashing import keyed_hash
from directive_etl.sources.sms_log.reach import count_reached

D18, D19, D20, D21, D22 = (date(2020, 8, day) for day in range(18, 23))
CODE = "bluezone-2020"
HEADER = "id,from,to,sent,state,done\n"


def operator(code: str) -> Operator:
    return Operator.model_validate(
        {
            "operator_code": code,
            "name": code,
            "log": {
                "format": "delimited",
                "delimiter": ",",
                "columns": {
                    "message_id": "id",
                    "sender": "from",
                    "recipient": "to",
                    "submitted_at": "sent",
                    "status": "state",
                    "done_at": "done",
                },
                "time_format": "%Y-%m-%d %H:%M:%S",
                "status_map": {"SENT": "pending", "OK": "delivered", "NO": "failed"},
            },
        }
    )


def row(
    number: int, sent: date, state: str = "OK", done: date | None = None, sender: str = "BLUEZONE"
) -> str:
    return f"{sent}-{number},{sender},8490{number:07},{sent} 10:00:00,{state},{done or sent} 23:00:00\n"


def as_files(*rows: str) -> list[tuple[str, bytes]]:
    return [("log.csv", (HEADER + "".join(rows)).encode())]


def test_reach_is_distinct_over_days_and_operators_and_follows_late_receipts(
    count_logs, reach_root: Path
) -> None:
    first = {D18: as_files(row(1, D18), row(2, D18), row(3, D18, "NO"), row(9, D18, sender="CSKH"))}
    second = first | {D19: as_files(row(1, D19), row(4, D18, done=D19))}
    count_logs(first, operator("a"))
    count_logs(second, operator("a"))
    count_logs({D19: as_files(row(4, D19), row(5, D19))}, operator("b"))

    def reached(day: date, through: date, since: date = D18) -> int:
        return count_reached(reach_root, CODE, [day], through, since)[day]

    assert reached(D18, D18) == 2
    assert reached(D18, D19) == 3
    assert reached(D19, D19) == 4
    assert reached(D19, D22) == 4
    assert reached(D19, D19, since=D19) == 3
    assert reached(D19, D18) == 2
    assert count_reached(reach_root, "other", [D18, D19], D19, D18) == {D18: 0, D19: 0}
    assert count_reached(reach_root, CODE, [], D19, D18) == {}


# What was counted of a day and an operator through a drop day: who was reached.
Stores = dict[tuple[date, str, date], set[int]]


@st.composite
def stores(draw: st.DrawFn) -> Stores:
    days = st.dates(D18, D22)
    known: Stores = {}
    for _ in range(draw(st.integers(0, 10))):
        day = draw(days)
        through = day + timedelta(days=draw(st.integers(0, 3)))
        known[day, draw(st.sampled_from("ab")), through] = draw(st.sets(st.integers(0, 8), max_size=5))
    return known


def count_naively(known: Stores, day: date, counted_through: date, first_day: date) -> int:
    """Take each day and operator as counted last, and add them up day by day."""
    reached: set[int] = set()
    for counted in days_between(first_day, day):
        for operator_code in "ab":
            of_part = [key for key in known if key[:2] == (counted, operator_code)]
            newest = max((key for key in of_part if key[2] <= counted_through), default=None)
            reached |= known[newest] if newest else set()
    return len(reached)


@settings(max_examples=40, deadline=None)
@given(
    stores(), st.lists(st.dates(D18, D22), unique=True, max_size=4), st.dates(D18, D22), st.dates(D18, D20)
)
def test_reach_of_many_days_in_one_pass_is_that_of_each_day_alone(
    known: Stores, days: list[date], counted_through: date, first_day: date
) -> None:
    with TemporaryDirectory() as folder, duckdb.connect() as connection:
        for (day, operator_code, through), hashes in known.items():
            path = Path(folder) / CODE / day.isoformat() / f"{operator_code}@{through}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            select = f"SELECT unnest({sorted(hashes)}::BIGINT[]) AS recipient_hash"
            connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
        assert count_reached(Path(folder), CODE, days, counted_through, first_day) == {
            day: count_naively(known, day, counted_through, first_day) for day in days
        }


def test_the_store_holds_keyed_hashes_in_order_and_the_same_bytes_each_time(
    count_logs, reach_root: Path
) -> None:
    folders = {D18: as_files(*(row(number, D18) for number in range(50)))}
    count_logs(folders, operator("a"))
    path = reach_root / CODE / "2020-08-18" / "a@2020-08-18.parquet"
    content = path.read_bytes()
    hashes = [value for (value,) in duckdb.sql(f"SELECT recipient_hash FROM '{path}'").fetchall()]
    assert hashes == sorted(
        keyed_hash("a key that only tests use", f"8490{number:07}") for number in range(50)
    )
    shuffled = {D18: as_files(*(row(number, D18) for number in reversed(range(50))))}
    count_logs(shuffled, operator("a"))
    assert path.read_bytes() == content
    assert [found.name for found in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("code", ["a", "a-b_c"])
def test_a_day_on_which_nobody_was_reached_is_stored_too(count_logs, reach_root: Path, code: str) -> None:
    count_logs({D18: as_files(row(1, D18, "NO"))}, operator(code))
    assert (reach_root / CODE / "2020-08-18" / f"{code}@2020-08-18.parquet").exists()
    assert count_reached(reach_root, CODE, [D18], D18, D18) == {D18: 0}


def test_a_store_made_anew_under_another_key_gives_the_same_reach(count_logs, reach_root: Path) -> None:
    """What the documentation says to do when the key is rotated."""
    folders = {D18: as_files(row(1, D18), row(2, D18)), D19: as_files(row(2, D19), row(3, D19))}
    count_logs(folders, operator("a"))
    before = {path.name: path.read_bytes() for path in reach_root.rglob("*.parquet")}
    shutil.rmtree(reach_root)
    for day in folders:
        count_logs(
            {known: files for known, files in folders.items() if known <= day}, operator("a"), hash_key="new"
        )
    after = {path.name: path.read_bytes() for path in reach_root.rglob("*.parquet")}
    assert count_reached(reach_root, CODE, [D19], D19, D18) == {D19: 3}
    assert not set(before.values()) & set(after.values())
