"""The pages in a real browser, inside Airflow: opened, drilled, switched, exported, heard, and kept to one host."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.cockpit.browsing import CHROMIUM, log_in, open_page

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium"),
]
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
PAGES = ["alerts", "progress", "reports", "quality"]


def serious_findings(page: Page) -> list[str]:
    page.evaluate(AXE)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:150]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_inside_airflow_for_whoever_is_logged_in(page: Page, name: str):
    page.goto(f"/plugin/directive-{name}")
    frame = page.frame_locator("iframe")

    expect(frame.locator("main[aria-busy=false]")).to_be_visible()
    expect(frame.locator(".tile")).to_have_count(5)
    expect(frame.locator("h1")).to_have_text(name.capitalize())


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_nothing_bars_who_reads_with_a_screen_reader_or_sees_poorly(page: Page, name: str, theme: str):
    page.emulate_media(color_scheme=theme)
    open_page(page, name)

    assert page.evaluate("document.documentElement.dataset.theme") == theme
    assert serious_findings(page) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_a_telephone(page: Page, name: str):
    page.set_viewport_size({"width": 390, "height": 844})
    open_page(page, name)

    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_red_cell_leads_to_the_file_behind_it(page: Page):
    open_page(page, "progress")
    page.select_option("label:has-text('Status') select", "not_reported")
    page.get_by_role("button", name=re.compile("Sở Nội vụ.*1a.*Not reported")).click()
    drawer = page.locator("#drill")
    drawer.get_by_role("button", name="Staff with a smartphone who installed Bluezone").click()
    expect(drawer).to_contain_text("There is no figure for this day.")
    expect(drawer.locator(".uplot canvas")).to_be_visible()
    expect(drawer.get_by_role("link", name="tra-lai.xlsx")).to_be_visible()
    assert serious_findings(page) == []
    drawer.get_by_role("button", name=re.compile("#")).click()
    expect(drawer.locator("h2")).to_contain_text("Batch #")
    expect(
        drawer.get_by_text("<img src=x onerror=").first
    ).to_be_visible()  # the hostile name of the file, as text
    expect(drawer.get_by_text("=HYPERLINK(")).to_be_visible()
    assert page.title() == "Progress" and page.locator("#drill img").count() == 0
    assert serious_findings(page) == []
    drawer.get_by_role("button", name="Back").click()
    expect(drawer.locator("h2")).to_contain_text("Staff with a smartphone")


def test_a_figure_leads_to_the_file_it_came_in(page: Page):
    open_page(page, "progress")
    page.select_option("label:has-text('Unit type') select", "so_ban_nganh")
    page.get_by_role("button", name=re.compile("Sở Thông tin và Truyền thông.*1a")).click()
    drawer = page.locator("#drill")
    drawer.get_by_role("button", name="Staff with a smartphone who installed Bluezone").click()
    drawer.locator("section", has_text="Figures behind it").get_by_role(
        "button", name=re.compile("#")
    ).first.click()

    expect(drawer).to_contain_text("STTTT.xlsx")


def test_the_language_is_switched_and_remembered(page: Page):
    open_page(page, "progress")
    page.get_by_role("button", name="Tiếng Việt").click()
    expect(page.locator("h1")).to_have_text("Tiến độ")
    assert page.locator("html").get_attribute("lang") == "vi"
    open_page(page, "quality")
    expect(page.locator("h1")).to_have_text("Chất lượng")
    assert serious_findings(page) == []
    page.get_by_role("button", name="English").click()
    expect(page.locator("h1")).to_have_text("Quality")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_batch_whose_checks_failed_leads_to_its_validation_run(page: Page, theme: str):
    page.emulate_media(color_scheme=theme)
    open_page(page, "quality")
    failed = page.locator("section.card", has=page.get_by_role("heading", name="Failed checks", exact=True))
    failed.get_by_role("button", name=re.compile("#")).first.click()
    page.locator("#drill").get_by_role("link", name="See the whole validation run").click()
    page.wait_for_url("**/directive/validation?batch=*")
    page.wait_for_selector("main[aria-busy=false]")

    expect(page.locator("h1")).to_have_text("Validation run")
    expect(page.get_by_text("3 checks, 2 failed")).to_be_visible()
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    assert serious_findings(page) == []
    with page.expect_download() as saved:
        page.get_by_role("link", name="JSON").click()
    assert saved.value.suggested_filename.startswith("validation-")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("name", ["progress", "reports", "quality"])
def test_what_is_shown_can_be_saved(page: Page, name: str):
    open_page(page, name)
    for format in ("CSV", "XLSX"):
        with page.expect_download() as saved:
            page.get_by_role("link", name=format).click()
        assert saved.value.suggested_filename == f"{name}-2020-08-20.{format.lower()}"


def test_the_keyboard_alone_opens_a_cell_and_comes_back(page: Page):
    open_page(page, "reports")
    page.select_option("label:has-text('Unit type') select", "so_ban_nganh")
    cell = page.get_by_role("button", name=re.compile("Sở Nội vụ.*Refused"))
    cell.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#drill h2")).to_be_focused()
    expect(page.locator("#drill")).to_contain_text("is no number")
    page.keyboard.press("Escape")
    expect(cell).to_be_focused()


def test_the_slider_changes_the_day(page: Page):
    open_page(page, "progress")
    page.locator("#day-slider").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".shown-day")).to_have_text("19 Aug 2020")
    expect(page.locator(".tile").first).to_contain_text("Complete")
    assert page.url.endswith("day=2020-08-19")


def test_a_viewer_is_shown_no_action_and_no_refused_row(browser: Browser, running):
    context = log_in(browser, running, "viewer")
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    open_page(page, "quality")
    page.get_by_role("button", name=re.compile("#")).first.click()

    expect(page.locator("#drill")).to_contain_text("Refused rows need the operator role.")
    assert page.locator("#run-again").count() == 0 and "=HYPERLINK" not in page.content()
    assert faults == []
    context.close()


def test_axe_does_find_a_planted_fault(page: Page):
    open_page(page, "progress")
    page.evaluate("document.querySelector('main').append(document.createElement('button'))")

    assert "button-name" in json.dumps(serious_findings(page))
