"""Write these examples anew: `python tests/workbooks/make_workbooks.py`, after a change of the form.

For each rule a refused example and an accepted one that is just on the right side of it; and one report as
people really save it: by LibreOffice (needs `soffice`; without it those files stay), in old encodings, messy.
Who sent an example and when, where a rule asks for it, is said by the test that reads them.
"""

import csv
import shutil
import subprocess
import sys
import tempfile
import unicodedata
import zipfile
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import openpyxl
from openpyxl.utils.datetime import CALENDAR_MAC_1904

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "include"))

from directive_etl.registry.directive import directives  # noqa: E402
from directive_etl.registry.units import units_on  # noqa: E402
from directive_etl.sources.unit_report.form import REPORT_SHEET, UNIT_CODE_ROW, form_of  # noqa: E402
from directive_etl.sources.unit_report.reader_archive import PART_BYTES  # noqa: E402
from directive_etl.sources.unit_report.template import write_workbook  # noqa: E402

DAY = date(2020, 8, 20)
UNIT_CODE = "31117"  # a ward: a short form, without a table
CITY_CODE = "92"  # owes no report
SHEET_PART = "xl/worksheets/sheet1.xml"
ACCEPTED, REFUSED = HERE / "accepted", HERE / "refused"
BLUEZONE = ("resident_bluezone_count", None)
RESIDENTS = ("resident_count", None)
# What LibreOffice calls its formats; after the second colon: delimiter, quote, encoding (76 UTF-8, 65535
# UTF-16), first line, columns, language (1066 Vietnamese), quote all, as shown.
SAVED_AS = {
    "saved.xlsx": "xlsx",
    "saved.xls": "xls",
    "saved.ods": "ods",
    "saved.csv": "csv:Text - txt - csv (StarCalc):44,34,76,1,,1066,false,true,false",
    "saved-default.csv": "csv",
    "saved-utf16.csv": "csv:Text - txt - csv (StarCalc):59,34,65535,1,,1066,false,true,false",
}
TCVN3 = dict(
    zip(
        "àảãáạăâêôơưđằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ",
        "µ¶·¸¹¨©ª«¬\xad®»¼½¾ÆÇÈÉÊËÌÎÏÐÑÒÓÔÕÖ×ØÜÝÞßáâãäåæçèéêëìíîïñòóôõö÷øùúûüýþ",
        strict=True,
    )
)
VNI_MARKS = {"\u0300": "ø", "\u0301": "ù", "\u0309": "û", "\u0303": "õ", "\u0323": "ï"}


def main() -> None:
    for folder in (ACCEPTED, REFUSED):
        folder.mkdir(exist_ok=True)
    write_rules()
    write_messy()
    write_texts()
    write_right_sides()
    write_limits()
    write_said_by_the_channel()
    if shutil.which("soffice"):
        write_saved()
    else:
        sys.stderr.write("there is no soffice: accepted/saved* stay as they are\n")


def write(path: Path, figures: dict | None = None, **changes) -> Path:
    """Write the ward's report: 1000 residents, and 100 down to fewer for the further figures."""
    directive = directives()[0]
    unit = next(one for one in units_on(DAY) if one.unit_code == changes.get("unit_code", UNIT_CODE))
    keys = form_of(directive, unit, DAY).addresses
    sound = {key: 1000 if key == RESIDENTS else 100 - number for number, key in enumerate(keys)}
    write_workbook(path, directive, unit, changes.get("day", DAY), sound | (figures or {}))
    return path


def edit(path: Path, change) -> Path:
    workbook = openpyxl.load_workbook(path)
    change(workbook)
    workbook.save(path)
    return path


def edit_cell(path: Path, sheet: str, address: str, value: object) -> Path:
    def change(workbook: openpyxl.Workbook) -> None:
        workbook[sheet][address].value = value

    return edit(path, change)


