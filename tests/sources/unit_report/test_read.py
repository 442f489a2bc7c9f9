"""Reading: what was typed is what is read, and a file that cannot be read costs itself alone."""

import os
import signal
import sys
import unicodedata
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from directive_etl.errors import ConfigurationError
from directive_etl.registry.directive import Directive, directives
from directive_etl.registry.units import Unit
from directive_etl.sources.unit_report import reader_process
from directive_etl.sources.unit_report.form import REPORT_SHEET, form_of
from directive_etl.sources.unit_report.read import (
    ReadReport,
    UnreadableReport,
    read_reports,
    to_report,
)
from directive_etl.sources.unit_report.reader import FILE_BYTES
from directive_etl.sources.unit_report.reader_archive import PART_BYTES
from directive_etl.sources.unit_report.reader_process import ReaderProcess
from directive_etl.sources.unit_report.template import write_workbook

ReadOne = Callable[[Path], ReadReport | UnreadableReport]
# How long the drawing takes is no part of what these tests say.
UNCHECKED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
TYPED = st.one_of(
    st.none(), st.integers(-(10**6), 10**8), st.sampled_from(["khoảng 50", "=1+1", "x", "12 người"])
)


@settings(max_examples=60, deadline=None, suppress_health_check=UNCHECKED)
@given(data=st.data(), code=st.sampled_from(["STTTT", "SGDDT", "UBND-916", "31117", "DHCT", "UBMTTQ"]))
def test_what_is_typed_is_what_is_read(
    data: st.DataObject,
    code: str,
    tmp_path: Path,
    directive: Directive,
    unit_of: Callable[[str], Unit],
    day: date,
    child: ReaderProcess,
):
    unit = unit_of(code)
    form = form_of(directive, unit, day)
    typed = {key: data.draw(TYPED, label=str(key)) for key in form.addresses}
    path = tmp_path / "round-trip.xlsx"
    write_workbook(path, directive, unit, day, typed)
    report = to_report(path, child.read(path), [directive])
    assert isinstance(report, ReadReport)
    assert (report.unit_code, report.report_date, report.directive_code) == (code, day, directive.code)
    assert {key: cell.value for key, cell in report.figures.items()} == {
        key: value if isinstance(value, int) else None for key, value in typed.items()
    }
    assert {key: cell.address for key, cell in report.figures.items()} == form.addresses
    texts = {key: cell.raw for key, cell in report.figures.items() if isinstance(cell.raw, str)}
    assert texts == {key: value for key, value in typed.items() if isinstance(value, str)}


def test_a_hostile_workbook_costs_only_itself(
    write_report: Callable[..., Path], with_far_cell: Callable[[Path], Path]
):
    paths = [write_report() for _ in range(20)]
    with_far_cell(paths[7])
    reports = read_reports(paths, directives())
    assert [report.path for report in reports] == paths
    assert [place for place, report in enumerate(reports) if isinstance(report, UnreadableReport)] == [7]
    assert isinstance(reports[7], UnreadableReport)
    assert reports[7].reason_code == "crashed"


def test_a_child_that_was_killed_from_outside_costs_no_file(write_report: Callable[..., Path]):
    path = write_report()
    with ReaderProcess() as reader:
        first = reader.read(path)
        assert reader.process_id is not None
        os.kill(reader.process_id, 9)
        assert reader.read(path) == first


def test_a_path_is_that_of_the_folder_we_work_in(
    write_report: Callable[..., Path], read_one: ReadOne, monkeypatch: pytest.MonkeyPatch
):
    path = write_report()
    monkeypatch.chdir(path.parent)
    assert isinstance(read_one(Path(path.name)), ReadReport)


