"""Judging: each rule on a real workbook, and a fault in one cell is told about that cell alone."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from string import Formatter

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from directive_etl.registry.directive import Directive
from directive_etl.registry.units import Unit
from directive_etl.sources.unit_report import messages
from directive_etl.sources.unit_report.check import (
    Finding,
    check_report,
    has_errors,
    unreadable_finding,
)
from directive_etl.sources.unit_report.form import LARGEST_FIGURE, REPORT_SHEET, FigureKey, form_of
from directive_etl.sources.unit_report.messages import Rule
from directive_etl.sources.unit_report.read import ReadReport, UnreadableReport, to_report
from directive_etl.sources.unit_report.reader_process import ReaderProcess
from directive_etl.sources.unit_report.template import write_workbook

Check = Callable[..., list[Finding]]
MEETINGS: FigureKey = ("meeting_count", None)
BLUEZONE: FigureKey = ("bluezone_count", "can_bo")
SMARTPHONE: FigureKey = ("smartphone_count", "can_bo")
HEADCOUNT: FigureKey = ("headcount", "can_bo")


@pytest.fixture
def check(
    read_one: Callable[[Path], ReadReport | UnreadableReport], directive: Directive, received_at: datetime
) -> Check:
    """Read a workbook and judge it as STTTT's, received in time."""

    def judge(
        path: Path, previous: dict[tuple[str, str], int] | None = None, sender: str = "STTTT"
    ) -> list[Finding]:
        report = read_one(path)
        assert isinstance(report, ReadReport)
        return check_report(report, directive, sender, received_at, previous or {})

    return judge


def _codes(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.severity, finding.code) for finding in findings]


def test_a_sound_report_has_no_finding(write_report: Callable[..., Path], check: Check):
    assert check(write_report()) == []


@pytest.mark.parametrize(
    ("key", "typed", "severity", "code"),
    [
        (MEETINGS, None, "warning", "blank"),
        (MEETINGS, "   ", "warning", "blank"),
        (MEETINGS, "khoảng 50", "error", "not_a_number"),
        (MEETINGS, "1.20", "error", "not_whole"),
        (MEETINGS, "99,4%", "error", "not_whole"),
        (MEETINGS, "1.2.3", "error", "not_a_number"),
        (MEETINGS, True, "error", "not_a_number"),
        (MEETINGS, 12.5, "error", "not_whole"),
        (BLUEZONE, -1, "error", "negative"),
        (MEETINGS, LARGEST_FIGURE + 1, "error", "too_big"),
        (BLUEZONE, 11, "error", "exceeds"),
    ],
)
def test_a_faulty_cell_is_named(
    key: FigureKey,
    typed: object,
    severity: str,
    code: str,
    write_report: Callable[..., Path],
    check: Check,
    directive: Directive,
    unit_of: Callable[[str], Unit],
    day: date,
):
    figures: dict[FigureKey, object] = {key: typed}
    if key == MEETINGS:
        figures["online_meeting_count", None] = 0
    if key == BLUEZONE:
        figures["bluetooth_on_count", "can_bo"] = 0
    (finding,) = check(write_report("STTTT", figures))
    assert (finding.severity, finding.code, finding.sheet) == (severity, code, "Báo cáo")
    assert finding.key == key
    assert finding.address == form_of(directive, unit_of("STTTT"), day).addresses[key]


def test_a_day_typed_in_place_of_a_number_is_told_as_a_day(write_report: Callable[..., Path], check: Check):
    path = write_report()
    workbook = openpyxl.load_workbook(path)
    cell = workbook[REPORT_SHEET]["C12"]
    cell.value, cell.number_format = date(2020, 8, 19), "dd/mm/yyyy"
    workbook.save(path)
    (finding,) = [one for one in check(path) if one.address == "C12"]
    assert (finding.code, finding.found) == ("not_a_number", "19/08/2020")


def test_zero_is_a_figure(write_report: Callable[..., Path], check: Check):
    assert check(write_report("STTTT", {("press_item_count", "bao_in"): 0})) == []