def write_rules() -> None:
    accepted, refused = (lambda name: ACCEPTED / name), (lambda name: REFUSED / name)
    for code, wrong, right in (
        ("not_a_number", "khoảng 50", "50"),
        ("not_whole", "99,4%", "99,0"),
        ("negative", -1, 0),
        ("too_big", 100_000_000, 999),
        ("exceeds", 1001, 1000),
    ):
        write(refused(f"{code}.xlsx"), {BLUEZONE: wrong})
        write(accepted(f"{code}.xlsx"), {BLUEZONE: right})
    write(refused("broken_formula.xlsx"))
    address = first_address(BLUEZONE)
    edit_cell(refused("broken_formula.xlsx"), REPORT_SHEET, address, "=1+1")
    write(accepted("broken_formula.xlsx"))
    put_formula_with_result(accepted("broken_formula.xlsx"), address)
    keys = list(
        form_of(directives()[0], next(u for u in units_on(DAY) if u.unit_code == UNIT_CODE), DAY).addresses
    )
    write(refused("empty_form.xlsx"), dict.fromkeys(keys))
    write(accepted("empty_form.xlsx"), dict.fromkeys(keys) | {RESIDENTS: 1000})
    write(refused("wrong_unit.xlsx"), unit_code="31120")
    write(refused("future_date.xlsx"), day=date(2020, 8, 21))
    write(accepted("future_date.xlsx"), day=date(2020, 8, 20))
    write(refused("outside_directive.xlsx"))
    edit_cell(refused("outside_directive.xlsx"), REPORT_SHEET, "C6", date(2020, 8, 17))
    write(accepted("outside_directive.xlsx"), day=date(2020, 8, 18))
    write(refused("no_report_date.xlsx"))
    edit_cell(refused("no_report_date.xlsx"), REPORT_SHEET, "C6", "hôm nay")
    write(accepted("no_report_date.xlsx"))
    edit_cell(accepted("no_report_date.xlsx"), REPORT_SHEET, "C6", "ngày 20 tháng 8 năm 2020")
    write(refused("old_template.xlsx"))
    edit_cell(refused("old_template.xlsx"), "_meta", "B1", "0")
    write(refused("unknown_directive.xlsx"))
    edit_cell(refused("unknown_directive.xlsx"), "_meta", "B2", "9-ubnd")
    write(refused("figure_twice.xlsx"))
    edit(refused("figure_twice.xlsx"), lambda book: book[REPORT_SHEET].append([BLUEZONE[0], None, 7]))
    write(refused("two_reports.xlsx"))
    edit(refused("two_reports.xlsx"), lambda book: book.copy_worksheet(book[REPORT_SHEET]))
    write(refused("form_changed.xlsx"))
    edit_cell(refused("form_changed.xlsx"), REPORT_SHEET, f"A{address[1:]}", None)
    write(refused("not_on_form.xlsx"))
    edit(refused("not_on_form.xlsx"), lambda book: book[REPORT_SHEET].append(["meeting_count", None, 7]))
    openpyxl.Workbook().save(refused("not_our_form.xlsx"))
    refused("unreadable.xlsx").write_text("Kính gửi: xem bảng gửi qua bưu điện.\n")
    refused("password.xlsx").write_bytes(
        bytes.fromhex("d0cf11e0a1b11ae1") + bytes(1016) + "EncryptedPackage".encode("utf-16-le")
    )
    write(refused("unsafe.xlsx"))
    with zipfile.ZipFile(refused("unsafe.xlsx"), "a") as archive:
        archive.writestr("../../etc/cron.d/x", "x")


def write_right_sides() -> None:
    """For each rule about a whole file, one that looks like the refused example and breaks nothing."""
    address = first_address(BLUEZONE)
    row = int(address[1:])
    write(ACCEPTED / "wrong_unit.xlsx")
    edit(write(ACCEPTED / "old_template.xlsx"), lambda book: setattr(book["_meta"]["B1"], "value", 1))
    edit_cell(write(ACCEPTED / "unknown_directive.xlsx"), "_meta", "B2", " 2488-ubnd-kgvx ")
    # The row copied below the form, without its code; the sheet copied, without its codes.
    edit(
        write(ACCEPTED / "figure_twice.xlsx"),
        lambda book: book[REPORT_SHEET].append([None, "chép lại", 7]),
    )
    edit(
        write(ACCEPTED / "two_reports.xlsx"),
        lambda book: book.copy_worksheet(book[REPORT_SHEET]).delete_cols(1),
    )

    def move_to_the_end(book: openpyxl.Workbook) -> None:
        sheet = book[REPORT_SHEET]
        sheet.append([sheet.cell(row, column).value for column in range(1, 4)])
        for column in range(1, 4):
            sheet.cell(row, column).value = None

    edit(write(ACCEPTED / "form_changed.xlsx"), move_to_the_end)
    edit(
        write(ACCEPTED / "not_on_form.xlsx"),
        lambda book: book[REPORT_SHEET].append(["meeting_count", "để trống", None]),
    )
    edit(
        write(ACCEPTED / "not_our_form.xlsx"),
        lambda book: [setattr(sheet, "title", f"Trang {place}") for place, sheet in enumerate(book, start=1)],
    )
    # Protected against typing, not against reading.
    edit(write(ACCEPTED / "password.xlsx"), lambda book: book[REPORT_SHEET].protection.set_password("mk"))
    write(ACCEPTED / "unsafe.xlsx")
    with zipfile.ZipFile(ACCEPTED / "unsafe.xlsx", "a") as archive:
        archive.writestr("xl/media/..ảnh.png", "x")
    (ACCEPTED / "unreadable.xlsx").write_bytes((ACCEPTED / "saved.csv").read_bytes())
    (ACCEPTED / "old_encoding-1258.csv").write_bytes((ACCEPTED / "windows-1258.csv").read_bytes())
    for name in ("mixed_table.csv", "unknown_measure.csv"):
        (ACCEPTED / name).write_bytes((ACCEPTED / "tidy.csv").read_bytes() + b",,,,\r\n")


