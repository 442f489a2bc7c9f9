"""Real workbooks: written by the template, damaged where a test says so, read by the real child."""

import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path

import pytest

from directive_etl.periods import LOCAL_ZONE
from directive_etl.registry.directive import Directive, directives
from directive_etl.registry.units import Unit, units_on
from directive_etl.sources.unit_report.form import FigureKey, form_of
from directive_etl.sources.unit_report.read import ReadReport, UnreadableReport, to_report
from directive_etl.sources.unit_report.reader_process import ReaderProcess
from directive_etl.sources.unit_report.template import write_workbook

DAY = date(2020, 8, 20)
RECEIVED_AT = datetime(2020, 8, 20, 16, 30, tzinfo=LOCAL_ZONE)

Figures = dict[FigureKey, object]
WriteReport = Callable[..., Path]
EditPart = Callable[[Path, str, Callable[[str], str]], Path]


@pytest.fixture(scope="session")
def day() -> date:
    return DAY


@pytest.fixture(scope="session")
def received_at() -> datetime:
    return RECEIVED_AT


@pytest.fixture(scope="session")
def directive() -> Directive:
    return next(one for one in directives() if one.code == "2488-ubnd-kgvx")


@pytest.fixture(scope="session")
def unit_of() -> Callable[[str], Unit]:
    """A unit by its code."""
    return lambda code: next(unit for unit in units_on(DAY) if unit.unit_code == code)


@pytest.fixture
def write_report(tmp_path: Path, directive: Directive, unit_of: Callable[[str], Unit]) -> WriteReport:
    """Write a unit's workbook: every figure is 10, but for those given."""

    def write(
        unit_code: str = "STTTT", figures: Figures | None = None, on: date = DAY, name: str = ""
    ) -> Path:
        unit = unit_of(unit_code)
        sound: Figures = dict.fromkeys(form_of(directive, unit, on).addresses, 10)
        path = tmp_path / (name or f"{unit_code}-{len(list(tmp_path.iterdir()))}.xlsx")
        write_workbook(path, directive, unit, on, sound | (figures or {}))
        return path

    return write


@pytest.fixture(scope="session")
def child() -> Iterator[ReaderProcess]:
    """One reader for all tests, as the inbox has one for all files."""
    with ReaderProcess() as process:
        yield process


@pytest.fixture(scope="session")
def read_one(child: ReaderProcess) -> Callable[[Path], ReadReport | UnreadableReport]:
    return lambda path: to_report(path, child.read(path), directives())


@pytest.fixture
def edit_part() -> EditPart:
    """Rewrite a workbook with one part of its archive changed."""

    def edit(path: Path, part: str, change: Callable[[str], str]) -> Path:
        with zipfile.ZipFile(path) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        changed = change(parts[part].decode())
        assert changed != parts[part].decode(), "the test changed nothing"
        parts[part] = changed.encode()
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in parts.items():
                archive.writestr(name, content)
        return path

    return edit


@pytest.fixture
def with_far_cell(edit_part: EditPart) -> Callable[[Path], Path]:
    """Type one blank into the last cell of the report sheet: calamine then asks for 32 GiB."""
    far = '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t xml:space="preserve"> </t></is></c></row>'
    return lambda path: edit_part(
        path, "xl/worksheets/sheet1.xml", lambda xml: re.sub("</sheetData>", f"{far}</sheetData>", xml)
    )
