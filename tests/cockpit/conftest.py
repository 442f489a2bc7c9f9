"""A warehouse with two days of figures, refused files and hostile texts, for tests or for a running Airflow."""

import hashlib
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pandas as pd
import psutil
import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from tests.alerts.sinks import Sinks, sinks
from tests.cockpit.browsing import ARGUMENTS, CHROMIUM, PATIENCE, log_in, watched_page

from directive_etl.airflow_connections import airflow_connections
from directive_etl.cockpit import cockpit_app
from directive_etl.landing import LandedFile
from directive_etl.local_stack import airflow, airflow_settings, keys, ports, processes, settings_file, stack
from directive_etl.local_stack.places import Places
from directive_etl.progress.close import close_day
from directive_etl.quality import RowAccount, refused_frame
from directive_etl.quality.results import CheckResult, masked_details
from directive_etl.registry.directive import directives
from directive_etl.registry.obligations import expected_report, owed_figures
from directive_etl.registry.operators import operators
from directive_etl.registry.systems import systems
from directive_etl.registry.units import Unit, units_on
from directive_etl.settings import settings
from directive_etl.warehouse.engine import engine_for, loader_engine
from directive_etl.warehouse.ledger import Batch, write_batch, write_batches
from directive_etl.warehouse.observations import record_batches
from directive_etl.warehouse.tables import facts, ops

FIRST, DAY = date(2020, 8, 19), date(2020, 8, 20)
DIRECTIVE = directives()[0].code
SILENT, REFUSED = "SXD", "SNV"
HOSTILE = '<img src=x onerror="document.title=1">{{7*7}}'
FORMULA = '=HYPERLINK("http://127.0.0.1:9/","x")'


def landed(source: str, part: str, day: date, origin: str) -> LandedFile:
    sha256 = hashlib.sha256(f"{source}{part}{day}{origin}".encode()).hexdigest()
    return LandedFile(
        sha256,
        Path("x"),
        source,
        part,
        day,
        origin,
        datetime(day.year, day.month, day.day, 5, tzinfo=UTC),
        10,
    )


def fill(engine: sa.Engine, owner: sa.Engine, reports: Path) -> None:
    """Two days: every unit but two reported; one file was refused; one operator is missing on the second day."""
    for day in (FIRST, DAY):
        load_reports(engine, [unit for unit in units_on(day) if has_reported(unit, day)], day)
        for operator in operators():
            if day == FIRST or operator.operator_code != "viettel":
                load_counts(engine, "sms_log", operator.operator_code, day)
        for system in systems():
            load_counts(engine, "service_portal", system.system_code, day)
    refuse_report(engine)
    with owner.begin() as connection:
        connection.exec_driver_sql("analyze")  # as autovacuum does in a warehouse that lives longer
    for day in (FIRST, DAY):
        close_day(engine, day, reports)


def has_reported(unit: Unit, day: date) -> bool:
    if expected_report(directives()[0], unit, day) is None:
        return False
    if day == DAY:
        return unit.unit_code not in (SILENT, REFUSED)
    # On the first day only the wards of one district: they cost most of the time and show nothing more.
    return unit.unit_type != "xa_phuong" or unit.parent_unit_code == "UBND-916"


def load_reports(engine: sa.Engine, units: Sequence[Unit], day: date) -> None:
    """Every unit says 50 for all it owes; in one transaction, as one for each takes twenty times as long."""
    batches, frames = [], []
    for unit in units:
        file = landed("unit_report", unit.unit_code, day, f"{unit.unit_code}.xlsx")
        owed = owed_figures(directives()[0], unit, day)
        said = [
            {"measure_code": one.measure.code, "category_code": one.category_code or "", "value": 50}
            for one in owed
        ]
        frames.append(
            pd.DataFrame(said).assign(
                unit_code=unit.unit_code, figure_date=day, obs_status="A", known_at=file.known_at
            )
        )
        account = RowAccount(read=len(owed), loaded=len(owed))
        batches.append(Batch("unit_report", unit.unit_code, day, file.known_at, account, files=[file]))

    def load(batch_ids: Sequence[int]) -> Mapping[int, int]:
        numbered = [
            frame.assign(batch_id=batch_id) for frame, batch_id in zip(frames, batch_ids, strict=True)
        ]
        return record_batches(connection, pd.concat(numbered), source_code="unit_report")

    with engine.begin() as connection:
        write_batches(connection, batches, load)


