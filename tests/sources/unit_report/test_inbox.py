"""The inbox through the real warehouse: hostile files among good ones, locks, reasons, copies."""

import io
import os
import zipfile
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

import openpyxl
import pytest
import sqlalchemy as sa

from directive_etl import pipeline
from directive_etl.__main__ import main
from directive_etl.errors import ConfigurationError
from directive_etl.periods import LOCAL_ZONE
from directive_etl.registry.directive import Directive
from directive_etl.registry.obligations import expected_report
from directive_etl.registry.units import units_on
from directive_etl.sources.unit_report.form import REPORT_SHEET, form_of
from directive_etl.sources.unit_report.locks import locked_at
from directive_etl.sources.unit_report.reader import FILE_BYTES
from directive_etl.sources.unit_report.reader_archive import PART_BYTES, UNPACKED_BYTES
from directive_etl.sources.unit_report.template import write_workbook

DAY = date(2020, 8, 20)
RECEIVED_AT = datetime(2020, 8, 20, 16, 30, tzinfo=LOCAL_ZONE)
PRESS = ("press_item_count", "bao_in")
MEETINGS = ("meeting_count", None)


def send(
    inbox: Path,
    unit_code: str,
    source: Path | bytes,
    received_at: datetime = RECEIVED_AT,
    name: str = "bc.xlsx",
) -> Path:
    folder = inbox / unit_code
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(source if isinstance(source, bytes) else source.read_bytes())
    os.utime(path, (received_at.timestamp(),) * 2)
    return path