def write_limits() -> None:
    """For each limit of the reader a file beyond it and one that comes near; all are small as archives."""
    for folder, size in ((REFUSED, PART_BYTES + 1), (ACCEPTED, PART_BYTES)):
        change_parts(
            write(folder / "too_large.xlsx"), lambda parts, size=size: {"xl/media/1.png": bytes(size)}
        )
    # One blank, typed in the last cell of the sheet or only in its last row.
    blank = '<c r="{0}1048576" t="inlineStr"><is><t xml:space="preserve"> </t></is></c>'
    for folder, column in ((REFUSED, "XFD"), (ACCEPTED, "A")):
        put_below(write(folder / "crashed.xlsx"), f'<row r="1048576">{blank.format(column)}</row>')
    # Cells that never end, each of which is looked for to the end of the sheet: no machine comes through.
    put_below(write(REFUSED / "too_slow.xlsx"), f"<row><c><f>{'<c>' * 1_500_000}</row>")
    put_below(write(ACCEPTED / "too_slow.xlsx"), f"<row>{'<c><f>1</f><v/></c>' * 8}</row>" * 5000)


def write_said_by_the_channel() -> None:
    """Examples of the rules that ask who sent a file and when it came."""
    city = edit_cell(write(REFUSED / "nothing_owed.xlsx"), REPORT_SHEET, f"C{UNIT_CODE_ROW}", CITY_CODE)
    edit_cell(city, "_meta", "B3", CITY_CODE)
    write(ACCEPTED / "nothing_owed.xlsx")
    for folder in (REFUSED, ACCEPTED):
        write(folder / "locked.xlsx")


def first_address(key: tuple[str, str | None]) -> str:
    unit = next(one for one in units_on(DAY) if one.unit_code == UNIT_CODE)
    return form_of(directives()[0], unit, DAY).addresses[key]


def put_formula_with_result(path: Path, address: str) -> None:
    """What a spreadsheet program saves: the formula and the result it had."""

    def change(parts: Mapping[str, bytes]) -> dict[str, bytes]:
        sheet = parts[SHEET_PART].decode()
        start = sheet.index("<v>", sheet.index(f'r="{address}"'))
        return {SHEET_PART: (sheet[:start] + "<f>1+2</f>" + sheet[start:]).encode()}

    change_parts(path, change)


def put_below(path: Path, rows: str) -> None:
    """Add rows, as XML, below those of the form."""
    end = b"</sheetData>"
    change_parts(path, lambda parts: {SHEET_PART: parts[SHEET_PART].replace(end, rows.encode() + end)})


