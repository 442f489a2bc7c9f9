"""What the pages press, done by a real Airflow: who did it is in its audit log, and who must know is told."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect
from tests.alerts.city_portal import PASSWORD, USER, CityPortal
from tests.cockpit.browsing import CHROMIUM, PATIENCE, open_page
from tests.cockpit.conftest import DAY, Running

from directive_etl.periods import close_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium"),
]
REASON = "the operator says that only headings are broken"
HELD = date(2020, 8, 26)  # far from the filled days, whose files are not in the landing zone


def wait_for(found: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    deadline = time.monotonic() + seconds
    while not (result := found()):
        assert time.monotonic() < deadline, f"not seen: {what}"
        time.sleep(0.3)
    return result


def runs(running: Running, dag_id: str) -> list[dict[str, Any]]:
    return list(running.client("admin").get(f"/api/v2/dags/{dag_id}/dagRuns").json()["dag_runs"])


def ask(running: Running, sql: str, **values: object) -> list[tuple[Any, ...]]:
    with running.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(sql), values)]


def drop_broken_log(running: Running) -> None:
    """Three messages of viettel and forty lines that nobody can read."""
    lines = [
        f"{HELD} 08:00:{n:02d} Sent SMS [SMSC:VT-01] [SVC:x] [ACT:] [BINF:] [FID:{n}] [META:?smpp?] "
        f"[from:BLUEZONE] [to:8498{n:07d}] [flags:-1:0:-1:-1:31] [msg:2:hi] [udh:0:]"
        for n in range(3)
    ] + [f"=HYPERLINK({n}) <img src=x onerror=alert(1)> {{{{7*7}}}}" for n in range(40)]
    path = running.places.drop / "sms" / "viettel" / str(HELD) / "access.log"
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(lines) + "\n")
    os.utime(path, (close_of(HELD).timestamp() - 3600,) * 2)


def test_a_held_batch_is_alerted_released_by_a_person_and_recovers(page: Page, running: Running):
    for dag_id in ("sms_log", "decide_batch"):
        running.wait_for_dag(dag_id)
    drop_broken_log(running)
    started = running.client("admin").post(
        "/api/v2/dags/sms_log/dagRuns", json={"logical_date": None, "partition_key": str(HELD)}
    )
    assert started.status_code == 200, started.text
    wait_for(lambda: ("alert", "batch_held") in running.told.kinds(), "the alert")
    (mail,) = [mail for mail in running.told.mails if "batch held" in mail["Subject"]]
    assert "sms_log viettel" in mail["Subject"] and "data steward" in mail.get_content()

    open_page(page, "alerts")
    # Of several, for the logs of the other operators are missing, which is told after their retries.
    expect(page.locator(".alert", has_text="Batch held")).to_be_visible()
    page.locator("table", has_text="viettel").get_by_role("button", name="Decide").click()
    drawer = page.locator("#drill")
    expect(drawer).to_contain_text("most_rows_usable")
    run = drawer.get_by_role("button", name="Run", exact=True)
    expect(run).to_be_disabled()
    drawer.get_by_label("Why (it is kept)").fill(REASON)
    run.click()
    release = drawer.get_by_role("button", name="Release", exact=True)
    expect(release).to_be_enabled()
    assert ask(running, "select count(*) from core.daily_sms where operator_code = 'viettel'") == [(0,)]
    drawer.get_by_label("Note").fill("seen")
    release.click()
    expect(drawer).to_contain_text("State: done")

    ((decision, reason, by),) = ask(
        running, "select decision_code, reason, decided_by from ops.batch_decision"
    )
    assert (decision, reason, by) == ("released", f"{REASON}; seen", "admin")
    assert ask(running, "select sum(message_count) from core.daily_sms where operator_code = 'viettel'") == [
        (3,)
    ]
    wait_for(lambda: ("recovery", "batch_held") in running.told.kinds(), "the recovery")
    logged = running.client("admin").get("/api/v2/eventLogs", params={"dag_id": "decide_batch"}).json()
    assert {("trigger_dag_run", "admin")} <= {(one["event"], one["owner"]) for one in logged["event_logs"]}


def test_each_log_line_of_a_task_carries_source_day_and_batch(running: Running):
    folder = running.places.airflow_home / "logs"
    (text,) = [
        file.read_text(encoding="utf-8")
        for file in folder.glob("dag_id=decide_batch/*/task_id=load_again/attempt=1.log")
    ]
    line = next(line for line in text.splitlines() if "batch loaded: read 43" in line)

    for said in ('"source":"sms_log"', '"part":"viettel"', f'"day":"{HELD}"', '"batch":'):
        assert said in line.replace('": ', '":')


def test_an_operator_sees_what_a_recount_would_change_and_starts_it(page: Page, running: Running):
    open_page(page, "progress")
    page.locator("#run-again").click()
    drawer = page.locator("#drill")
    drawer.get_by_role("button", name="Dry run").first.click()
    expect(drawer.get_by_role("button", name="Run", exact=True)).to_be_enabled()
    before = len(runs(running, "directive_progress"))
    drawer.get_by_role("button", name="Run", exact=True).click()
    expect(drawer).to_contain_text("State: done")

    newest = [run for run in runs(running, "directive_progress") if run["triggering_user_name"] == "admin"]
    assert len(runs(running, "directive_progress")) > before
    assert [run["partition_key"] for run in newest] == ["2020-08-20"]
    logged = running.client("admin").get("/api/v2/eventLogs", params={"dag_id": "directive_progress"}).json()
    assert ("trigger_dag_run", "admin") in {(one["event"], one["owner"]) for one in logged["event_logs"]}


def test_a_unit_day_is_reopened_with_a_reason(page: Page, running: Running):
    running.wait_for_dag("reopen_report")
    open_page(page, "reports")
    page.select_option("label:has-text('Unit type') select", "so_ban_nganh")
    page.get_by_role("button", name=re.compile("Sở Nội vụ, 20 Aug.*Refused")).click()
    drawer = page.locator("#drill")
    drawer.get_by_role("button", name="Reopen for correction").click()
    expect(drawer).to_contain_text("0 files that were refused as locked would be taken.")
    drawer.get_by_label("Why (it is kept)").fill("a typing error was found")
    drawer.get_by_role("button", name="Run", exact=True).click()
    expect(drawer).to_contain_text("State: done")

    assert ask(running, "select unit_code, report_date, reason from ops.report_reopening") == [
        ("SNV", DAY, "a typing error was found")
    ]


def test_feedback_is_sent_again_after_a_dry_run_that_lists_what_is_lost(page: Page, running: Running):
    open_page(page, "reports")
    page.locator("#run-again").click()
    section = page.locator("#drill section", has_text="Send feedback again")
    section.get_by_role("button", name="Dry run").click()
    expect(section).to_contain_text("are missing from the outbox")
    section.get_by_role("button", name="Run", exact=True).click()
    expect(section).to_contain_text("State: done")


def test_a_view_that_is_missing_is_found_by_the_doctor_and_made_by_a_migration(page: Page, running: Running):
    client = running.client("admin")
    owner = sa.create_engine(running.migration_url)
    with owner.begin() as connection:
        connection.exec_driver_sql("drop view reporting.portal_city_daily")
    open_page(page, "alerts")
    expect(page.get_by_text("missing: portal_city_daily")).to_be_visible()
    started = client.post("/api/v2/dags/migrate_warehouse/dagRuns", json={"logical_date": None}).json()
    where = f"/api/v2/dags/migrate_warehouse/dagRuns/{started['dag_run_id']}"
    wait_for(lambda: client.get(where).json()["state"] == "success", "the migration")

    open_page(page, "alerts")
    expect(page.get_by_text("missing: portal_city_daily")).to_have_count(0)


def test_the_doctor_sees_a_connection_that_was_made_on_airflows_page(page: Page, running: Running):
    finding = page.locator("tr", has_text="portal city_portal")
    open_page(page, "alerts")
    expect(finding).to_contain_text("nobody said where it answers")
    portal = CityPortal(DAY)
    made = {"connection_id": "directive_etl_city_portal", "conn_type": "http", "schema": "http"}
    made |= {"host": "127.0.0.1", "port": portal.server.server_port, "login": USER, "password": PASSWORD}
    client = running.client("admin")
    client.post("/api/v2/connections", json=made).raise_for_status()

    open_page(page, "alerts")
    expect(finding).to_have_text(re.compile("Well.*answers"))
    by_hand = [sys.executable, "-m", "directive_etl", "doctor"]
    seen = subprocess.run(by_hand, env=running.environment, capture_output=True, text=True, check=False)
    assert "ok    portal city_portal: answers" in seen.stdout and "connections:" not in seen.stdout

    portal.close()
    open_page(page, "alerts")
    expect(finding).to_contain_text("does not answer")
    client.delete(f"/api/v2/connections/{made['connection_id']}").raise_for_status()


def test_a_close_that_is_overdue_is_told_by_airflows_deadline(running: Running):
    running.wait_for_dag("late_close")
    running.client("admin").post(
        "/api/v2/dags/late_close/dagRuns", json={"logical_date": None, "partition_key": str(DAY)}
    ).raise_for_status()

    wait_for(lambda: ("alert", "close_overdue") in running.told.kinds(), "the alert")

    post = next(post for post in running.told.posts if post.get("cause") == "close_overdue")
    assert (post["days"], post["dag_id"]) == ([str(DAY)], "daily_close")


def test_closing_the_day_cures_it_and_sends_the_mornings_summary_once(page: Page, running: Running):
    open_page(page, "alerts")
    page.locator(".alert", has_text="Close is overdue").get_by_role("button", name="Run again").click()
    drawer = page.locator("#drill")
    drawer.get_by_role("button", name="Run", exact=True).click()
    expect(drawer).to_contain_text("State: done")

    assert ("recovery", "close_overdue") in running.told.kinds()
    summaries = [post for post in running.told.posts if post["kind"] == "summary"]
    assert [(one["day"], one["reports"]["refused"]) for one in summaries] == [(str(DAY), 1)]
    assert "Sở Xây dựng" in summaries[0]["text"]
    assert not [kind for kind, cause in running.told.kinds() if kind == "alert" and "report" in cause]
