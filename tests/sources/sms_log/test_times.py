"""Times are read as the operator declares them, and one that is impossible refuses its row and no other."""

import json
from datetime import date
from pathlib import Path

import pytest

from directive_etl.registry.operators import load_operator

DAY = date(2020, 8, 18)
OPERATOR = load_operator(
    Path(__file__).parents[3] / "docs" / "sources" / "examples" / "sms_log" / "esms.yaml"
)


@pytest.mark.parametrize(
    ("time_format", "written"),
    [
        ("epoch_seconds", "1597719600"),
        ("epoch_milliseconds", "1597719600000"),
        ("json_date", "/Date(1597719600000)/"),
        ("json_date", "/Date(1597719600000+0700)/"),
        ("%Y-%m-%dT%H:%M:%S%z", "2020-08-18T05:00:00+0200"),
        ("%Y-%m-%d %H:%M:%S.%f", "2020-08-18 10:00:00.25"),
        ("%y%m%d%H%M%S", "200818100000"),
    ],
)
def test_a_time_is_read_as_declared(time_format: str, written: str, count_logs) -> None:
    log = OPERATOR.log.model_copy(update={"time_format": time_format})
    timed = OPERATOR.model_copy(update={"log": log})
    text = f'{{"SmsId":1,"Phone":"0901888484","SentTime":"{written}","SendStatus":5,"SendResult":1}}\n'
    counts = count_logs({DAY: [("a", text.encode())]}, timed)
    assert counts.refused.empty
    assert counts.daily.query("message_count == 1")["report_date"].tolist() == [DAY]


@pytest.mark.parametrize(
    ("time_format", "good", "absurd"),
    [
        ("epoch_seconds", "1597719600", "9223372036854775807"),
        ("epoch_milliseconds", "1597719600000", "-9223372036854775808"),
        ("json_date", "/Date(1597719600000)/", "/Date(9223372036854775807)/"),
        ("%d/%m/%Y %H:%M:%S", "18/08/2020 10:00:00", "31/12/9999 23:59:59"),
    ],
)
@pytest.mark.parametrize("column", ["SentTime", "DoneTime"])
def test_a_time_that_no_number_can_hold_refuses_its_row_only(
    time_format: str, good: str, absurd: str, column: str, count_logs
) -> None:
    columns = OPERATOR.log.columns.model_copy(update={"done_at": "DoneTime"})
    log = OPERATOR.log.model_copy(update={"time_format": time_format, "columns": columns})
    row = {
        "SmsId": 1,
        "Phone": "0901888484",
        "SentTime": good,
        "DoneTime": good,
        "SendStatus": 5,
        "SendResult": 1,
    }
    text = "".join(json.dumps(one) + "\n" for one in (row, row | {"SmsId": 2, column: absurd}))
    counts = count_logs({DAY: [("a", text.encode())]}, OPERATOR.model_copy(update={"log": log}))
    assert counts.refused[["place", "reason_code"]].to_numpy().tolist() == [["line 2", "bad_time"]]
    assert counts.daily["message_count"].sum() == 1
