"""What the pages ask, on a real warehouse."""

import csv
import io
import os
from datetime import date

import pytest
import schemathesis
import sqlalchemy as sa
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from openpyxl import load_workbook
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance
from tests.cockpit.conftest import HOSTILE, hold_batch

from directive_etl.airflow_connections import airflow_connections
from directive_etl.alerts.causes import CAUSES, OVERDUE_CLOSE, UNKNOWN
from directive_etl.cockpit import cockpit_app
from directive_etl.cockpit.export import guard_formula, to_csv, to_xlsx

DAY = "2020-08-20"
DIRECTIVE = "2488-ubnd-kgvx"
OF_DAY = {"day": DAY, "directive": DIRECTIVE}
# `make soak` asks more of each endpoint.
EXAMPLES = int(os.environ.get("DIRECTIVE_ETL_TEST_EXAMPLES", "3"))
OPERATIONS = [
    found.ok()
    for found in schemathesis.openapi.from_asgi(
        "/openapi.json", cockpit_app(lambda: None, lambda: True, airflow_connections())
    ).get_all_operations()
]


def ask(client: TestClient, path: str, **values):
    answer = client.get(path, params=values)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_day_without_one_operator_is_not_complete_and_names_it(client: TestClient):
    summary = ask(client, "/api/day")

    assert summary["day"] == DAY
    assert summary["is_closed"] and not summary["is_complete"]
    assert [row["missing_parts"] for row in summary["sources"]] == [[], ["viettel"]]
    assert summary["reports"]["missing"] == 1 and summary["reports"]["refused"] == 1


def test_the_day_before_is_complete(client: TestClient):
    assert ask(client, "/api/day", day="2020-08-19")["is_complete"]