def change_parts(path: Path, change: Callable[[Mapping[str, bytes]], dict[str, bytes]]) -> None:
    """Write an archive anew with the parts that `change` makes of its own ones."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in (parts | change(parts)).items():
            archive.writestr(name, content)


def write_messy() -> None:
    def change(workbook: openpyxl.Workbook) -> None:
        sheet = workbook[REPORT_SHEET]
        for row in range(10, sheet.max_row + 1):
            if isinstance(sheet.cell(row, 3).value, int):
                sheet.cell(row, 3).value = f"{sheet.cell(row, 3).value:,}".replace(",", "\u202f") + "\u00a0"
        sheet.insert_cols(3)
        sheet.insert_rows(11, amount=2)
        sheet.row_dimensions[12].hidden = True
        sheet.cell(sheet.max_row + 3, 2, "Người lập biểu: đã ký")
        sheet.merge_cells(start_row=sheet.max_row, end_row=sheet.max_row, start_column=2, end_column=5)
        sheet.title = "Sheet1"
        workbook.move_sheet("Sheet1", 2)
        workbook.create_sheet("nháp").append(["ghi chú", 12])
        workbook["_meta"].sheet_state = "visible"

    edit(write(ACCEPTED / "messy.xlsx"), change)
    edit(write(ACCEPTED / "without-meta.xlsx"), lambda book: book.remove(book["_meta"]))

    def from_1904(workbook: openpyxl.Workbook) -> None:
        workbook.epoch = CALENDAR_MAC_1904

    edit(write(ACCEPTED / "from-1904.xlsx"), from_1904)
    edit(
        write(ACCEPTED / "day-number-1904.xlsx"),
        lambda book: (
            from_1904(book),
            setattr(book[REPORT_SHEET]["C6"], "value", 42601),
            setattr(book[REPORT_SHEET]["C6"], "number_format", "General"),
        ),
    )

    def decompose(workbook: openpyxl.Workbook) -> None:
        for sheet in workbook.worksheets:
            sheet.title = unicodedata.normalize("NFD", sheet.title)
            for row in sheet.iter_rows():
                for cell in row:
                    if isinstance(cell.value, str):
                        cell.value = unicodedata.normalize("NFD", cell.value)

    edit(write(ACCEPTED / "nfd.xlsx"), decompose)


def write_texts() -> None:
    """The form as a text table in every encoding, and the tidy table."""
    with tempfile.TemporaryDirectory() as folder:
        sheet = openpyxl.load_workbook(write(Path(folder) / "report.xlsx"))[REPORT_SHEET]
    rows = [["" if value is None else value for value in row] for row in sheet.iter_rows(values_only=True)]
    rows[5][2] = "20/08/2020"
    text = "\r\n".join(";".join(str(value).replace(";", ",") for value in row) for row in rows)
    (ACCEPTED / "windows-1258.csv").write_bytes(to_windows_1258(text))
    (ACCEPTED / "utf-8-mark.csv").write_bytes(text.encode("utf-8-sig"))
    (ACCEPTED / "utf-16-no-mark.csv").write_bytes(text.encode("utf-16-le"))
    (ACCEPTED / "nfd.csv").write_bytes(unicodedata.normalize("NFD", text).encode())
    (REFUSED / "old_encoding-tcvn3.csv").write_bytes(
        "".join(TCVN3.get(letter, letter) for letter in text.lower()).encode("latin-1", "replace")
    )
    (REFUSED / "old_encoding-vni.csv").write_bytes(to_vni(text).encode("cp1252", "replace"))
    directive, unit = directives()[0], next(one for one in units_on(DAY) if one.unit_code == UNIT_CODE)
    tidy = [
        [UNIT_CODE, DAY.isoformat(), key[0], key[1] or "", 1000 if key == RESIDENTS else 100 - number]
        for number, key in enumerate(form_of(directive, unit, DAY).addresses)
    ]
    header = ["unit_code", "report_date", "measure_code", "category_code", "value"]
    for path, lines in (
        (ACCEPTED / "tidy.csv", tidy),
        (REFUSED / "mixed_table.csv", [*tidy, ["31120", *tidy[0][1:]]]),
        (REFUSED / "unknown_measure.csv", [*tidy, [UNIT_CODE, DAY.isoformat(), "zalo_count", "", 3]]),
        (REFUSED / "figure_twice.csv", [*tidy, tidy[0]]),
    ):
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([header, *lines])


def to_windows_1258(text: str) -> bytes:
    """Encode letters with their hooks and tails, and each tone mark after its letter."""
    encoded = b""
    for letter in unicodedata.normalize("NFC", text):
        try:
            encoded += letter.encode("cp1258")
        except UnicodeEncodeError:
            base, *marks = unicodedata.normalize("NFD", letter)
            tones = [mark for mark in marks if mark in VNI_MARKS]
            whole = unicodedata.normalize("NFC", base + "".join(mark for mark in marks if mark not in tones))
            encoded += (whole + "".join(tones)).encode("cp1258", "replace")
    return encoded


def to_vni(text: str) -> str:
    written = ""
    for letter in unicodedata.normalize("NFC", text):
        base, *marks = unicodedata.normalize("NFD", letter)
        tone = next((VNI_MARKS[mark] for mark in marks if mark in VNI_MARKS), "")
        if letter in "đĐ":
            written += "ñ"
        elif "\u031b" in marks:
            written += {"o": "ô", "u": "ö"}.get(base.lower(), base) + tone
        elif "\u0302" in marks:
            written += base + {"ø": "à", "ù": "á", "û": "å", "õ": "ã", "ï": "ä", "": "â"}[tone]
        else:
            written += base + tone
    return written


def write_saved() -> None:
    with tempfile.TemporaryDirectory() as folder:
        report = write(Path(folder) / "report.xlsx")
        for name, saved_as in SAVED_AS.items():
            out = Path(folder) / "out"
            profile = f"-env:UserInstallation=file://{folder}/profile"
            command = ["soffice", "--headless", profile, "--convert-to", saved_as]
            subprocess.run([*command, "--outdir", str(out), str(report)], check=True, capture_output=True)
            shutil.copy(out / f"report.{saved_as.split(':')[0]}", ACCEPTED / name)


if __name__ == "__main__":
    main()
