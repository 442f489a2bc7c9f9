"""The examples of tests/workbooks: each rule refuses one and takes another; one report in every dress."""

import shutil
import subprocess
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest

from directive_etl.registry.directive import Directive
from directive_etl.registry.units import Unit
from directive_etl.sources.unit_report import messages, reader_process
from directive_etl.sources.unit_report.answer import Submission, write_answer
from directive_etl.sources.unit_report.check import Finding, check_report, has_errors, unreadable_finding
from directive_etl.sources.unit_report.form import REPORT_SHEET, form_of
from directive_etl.sources.unit_report.locks import Reopenings, locked_at
from directive_etl.sources.unit_report.read import ReadReport, UnreadableReport

WORKBOOKS = Path(__file__).parents[2] / "workbooks"
UNIT_CODE = "31117"
REFUSED = sorted((WORKBOOKS / "refused").iterdir())
ACCEPTED = sorted((WORKBOOKS / "accepted").iterdir())
DRESSES = [path for path in ACCEPTED if path.stem.split("-")[0] not in {file.stem for file in REFUSED}]
# Shown by test_grouping.py: no file alone makes the warehouse refuse it.
ELSEWHERE = {"not_stored"}
# What the channel says of an example when it is not the ward on the day itself.
LOCKED_AT = locked_at(date(2020, 8, 20))
SENDERS = {WORKBOOKS / "refused/nothing_owed.xlsx": "92"}
MOMENTS = {
    WORKBOOKS / "accepted/locked.xlsx": LOCKED_AT,
    WORKBOOKS / "refused/locked.xlsx": LOCKED_AT + timedelta(seconds=1),
}
Judge = Callable[[Path], Submission]


@pytest.fixture
def judge(
    read_one: Callable[[Path], ReadReport | UnreadableReport], directive: Directive, received_at: datetime
) -> Judge:
    def submission(path: Path) -> Submission:
        report = read_one(path)
        known = None
        sender, moment = SENDERS.get(path, UNIT_CODE), MOMENTS.get(path, received_at)
        if isinstance(report, UnreadableReport):
            findings: list[Finding] = [unreadable_finding(report)]
        else:
            known = directive if report.directive_code == directive.code else None
            is_locked = Reopenings({}).is_locked(sender, report.report_date, moment)
            findings = check_report(report, known, sender, moment, {}, is_locked=is_locked)
        outcome = "refused" if has_errors(findings) else "accepted"
        return Submission(sender, "ab" * 32, path.name, moment, outcome, report, known, findings)

    return submission


def test_every_error_has_a_refused_and_an_accepted_example():
    rules = [rule for rule in vars(messages).values() if isinstance(rule, messages.Rule)]
    errors = {rule.code for rule in rules if rule.severity == "error"}
    assert errors - {path.stem.split("-")[0] for path in REFUSED} == ELSEWHERE
    assert errors - {path.stem.split("-")[0] for path in ACCEPTED} == ELSEWHERE


def test_every_sentence_is_there_in_both_languages():
    for rule in (one for one in vars(messages).values() if isinstance(one, messages.Rule)):
        assert rule.vi.strip(), rule.code
        assert rule.en.strip(), rule.code
        assert rule.vi != rule.en, rule.code


@pytest.mark.parametrize("path", REFUSED, ids=lambda path: path.name)
def test_a_refused_example_is_refused_for_its_rule_and_comes_back_marked(
    path: Path, judge: Judge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    if path.stem == "too_slow":
        # No machine comes to its end, so that a short limit shows what the long one does.
        monkeypatch.setattr(reader_process, "PROCESSOR_SECONDS", 1)
    submission = judge(path)
    assert {finding.code for finding in submission.findings} == {path.stem.split("-")[0]}
    answer = write_answer(tmp_path, submission)
    (finding,) = submission.findings
    if answer.suffix == ".txt":
        assert finding.message_vi in answer.read_text(encoding="utf-8-sig")
        return
    workbook = openpyxl.load_workbook(answer)
    assert workbook["Lỗi"]["D5"].value == finding.message_vi
    comments = [
        cell.comment.text for row in workbook[REPORT_SHEET].iter_rows() for cell in row if cell.comment
    ]
    has_cell = bool(workbook["Lỗi"]["C5"].value)
    assert comments == ([f"Lỗi: {finding.message_vi}"] if has_cell else [])


@pytest.mark.parametrize("path", ACCEPTED, ids=lambda path: path.name)
def test_an_accepted_example_is_accepted(path: Path, judge: Judge):
    submission = judge(path)
    assert [finding.message_en for finding in submission.findings if finding.severity == "error"] == []


@pytest.mark.parametrize("path", DRESSES, ids=lambda path: path.name)
def test_one_report_in_every_dress_gives_the_same_figures(
    path: Path, judge: Judge, directive: Directive, unit_of: Callable[[str], Unit], day: date
):
    report = judge(path).report
    keys = form_of(directive, unit_of(UNIT_CODE), day).addresses
    assert isinstance(report, ReadReport)
    assert (report.unit_code, report.report_date) == (UNIT_CODE, day)
    assert {key: cell.value for key, cell in report.figures.items()} == {
        key: 1000 if key[0] == "resident_count" else 100 - number for number, key in enumerate(keys)
    }


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice (soffice) is not installed")
def test_a_returned_workbook_opens_in_libreoffice_and_keeps_its_figures(
    judge: Judge, read_one: Callable[[Path], ReadReport | UnreadableReport], tmp_path: Path
):
    submission = judge(WORKBOOKS / "refused/exceeds.xlsx")
    answer = write_answer(tmp_path / "outbox", submission)
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = ["soffice", "--headless", profile, "--convert-to", "{}", "--outdir", str(tmp_path), str(answer)]
    for saved_as in ("ods", "xlsx"):
        spelled = [part.format(saved_as) for part in command]
        subprocess.run(spelled, check=True, capture_output=True, timeout=120)
    again = read_one(tmp_path / f"{answer.stem}.ods")
    resaved = openpyxl.load_workbook(tmp_path / f"{answer.stem}.xlsx")
    said = [cell.comment.text for row in resaved[REPORT_SHEET].iter_rows() for cell in row if cell.comment]
    assert [finding.message_vi in text for finding, text in zip(submission.findings, said, strict=True)] == [
        True
    ]
    assert resaved.active.title == "Lỗi"
    # Sent back as LibreOffice saved it: the marks of before make room for those of now.
    sent_again = judge(tmp_path / f"{answer.stem}.xlsx")
    second = openpyxl.load_workbook(write_answer(tmp_path / "second", sent_again))
    comments = [cell.comment.text for row in second[REPORT_SHEET].iter_rows() for cell in row if cell.comment]
    assert comments == [f"Lỗi: {submission.findings[0].message_vi}"]
    assert second.sheetnames == resaved.sheetnames
    assert isinstance(submission.report, ReadReport)
    assert isinstance(again, ReadReport)
    values = [{key: cell.value for key, cell in one.figures.items()} for one in (submission.report, again)]
    assert values[0] == values[1]