def offending() -> dict[str, object]:
    """A result as Great Expectations gives it, about what may be a person's, masked as before it is kept."""
    config = {
        "type": "expect_column_values_to_not_be_null",
        "kwargs": {"column": "unit_code", "batch_id": "x"},
    }
    found = {"element_count": 100, "unexpected_count": 2, "partial_unexpected_list": ["84901234567", HOSTILE]}
    return masked_details({"success": False, "expectation_config": config, "result": found})


def hold_batch(engine: sa.Engine) -> int:
    """A batch of the operator that is missing on the second day, held back by a critical check; returns its number."""
    file = landed("sms_log", "viettel", DAY, "held.log")
    batch = Batch(
        "sms_log",
        "viettel",
        DAY,
        file.known_at,
        RowAccount(read=40, loaded=0, refused=40),
        files=[file],
        checks=[CheckResult("most_rows_usable", "critical", "", False, HOSTILE, 40, "too many")],
        suite_name="core.daily_sms",
        status_code="refused",
        reason="most rows were refused",
    )
    with engine.begin() as connection:
        write_batch(connection, batch)
        return int(connection.execute(sa.text("select max(batch_id) from ops.load_batch")).scalar_one())


def load_counts(engine: sa.Engine, source: str, part: str, day: date) -> None:
    file = landed(source, part, day, f"{part}.csv")
    checks = [
        CheckResult("expect_column_values_to_be_between", "warning", HOSTILE, False, "1 to 9", 3, "unusual"),
        CheckResult("expect_table_row_count_to_be_between", "critical", "", True, "9", 0, "needed"),
        CheckResult(
            "expect_column_values_to_not_be_null", "warning", "unit_code", False, "", 2, "", offending()
        ),
    ]
    batch = Batch(
        source,
        part,
        day,
        file.known_at,
        RowAccount(read=100, loaded=97, refused=2, duplicate=1),
        files=[file],
        refused=refused_frame(
            {
                "sha256": file.sha256,
                "place": f"line {n}",
                "reason_code": "unreadable",
                "reason": HOSTILE,
                "content": FORMULA,
            }
            for n in (1, 2)
        ),
        checks=checks,
        suite_name=f"core.{source}",
    )
    with engine.begin() as connection:
        write_batch(connection, batch)


def refuse_report(engine: sa.Engine) -> None:
    file = landed("unit_report", REFUSED, DAY, HOSTILE)
    batch = Batch(
        "unit_report",
        REFUSED,
        DAY,
        file.known_at,
        RowAccount(read=4, loaded=0, refused=4),
        files=[file],
        refused=refused_frame(
            [
                {
                    "sha256": file.sha256,
                    "place": "sheet 'A' cell C3",
                    "reason_code": "negative",
                    "reason": HOSTILE,
                    "content": FORMULA,
                }
            ]
        ),
        status_code="refused",
        reason=f"{HOSTILE} is no number",
        error_count=1,
    )
    with engine.begin() as connection:
        write_batch(connection, batch)


def answer_file(outbox: Path) -> str:
    """Put the answer to the refused file where the pipeline puts it; returns its name."""
    name = f"{DAY}-{landed('unit_report', REFUSED, DAY, HOSTILE).sha256[:8]}-tra-lai.xlsx"
    (outbox / REFUSED).mkdir(parents=True, exist_ok=True)
    (outbox / REFUSED / name).write_bytes(b"returned")
    return name


@pytest.fixture(scope="module")
def filled(
    tmp_path_factory: pytest.TempPathFactory, warehouse_settings: dict[str, str], owner_engine: sa.Engine
) -> Iterator[sa.Engine]:
    """The settings of this process point to an outbox and a warehouse as `fill` leaves them; returns its engine."""
    folder = tmp_path_factory.mktemp("cockpit")
    names = [
        table.fullname
        for part in (facts, ops)
        for table in vars(part).values()
        if isinstance(table, sa.Table)
    ]
    with owner_engine.begin() as connection:
        connection.exec_driver_sql(f"truncate {', '.join(names)} restart identity cascade")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in warehouse_settings.items():
            if name.startswith("DIRECTIVE_ETL_") and name.endswith("_URL"):
                patch.setenv(name, value)
        patch.setenv("DIRECTIVE_ETL_OUTBOX", str(folder / "outbox"))
        patch.chdir(folder)
        settings.cache_clear()
        engine_for.cache_clear()
        fill(loader_engine(), owner_engine, folder / "reports")
        answer_file(folder / "outbox")
        yield loader_engine()
    settings.cache_clear()
    engine_for.cache_clear()