def test_pages_of_the_heat_map_have_every_unit_once(client: TestClient):
    total = ask(client, "/api/progress", **OF_DAY)["total"]
    seen = []
    for page in range(1, total // 50 + 2):
        seen += [
            unit["unit_code"]
            for unit in ask(client, "/api/progress", **OF_DAY, page=page, page_size=50)["items"]
        ]

    assert len(seen) == total == len(set(seen))


def test_a_cell_counts_the_indicators_that_open_behind_it(client: TestClient):
    shown = ask(client, "/api/progress", **OF_DAY, page_size=5)
    for unit in shown["items"]:
        for clause, counts in unit["cells"].items():
            inside = ask(client, "/api/progress/indicators", **OF_DAY, unit=unit["unit_code"], clause=clause)
            assert sum(counts.values()) == len(inside) > 0


def test_filters_keep_units_of_a_type_a_district_and_a_status(client: TestClient):
    wards = ask(client, "/api/progress", **OF_DAY, unit_type="xa_phuong", page_size=200)["items"]
    district = ask(client, "/api/progress", **OF_DAY, district="UBND-916", page_size=200)["items"]
    silent = ask(client, "/api/progress", **OF_DAY, status="not_reported", page_size=200)["items"]

    assert {unit["unit_type"] for unit in wards} == {"xa_phuong"}
    assert "UBND-916" in {unit["unit_code"] for unit in district} and len(district) > 2
    assert {"SXD", "SNV"} <= {unit["unit_code"] for unit in silent}


def test_a_figure_leads_to_its_batch_and_the_file_it_came_in(client: TestClient):
    figures = ask(client, "/api/figures", **OF_DAY, unit="STTTT", indicator="staff_bluezone_pct")["items"]
    batch = ask(client, f"/api/batches/{figures[0]['batch_id']}")

    assert {figure["part"] for figure in figures} == {"numerator", "denominator"}
    assert [file["origin"] for file in batch["files"]] == ["STTTT.xlsx"]


def test_figures_of_a_district_are_those_of_its_wards(client: TestClient):
    figures = ask(
        client, "/api/figures", **OF_DAY, unit="UBND-916", indicator="resident_bluezone_pct", page_size=200
    )

    assert figures["total"] > 10
    assert len({row["unit_code"] for row in figures["items"]}) > 5


def test_the_figures_shown_add_up_to_the_numerator_of_the_row(client: TestClient):
    rows = ask(client, "/api/progress/indicators", **OF_DAY, unit="92", clause="2")
    row = next(row for row in rows if row["indicator_code"] == "resident_bluezone_pct")
    found = ask(client, "/api/figures", **OF_DAY, unit="92", indicator="resident_bluezone_pct", page_size=200)
    pages = (
        found["items"]
        + ask(
            client,
            "/api/figures",
            **OF_DAY,
            unit="92",
            indicator="resident_bluezone_pct",
            page_size=200,
            page=2,
        )["items"]
    )

    assert sum(one["value"] for one in pages if one["part"] == "numerator") == row["numerator"]


def test_a_trend_has_a_row_a_day_with_its_target(client: TestClient):
    trend = ask(client, "/api/progress/trend", **OF_DAY, unit="STTTT", indicator="staff_bluezone_pct")

    assert [row["report_date"] for row in trend] == ["2020-08-19", DAY]
    assert all(row["target_value"] is not None for row in trend)


def test_the_matrix_says_missing_refused_and_on_time(client: TestClient):
    units = ask(client, "/api/reports", day=DAY, days=1, page_size=200)["items"]
    status = {unit["unit_code"]: unit["days"][DAY]["status_code"] for unit in units}

    assert (status["SXD"], status["SNV"], status["STTTT"]) == ("missing", "refused", "on_time")
    assert units[0]["unit_code"] == "SXD"


def test_a_refused_file_has_its_reason_and_our_answer(client: TestClient):
    (sent,) = ask(client, "/api/reports/sent", unit="SNV", day=DAY)

    assert "is no number" in sent["reason"]
    answer = client.get("/api/returned", params={"unit": "SNV", "name": sent["answers"][0]})
    assert answer.content == b"returned"


@pytest.mark.parametrize(
    ("unit", "name"),
    [
        ("..", "2020-08-20-00000000-tra-lai.xlsx"),
        ("SNV", "../../landing/x"),
        ("SNV", "x.xlsx"),
        ("SNV/..", "x"),
    ],
)
def test_no_file_outside_the_outbox_is_returned(client: TestClient, unit: str, name: str):
    assert client.get("/api/returned", params={"unit": unit, "name": name}).status_code in (404, 422)


def test_failed_checks_are_grouped_with_their_days(client: TestClient):
    checks = ask(client, "/api/quality/checks", day=DAY)["items"]

    assert {row["severity"] for row in checks} == {"warning"}
    assert next(row for row in checks if row["source_code"] == "sms_log")["trend"].keys() == {
        "2020-08-19",
        DAY,
    }


def test_rows_by_source_add_up_and_turn_pages(client: TestClient):
    rows = ask(client, "/api/quality", day=DAY, page_size=2)

    assert rows["total"] == 8 and len(rows["items"]) == 2
    for row in ask(client, "/api/quality", day=DAY)["items"]:
        parts = ("loaded_count", "refused_count", "duplicate_count", "unchanged_count")
        assert row["read_count"] == sum(row[part] for part in parts)


def test_a_dry_run_counts_the_rows_that_a_recount_then_changes(client: TestClient, filled: sa.Engine):
    from directive_etl.progress.recompute import recompute_progress

    assert ask(client, "/api/actions/recount", day=DAY)["changed_count"] == 0
    with filled.begin() as connection:
        connection.execute(
            sa.text(
                "update core.daily_progress set actual_value = 1 where unit_code = 'STTTT' and report_date = :day"
            ),
            {"day": date.fromisoformat(DAY)},
        )
    expected = ask(client, "/api/actions/recount", day=DAY)["changed_count"]

    assert expected > 0
    assert ask(client, "/api/actions/recount", day=DAY)["changed_count"] == expected  # it wrote nothing
    assert recompute_progress(filled, date.fromisoformat(DAY)) == expected


def test_reading_for_a_page_cannot_write(filled):
    from directive_etl.cockpit.reading import read_operations

    with pytest.raises(sa.exc.DBAPIError, match="read-only"):
        read_operations("delete from ops.publication returning directive_code")


@pytest.mark.parametrize(
    "query",
    ["day=x", "day=2020-08-20&directive=a%00b", "day=0001-01-01&directive=x", "day=9999-12-31&directive=x",
     "day=2020-08-20&directive=x&page=0", "day=2020-08-20&directive=x&page_size=100000",
     "day=2020-08-20&directive=x&status=y"],
)  # fmt: skip
def test_a_question_out_of_bounds_is_refused(client: TestClient, query: str):
    assert client.get(f"/api/progress?{query}").status_code == 422


def test_an_unknown_unit_has_no_rows_rather_than_an_error(client: TestClient):
    assert ask(client, "/api/progress/indicators", **OF_DAY, unit="nobody", clause="1a") == []
    assert client.get("/api/batches/999999").status_code == 404


@pytest.mark.parametrize("page", ["progress", "reports", "quality"])
def test_an_export_has_all_pages_of_what_is_shown(client: TestClient, page: str):
    answer = client.get(f"/api/{page}/export", params={**OF_DAY, "format": "csv"})
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))

    assert len(rows) > 5 and "report_date" in rows[0]
    workbook = load_workbook(
        io.BytesIO(client.get(f"/api/{page}/export", params={**OF_DAY, "format": "xlsx"}).content)
    )
    assert workbook.active.max_row == len(rows)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\u00a0=1", "＝1", "\n=1"])
