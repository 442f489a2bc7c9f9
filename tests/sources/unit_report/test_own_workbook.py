"""The workbook that goes back is the unit's own: its sheets, pictures and formats, and only the faults are marked."""

import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
from openpyxl.comments import Comment
from openpyxl.styles import Font

from directive_etl.registry.directive import Directive
from directive_etl.sources.unit_report.check import check_report
from directive_etl.sources.unit_report.form import REPORT_SHEET, FigureKey
from directive_etl.sources.unit_report.ooxml import NotMarkableError
from directive_etl.sources.unit_report.own_workbook import mark_own_workbook
from directive_etl.sources.unit_report.read import ReadReport

WORKBOOKS = Path(__file__).parents[2] / "workbooks"
MEETINGS: FigureKey = ("meeting_count", None)
SUPPORT: FigureKey = ("support_session_count", None)
# A picture of one point.
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d494844520000000100000001080600000"
    + "01f15c4890000000d49444154789c6360606060000000050001"
    "a5f645400000000049454e44ae426082"
)
Mark = Callable[[Path], tuple[str, bytes]]


@pytest.fixture
def mark(read_one: Callable[[Path], ReadReport], directive: Directive, received_at: datetime) -> Mark:
    """Read, judge and mark a workbook of STTTT."""

    def marked(path: Path) -> tuple[str, bytes]:
        report = read_one(path)
        assert isinstance(report, ReadReport), report
        findings = check_report(report, directive, "STTTT", received_at, {("headcount", "can_bo"): 11})
        return mark_own_workbook(path.read_bytes(), report, findings)

    return marked


def parts_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def with_own_things(path: Path, edit_part: Callable[..., Path]) -> Path:
    """Add what clerks add: a sheet of their own with a formula and a comment, a name, a picture, a comment."""
    workbook = openpyxl.load_workbook(path)
    notes = workbook.create_sheet("Ghi chú của phòng")
    notes["A1"], notes["B2"] = "=1+1", "gọi tổ dân phố"
    notes["B2"].font = Font(name="Arial", italic=True, color="FF00AA00")
    notes["B2"].comment = Comment("nhớ hỏi lại", "văn thư")
    workbook[REPORT_SHEET]["B4"].comment = Comment("đơn vị của tôi", "văn thư")
    workbook[REPORT_SHEET].print_area = "A1:H40"
    notes.print_area = "A1:B2"
    workbook.save(path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/image1.png", PICTURE)
        archive.writestr("customXml/item1.xml", "<own> giữ  nguyên </own>")
    return path


def test_everything_but_the_faulty_cells_comes_back_as_it_was_sent(
    write_report: Callable[..., Path], edit_part: Callable[..., Path], mark: Mark
):
    path = with_own_things(write_report("STTTT", {MEETINGS: "khoảng 50", SUPPORT: -1}), edit_part)
    sent = path.read_bytes()
    suffix, back = mark(path)
    assert suffix == ".xlsx"
    before, after = parts_of(sent), parts_of(back)
    touched = {name for name in before if before[name] != after[name]}
    assert touched <= {
        "[Content_Types].xml",
        "xl/workbook.xml",
        "xl/_rels/workbook.xml.rels",
        "xl/styles.xml",
        "xl/worksheets/sheet1.xml",
        "xl/worksheets/_rels/sheet1.xml.rels",
        *(name for name in before if "comments/comment1" in name or "commentsDrawing1" in name),
        *(name for name in before if name.endswith("legacyDrawing1.vml")),
    }
    assert {"xl/media/image1.png", "customXml/item1.xml", "xl/worksheets/sheet4.xml"} <= set(before) - touched
    own, returned = (openpyxl.load_workbook(io.BytesIO(content)) for content in (sent, back))
    assert returned.sheetnames == ["Lỗi", *own.sheetnames]
    assert returned.active.title == "Lỗi"
    assert [sheet.title for sheet in returned if sheet.sheet_view.tabSelected] == ["Lỗi"]
    assert returned["_meta"].sheet_state == "hidden"
    for sheet in own:
        assert returned[sheet.title].print_area == sheet.print_area
    notes = returned["Ghi chú của phòng"]
    assert (notes["A1"].value, notes["B2"].comment.text, notes["B2"].font.name) == (
        "=1+1",
        "nhớ hỏi lại",
        "Arial",
    )
    assert returned[REPORT_SHEET]["B4"].comment.text == "đơn vị của tôi"


def test_a_faulty_cell_keeps_its_format_but_for_the_colour(write_report: Callable[..., Path], mark: Mark):
    path = write_report("STTTT", {MEETINGS: -3})
    workbook = openpyxl.load_workbook(path)
    sheet = workbook[REPORT_SHEET]
    (address,) = [cell.coordinate for row in sheet.iter_rows() for cell in row if cell.value == -3]
    sheet[address].font = Font(name="Arial", size=16, bold=True)
    workbook.save(path)
    _, back = mark(path)
    cell = openpyxl.load_workbook(io.BytesIO(back))[REPORT_SHEET][address]
    assert (cell.font.name, cell.font.size, cell.font.bold, cell.value) == ("Arial", 16, True, -3)
    assert cell.number_format == sheet[address].number_format
    assert cell.fill.start_color.rgb == "FFFF9C9C"
    assert cell.comment.text.startswith("Lỗi: “Số cuộc họp trong ngày”: -3 là số âm")


def test_the_marks_of_an_earlier_return_are_gone_when_the_file_comes_back_again(
    write_report: Callable[..., Path], mark: Mark, tmp_path: Path
):
    path = write_report("STTTT", {MEETINGS: "x", SUPPORT: -1})
    _, first = mark(path)
    workbook = openpyxl.load_workbook(io.BytesIO(first))
    sheet = workbook[REPORT_SHEET]
    (mended,) = [cell.coordinate for row in sheet.iter_rows() for cell in row if cell.value == "x"]
    sheet[mended].value = 50
    workbook.save(tmp_path / "again.xlsx")
    _, second = mark(tmp_path / "again.xlsx")
    again = openpyxl.load_workbook(io.BytesIO(second))
    assert again.sheetnames.count("Lỗi") == 1
    assert len(again.sheetnames) == len(workbook.sheetnames)
    marked = [cell for row in again[REPORT_SHEET].iter_rows() for cell in row if cell.comment]
    assert [cell.value for cell in marked if "Lỗi" in cell.comment.text] == [-1]
    assert all(cell.comment.text.count("Lỗi:") <= 1 for cell in marked)
    assert again[REPORT_SHEET][mended].fill.start_color.rgb == "FFFFF9DB"
    listed = [row[3].value for row in again["Lỗi"].iter_rows(min_row=5) if row[3].value]
    assert sum("là số âm" in text for text in listed) == 1
    assert not any("không phải là số" in text for text in listed)


def test_a_sheet_that_a_clerk_calls_by_our_name_stays(write_report: Callable[..., Path], mark: Mark):
    path = write_report("STTTT", {MEETINGS: "x"})
    workbook = openpyxl.load_workbook(path)
    workbook.create_sheet("Lỗi")["A1"] = "lỗi của máy in"
    workbook.save(path)
    _, back = mark(path)
    again = openpyxl.load_workbook(io.BytesIO(back))
    assert again["Lỗi"]["A1"].value == "lỗi của máy in"
    assert again["Lỗi (2)"]["A1"].value == "DANH SÁCH LỖI VÀ LƯU Ý"


def test_a_blank_cell_that_the_program_left_out_is_marked_in_its_place(
    write_report: Callable[..., Path], mark: Mark, tmp_path: Path
):
    path = write_report("STTTT", {MEETINGS: None, SUPPORT: -1})
    workbook = openpyxl.load_workbook(path)
    sheet = workbook[REPORT_SHEET]
    (row,) = [cell.row for cell in sheet["A"] if cell.value == "meeting_count"]
    del sheet._cells[row, 3]
    workbook.save(path)
    _, back = mark(path)
    cell = openpyxl.load_workbook(io.BytesIO(back))[REPORT_SHEET].cell(row, 3)
    assert cell.value is None
    assert "thiếu số liệu" in cell.comment.text


def test_macros_go_back_as_they_came_and_the_name_says_so(
    write_report: Callable[..., Path], edit_part: Callable[..., Path], mark: Mark
):
    path = edit_part(
        write_report("STTTT", {MEETINGS: "x"}),
        "[Content_Types].xml",
        lambda xml: xml.replace(
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
            "application/vnd.ms-excel.sheet.macroEnabled.main+xml",
        ),
    )
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"\x00macro")
    suffix, back = mark(path)
    assert suffix == ".xlsm"
    assert parts_of(back)["xl/vbaProject.bin"] == b"\x00macro"


