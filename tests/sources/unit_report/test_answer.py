"""Answers: what the unit sees, always inside its own folder, and the same after a rerun."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest

from directive_etl.errors import ConfigurationError
from directive_etl.registry.directive import Directive
from directive_etl.sources.unit_report.answer import Submission, write_answer
from directive_etl.sources.unit_report.check import check_report, has_errors, unreadable_finding
from directive_etl.sources.unit_report.form import REPORT_SHEET, FigureKey
from directive_etl.sources.unit_report.read import ReadReport, UnreadableReport

SHA256 = "0123456789abcdef" * 4
Submit = Callable[..., Submission]
MEETINGS: FigureKey = ("meeting_count", None)


@pytest.fixture
def submit(
    read_one: Callable[[Path], ReadReport | UnreadableReport], directive: Directive, received_at: datetime
) -> Submit:
    """Read and judge a workbook as the pipeline does."""

    def judge(path: Path, sender: str = "STTTT", origin: str = "bao-cao.xlsx") -> Submission:
        report = read_one(path)
        if isinstance(report, UnreadableReport):
            findings, known = [unreadable_finding(report)], None
        else:
            known = directive if report.directive_code == directive.code else None
            findings = check_report(report, known, sender, received_at, {("headcount", "can_bo"): 11})
        outcome = "refused" if has_errors(findings) else "accepted"
        return Submission(sender, SHA256, origin, received_at, outcome, report, known, findings)

    return judge


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8-sig")


def test_an_accepted_report_gets_a_receipt(tmp_path: Path, write_report: Callable[..., Path], submit: Submit):
    path = write_answer(tmp_path / "outbox", submit(write_report("STTTT", {MEETINGS: None})))
    assert path == tmp_path / "outbox/STTTT/2020-08-20-01234567-bien-nhan.txt"
    text = _text(path)
    assert "Sở Thông tin và Truyền thông (STTTT)" in text
    assert "Ngày báo cáo: 20/08/2020" in text
    assert "Nhận lúc: 16:30:00 ngày 20/08/2020" in text
    assert "Hạn nộp: 17:00:00 ngày 20/08/2020" in text
    assert "ĐÃ TIẾP NHẬN, 34 trên 35 số liệu" in text
    assert "“Số cuộc họp trong ngày”: thiếu số liệu" in text
    assert "giảm từ 11" in text
    assert SHA256 in text


def test_a_refused_report_comes_back_with_every_fault_marked(
    tmp_path: Path, write_report: Callable[..., Path], submit: Submit
):
    figures = {MEETINGS: "=1+1", ("bluezone_count", "can_bo"): 12, ("support_session_count", None): None}
    submission = submit(write_report("STTTT", figures))
    path = write_answer(tmp_path / "outbox", submission)
    assert path.name == "2020-08-20-01234567-tra-lai.xlsx"
    workbook = openpyxl.load_workbook(path)
    sheet, faults = workbook[REPORT_SHEET], workbook["Lỗi"]
    marked = {cell.coordinate: cell.comment.text for row in sheet.iter_rows() for cell in row if cell.comment}
    assert set(marked) == {finding.address for finding in submission.findings}
    listed = {row[2].value: row for row in faults.iter_rows(min_row=5) if row[2].value}
    assert set(listed) == set(marked)
    for finding in submission.findings:
        assert finding.message_vi in marked[finding.address]
        number, severity, address, message, found = listed[finding.address]
        assert severity.value == {"error": "Lỗi", "warning": "Lưu ý"}[finding.severity]
        assert message.value == finding.message_vi
        assert (found.value or "") == finding.found
        assert address.hyperlink.location == f"'Báo cáo'!{finding.address}"
        colour = "FFFF9C9C" if finding.severity == "error" else "FFFFD58A"
        assert sheet[finding.address].fill.start_color.rgb == colour
        assert number.value


def test_the_returned_report_repeats_what_was_typed_and_can_be_sent_again(
    tmp_path: Path,
    write_report: Callable[..., Path],
    submit: Submit,
    read_one: Callable[[Path], ReadReport | UnreadableReport],
):
    sent = submit(write_report("STTTT", {MEETINGS: "khoảng 50", ("press_item_count", "bao_in"): 0}))
    assert isinstance(sent.report, ReadReport)
    path = write_answer(tmp_path / "outbox", sent)
    again = read_one(path)
    assert isinstance(again, ReadReport)
    assert again.figures == sent.report.figures
    workbook = openpyxl.load_workbook(path)
    workbook[REPORT_SHEET][sent.report.figures[MEETINGS].address].value = 50
    workbook.save(tmp_path / "corrected.xlsx")
    assert submit(tmp_path / "corrected.xlsx").outcome == "accepted"


@pytest.mark.parametrize("sign", ["=", "+", "-", "@"])
def test_no_typed_text_becomes_a_formula(
    sign: str, tmp_path: Path, write_report: Callable[..., Path], submit: Submit
):
    typed = f"{sign}cmd|' /C calc'!A0"
    path = write_answer(tmp_path / "outbox", submit(write_report("STTTT", {MEETINGS: typed})))
    for sheet in openpyxl.load_workbook(path).worksheets:
        cells = [cell for row in sheet.iter_rows() for cell in row]
        assert [cell.coordinate for cell in cells if cell.data_type == "f"] == []
        for cell in cells:
            assert cell.value != typed or cell.quotePrefix


def test_a_report_of_another_unit_comes_back_to_the_sender(
    tmp_path: Path, write_report: Callable[..., Path], submit: Submit
):
    path = write_answer(tmp_path / "outbox", submit(write_report("SGDDT"), sender="STTTT"))
    assert path.parent == tmp_path / "outbox/STTTT"
    workbook = openpyxl.load_workbook(path)
    assert "SGDDT" in workbook["Lỗi"]["D5"].value
    assert workbook[REPORT_SHEET]["C5"].comment


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", "Kính gửi".encode()])
def test_an_unreadable_file_gets_a_text(
    content: bytes, tmp_path: Path, submit: Submit, received_at: datetime
):
    (tmp_path / "sent.xlsx").write_bytes(content)
    path = write_answer(tmp_path / "outbox", submit(tmp_path / "sent.xlsx"))
    assert path == tmp_path / "outbox/STTTT/2020-08-20-01234567-tra-lai.txt"
    assert "KHÔNG TIẾP NHẬN" in _text(path)
    assert "Không mở được tệp" in _text(path)


def test_a_report_of_an_unknown_directive_gets_a_text(
    tmp_path: Path, write_report: Callable[..., Path], edit_part: Callable[..., Path], submit: Submit
):
    path = edit_part(
        write_report(), "xl/worksheets/sheet3.xml", lambda xml: xml.replace("2488-ubnd", "9-ubnd")
    )
    answer = write_answer(tmp_path / "outbox", submit(path))
    assert answer.suffix == ".txt"
    assert "9-ubnd-kgvx" in _text(answer)


def test_each_sending_of_the_same_bytes_is_answered(
    tmp_path: Path, write_report: Callable[..., Path], submit: Submit
):
    first = submit(write_report())
    answers = {
        write_answer(tmp_path / "outbox", replace(first, outcome="duplicate", received_at=moment))
        for moment in (first.received_at, first.received_at + timedelta(minutes=1))
    }
    assert {path.name for path in answers} == {
        "2020-08-20-01234567-da-nhan-20200820-163000.txt",
        "2020-08-20-01234567-da-nhan-20200820-163100.txt",
    }
    assert all("giống hệt" in _text(path) for path in answers)


def test_a_rerun_writes_the_same_answers(tmp_path: Path, write_report: Callable[..., Path], submit: Submit):
    submissions = [submit(write_report()), submit(write_report("STTTT", {MEETINGS: "x"}))]
    contents = [
        [write_answer(tmp_path / outbox, submission).read_bytes() for submission in submissions]
        for outbox in ("first", "second")
    ]
    assert contents[0] == contents[1]
    assert sorted(path.name for path in (tmp_path / "first/STTTT").iterdir()) == [
        "2020-08-20-01234567-bien-nhan.txt",
        "2020-08-20-01234567-tra-lai.xlsx",
    ]


@pytest.mark.parametrize(
    "origin",
    [
        "../../etc/passwd.xlsx",
        "/etc/cron.d/x.xlsx",
        "a\nKết quả: ĐÃ TIẾP NHẬN.xlsx",
        "x\x00y.xlsx",
        "b\udcff.xlsx",
        "." * 300,
    ],
)
def test_no_file_name_leads_out_of_the_folder_or_forges_a_line(
    origin: str, tmp_path: Path, write_report: Callable[..., Path], submit: Submit
):
    path = write_answer(tmp_path / "outbox", submit(write_report(), origin=origin))
    assert path.parent == tmp_path / "outbox/STTTT"
    assert sum(line.startswith("Kết quả:") for line in _text(path).splitlines()) == 1


@pytest.mark.parametrize("unit_code", ["..", ".", "", "a/b", "../x", "a/..", "/tmp"])
def test_no_unit_code_leads_out_of_the_outbox(
    unit_code: str, tmp_path: Path, write_report: Callable[..., Path], submit: Submit
):
    submission = replace(submit(write_report()), unit_code=unit_code)
    with pytest.raises(ConfigurationError, match="outbox"):
        write_answer(tmp_path / "outbox", submission)
    assert not (tmp_path / "outbox").exists()


def test_no_phone_number_reaches_the_outbox(
    tmp_path: Path, write_report: Callable[..., Path], submit: Submit
):
    # Generated digits in a mobile prefix range, in every form a clerk may type.
    figures = {
        MEETINGS: "gọi 0912.000.123",
        ("support_session_count", None): 84912000123,
        ("press_item_count", "bao_in"): "0912000123",
    }
    path = write_answer(
        tmp_path / "outbox", submit(write_report("STTTT", figures), origin="0912 000 123.xlsx")
    )
    workbook = openpyxl.load_workbook(path)
    cells = [cell for sheet in workbook.worksheets for row in sheet.iter_rows() for cell in row]
    told = [str(cell.value) for cell in cells] + [cell.comment.text for cell in cells if cell.comment]
    assert [text for text in told if "000123" in text.replace(".", "").replace(" ", "")] == []


def test_a_folder_that_is_no_units_gets_its_answer_too(
    tmp_path: Path, write_report: Callable[..., Path], submit: Submit
):
    path = write_answer(tmp_path / "outbox", submit(write_report(), sender="thư mục mới"))
    assert path.parent == tmp_path / "outbox/thư mục mới"


def test_a_report_refused_without_a_finding_of_its_own_gets_a_text(
    tmp_path: Path, write_report: Callable[..., Path], submit: Submit
):
    refused = replace(submit(write_report()), outcome="refused", findings=[])
    assert "không qua được kiểm tra chung" in _text(write_answer(tmp_path / "outbox", refused))


def test_a_mistyped_day_is_marked_on_the_form(
    tmp_path: Path, write_report: Callable[..., Path], submit: Submit
):
    path = write_answer(tmp_path / "outbox", submit(write_report(on=date(2020, 9, 20))))
    assert path.name == "2020-08-20-01234567-tra-lai.xlsx"
    assert "sau ngày nhận 20/08/2020" in openpyxl.load_workbook(path)[REPORT_SHEET]["C6"].comment.text