@pytest.fixture
def client(filled: sa.Engine) -> TestClient:
    """The application as an operator sees it."""
    return TestClient(cockpit_app(lambda: None, lambda: True, airflow_connections()))


@dataclass
class Running:
    """A running Airflow with the plugin, and logged-in clients by name of user."""

    places: Places
    address: str
    passwords: dict[str, str]
    told: Sinks
    engine: sa.Engine
    environment: dict[str, str]

    @property
    def migration_url(self) -> str:
        return self.environment["DIRECTIVE_ETL_MIGRATION_URL"]

    def client(self, user: str | None) -> httpx.Client:
        client = httpx.Client(base_url=self.address, trust_env=False, timeout=PATIENCE)
        if user:
            answer = client.post("/auth/token", json={"username": user, "password": self.passwords[user]})
            client.headers["Authorization"] = f"Bearer {answer.raise_for_status().json()['access_token']}"
        return client

    def wait_for_dag(self, dag_id: str) -> None:
        """Wait until the dag processor has read a DAG."""
        client, deadline = self.client("admin"), time.monotonic() + PATIENCE
        while client.get(f"/api/v2/dags/{dag_id}").status_code != 200:
            assert time.monotonic() < deadline, f"{dag_id} was not read"
            time.sleep(0.3)


# The real deadline of daily_close is half an hour; its callback and reference, with a second.
LATE_CLOSE = """
import time
from datetime import timedelta
from airflow.sdk import dag, task
from airflow.sdk.definitions.deadline import DeadlineAlert
from directive_etl.airflow_adapter import CLOSED_IN_TIME, ONE_DAY_PER_RUN, daily_at

SOON = DeadlineAlert(CLOSED_IN_TIME.reference, timedelta(seconds=1), CLOSED_IN_TIME.callback)

@dag(schedule=daily_at(8), deadline=SOON, **ONE_DAY_PER_RUN)
def late_close():
    @task
    def wait():
        time.sleep(20)
    wait()

late_close()
"""


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The local stack of a clone of its own, with the real plugin and DAGs, a scheduler, and somebody to tell."""
    root = tmp_path_factory.mktemp("clone")
    for name in ("include", "plugins"):
        (root / name).symlink_to(Places.of_clone().root / name)
    (root / "dags").mkdir()
    for file in (Places.of_clone().root / "dags").glob("*.py"):
        (root / "dags" / file.name).symlink_to(file)
    (root / "dags" / "late_close.py").write_text(LATE_CLOSE)
    places = Places.of_clone(root)
    with sinks() as told:
        try:
            # Nothing is scheduled after the filled days.
            settings_file.add_settings(
                places, {**told.settings(), "DIRECTIVE_ETL_LAST_DAY": str(DAY - timedelta(days=1))}
            )
            stack.prepare(places)
            port = ports.free_and_remembered(places, "web")
            secret = keys.load_or_create(places)
            airflow_settings.write_web_passwords(places, secret)
            environment = settings_file.environment(places)
            parts = {part.name: part for part in airflow.parts()}
            # They take their time to start, and look at no figure meanwhile; the triggerer is not needed.
            for name in (airflow.API_SERVER, "dag-processor"):
                processes.start(places, parts[name], environment)
            engine, owner = (
                sa.create_engine(environment[f"DIRECTIVE_ETL_{role}_URL"])
                for role in ("WAREHOUSE", "MIGRATION")
            )
            fill(engine, owner, places.reports)
            answer_file(places.outbox)
            processes.start(places, parts["scheduler"], environment)
            deadline = time.monotonic() + airflow.HEALTHY_SECONDS
            while not airflow.health(port):
                assert time.monotonic() < deadline, "Airflow does not answer"
                time.sleep(0.3)
            passwords = {"admin": secret.web_admin, "viewer": secret.web_viewer}
            yield Running(
                places,
                airflow_settings.web_address(port),
                passwords,
                told,
                engine,
                environment,
            )
            engine.dispose()
            owner.dispose()
        finally:
            # Nothing of it is kept, so nothing is gained by a clean stop, which waits for Airflow's executor.
            for process in processes.of_this_stack(places):
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            stack.clean(places)
            shutil.rmtree(root)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=ARGUMENTS, timeout=PATIENCE * 1000
        )
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def operator(browser: Browser, running: Running) -> Iterator[BrowserContext]:
    context = log_in(browser, running, "admin")
    yield context
    context.close()


@pytest.fixture
def page(operator: BrowserContext, running: Running) -> Iterator[Page]:
    """A page that may say no error, and ask no other host."""
    with watched_page(operator, running.address) as page:
        yield page