@pytest.mark.parametrize("name", ["saved.xlsx", "messy.xlsx", "nfd.xlsx", "from-1904.xlsx"])
def test_a_workbook_that_another_program_saved_is_marked_too(
    name: str,
    read_one: Callable[[Path], ReadReport],
    directive: Directive,
    received_at: datetime,
    tmp_path: Path,
):
    path = WORKBOOKS / "accepted" / name
    report = read_one(path)
    # Before the day came every report is of a day to come.
    findings = check_report(report, directive, "31117", received_at - timedelta(days=1), {})
    assert [finding.code for finding in findings] == ["future_date"]
    _, back = mark_own_workbook(path.read_bytes(), report, findings)
    (tmp_path / "back.xlsx").write_bytes(back)
    again = read_one(tmp_path / "back.xlsx")
    assert {key: cell.value for key, cell in again.figures.items()} == {
        key: cell.value for key, cell in report.figures.items()
    }
    assert again.report_date == report.report_date == date(2020, 8, 20)
    workbook = openpyxl.load_workbook(io.BytesIO(back))
    assert sum(bool(cell.comment) for sheet in workbook for row in sheet.iter_rows() for cell in row) == 1
    assert workbook["Lỗi"]["C5"].hyperlink.location.endswith(f"!{report.date_address}")


@pytest.mark.parametrize("name", ["saved.xls", "saved.ods", "saved.csv"])
def test_what_is_no_xlsx_cannot_carry_the_marks(
    name: str, read_one: Callable[[Path], ReadReport], tmp_path: Path
):
    path = WORKBOOKS / "accepted" / name
    with pytest.raises(NotMarkableError):
        mark_own_workbook(path.read_bytes(), read_one(path), [])