def rows(engine: sa.Engine, query: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def answers(places: Path, unit_code: str) -> list[str]:
    names = (path.name for path in (places / "outbox" / unit_code).iterdir())
    return sorted(name for name in names if name != "tong-hop.txt")


def with_parts(source: Path, added: dict[str, bytes]) -> bytes:
    """A workbook with some parts more, or with some of other content."""
    with zipfile.ZipFile(source) as archive:
        parts = {entry: archive.read(entry) for entry in archive.namelist()} | added
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for entry, part in parts.items():
            archive.writestr(entry, part)
    return made.getvalue()


def memory(name: str) -> int:
    """What the kernel says of this process's memory. Unit: KiB."""
    return int(Path("/proc/self/status").read_text().partition(f"{name}:")[2].split()[0])


def test_twenty_hostile_files_among_130_good_ones_cost_only_themselves(
    places: Path,
    warehouse: sa.Engine,
    directive: Directive,
    write_report: Callable[..., Path],
    with_far_cell: Callable[[Path], Path],
    tmp_path: Path,
):
    units = [unit for unit in units_on(DAY) if expected_report(directive, unit, DAY) is not None][:130]
    inbox = places / "inbox"
    for number, unit in enumerate(units):
        (inbox / unit.unit_code).mkdir()
        path = inbox / unit.unit_code / "bc.xlsx"
        keys = form_of(directive, unit, DAY).addresses
        write_workbook(path, directive, unit, DAY, dict.fromkeys(keys, 10 + number))
        os.utime(path, (RECEIVED_AT.timestamp(),) * 2)
    sound = write_report("STTTT")
    content = sound.read_bytes()
    sheet = "xl/worksheets/sheet1.xml"
    external = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><worksheet>&e;</worksheet>'
    laughs = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><worksheet>&b;</worksheet>'
    encrypted = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600) + "EncryptedPackage".encode("utf-16-le")
    many = [f"xl/{number}.bin" for number in range(UNPACKED_BYTES // PART_BYTES + 1)]
    hostile: list[tuple[bytes, str]] = [
        (with_parts(sound, {"../../../tmp/escaped.xml": b"x"}), "unsafe"),
        (with_parts(sound, {"/etc/cron.d/x": b"x"}), "unsafe"),
        (with_parts(sound, {"C:\\x.xml": b"x"}), "unsafe"),
        (with_parts(sound, {sheet: external}), "unsafe"),
        (with_parts(sound, {"xl/workbook.xml": laughs}), "unsafe"),
        (with_parts(sound, {"xl/sharedStrings.xml": external}), "unsafe"),
        (with_parts(sound, {"xl/bomb.xml": bytes(PART_BYTES + 1)}), "too_large"),
        (with_parts(sound, dict.fromkeys(many, bytes(PART_BYTES))), "too_large"),
        (with_far_cell(write_report("STTTT")).read_bytes(), "crashed"),
        (encrypted, "password"),
        (encrypted + b"x", "password"),
        (content[:100], "unreadable"),
        (content[: len(content) // 2], "unreadable"),
        (content[:-10], "unreadable"),
        (content[:-2000], "unreadable"),
        (b"", "unreadable"),
        (bytes(FILE_BYTES + 1), "too_large"),
        (b"<html><script>alert(1)</script></html>", "unreadable"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(5000), "unreadable"),
        (Random(5).randbytes(5000), "unreadable"),
    ]
    for number, (spoiled, _) in enumerate(hostile):
        send(
            inbox,
            units[number].unit_code,
            spoiled,
            RECEIVED_AT + timedelta(seconds=number + 1),
            f"{number}.xlsx",
        )
    os.mkfifo(inbox / "STTTT" / "pipe.xlsx")
    (inbox / "STTTT" / "link.xlsx").symlink_to("/etc/passwd")

    # The peak starts anew from what this process holds now; test_read.py shows the limit of the reader.
    Path("/proc/self/clear_refs").write_text("5")
    before = memory("VmRSS")
    assert pipeline.answer_inbox() == [DAY]
    assert memory("VmHWM") - before < 100 * 1024, "no bomb is unpacked in this process"
    assert rows(warehouse, "select status_code, count(*) from ops.load_batch group by 1 order by 1") == [
        ("loaded", 130),
        ("refused", 20),
    ]
    found = rows(
        warehouse,
        "select part_code, reason_code from ops.refused_row join ops.load_batch using (batch_id) order by known_at",
    )
    assert found == [(units[number].unit_code, reason) for number, (_, reason) in enumerate(hostile)]
    assert not Path("/tmp/escaped.xml").exists()
    assert pipeline.answer_inbox() == []


def test_a_late_report_is_taken_and_a_locked_one_is_not_until_reopened(
    places: Path, warehouse: sa.Engine, write_report: Callable[..., Path], capsys: pytest.CaptureFixture[str]
):
    inbox, lock = places / "inbox", locked_at(DAY)
    send(inbox, "STTTT", write_report("STTTT"), lock, "late.xlsx")
    assert pipeline.answer_inbox() == [DAY]
    (receipt,) = answers(places, "STTTT")
    text = (places / "outbox/STTTT" / receipt).read_text(encoding="utf-8-sig")
    assert "nộp muộn" in text
    assert "Số tiếp nhận: 1" in text

    send(inbox, "STTTT", write_report("STTTT", {PRESS: 11}), lock + timedelta(seconds=1), "locked.xlsx")
    assert pipeline.answer_inbox() == []
    assert rows(warehouse, "select reason_code from ops.refused_row") == [("locked",)]
    (back,) = [name for name in answers(places, "STTTT") if name.endswith(".xlsx")]
    comment = openpyxl.load_workbook(places / "outbox/STTTT" / back)[REPORT_SHEET]["C6"].comment
    assert "đã khóa" in comment.text

    assert main(["reopen", "STTTT", str(DAY), "--reason", "Sở báo nhầm, CV 12"]) == 0
    assert "run unit_report 2020-08-20" in capsys.readouterr().out
    assert rows(warehouse, "select unit_code, reason from ops.report_reopening") == [
        ("STTTT", "Sở báo nhầm, CV 12")
    ]
    assert pipeline.answer_inbox(again_for=DAY) == [DAY]
    assert pipeline.answer_inbox(again_for=DAY) == []
    value = "select value from core.observation where measure_code = 'press_item_count' and category_code = 'bao_in'"
    assert rows(warehouse, f"{value} order by known_at") == [(10,), (11,)]


def test_a_reopening_ends(places: Path, warehouse: sa.Engine, write_report: Callable[..., Path]):
    pipeline.reopen_report("STTTT", DAY, "sửa", open_until=date(2020, 9, 10))
    for number, day in enumerate((date(2020, 9, 10), date(2020, 9, 11))):
        moment = datetime(day.year, day.month, day.day, 9, tzinfo=LOCAL_ZONE)
        send(places / "inbox", "STTTT", write_report("STTTT", {PRESS: number}), moment, f"{number}.xlsx")
    pipeline.answer_inbox()
    assert rows(warehouse, "select status_code from ops.load_batch order by known_at") == [
        ("loaded",),
        ("refused",),
    ]


@pytest.mark.parametrize(("unit_code", "reason"), [("NOBODY", "x"), ("STTTT", "  "), ("92", "x")])
def test_nothing_is_reopened_without_a_unit_and_a_reason(places: Path, unit_code: str, reason: str):
    with pytest.raises(ConfigurationError):
        pipeline.reopen_report(unit_code, DAY, reason)


def test_a_warning_is_kept_with_the_reason_of_the_clerk(
    places: Path, warehouse: sa.Engine, write_report: Callable[..., Path]
):
    inbox = places / "inbox"
    send(
        inbox, "STTTT", write_report("STTTT", on=date(2020, 8, 19)), RECEIVED_AT - timedelta(days=1), "1.xlsx"
    )
    path = write_report(
        "STTTT", {("headcount", "can_bo"): 300, ("bluetooth_on_count", "can_bo"): 9, MEETINGS: None}
    )
    workbook = openpyxl.load_workbook(path)
    sheet = workbook[REPORT_SHEET]
    row = next(row for row in sheet.iter_rows() if row[0].value == "#can_bo")
    sheet.cell(row[0].row, 8, "=Cán bộ chuyển công tác, hỏi 0901 234 567")
    sheet.cell(row[0].row, 8).data_type = "s"
    workbook.save(path)
    send(inbox, "STTTT", path, RECEIVED_AT, "2.xlsx")
    pipeline.answer_inbox()
    kept = rows(
        warehouse,
        "select rule_code, measure_code, category_code, reason from ops.report_warning order by 1, 2",
    )
    assert kept == [
        ("blank", "meeting_count", "", None),
        ("stock_falls", "bluetooth_on_count", "can_bo", "=Cán bộ chuyển công tác, hỏi ***"),
    ]
    receipt = next(name for name in answers(places, "STTTT") if name.startswith("2020-08-20"))
    text = (places / "outbox/STTTT" / receipt).read_text(encoding="utf-8-sig")
    assert "Giải trình của đơn vị đã được lưu: =Cán bộ chuyển công tác, hỏi ***" in text


def test_copies_and_jumps_are_warned_about(
    places: Path, warehouse: sa.Engine, write_report: Callable[..., Path]
):
    inbox, yesterday = places / "inbox", date(2020, 8, 19)
    base = {("headcount", category): 5000 for category in ("can_bo", "cong_chuc")}
    send(inbox, "STTTT", write_report("STTTT", base, on=yesterday), RECEIVED_AT - timedelta(days=1), "1.xlsx")
    send(inbox, "STTTT", write_report("STTTT", base), RECEIVED_AT, "2.xlsx")
    jump = base | {("headcount", "can_bo"): 50001}
    send(
        inbox,
        "STTTT",
        write_report("STTTT", jump, on=date(2020, 8, 21)),
        RECEIVED_AT + timedelta(days=1),
        "3.xlsx",
    )
    pipeline.answer_inbox()
    query = "select report_date, rule_code from ops.report_warning join ops.load_batch using (batch_id) order by 1, 2"
    assert rows(warehouse, query) == [(DAY, "same_as_before"), (date(2020, 8, 21), "stock_jumps")]


@pytest.mark.parametrize(
    ("received", "status"), [(date(2020, 8, 20), "loaded"), (date(2020, 10, 1), "refused")]
)
def test_a_neighbours_sheet_is_warned_about_first_and_refused_from_the_announced_day(
    received: date, status: str, places: Path, warehouse: sa.Engine, directive: Directive
):
    day = date(2020, 8, 20) if status == "loaded" else date(2020, 9, 30)
    pair = ("UBND-916", "UBND-917")
    moment = datetime(received.year, received.month, received.day, 16, tzinfo=LOCAL_ZONE)
    for number, code in enumerate(pair):
        unit = next(unit for unit in units_on(day) if unit.unit_code == code)
        (places / "inbox" / code).mkdir()
        path = places / "inbox" / code / "bc.xlsx"
        write_workbook(path, directive, unit, day, dict.fromkeys(form_of(directive, unit, day).addresses, 12))
        os.utime(path, (moment.timestamp() + number,) * 2)
    pipeline.answer_inbox()
    assert rows(warehouse, "select part_code, status_code from ops.load_batch order by known_at") == [
        ("UBND-916", "loaded"),
        ("UBND-917", status),
    ]
    if status == "loaded":
        ((message,),) = rows(warehouse, "select message from ops.report_warning")
        assert "From 01/10/2020 this refuses the report" in str(message)
    else:
        assert rows(warehouse, "select reason_code from ops.refused_row") == [("same_as_neighbour",)]


def test_the_same_report_saved_in_another_format_changes_nothing(places: Path, warehouse: sa.Engine):
    accepted = Path(__file__).parents[2] / "workbooks" / "accepted"
    names = [
        "saved.xlsx",
        "saved.xls",
        "saved.ods",
        "saved.csv",
        "nfd.xlsx",
        "nfd.csv",
        "tidy.csv",
        "messy.xlsx",
    ]
    for number, name in enumerate(names):
        send(places / "inbox", "31117", accepted / name, RECEIVED_AT + timedelta(seconds=number), name)
    assert pipeline.answer_inbox() == [DAY]
    counts = (
        "select status_code, count(*), sum(read_count) / count(*), sum(loaded_count), sum(unchanged_count)"
    )
    ((status, files, figures, loaded, unchanged),) = rows(
        warehouse, f"{counts} from ops.load_batch group by 1"
    )
    assert (status, files) == ("loaded", len(names))
    assert (loaded, unchanged) == (figures, figures * (len(names) - 1))


def test_the_summary_says_how_the_unit_stands(
    places: Path, warehouse: sa.Engine, write_report: Callable[..., Path]
):
    send(places / "inbox", "STTTT", write_report("STTTT"))
    send(
        places / "inbox",
        "STTTT",
        write_report("STTTT", on=date(2020, 8, 21)),
        RECEIVED_AT + timedelta(days=2),
        "2.xlsx",
    )
    pipeline.answer_inbox()
    lines = (places / "outbox/STTTT/tong-hop.txt").read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "TỔNG HỢP TÌNH HÌNH BÁO CÁO: STTTT"
    said = {line.split()[0]: " ".join(line.split()[1:3]) for line in lines[3:]}
    assert said["21/08/2020"] == "Nộp muộn"
    assert said["20/08/2020"] == "Đúng hạn"
    assert said["19/08/2020"] == "Chưa nộp"
    assert "22/08/2020" not in said


def test_the_last_accepted_report_counts_and_what_it_corrected_stays(
    places: Path, warehouse: sa.Engine, write_report: Callable[..., Path]
):
    first = write_report("STTTT", {PRESS: 10})
    sent = [first, write_report("STTTT", {PRESS: 12}), write_report("STTTT", {PRESS: "x"}), first]
    for number, source in enumerate(sent):
        send(places / "inbox", "STTTT", source, RECEIVED_AT + timedelta(days=number), f"{number}.xlsx")
    assert pipeline.answer_inbox() == [DAY]
    assert rows(warehouse, "select status_code from ops.load_batch order by known_at") == [
        ("loaded",),
        ("loaded",),
        ("refused",),
        ("duplicate",),
    ]
    revisions = """
        select value, superseded_at is null from core.observation
        where measure_code = 'press_item_count' and category_code = 'bao_in' order by known_at
    """
    assert rows(warehouse, revisions) == [(10, False), (12, True)]
    given = "select value from core.unit_figure where measure_code = 'press_item_count' and category_code = 'bao_in'"
    assert rows(warehouse, f"{given} order by batch_id") == [(10,), (12,)]
    kinds = sorted(name.split("-", 4)[4].split(".")[0] for name in answers(places, "STTTT"))
    assert kinds == ["bien-nhan", "bien-nhan", "da-nhan-20200823-163000", "tra-lai"]