def test_the_child_knows_no_secret(write_report: Callable[..., Path], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DIRECTIVE_ETL_HASH_KEY", "secret")
    with ReaderProcess() as reader:
        reader.read(write_report())
        assert b"secret" not in Path(f"/proc/{reader.process_id}/environ").read_bytes()


def test_the_child_has_little_memory_and_writes_no_file():
    with ReaderProcess() as reader:
        reader.read(Path(__file__))
        limits = Path(f"/proc/{reader.process_id}/limits").read_text()
    kept = {line[:26].strip(): line[26:].split()[:2] for line in limits.splitlines()}
    assert kept["Max address space"] == [str(640 * 1024 * 1024)] * 2
    assert kept["Max file size"] == kept["Max core file size"] == ["0", "0"]


def test_a_child_that_waits_for_ever_costs_one_file(
    write_report: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
):
    path = write_report()
    with ReaderProcess() as reader:
        first = reader.read(path)
        assert reader.process_id is not None
        os.kill(reader.process_id, signal.SIGSTOP)
        with monkeypatch.context() as patch:
            patch.setattr(reader_process, "FILE_SECONDS", 0.1)
            assert reader.read(path) == {"reason_code": "too_slow"}
        assert reader.read(path) == first


def test_an_answer_is_too_late_when_the_time_is_over_even_if_it_is_there(
    write_report: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(reader_process, "FILE_SECONDS", 0.0)
    with ReaderProcess() as reader:
        assert reader.read(write_report()) == {"reason_code": "too_slow"}


def test_the_child_ends_with_its_parent_block(write_report: Callable[..., Path]):
    with ReaderProcess() as reader:
        reader.read(write_report())
        process_id = reader.process_id
    assert not Path(f"/proc/{process_id}").exists()


def test_a_reader_that_does_not_start_is_our_fault_not_the_units(
    write_report: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
):
    path = write_report()
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(ConfigurationError, match="does not start"):
        read_reports([path], directives())


def test_an_absent_file_is_our_fault_not_the_units(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        read_reports([tmp_path / "absent.xlsx"], directives())


@pytest.mark.parametrize(
    ("content", "reason_code"),
    [
        (b"", "unreadable"),
        (b"Kinh gui: so lieu nhu dien thoai da bao.\n", "unreadable"),
        (b"PK\x03\x04" + b"\x00" * 200, "unreadable"),
        (
            bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"),
            "password",
        ),
        (bytes(FILE_BYTES + 1), "too_large"),
    ],
)
def test_what_is_no_workbook_is_unreadable_with_a_reason(
    content: bytes, reason_code: str, tmp_path: Path, read_one: ReadOne
):
    path = tmp_path / "sent.xlsx"
    path.write_bytes(content)
    report = read_one(path)
    assert isinstance(report, UnreadableReport)
    assert report.reason_code == reason_code
    assert report.message_vi
    assert report.message_en


@pytest.mark.parametrize("share", [0.1, 0.5, 0.6, 0.9, 0.99])
def test_a_truncated_workbook_is_unreadable(
    share: float, write_report: Callable[..., Path], read_one: ReadOne
):
    path = write_report()
    os.truncate(path, int(path.stat().st_size * share))
    report = read_one(path)
    assert isinstance(report, UnreadableReport)
    assert report.reason_code == "unreadable"


@pytest.mark.parametrize("method", [9, 12, 14], ids=["deflate64", "bzip2", "lzma"])
def test_a_part_that_is_not_packed_as_it_says_is_unreadable(
    method: int, write_report: Callable[..., Path], read_one: ReadOne
):
    path = write_report()
    content = bytearray(path.read_bytes())
    place = content.find(b"PK\x01\x02")
    while place >= 0:
        content[place + 10] = method
        place = content.find(b"PK\x01\x02", place + 4)
    path.write_bytes(content)
    report = read_one(path)
    assert isinstance(report, UnreadableReport)
    assert report.reason_code == "unreadable"


def test_a_part_whose_way_of_packing_is_spoiled_is_unreadable(
    write_report: Callable[..., Path], read_one: ReadOne
):
    path = write_report()
    with zipfile.ZipFile(path, "a", zipfile.ZIP_LZMA) as archive:
        archive.writestr("customXml/own.xml", "<own/>")
    version, properties = b"\x09\x04\x05\x00", b"\x5d"
    spoiled = path.read_bytes().replace(version + properties, version + b"\xff")
    assert spoiled != path.read_bytes()
    path.write_bytes(spoiled)
    report = read_one(path)
    assert isinstance(report, UnreadableReport)
    assert report.reason_code == "unreadable"


@settings(max_examples=40, deadline=None, suppress_health_check=UNCHECKED)
@given(data=st.data())
def test_any_damage_gives_an_answer_and_never_an_exception(
    data: st.DataObject, tmp_path: Path, write_report: Callable[..., Path], child: ReaderProcess
):
    content = bytearray(write_report(name="sound.xlsx").read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=20)):
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged.xlsx"
    path.write_bytes(content)
    assert isinstance(to_report(path, child.read(path), directives()), ReadReport | UnreadableReport)


def test_a_workbook_that_is_not_the_form_is_told_so(tmp_path: Path, read_one: ReadOne):
    openpyxl.Workbook().save(tmp_path / "own.xlsx")
    report = read_one(tmp_path / "own.xlsx")
    assert isinstance(report, UnreadableReport)
    assert report.reason_code == "not_our_form"


def test_a_form_without_its_keys_is_told_so(write_report: Callable[..., Path], read_one: ReadOne):
    path = write_report()
    workbook = openpyxl.load_workbook(path)
    workbook["_meta"]["B3"].value = None
    workbook.save(path)
    report = read_one(path)
    assert isinstance(report, UnreadableReport)
    assert "unit_code" in report.message_vi


def test_a_workbook_saved_by_another_program_with_rows_moved_is_read_the_same(
    write_report: Callable[..., Path], read_one: ReadOne
):
    path = write_report("STTTT", {("press_item_count", "bao_in"): 3, ("meeting_count", None): None})
    before = read_one(path)
    workbook = openpyxl.load_workbook(path)
    workbook[REPORT_SHEET].insert_rows(8, amount=3)
    workbook[REPORT_SHEET].title = unicodedata.normalize("NFD", REPORT_SHEET)
    workbook.save(path)
    after = read_one(path)
    assert isinstance(before, ReadReport)
    assert isinstance(after, ReadReport)
    assert {key: cell.value for key, cell in after.figures.items()} == {
        key: cell.value for key, cell in before.figures.items()
    }
    assert {cell.address for cell in after.figures.values()} != {
        cell.address for cell in before.figures.values()
    }


def test_a_figure_that_stands_twice_is_never_chosen_silently(
    write_report: Callable[..., Path], read_one: ReadOne
):
    path = write_report()
    workbook = openpyxl.load_workbook(path)
    sheet = workbook[REPORT_SHEET]
    sheet["A60"], sheet["C60"] = "meeting_count", 11
    workbook.save(path)
    report = read_one(path)
    assert isinstance(report, UnreadableReport)
    assert report.reason_code == "figure_twice"
    assert "C60" in report.message_vi


def test_a_report_without_a_day_is_unreadable(write_report: Callable[..., Path], read_one: ReadOne):
    path = write_report()
    workbook = openpyxl.load_workbook(path)
    workbook[REPORT_SHEET]["C6"].value = "hôm nay"
    workbook.save(path)
    report = read_one(path)
    assert isinstance(report, UnreadableReport)
    assert report.reason_code == "no_report_date"


def test_a_report_of_an_unknown_directive_keeps_its_name(
    write_report: Callable[..., Path], edit_part: Callable[..., Path], read_one: ReadOne
):
    path = edit_part(
        write_report(), "xl/worksheets/sheet3.xml", lambda xml: xml.replace("2488-ubnd", "9999-ubnd")
    )
    report = read_one(path)
    assert isinstance(report, ReadReport)
    assert (report.directive_code, report.figures) == ("9999-ubnd-kgvx", {})


def test_a_csv_with_american_dates_is_of_the_day_the_form_was_made_for(tmp_path: Path, read_one: ReadOne):
    table = "@form:1:2488-ubnd-kgvx,x\n@made_for:2020-09-08,x\n@unit_code,x,31117\n@report_date,x,{}\n"
    path = tmp_path / "saved.csv"
    for typed, expected in (("09/08/2020", date(2020, 9, 8)), ("10/08/2020", date(2020, 8, 10))):
        path.write_text(table.format(typed))
        report = read_one(path)
        assert isinstance(report, ReadReport)
        assert report.report_date == expected


def test_a_document_type_behind_a_long_comment_is_seen(
    write_report: Callable[..., Path], edit_part: Callable[..., Path], read_one: ReadOne
):
    declared = f"<!--{' ' * 100_000}--><!DOCTYPE x [<!ENTITY e 'ha'>]><worksheet"
    path = edit_part(
        write_report(), "xl/worksheets/sheet1.xml", lambda xml: xml.replace("<worksheet", declared, 1)
    )
    report = read_one(path)
    assert isinstance(report, UnreadableReport)
    assert report.reason_code == "unsafe"


def test_a_bomb_that_lies_about_its_size_costs_only_itself(
    write_report: Callable[..., Path], read_one: ReadOne
):
    path = write_report()
    bomb = bytes(PART_BYTES + 1)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/bomb.xml", bomb)
    # The size before packing, wherever it is written, becomes 100 bytes.
    size = len(bomb).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(size, (100).to_bytes(4, "little")))
    report = read_one(path)
    assert isinstance(report, UnreadableReport)
    assert report.reason_code == "unreadable"
