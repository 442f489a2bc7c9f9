"""Whatever a sender writes is shown and saved as text: no markup, no template, no formula is ever run."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from openpyxl import load_workbook
from playwright.sync_api import Locator, Page, expect
from tests.cockpit.browsing import CHROMIUM, open_page
from tests.cockpit.conftest import DAY, REFUSED, Running, landed

from directive_etl.alerts import Affected, AlertBook
from directive_etl.alerts.causes import UNKNOWN
from directive_etl.cockpit.export import guard_formula
from directive_etl.quality import RowAccount, refused_frame
from directive_etl.quality.results import CheckResult, masked_details
from directive_etl.warehouse.ledger import Batch, write_batch

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium"),
]
# A formula, markup, a script, and the templates of five languages; 49 would show that one was run.
POISON = (
    '=HYPERLINK("http://localhost/","x")<img src=x onerror="document.title=1"><script>document.title=1</script>'
    '"><b>{{7*7}}${7*7}#{7*7}<%= 7*7 %>{% raw %}'
)
EXPORTS = {"progress": "unit_name", "reports": "unit_name", "quality": None}


def hostile_batch(engine: sa.Engine) -> int:
    """A held batch of which every text is hostile; returns its number."""
    file = landed("sms_log", "viettel", DAY, POISON)
    config = {"type": POISON, "kwargs": {"column": POISON, "value_set": [POISON]}}
    seen = {"element_count": 9, "unexpected_count": 2, "partial_unexpected_list": [POISON, {"a": POISON}]}
    details = masked_details({"success": False, "expectation_config": config, "result": seen})
    refused = {
        "sha256": file.sha256,
        "place": POISON,
        "reason_code": POISON,
        "reason": POISON,
        "content": POISON,
    }
    batch = Batch(
        "sms_log",
        "viettel",
        DAY,
        file.known_at,
        RowAccount(read=1, loaded=0, refused=1),
        files=[file],
        refused=refused_frame([refused]),
        checks=[
            CheckResult("most_rows_usable", "critical", POISON, False, POISON, 1, POISON),
            CheckResult("of_great_expectations", "warning", POISON, False, POISON, 1, POISON, details),
        ],
        suite_name=POISON,
        status_code="refused",
        reason=POISON,
    )
    with engine.begin() as connection:
        write_batch(connection, batch)
        return int(connection.execute(sa.text("select max(batch_id) from ops.load_batch")).scalar_one())


@pytest.fixture(scope="module")
def held(running: Running) -> Iterator[int]:
    """The held batch, an alert and a unit whose texts are hostile, until the last test has looked at them."""
    alerts = AlertBook(running.places.local / "alerts")
    affected = Affected("sms_log", "count_operator", POISON, str(DAY))
    alerts.note_failure(UNKNOWN, affected, "sms_log", POISON, datetime.now(UTC))
    batch_id = hostile_batch(running.engine)
    owner = sa.create_engine(running.migration_url)
    rename = sa.text("update core.unit set name_vi = :name where unit_code = :unit")
    with owner.begin() as connection:
        find = sa.text(
            "select name_vi from core.unit where unit_code = :unit order by valid_from desc limit 1"
        )
        before = connection.execute(find, {"unit": REFUSED}).scalar_one()
        connection.execute(rename, {"unit": REFUSED, "name": POISON})
    yield batch_id
    with owner.begin() as connection:
        connection.execute(rename, {"unit": REFUSED, "name": before})
        for table in ("batch_file", "refused_row", "quality_result", "load_batch"):
            connection.execute(sa.text(f"delete from ops.{table} where batch_id = :id"), {"id": batch_id})
    owner.dispose()
    alerts.note_success(affected, datetime.now(UTC))


def expect_text(shown: Page | Locator) -> None:
    """The whole text is there as it was written, and nothing came of it."""
    expect(shown.get_by_text(POISON).first).to_be_visible()
    page = shown if isinstance(shown, Page) else shown.page
    assert page.locator("main img, main script, main b, dialog img, dialog script, dialog b").count() == 0
    assert page.title() != "1"


def test_in_an_alert(page: Page, held: int):
    open_page(page, "alerts")

    expect_text(page.locator(".alert", has_text="Unexpected error"))


def test_in_a_held_batch_its_checks_and_its_refused_rows(page: Page, held: int):
    open_page(page, "alerts")
    row = page.locator("tr", has=page.get_by_role("button", name=f"#{held}", exact=True))
    expect_text(row)
    row.get_by_role("button", name=f"#{held}", exact=True).click()
    drawer = page.locator("#drill")
    expect(drawer.locator("h2")).to_have_text(f"Batch #{held}")

    for name in ("Files it read", "Checks of the batch", "Refused rows of the batch"):
        expect_text(drawer.locator("section", has=page.get_by_role("heading", name=name, exact=True)))


def test_in_the_dry_run_of_a_release(page: Page, held: int):
    open_page(page, "alerts")
    row = page.locator("tr", has=page.get_by_role("button", name=f"#{held}", exact=True))
    row.get_by_role("button", name="Decide").click()

    expect_text(page.locator("#drill"))


def test_in_a_validation_run(page: Page, held: int):
    page.goto(f"/directive/validation?batch={held}")
    page.wait_for_selector("main[aria-busy=false]")

    expect_text(page.locator("main"))
    for heading in ("Observed", "Offending values (masked)"):
        place = page.locator("thead th").all_text_contents().index(heading)
        expect_text(page.locator(f"tbody td:nth-child({place + 1})"))


@pytest.mark.parametrize("name", ["progress", "reports", "quality"])
def test_on_a_page_and_in_its_summary_of_the_day(page: Page, held: int, name: str):
    open_page(page, name)

    expect_text(page.locator("main"))


def test_in_what_a_unit_sent(page: Page, held: int):
    open_page(page, "reports")
    page.select_option("label:has-text('Unit type') select", "so_ban_nganh")
    page.get_by_role("button", name=re.compile("^=HYPERLINK.*20 Aug.*Refused")).click()

    expect_text(page.locator("#drill h2"))
    expect(page.locator("#drill")).to_contain_text("is no number")


@pytest.mark.parametrize("name", EXPORTS)
def test_in_a_table_that_is_saved(running: Running, held: int, name: str):
    asked = {"day": str(DAY), "directive": "2488-ubnd-kgvx"}
    client = running.client("admin")
    saved = {
        format: client.get(f"/directive/api/{name}/export", params={**asked, "format": format})
        for format in ("csv", "xlsx")
    }
    rows = list(csv.reader(io.StringIO(saved["csv"].content.decode("utf-8-sig"), newline="")))
    cells = [cell for row in load_workbook(io.BytesIO(saved["xlsx"].content)).active for cell in row]

    if EXPORTS[name]:
        assert guard_formula(POISON) in {row[rows[0].index(EXPORTS[name])] for row in rows}
        assert POISON in {cell.value for cell in cells}
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "@"))]
    assert {cell.data_type for cell in cells} <= {"s", "n", "b"}  # no formula, "f"