def test_a_message_names_the_figure_and_the_bound_in_both_languages(
    write_report: Callable[..., Path], check: Check
):
    (finding,) = check(write_report("STTTT", {BLUEZONE: 12, ("bluetooth_on_count", "can_bo"): 0}))
    assert finding.message_vi == (
        "“Số người đã cài Bluezone, Cán bộ” là 12, lớn hơn “Số người có điện thoại thông minh, Cán bộ” "
        "là 10 (ô D12). Hãy kiểm tra lại cả hai ô."
    )
    assert finding.message_en == (
        "Persons who installed Bluezone, Cadres is 12, above Persons with a smartphone, Cadres, "
        "which is 10 (cell D12)."
    )


def test_a_blank_bound_leaves_the_next_one_in_force(write_report: Callable[..., Path], check: Check):
    figures = {SMARTPHONE: None, HEADCOUNT: 10, BLUEZONE: 11}
    assert _codes(check(write_report("STTTT", figures))) == [("warning", "blank"), ("error", "exceeds")]


def test_all_faults_are_told_at_once(write_report: Callable[..., Path], check: Check):
    figures = {
        HEADCOUNT: "x",
        ("headcount", "vien_chuc"): 1,
        MEETINGS: -1,
        ("support_session_count", None): None,
    }
    findings = check(write_report("STTTT", figures, on=date(2020, 8, 25)))
    assert _codes(findings) == [
        ("error", "future_date"),
        ("error", "not_a_number"),
        ("error", "exceeds"),
        ("error", "negative"),
        ("warning", "blank"),
    ]


def test_an_empty_form_is_refused_as_one_fault(
    tmp_path: Path, check: Check, directive: Directive, unit_of: Callable[[str], Unit], day: date
):
    write_workbook(tmp_path / "empty.xlsx", directive, unit_of("STTTT"), day)
    assert _codes(check(tmp_path / "empty.xlsx")) == [("error", "empty_form")]


def test_a_unit_speaks_only_for_itself(write_report: Callable[..., Path], check: Check):
    (finding,) = check(write_report("SGDDT", {MEETINGS: "x"}))
    assert (finding.severity, finding.code) == ("error", "wrong_unit")
    assert "SGDDT" in finding.message_vi
    assert "STTTT" in finding.message_vi


def test_an_unknown_directive_is_refused(
    write_report: Callable[..., Path], received_at: datetime, read_one: Callable[[Path], ReadReport]
):
    findings = check_report(read_one(write_report()), None, "STTTT", received_at, {})
    assert _codes(findings) == [("error", "unknown_directive")]


def test_an_old_template_is_refused(
    write_report: Callable[..., Path], edit_part: Callable[..., Path], check: Check
):
    old = edit_part(
        write_report(), "xl/worksheets/sheet3.xml", lambda xml: xml.replace("<t>1</t>", "<t>0</t>")
    )
    assert _codes(check(old)) == [("error", "old_template")]


@pytest.mark.parametrize(("days", "expected"), [(0, []), (-1, []), (1, [("error", "future_date")])])
def test_a_report_is_not_about_a_day_to_come(
    days: int,
    expected: list[tuple[str, str]],
    write_report: Callable[..., Path],
    check: Check,
    day: date,
):
    assert _codes(check(write_report(on=day + timedelta(days=days)))) == expected


def test_the_day_of_receipt_is_the_local_one(
    write_report: Callable[..., Path],
    read_one: Callable[[Path], ReadReport],
    directive: Directive,
    day: date,
):
    just_after_midnight = datetime.fromisoformat(f"{day}T00:00:00+07:00")
    report = read_one(write_report())
    assert check_report(report, directive, "STTTT", just_after_midnight, {}) == []
    before = check_report(report, directive, "STTTT", just_after_midnight - timedelta(seconds=1), {})
    assert _codes(before) == [("error", "future_date")]


def test_a_day_before_the_directive_is_refused_with_every_other_fault(
    write_report: Callable[..., Path], check: Check
):
    path = write_report("STTTT", {MEETINGS: "x"})
    workbook = openpyxl.load_workbook(path)
    workbook[REPORT_SHEET]["C6"].value = date(2020, 8, 17)
    workbook.save(path)
    findings = check(path)
    assert _codes(findings) == [("error", "outside_directive"), ("error", "not_a_number")]
    assert findings[0].address == "C6"


def test_a_stock_that_falls_is_a_warning_and_a_flow_may_fall(write_report: Callable[..., Path], check: Check):
    previous = {("headcount", "can_bo"): 11, ("headcount", "vien_chuc"): 10, ("meeting_count", ""): 99}
    (finding,) = check(write_report(), previous)
    assert (finding.severity, finding.code, finding.key) == ("warning", "stock_falls", HEADCOUNT)
    assert not has_errors([finding])


