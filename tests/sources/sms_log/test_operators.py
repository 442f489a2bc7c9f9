"""A new operator is one YAML file, and a wrong one is told all its mistakes."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from directive_etl.errors import RegistryError
from directive_etl.registry.campaigns import campaigns
from directive_etl.registry.declared_file import load_declared
from directive_etl.registry.log_formats import DelimitedLog, KannelLog
from directive_etl.registry.operators import Operator, operator, operators

NEW_OPERATOR = """
operator_code: itel
name: Itelecom
file_patterns: ["*.txt"]
window_days: 1
time_zone: UTC
log:
  format: delimited
  delimiter: "|"
  columns: {message_id: "2", recipient: "3", submitted_at: "1", status: "4", sender: "5"}
  column_order: ["1", "2", "3", "4", "5"]
  time_format: "%Y%m%d%H%M%S"
  status_map: {"0": delivered, "1": failed, "": pending}
"""


def test_the_declared_operators_and_campaigns_can_be_read() -> None:
    assert [declared.operator_code for declared in operators()] == [
        "mobifone",
        "vietnamobile",
        "viettel",
        "vinaphone",
    ]
    assert {declared.window_days for declared in operators()} == {3}
    assert [campaign.campaign_code for campaign in campaigns()] == ["bluezone-2020"]
    assert campaigns()[0].is_assumed


def test_a_new_operator_is_one_file(tmp_path: Path, count_logs) -> None:
    path = tmp_path / "itel.yaml"
    path.write_text(NEW_OPERATOR)
    declared = load_declared(path, Operator, named_by="operator_code")
    assert declared.fixed_offset() == timedelta(0)
    # 17:00 UTC is midnight in Can Tho: the message belongs to the next day.
    day = date(2020, 8, 19)
    text = (
        "20200818170000|m1|0871234567|0|BLUEZONE\n"
        "20200818165959|m2|0871234567|0|BLUEZONE\n"
        "20200819000000|m3|0871234568||X\n"
    )
    counts = count_logs({day: [("log.txt", text.encode())]}, declared)
    assert counts.daily[
        ["report_date", "campaign_code", "message_count", "delivered_count"]
    ].to_numpy().tolist() == [
        [day, "-", 1, 0],
        [day, "bluezone-2020", 1, 1],
    ]
    assert counts.daily["latency_p50_seconds"].isna().all()
    assert counts.account.read == counts.account.loaded == 3


def test_every_mistake_of_a_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(
        NEW_OPERATOR.replace("itel", "Itel!")
        .replace("UTC", "Hanoi")
        .replace("%Y%m%d%H%M%S", "yyyy")
        .replace("failed", "lost")
        .replace('message_id: "2"', "message_id: 2")
    )
    with pytest.raises(RegistryError) as raised:
        load_declared(path, Operator, named_by="operator_code")
    for place in ("operator_code", "time_zone", "time_format", "status_map", "columns.message_id"):
        assert place in str(raised.value)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"status_map": {"0": "failed"}}, "no status that means delivered"),
        ({"column_order": ("1", "2", "3", "4")}, "a name in column_order"),
    ],
)
def test_parts_that_do_not_fit_each_other_are_told(changed: dict[str, object], told: str) -> None:
    log = DelimitedLog(
        format="delimited",
        delimiter="|",
        columns={"message_id": "2", "recipient": "3", "submitted_at": "1", "status": "4", "sender": "5"},
        time_format="%Y%m%d%H%M%S",
        status_map={"0": "delivered"},
    ).model_copy(update=changed)
    declared = Operator(operator_code="itel", name="Itelecom", log=log)
    assert told in " ".join(mistake.sentence() for mistake in declared.iter_mistakes())


def test_an_unknown_operator_is_told_the_known_ones() -> None:
    with pytest.raises(RegistryError, match="there are mobifone, vietnamobile"):
        operator("beeline")


def test_a_zone_with_summer_time_is_followed(count_logs) -> None:
    declared = operator("vinaphone").model_copy(update={"time_zone": "Europe/London"})
    assert declared.fixed_offset() is None
    text = (
        "message_id;sender;msisdn;submitted_at;segments;status;done_at\n"
        "a;BLUEZONE;0901234567;18/08/2020 17:59:59;1;SUCCESS;18/08/2020 18:00:09\n"
        "b;BLUEZONE;0901234567;18/08/2020 18:00:00;1;SENT;\n"
    )
    counts = count_logs({date(2020, 8, 18): [("sms_1.csv", text.encode())]}, declared)
    # 17:59:59 in London was 23:59:59 in Can Tho; the second message is tomorrow's.
    assert counts.daily["message_count"].tolist() == [1]
    assert counts.daily["latency_p50_seconds"].tolist() == [10.0]


@pytest.mark.parametrize(
    ("log", "told"),
    [
        ({"access_log_format": "%t %l %F %p %P"}, "no %d"),
        ({"access_log_format": "%l %F %P %d", "access_log_clean": True}, "no time"),
        ({"access_log_format": "%l|%F|%P|%d", "status_from": "receipt", "status_map": {}}, "no %b"),
        ({"status_map": {"2": "failed"}}, "no status that means delivered"),
    ],
)
def test_a_kannel_layout_that_lacks_something_is_told(log: dict[str, object], told: str) -> None:
    form = {"format": "kannel", "status_map": {"1": "delivered"}} | log
    declared = Operator.model_validate({"operator_code": "itel", "name": "Itelecom", "log": form})
    assert told in " ".join(mistake.sentence() for mistake in declared.iter_mistakes())


@pytest.mark.parametrize("layout", ["%l %F", "%l%F %P %d", "%l %F %P %d %d"])
def test_a_layout_that_cannot_be_read_back_is_refused(layout: str) -> None:
    with pytest.raises(ValueError, match="access-log-format"):
        KannelLog(format="kannel", access_log_format=layout, status_map={"1": "delivered"})


def test_columns_without_a_status_or_a_time_are_told() -> None:
    log = {
        "format": "parquet",
        "columns": {"message_id": "id", "recipient": "to"},
        "time_format": "epoch_seconds",
        "status_map": {"1": "delivered"},
    }
    declared = Operator.model_validate({"operator_code": "itel", "name": "Itelecom", "log": log})
    told = " ".join(mistake.sentence() for mistake in declared.iter_mistakes())
    assert "neither `status` nor `receipt`" in told and "no time" in told
