"""Events of several statements are one relation, in the order in which they were read."""

import duckdb
import pytest

from directive_etl.sources.sms_log.event_files import EventFiles
from directive_etl.sources.sms_log.events import ROW_TYPES

ROWS = 300_000  # several row groups, so that they are written and read in parallel


def event_rows(file_no: int, message_key: str = "n::UBIGINT", rows: int = ROWS) -> str:
    values = {name: f"NULL::{type_name}" for name, type_name in ROW_TYPES.items()}
    values |= {"file_no": f"{file_no}::USMALLINT", "reason": "0::UTINYINT", "message_key": message_key}
    selected = ", ".join(f"{value} AS {name}" for name, value in values.items())
    return f"SELECT {selected} FROM (SELECT range AS n FROM range({rows}))"


@pytest.fixture
def connection():
    with duckdb.connect() as opened:
        yield opened


@pytest.fixture
def events(connection, tmp_path):
    return EventFiles(connection, tmp_path)


def test_places_keep_the_order_of_statements_and_of_their_rows(connection, events):
    events.write(event_rows(0))
    events.write(event_rows(1))
    events.show()
    found = connection.execute("SELECT file_no, message_key FROM events ORDER BY place").fetchnumpy()
    assert found["file_no"].tolist() == [0] * ROWS + [1] * ROWS
    assert found["message_key"].tolist() == [*range(ROWS), *range(ROWS)]
    (wide,) = connection.execute("SELECT max(place) - min(place) FROM events GROUP BY file_no").fetchall()[0]
    assert wide == ROWS - 1


def test_a_statement_that_fails_leaves_no_event(connection, events):
    events.write(event_rows(0, rows=3))
    with pytest.raises(duckdb.Error):
        events.write(event_rows(1, f"CASE WHEN n < {ROWS - 1} THEN n ELSE error('a row') END::UBIGINT"))
    events.write(event_rows(2, rows=2))
    events.show()
    counted = connection.execute("SELECT file_no, count(*) FROM events GROUP BY ALL ORDER BY ALL").fetchall()
    assert counted == [(0, 3), (2, 2)]


def test_without_a_file_there_are_no_events_of_the_same_columns(connection, events):
    events.write(event_rows(0, rows=1))
    events.show()
    described = connection.execute("DESCRIBE typed_row").fetchall()
    assert {name: type_name for name, type_name, *_ in described} == ROW_TYPES | {"place": "BIGINT"}
    events.forget()
    events.show()
    assert connection.execute("DESCRIBE typed_row").fetchall() == described
    assert connection.execute("SELECT count(*) FROM events").fetchall() == [(0,)]


def test_events_that_are_forgotten_leave_no_file(connection, events, tmp_path):
    events.write(event_rows(0, rows=1))
    events.forget()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
