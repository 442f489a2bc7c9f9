"""The form: derived from the registry, the same bytes for the same figures, open only for figures."""

import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from directive_etl.errors import RegistryError
from directive_etl.registry.directive import Category, Directive
from directive_etl.registry.obligations import owed_figures
from directive_etl.registry.units import Unit, units_on
from directive_etl.sources.unit_report.form import REPORT_SHEET, form_of
from directive_etl.sources.unit_report.read import ReadReport, read_reports
from directive_etl.sources.unit_report.template import write_workbook


def _units_with_a_form(directive: Directive, day: date) -> list[Unit]:
    return [unit for unit in units_on(day) if owed_figures(directive, unit, day)]


def test_every_owed_figure_has_a_cell_of_its_own(directive: Directive, day: date):
    units = _units_with_a_form(directive, day)
    assert len(units) > 100
    for unit in units:
        form = form_of(directive, unit, day)
        owed = [(figure.measure.code, figure.category_code) for figure in owed_figures(directive, unit, day)]
        assert list(form.addresses) == owed
        assert len(set(form.addresses.values())) == len(owed)


def test_the_same_figures_give_the_same_bytes(write_report: Callable[..., Path]):
    assert write_report().read_bytes() == write_report().read_bytes()


def test_no_clock_is_in_the_archive(write_report: Callable[..., Path]):
    with zipfile.ZipFile(write_report()) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"2020" not in archive.read("docProps/core.xml")
        assert b"W3CDTF" not in archive.read("docProps/core.xml")


def test_another_figure_gives_other_bytes(write_report: Callable[..., Path]):
    changed = write_report(figures={("meeting_count", None): 11})
    assert write_report().read_bytes() != changed.read_bytes()


def test_only_figures_and_the_date_can_be_typed(
    write_report: Callable[..., Path], directive: Directive, unit_of: Callable[[str], Unit], day: date
):
    workbook = openpyxl.load_workbook(write_report("UBND-916"))
    sheet = workbook[REPORT_SHEET]
    addresses = form_of(directive, unit_of("UBND-916"), day).addresses.values()
    open_cells = {cell.coordinate for row in sheet.iter_rows() for cell in row if not cell.protection.locked}
    reasons = {f"H{address[1:]}" for address in addresses}
    assert open_cells == {*addresses, *reasons, "C6"}
    assert all(sheet.protection.sheet and not sheet.protection.password for sheet in workbook.worksheets)


def test_every_input_cell_refuses_what_is_no_count(
    write_report: Callable[..., Path], directive: Directive, unit_of: Callable[[str], Unit], day: date
):
    sheet = openpyxl.load_workbook(write_report())[REPORT_SHEET]
    (whole,) = [rule for rule in sheet.data_validations.dataValidation if rule.type == "whole"]
    assert whole.operator == "between"
    assert whole.formula1 == "0"
    for address in form_of(directive, unit_of("STTTT"), day).addresses.values():
        assert address in whole.sqref


def test_the_form_reads_as_vietnamese_clerks_write(write_report: Callable[..., Path]):
    workbook = openpyxl.load_workbook(write_report())
    assert workbook.sheetnames == ["Báo cáo", "Hướng dẫn", "_meta"]
    assert workbook["_meta"].sheet_state == "hidden"
    sheet = workbook["Báo cáo"]
    assert sheet["B1"].value == "BÁO CÁO KẾT QUẢ THỰC HIỆN CÔNG VĂN SỐ 2488/UBND-KGVX"
    assert sheet["C4"].value == "Sở Thông tin và Truyền thông"
    assert (sheet["C6"].value.date(), sheet["C6"].number_format) == (date(2020, 8, 20), "dd/mm/yyyy")
    labels = [sheet.cell(row, 2).value for row in range(1, sheet.max_row + 1)]
    assert "Cán bộ" in labels
    assert "Số cuộc họp trong ngày" in labels
    assert "Báo điện tử" in labels


def test_a_text_that_looks_like_a_formula_is_written_as_text(write_report: Callable[..., Path]):
    path = write_report(figures={("meeting_count", None): '=HYPERLINK("x")&<b>'})
    cells = [cell for row in openpyxl.load_workbook(path)[REPORT_SHEET].iter_rows() for cell in row]
    assert [cell.value for cell in cells if cell.data_type == "f"] == []
    assert '=HYPERLINK("x")&<b>' in [cell.value for cell in cells]


def test_an_empty_template_has_no_figure(
    tmp_path: Path, directive: Directive, unit_of: Callable[[str], Unit], day: date
):
    unit = unit_of("UBND-916")
    write_workbook(tmp_path / "empty.xlsx", directive, unit, day)
    sheet = openpyxl.load_workbook(tmp_path / "empty.xlsx")[REPORT_SHEET]
    assert {sheet[address].value for address in form_of(directive, unit, day).addresses.values()} == {None}


def test_a_unit_that_owes_nothing_has_no_form(
    tmp_path: Path, directive: Directive, unit_of: Callable[[str], Unit]
):
    with pytest.raises(RegistryError, match=r"STTTT .*owes no figure"):
        write_workbook(tmp_path / "x.xlsx", directive, unit_of("STTTT"), date(2020, 8, 1))


def test_a_figure_of_another_form_is_not_dropped_silently(write_report: Callable[..., Path]):
    with pytest.raises(RegistryError, match="resident_count"):
        write_report("STTTT", {("resident_count", None): 1})


def test_a_failed_write_leaves_no_file(tmp_path: Path, write_report: Callable[..., Path]):
    with pytest.raises(RegistryError):
        write_report("STTTT", {("resident_count", None): 1}, name="report.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_a_category_may_be_called_like_a_measure(
    tmp_path: Path, directive: Directive, unit_of: Callable[[str], Unit], day: date
):
    """Rows of a table and single figures must not be confused in a directive of other people's making."""
    medium = (Category(code="meeting_count", name_vi="Bảng tin", name_en="Notice boards"),)
    other = directive.model_copy(update={"categories": directive.categories | {"medium": medium}})
    unit = unit_of("STTTT")
    typed = dict(zip(form_of(other, unit, day).addresses, range(100), strict=False))
    assert ("press_item_count", "meeting_count") in typed
    write_workbook(tmp_path / "other.xlsx", other, unit, day, typed)
    (report,) = read_reports([tmp_path / "other.xlsx"], [other])
    assert isinstance(report, ReadReport)
    assert {key: cell.value for key, cell in report.figures.items()} == typed


@pytest.mark.parametrize("unit_code", ["STTTT", "SGDDT", "UBND-916", "31117", "DHCT", "UBMTTQ"])
def test_each_kind_of_unit_is_asked_only_for_what_it_owes(
    unit_code: str, directive: Directive, unit_of: Callable[[str], Unit], day: date
):
    form = form_of(directive, unit_of(unit_code), day)
    for block in form.blocks:
        rows = [category.code for category in block.categories] or [None]
        for measure in block.measures:
            assert [row for row in rows if (measure.code, row) in form.addresses] == rows
