"""A small city of two days, its portals on loopback, and a process that runs pipeline steps under any wall clock."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pytest
import sqlalchemy as sa
from tests.pipeline.steps import Step, start

from directive_etl.demo_city.build import build
from directive_etl.demo_city.city import City
from directive_etl.demo_city.portal_server import connections
from directive_etl.local_stack import ports
from directive_etl.registry.units import units_on

INCLUDE = Path(__file__).parents[2] / "include"
DAYS = (date(2020, 8, 18), date(2020, 8, 19))
LONG_AFTER = "2020-09-02T09:00:00+07:00"
Run = Callable[..., str]


@pytest.fixture(scope="session")
def small_city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a small city: 12 units of every type, 2,000 subscribers, 400 dossiers."""
    home = tmp_path_factory.mktemp("small-city")
    units = sorted(units_on(DAYS[0]), key=lambda unit: (unit.unit_type, unit.unit_code))
    chosen = frozenset(unit.unit_code for unit in units[::12]) | {"STTTT", "UBND-916", "31117"}
    build(home, City(seed=5, first_day=DAYS[0], last_day=DAYS[1], unit_codes=chosen, subscriber_count=2_000,
                     dossier_count=400), workers=1)  # fmt: skip
    return home


@pytest.fixture
def city(places: Path, small_city: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The small city as the sources of an empty warehouse; returns the folder with drop, inbox and outbox."""
    for folder in ("drop", "inbox"):
        (places / folder).rmdir()
        (places / folder).symlink_to(small_city / folder)
    port = ports.find_free()
    argv = [
        sys.executable,
        "-m",
        "directive_etl.demo_city",
        "serve",
        "--home",
        str(small_city),
        "--port",
        str(port),
    ]
    server = subprocess.Popen(argv, env=environment())
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        reached = connections(small_city / "demo", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("DIRECTIVE_ETL_SYSTEM_CONNECTIONS", json.dumps(reached))
        yield places
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def run(city: Path) -> Run:
    """Run steps `(source, day)` in a process of their own, whose clock shows the given moment; returns its errors."""

    def run_steps(steps: list[Step], clock: str = LONG_AFTER, check: bool = True) -> str:
        errors = city / "errors.txt"
        process = start(dict(os.environ), city, clock, steps, errors)
        process.join()
        assert not check or process.exitcode == 0, errors.read_text()[-3000:]
        return errors.read_text()

    return run_steps


def environment() -> dict[str, str]:
    """The environment of this process, with the package where the child, working elsewhere, finds it."""
    return {**os.environ, "PYTHONPATH": str(INCLUDE)}


def truth(home: Path, name: str) -> pd.DataFrame:
    return duckdb.sql(f"select * from '{home}/demo/truth/{name}.parquet'").df().astype(object)


def content(engine: sa.Engine) -> dict[str, str]:
    """The content of core and reporting, without the times at which the warehouse wrote, and without batch numbers."""
    with engine.connect() as connection:
        query = sa.text("select schemaname, tablename from pg_tables where schemaname = 'core'")
        hashes = {}
        for schema, table in connection.execute(query).all():
            rows = sa.text(
                "select md5(coalesce(string_agg(r, '|' order by r), '')) from (select (to_jsonb(t) - 'batch_id'"
                " - 'recorded_at' - 'superseded_at' - 'observation_id')::text as r"
                f" from {schema}.{table} t) x"
            )
            hashes[f"{schema}.{table}"] = str(connection.execute(rows).scalar())
    return hashes


def empty(engine: sa.Engine) -> None:
    """Take out every figure and batch; what is declared stays."""
    with engine.begin() as connection:
        for table in content(engine):
            if table.startswith(
                ("core.daily_", "core.observation", "core.portal_dossier", "core.portal_pull")
            ):
                connection.exec_driver_sql(f"truncate {table}")
        connection.exec_driver_sql(
            "truncate core.unit_figure, core.sms_reach, ops.load_batch, ops.refused_row, ops.publication cascade"
        )
