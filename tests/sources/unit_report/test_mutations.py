"""Workbooks mutated at random from valid ones: the cells reported are the cells mutated, and no others."""

import io
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from random import Random
from typing import Any

import openpyxl
import pytest
from lxml import etree
from openpyxl.worksheet.worksheet import Worksheet

from directive_etl.registry.directive import Directive, directives
from directive_etl.registry.units import Unit
from directive_etl.sources.unit_report.check import check_report
from directive_etl.sources.unit_report.form import REPORT_SHEET, FigureKey, Form, form_of
from directive_etl.sources.unit_report.ooxml import MAIN, RELATION_ID, OwnPackage
from directive_etl.sources.unit_report.own_workbook import mark_own_workbook
from directive_etl.sources.unit_report.read import ReadReport, read_reports
from directive_etl.sources.unit_report.template import write_workbook

SEED, COUNT = 20200818, 500
UNITS = ("STTTT", "SGDDT", "UBND-916", "31117", "31120", "DHCT", "UBMTTQ")
WRONG = ("khoảng 50", "12 người", -7, 3.5, "99,4%", "1.2.3", 4_000_000_000, "0901 234 567", True, "x")


def sound_figures(form: Form, random: Random) -> dict[FigureKey, int]:
    """Values that fall along each chain of parts and wholes."""
    figures: dict[FigureKey, int] = {}
    for key in form.addresses:
        bound = form.bound_of(key)
        figures[key] = random.randint(0, figures.get(bound, 5000) if bound else 5000)
    return figures


def mutate_values(form: Form, figures: dict[FigureKey, int], random: Random) -> dict[FigureKey, object]:
    """Spoil one to four figures that bound no other one, or let them exceed their whole."""
    wholes = {form.bound_of(key) for key in figures}
    leaves = [key for key in figures if key not in wholes]
    spoiled: dict[FigureKey, object] = {}
    for key in random.sample(leaves, k=min(len(leaves), random.randint(1, 4))):
        bound = form.bound_of(key)
        if bound is not None and random.random() < 0.3:
            spoiled[key] = figures[bound] + random.randint(1, 50)
        else:
            spoiled[key] = random.choice(WRONG)
    return spoiled


def insert_rows(sheet: Worksheet, random: Random) -> None:
    row = random.randint(2, sheet.max_row)
    sheet.insert_rows(row, amount=random.randint(1, 3))
    sheet.row_dimensions[row].hidden = random.random() < 0.5


def insert_column(sheet: Worksheet, random: Random) -> None:
    sheet.insert_cols(random.randint(1, 3))


def swap_columns(sheet: Worksheet, random: Random) -> None:
    """Exchange two columns of a table with everything in them, codes included."""
    table = next((row for row in sheet.iter_rows() if any(cell.value == "@measures" for cell in row)), None)
    if table is None:
        return
    filled = [cell.column for cell in table if cell.value and cell.value != "@measures"]
    if len(filled) < 2:
        return
    first, second = random.sample(filled, 2)
    for row in range(table[0].row, sheet.max_row + 1):
        anchor = str(sheet.cell(row, table[0].column).value or "")
        if anchor == "@measures" and row > table[0].row:
            break  # the next table
        left, right = sheet.cell(row, first), sheet.cell(row, second)
        if anchor.startswith(("@measures", "#")):
            left.value, right.value = right.value, left.value


def move_block_below(sheet: Worksheet, random: Random) -> None:
    """Cut a single figure's row and paste it under the form."""
    rows = [
        row
        for row in sheet.iter_rows()
        if isinstance(row[0].value, str) and row[0].value.endswith("_count") and len(row) > 2
    ]
    if rows:
        values = [cell.value for cell in random.choice(rows)]
        row = next(row for row in rows if row[0].value == values[0])
        for cell in row:
            cell.value = None
        for column, value in enumerate(values, start=1):
            sheet.cell(sheet.max_row + (column == 1), column, value)


def merge_headers(sheet: Worksheet, random: Random) -> None:
    row = sheet.max_row + random.randint(2, 4)
    sheet.cell(row, 2, "Người lập biểu")
    sheet.merge_cells(start_row=row, end_row=row, start_column=2, end_column=5)


def write_date_as_text(sheet: Worksheet, random: Random) -> None:
    for row in sheet.iter_rows():
        for cell in row:
            if isinstance(cell.value, datetime):
                cell.value = cell.value.strftime(random.choice(("%d/%m/%Y", "%d-%m-%Y", " %d.%m.%Y ")))


def write_numbers_as_text(sheet: Worksheet, random: Random) -> None:
    sign = random.choice((".", ",", " ", "\u00a0", "\u202f", ""))
    for row in sheet.iter_rows():
        for cell in row:
            if type(cell.value) is int and 0 <= cell.value < 10**6 and random.random() < 0.5:
                cell.value = f"{cell.value:,}".replace(",", sign)


def rename_sheet(sheet: Worksheet, random: Random) -> None:
    sheet.title = random.choice(("Sheet1", "BC ngay", "báo cáo 31117"))


