"""make demo: the demo city's sources, 14 days through the real scheduler, and what came of them."""

import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import sqlalchemy as sa

from directive_etl.demo_city.city import City
from directive_etl.demo_city.portal_server import connections
from directive_etl.local_stack import ports, services, settings_file, stack
from directive_etl.local_stack.airflow_api import AirflowApi
from directive_etl.local_stack.errors import StackError
from directive_etl.local_stack.places import Places
from directive_etl.periods import days_between
from directive_etl.progress.table import city_progress_table

DAGS = ("sms_log", "service_portal", "unit_report", "directive_progress", "daily_close", "warehouse_care")
RUN_SECONDS = 900.0
PORTALS = "portals"


def main(arguments: list[str]) -> int:
    """Build what is missing, run what has not run, print progress and addresses; the stack stays up.

    Raises:
        StackError: a part of the stack fails, or the runs do not end.
    """
    if arguments:
        raise StackError(f"demo takes no arguments, not {' '.join(arguments)}")
    started = time.monotonic()
    places = Places.of_clone()
    city = City()
    days = days_between(city.first_day, city.last_day)
    login = start_city(places, city)
    _say(f"[{time.monotonic() - started:4.0f} s] the stack is up: {login.address}")
    api = AirflowApi(login)
    run_days(api, days[0], days[-1])
    failed = api.failed_runs(DAGS)
    _say(f"[{time.monotonic() - started:4.0f} s] 14 days have run\n")

    reader_url = settings_file.environment(places)["DIRECTIVE_ETL_READER_URL"]
    _say(city_progress_table(sa.create_engine(reader_url)))
    _say(f"\nAirflow    {login.address}   user {login.user}, password {login.password}")
    _say(f"Warehouse  {reader_url.replace('+psycopg', '')}")
    _say("           (role reporting_reader; psql takes this address; views are in the schema reporting)")
    _say("`make down` stops the stack, `make up` starts it again.")
    if failed:
        _say("Failed runs, each with its reason in its log:\n  " + "\n  ".join(failed))
    return 1 if failed else 0


def start_city(places: Places, city: City) -> stack.WebLogin:
    """Write the city's files unless they are there, and start the stack with its portals.

    Raises:
        StackError: a part does not start, or the city could not be written.
    """
    _configure(places, city.last_day)
    return _start(places)


def run_days(api: AirflowApi, first: date, last: date) -> None:
    """Run every source for each day through the scheduler, then close each day.

    Raises:
        StackError: the runs do not end in time.
    """
    start_sources(api, first, last)
    finish_days(api, first, last)


def start_sources(api: AirflowApi, first: date, last: date) -> None:
    """Ask the scheduler to run every source for each day; returns at once."""
    api.wait_for_dags(DAGS)
    for dag_id in ("sms_log", "service_portal"):
        api.backfill(dag_id, first, last)
    api.trigger("unit_report")


def finish_days(api: AirflowApi, first: date, last: date) -> None:
    """Wait for the sources of each day and their progress, then close each day.

    Raises:
        StackError: the runs do not end in time.
    """
    keys = [str(day) for day in days_between(first, last)]
    for dag_id in ("sms_log", "service_portal"):
        api.wait_for_partitions(dag_id, keys, RUN_SECONDS)
    api.wait_until_idle(["unit_report"], RUN_SECONDS)
    api.wait_for_partitions("directive_progress", keys, RUN_SECONDS)
    api.backfill("daily_close", first, last)
    api.wait_for_partitions("daily_close", keys, RUN_SECONDS)
    api.wait_until_idle(DAGS, RUN_SECONDS)


def _configure(places: Places, last_day: date) -> None:
    """Declare the portals' server, and tell the pipeline where they answer and that the city ends."""
    port = ports.remembered(places, PORTALS)
    argv = [
        sys.executable,
        "-m",
        "directive_etl.demo_city",
        "serve",
        "--home",
        str(places.local),
        "--port",
        str(port),
    ]
    services.declare(places, PORTALS, argv)
    demo = places.local / "demo"
    demo.mkdir(parents=True, exist_ok=True)
    settings_file.add_settings(
        places,
        {
            "DIRECTIVE_ETL_SYSTEM_CONNECTIONS": settings_file.json_setting(
                connections(demo, f"http://127.0.0.1:{port}")
            ),
            "DIRECTIVE_ETL_LAST_DAY": str(last_day),
        },
    )


def _start(places: Places) -> stack.WebLogin:
    """Write the city's files while the databases are prepared; the scheduler starts when both are done."""
    done = places.local / "demo" / "built"
    building = None if done.exists() else _start_build(places)
    stack.prepare(places)
    if building is not None:
        if building.wait() != 0:
            raise StackError("the demo city could not be written; what it said is above")
        done.touch()
    return stack.up(places, is_prepared=True)


def _start_build(places: Places) -> "subprocess.Popen[bytes]":
    _say("writing the demo city: logs, dossiers, workbooks of 14 days")
    places.create()
    argv = [sys.executable, "-m", "directive_etl.demo_city", "build", "--home", str(places.local)]
    return subprocess.Popen(
        argv, cwd=places.root, env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path("include"))}
    )


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