def test_a_row_taken_out_of_the_form_is_noticed(write_report: Callable[..., Path], check: Check):
    path = write_report()
    workbook = openpyxl.load_workbook(path)
    sheet = workbook[REPORT_SHEET]
    (row,) = [cell.row for cell in sheet["A"] if cell.value == "meeting_count"]
    sheet.delete_rows(row)
    workbook.save(path)
    findings = check(path)
    assert _codes(findings) == [("error", "form_changed")]
    assert "Số cuộc họp trong ngày" in findings[0].message_vi


def test_a_figure_the_unit_does_not_owe_is_refused(write_report: Callable[..., Path], check: Check):
    path = write_report()
    workbook = openpyxl.load_workbook(path)
    sheet = workbook[REPORT_SHEET]
    sheet["A60"], sheet["C60"] = "resident_count", 5
    workbook.save(path)
    assert _codes(check(path)) == [("error", "not_on_form")]


def test_no_finding_tells_a_phone_number(write_report: Callable[..., Path], check: Check):
    # Generated digits in a mobile prefix range, typed as a text and as a number.
    figures = {MEETINGS: "gọi 0912 000 123", ("support_session_count", None): 84912000123}
    findings = check(write_report("STTTT", figures))
    assert _codes(findings) == [("error", "not_a_number"), ("error", "too_big")]
    for finding in findings:
        told = f"{finding.message_vi} {finding.message_en} {finding.found}"
        assert "000123" not in told.replace(" ", "")


def test_a_large_sound_figure_is_told_in_full(write_report: Callable[..., Path], check: Check):
    figures = {("resident_count", None): 280000, ("resident_bluezone_count", None): 280001}
    (finding,) = check(write_report("31117", figures), sender="31117")
    assert "280001" in finding.message_vi
    assert "280000" in finding.message_vi


def test_an_unreadable_file_is_one_error():
    report = UnreadableReport(Path("x"), "password", "vi", "en")
    assert unreadable_finding(report) == Finding("error", "password", "", "", "vi", "en")


def test_every_rule_is_declared_once_and_says_the_same_things_in_both_languages():
    rules = [rule for rule in vars(messages).values() if isinstance(rule, Rule)]
    assert len({rule.code for rule in rules}) == len(rules) > 20
    for rule in rules:
        vi, en = ({field for _, field, _, _ in Formatter().parse(text)} for text in (rule.vi, rule.en))
        assert en - vi == set(), f"{rule.code}: the Vietnamese sentence lacks {en - vi}"


# How long the drawing takes is no part of what the test says.
UNCHECKED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=60, deadline=None, suppress_health_check=UNCHECKED)
@given(
    data=st.data(),
    code=st.sampled_from(["STTTT", "SGDDT", "UBND-916", "31117", "DHCT", "UBMTTQ"]),
    typed=st.one_of(
        st.integers(-(10**6), -1),
        st.integers(101, 10**12),
        st.floats(0.01, 99.99).filter(lambda value: not value.is_integer()),
        st.text(st.characters(codec="utf-8", categories=["L", "S", "P"]), min_size=1, max_size=20),
    ),
)
def test_a_mutated_cell_is_reported_and_no_other(
    data: st.DataObject,
    code: str,
    typed: object,
    tmp_path: Path,
    directive: Directive,
    unit_of: Callable[[str], Unit],
    day: date,
    received_at: datetime,
    child: ReaderProcess,
):
    unit = unit_of(code)
    form = form_of(directive, unit, day)
    bounds = {form.bound_of(key) for key in form.addresses}
    # Figures that bound others are left sound: a fault there would speak of the others too.
    leaves = [key for key in form.addresses if key not in bounds and form.bound_of(key) is not None]
    key = data.draw(st.sampled_from(leaves))
    path = tmp_path / "mutated.xlsx"
    write_workbook(path, directive, unit, day, dict.fromkeys(form.addresses, 100) | {key: typed})
    report = to_report(path, child.read(path), [directive])
    assert isinstance(report, ReadReport)
    findings = check_report(report, directive, code, received_at, {})
    assert [(finding.key, finding.address) for finding in findings] == [(key, form.addresses[key])]
    assert has_errors(findings)