def test_a_text_like_a_formula_is_no_formula_in_csv_and_xlsx(text: str):
    assert guard_formula(text) == f"'{text}"
    cell = next(
        csv.reader(io.StringIO(to_csv([{"a": text}]).decode("utf-8-sig").split("\n", 1)[1], newline=""))
    )[0]
    assert cell.startswith("'")
    assert load_workbook(io.BytesIO(to_xlsx([{"a": text}]))).active["A2"].data_type == "s"


def test_a_negative_number_stays_a_number():
    assert guard_formula(-1) == -1


def test_every_answer_forbids_other_hosts_and_inline_scripts(client: TestClient):
    for path in ("/progress", "/static/cockpit.js", "/api/day", "/nothing"):
        assert "default-src 'none'; script-src 'self'" in client.get(path).headers["Content-Security-Policy"]


def test_the_script_never_writes_markup():
    from importlib import resources

    for file in (resources.files("directive_etl.cockpit") / "static").iterdir():
        if file.name.endswith(".js"):
            text = file.read_text(encoding="utf-8")
            for word in (
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                "http://",
                "https://",
            ):
                assert word not in text, f"{file.name}: {word}"


def test_every_word_of_the_pages_is_in_both_languages():
    import re
    from importlib import resources

    folder = resources.files("directive_etl.cockpit") / "static"
    known = set(
        re.findall(r"(\w+): \[\"[^\"]+\",\s+\"[^\"]+\"\]", (folder / "texts.js").read_text(encoding="utf-8"))
    )
    for file in folder.iterdir():
        if file.name.endswith(".js"):
            asked = set(re.findall(r"\bt\(\"(\w+)\"", file.read_text(encoding="utf-8")))
            assert asked <= known, f"{file.name}: {sorted(asked - known)}"


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.path)
def test_what_the_description_allows_is_answered_as_it_says(operation, filled: sa.Engine):
    """The description of the endpoints, taken at its word by schemathesis."""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask_it(case) -> None:
        case.call_and_validate(
            checks=[not_a_server_error, status_code_conformance, response_schema_conformance]
        )

    ask_it()


def test_a_held_batch_has_a_dry_run_and_any_other_batch_none(client: TestClient, filled: sa.Engine):
    batch_id = hold_batch(filled)
    held = ask(client, "/api/held")["items"]

    assert [row["batch_id"] for row in held] == [batch_id]
    found = ask(client, "/api/actions/release", batch_id=batch_id)
    assert (found["part_code"], found["row_count"]) == ("viettel", 40)
    assert [row["check_code"] for row in found["overruled"]] == ["most_rows_usable"]
    assert client.get("/api/actions/release", params={"batch_id": 1}).status_code == 409


def test_a_reopening_says_since_when_the_day_is_locked(client: TestClient):
    found = ask(client, "/api/actions/reopen", unit="SNV", day=DAY)

    assert found["locked_at"].startswith("2020-09-04T08:00") and not found["is_open_again"]


def test_answers_that_are_lost_are_named_before_they_are_sent_again(client: TestClient):
    found = ask(client, "/api/actions/resend", day=DAY)
    lost = {row["unit_code"] for row in found["lost"]}

    assert "SNV" not in lost and len(lost) == 50 < found["answer_count"]


def test_a_validation_run_has_the_shape_of_great_expectations_and_no_offending_value(client: TestClient):
    (batch,) = ask(client, "/api/quality/batches", day=DAY, source="service_portal", page_size=1)["items"]
    run = ask(client, f"/api/batches/{batch['batch_id']}/validation")

    assert run["statistics"] == {
        "evaluated_expectations": 3,
        "successful_expectations": 1,
        "unsuccessful_expectations": 2,
    }
    masked = run["results"][2]
    assert masked["expectation_config"]["type"] == "expect_column_values_to_not_be_null"
    assert masked["result"]["partial_unexpected_list"] == ["***", HOSTILE]


def test_the_rules_by_which_a_day_refused_are_named_with_their_rows(client: TestClient):
    rules = {
        (row["source_code"], row["rule_code"]): row["row_count"]
        for row in ask(client, "/api/day", day=DAY)["rules"]
    }

    assert rules[("unit_report", "negative")] == 1
    assert rules[("service_portal", "unreadable")] == 2 * 3


def test_who_is_silent_is_named_with_the_reason(client: TestClient):
    silent = {row["unit_code"]: row["status_code"] for row in ask(client, "/api/day", day=DAY)["silent"]}

    assert silent == {"SXD": "missing", "SNV": "refused"}


def test_every_cause_and_source_of_an_alert_has_its_words_on_the_pages():
    from importlib import resources

    words = (resources.files("directive_etl.cockpit") / "static" / "texts.js").read_text(encoding="utf-8")
    for cause in (*CAUSES, OVERDUE_CLOSE, UNKNOWN):
        assert f"{cause.code}: [" in words, cause.code
        assert f"{cause.owner.replace(' ', '_')}: [" in words, cause.owner
