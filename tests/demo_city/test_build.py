"""The written city: the files are what the simulation says, the truth lies beside, both always the same."""

import hashlib
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest
from openpyxl import load_workbook

from directive_etl.demo_city.build import build
from directive_etl.demo_city.city import City
from directive_etl.demo_city.report_truth import file_path, typed_phone_numbers
from directive_etl.demo_city.reports import CHARACTERS, character_of, simulate_reports
from directive_etl.demo_city.submissions import Submission
from directive_etl.registry.directive import directives
from directive_etl.registry.units import units_on
from directive_etl.sources.unit_report.form import REPORT_SHEET
from directive_etl.sources.unit_report.template import form_of

# Units of every kind, and careless ones among them, so that every kind of file is written.
CARELESS = [
    unit.unit_code
    for unit in units_on(date(2020, 8, 18))
    if unit.unit_type == "xa_phuong" and character_of(City(), unit.unit_code) is CHARACTERS["careless"]
]
UNITS = frozenset({*CARELESS[:12], "UBND-916", "STTTT", "DHCT", "THANHDOAN"})
CITY = City(last_day=date(2020, 8, 24), unit_codes=UNITS, subscriber_count=400, dossier_count=300)
NEEDED = {"report", "blank_cells", "correction", "copy"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    build(folder, CITY, workers=1)
    return folder


@pytest.fixture(scope="module")
def files() -> list[Submission]:
    submissions = simulate_reports(CITY)
    assert {file.kind for file in submissions} >= NEEDED
    assert {file.damage for file in submissions} == {"", "text", "truncated", "password"}
    return submissions


def digests(folder: Path) -> dict[str, str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def times(folder: Path) -> dict[str, float]:
    channels = (path for place in ("drop", "inbox") for path in (folder / place).rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.stat().st_mtime for path in channels}


def test_the_same_city_has_the_same_bytes_and_times(home: Path, tmp_path: Path):
    build(tmp_path, CITY, workers=2)
    assert digests(tmp_path) == digests(home)
    assert times(tmp_path) == times(home)


def test_the_inbox_holds_every_file_with_its_time(home: Path, files: list[Submission]):
    found = {
        str(path.relative_to(home / "inbox")): datetime.fromtimestamp(path.stat().st_mtime, UTC)
        for path in (home / "inbox").rglob("*.xlsx")
    }
    assert found == {file_path(file): file.received_at for file in files}


def test_copies_have_the_bytes_of_their_original_and_nothing_else_has(home: Path, files: list[Submission]):
    digest = digests(home / "inbox")
    for file in files:
        if file.copy_of:
            assert digest[file_path(file)] == digest[f"{file.unit_code}/{file.copy_of}"]
    originals = [(file.unit_code, digest[file_path(file)]) for file in files if not file.copy_of]
    assert len(set(originals)) == len(originals)


def test_the_workbooks_carry_what_was_typed(home: Path, files: list[Submission]):
    sample = [file for file in files if not file.damage][:: len(files) // 20]
    for file in sample:
        unit = next(one for one in units_on(file.written_date) if one.unit_code == file.written_unit_code)
        form = form_of(directives()[0], unit, file.written_date)
        sheet = load_workbook(home / "inbox" / file_path(file))[REPORT_SHEET]
        assert {key: sheet[address].value for key, address in form.addresses.items()} == file.figures


def test_damaged_files_are_no_archives(home: Path, files: list[Submission]):
    damaged = [home / "inbox" / file_path(file) for file in files if file.damage]
    assert damaged
    assert not any(zipfile.is_zipfile(path) for path in damaged)


@pytest.mark.parametrize(
    "place", ["drop/sms/viettel/2020-08-18", "demo/portal/city_portal.jsonl", "demo/portal/faults.json"]
)
def test_the_other_channels_are_written_too(home: Path, place: str):
    assert (home / place).exists()


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("observations", "unit_code, measure_code, category_code, figure_date, known_at"),
        ("progress", "indicator_code, unit_code, report_date"),
        ("progress_at_close", "indicator_code, unit_code, report_date"),
        ("unit_report_status", "unit_code, report_date"),
        ("submissions", "path"),
        ("true_sms_daily", "report_date, operator_code, campaign_code"),
        ("true_sms_reach", "report_date, campaign_code"),
        ("true_portal_daily", "report_date, system_code, unit_code, procedure_code"),
    ],
)
def test_every_table_of_the_truth_has_rows_and_a_key(home: Path, table: str, key: str):
    path = home / "demo" / "truth" / f"{table}.parquet"
    rows, keys = duckdb.sql(f"select count(*), count(distinct ({key})) from '{path}'").fetchall()[0]
    assert rows == keys > 0


def test_figures_of_every_source_are_among_the_observations(home: Path):
    path = home / "demo" / "truth" / "observations.parquet"
    found = {code for (code,) in duckdb.sql(f"select distinct measure_code from '{path}'").fetchall()}
    assert found == {measure.code for measure in directives()[0].measures}


def test_the_close_knows_less_than_the_end(home: Path):
    truth = home / "demo" / "truth"
    end, close = truth / "progress.parquet", truth / "progress_at_close.parquet"
    assert duckdb.sql(f"from '{end}' except from '{close}'").fetchall()


def test_phone_numbers_are_listed_for_the_hunt_for_leaks(home: Path):
    numbers = set((home / "demo" / "truth" / "phone_numbers.txt").read_text().split())
    assert len(numbers) >= CITY.subscriber_count
    assert numbers >= typed_phone_numbers(simulate_reports(CITY)) > set()
    assert all(number.isdigit() and len(number) == 9 for number in numbers)