LAYOUTS: Sequence[Callable[[Worksheet, Random], None]] = (
    insert_rows,
    insert_column,
    swap_columns,
    merge_headers,
    write_date_as_text,
    write_numbers_as_text,
    rename_sheet,
)


@pytest.fixture(scope="module")
def mutated(
    tmp_path_factory: pytest.TempPathFactory, directive: Directive, unit_of: Callable[[str], Unit], day: date
) -> list[tuple[Path, Unit, Form, dict[FigureKey, int], dict[FigureKey, object]]]:
    folder = tmp_path_factory.mktemp("mutated")
    random = Random(SEED)
    made = []
    for number in range(COUNT):
        unit = unit_of(random.choice(UNITS))
        form = form_of(directive, unit, day)
        figures = sound_figures(form, random)
        spoiled = mutate_values(form, figures, random)
        path = folder / f"{number}.xlsx"
        write_workbook(path, directive, unit, day, figures | spoiled)
        # A clerk's program writes every other file anew, which costs ten times what the values do.
        if number % 2:
            changes = random.sample(LAYOUTS, k=random.randint(1, 3))
            workbook = openpyxl.load_workbook(path)
            if random.random() < 0.2:
                move_block_below(workbook[REPORT_SHEET], random)
            for change in changes:
                change(
                    workbook[REPORT_SHEET] if REPORT_SHEET in workbook.sheetnames else workbook.worksheets[0],
                    random,
                )
            workbook.save(path)
        made.append((path, unit, form, figures, spoiled))
    return made


def sheet_of(content: bytes, sheet_name: str) -> Any:
    """The XML of a sheet."""
    package = OwnPackage(content)
    sheets = package.tree(package.workbook_part).iter(f"{MAIN}sheet")
    (id_,) = (sheet.get(RELATION_ID) for sheet in sheets if sheet.get("name") == sheet_name)
    _, part = package.relations(package.workbook_part)[id_]
    return package.tree(part)


def cells_of(content: bytes, sheet_name: str) -> dict[str, bytes]:
    """Every cell of a sheet as it is written, by its address."""
    return {cell.get("r"): etree.tostring(cell) for cell in sheet_of(content, sheet_name).iter(f"{MAIN}c")}


def correct(content: bytes, sheet_name: str, figures: dict[str, int], *, by_program: bool) -> bytes:
    """Type figures into cells: by a program that writes the whole file anew, or in their places alone."""
    if by_program:
        workbook = openpyxl.load_workbook(io.BytesIO(content))
        for address, value in figures.items():
            workbook[sheet_name][address].value = value
        saved = io.BytesIO()
        workbook.save(saved)
        return saved.getvalue()
    package = OwnPackage(content)
    for _, part in package.relations(package.workbook_part).values():
        if part.startswith("xl/worksheets/sheet1"):
            for cell in package.tree(part).iter(f"{MAIN}c"):
                if cell.get("r") in figures:
                    for child in list(cell):
                        cell.remove(child)
                    cell.attrib.pop("t", None)
                    etree.SubElement(cell, f"{MAIN}v").text = str(figures[cell.get("r")])
    return package.to_bytes()


@pytest.mark.slow
def test_the_cells_reported_are_the_cells_mutated_and_the_corrected_file_passes(
    mutated: list[tuple[Path, Unit, Form, dict[FigureKey, int], dict[FigureKey, object]]],
    directive: Directive,
    received_at: datetime,
    tmp_path: Path,
):
    reports = read_reports([path for path, *_ in mutated], directives())
    wrong: list[str] = []
    returned: list[Path] = []
    for number, (report, (path, unit, form, figures, spoiled)) in enumerate(
        zip(reports, mutated, strict=True)
    ):
        assert isinstance(report, ReadReport), (path, report)
        findings = check_report(report, directive, unit.unit_code, received_at, {})
        found = [finding.key for finding in findings if finding.severity == "error"]
        if sorted(map(str, found)) != sorted(map(str, spoiled)):
            wrong.append(f"{path.name}: {sorted(set(map(str, found)) ^ set(map(str, spoiled)))}")
        sent = path.read_bytes()
        suffix, back = mark_own_workbook(sent, report, findings)
        assert suffix == ".xlsx"
        before, after = cells_of(sent, report.sheet_name), cells_of(back, report.sheet_name)
        changed = {address for address in before | after if before.get(address) != after.get(address)}
        assert changed == {finding.address for finding in findings}, path
        typed = {report.figures[key].address: figures[key] for key in spoiled}
        returned.append(tmp_path / path.name)
        # A program that writes a mutated file anew may drop cells; only a plain form goes through one.
        by_program = (
            number % 10 == 0 and {key: cell.address for key, cell in report.figures.items()} == form.addresses
        )
        returned[-1].write_bytes(correct(back, report.sheet_name, typed, by_program=by_program))
    assert len(wrong) <= COUNT // 100, wrong
    for again, (_, unit, _, figures, _) in zip(read_reports(returned, directives()), mutated, strict=True):
        assert isinstance(again, ReadReport)
        assert check_report(again, directive, unit.unit_code, received_at, {}) == []
        assert {key: cell.value for key, cell in again.figures.items()} == figures
