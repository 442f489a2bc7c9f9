"""One run of the whole demo city through the real scheduler, killed in the middle; every test here looks at it."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import pandas as pd
import psutil
import pytest
import sqlalchemy as sa

from directive_etl.demo_city.city import City
from directive_etl.local_stack import demo, processes, settings_file, stack
from directive_etl.local_stack.airflow_api import AirflowApi
from directive_etl.local_stack.places import Places

FIRST_SUCCESSES = (
    12  # task runs after which the scheduler is killed: some days are done, some at work, most to come
)


@dataclass(frozen=True)
class RunCity:
    """The stack after its 14 days.

    Attributes:
        places: where everything lies.
        api: of its Airflow.
        settings: of its processes.
        killed_after: how many DAG runs had succeeded when the scheduler was killed.
    """

    places: Places
    api: AirflowApi
    settings: dict[str, str]
    killed_after: int

    def engine(self, role: str) -> sa.Engine:
        return sa.create_engine(self.settings[f"DIRECTIVE_ETL_{role}_URL"])

    def query(self, sql: str, **parameters: object) -> pd.DataFrame:
        """Ask the warehouse as its owner."""
        with self.engine("MIGRATION").connect() as connection:
            rows = connection.execute(sa.text(sql), parameters)
            return pd.DataFrame(rows.fetchall(), columns=list(rows.keys()), dtype=object)

    def truth(self, name: str) -> pd.DataFrame:
        return (
            duckdb.sql(f"select * from '{self.places.local}/demo/truth/{name}.parquet'").df().astype(object)
        )


@pytest.fixture(scope="module")  # its Airflow stops with the last test that looks at it
def run_city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunCity]:
    """Run the 14 days; kill -9 the scheduler on the way and start it again."""
    city = City()
    places = Places(root=Places.of_clone().root, local=tmp_path_factory.mktemp("city") / ".local")
    try:
        api = AirflowApi(demo.start_city(places, city))
        demo.start_sources(api, city.first_day, city.last_day)
        killed_after = _kill_scheduler_in_the_middle(places, api)
        stack.up(places)
        demo.finish_days(api, city.first_day, city.last_day)
        yield RunCity(places, api, settings_file.environment(places), killed_after)
    finally:
        stack.clean(places)


def _kill_scheduler_in_the_middle(places: Places, api: AirflowApi) -> int:
    def count_successes() -> int:
        return sum(
            run["state"] == "success" for dag_id in ("sms_log", "service_portal") for run in api.runs(dag_id)
        )

    deadline = time.monotonic() + 900
    while (done := count_successes()) < FIRST_SUCCESSES and time.monotonic() < deadline:
        time.sleep(1)
    scheduler = processes.find(places, "scheduler")
    assert isinstance(scheduler, psutil.Process)
    os.kill(scheduler.pid, signal.SIGKILL)
    return done
