"""Start, stop and look at the whole stack of one clone."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from directive_etl.local_stack import (
    airflow,
    airflow_settings,
    keys,
    ports,
    postgres,
    processes,
    services,
    settings_file,
)
from directive_etl.local_stack.errors import StackError
from directive_etl.local_stack.places import Places
from directive_etl.local_stack.processes import Part


@dataclass(frozen=True)
class PartStatus:
    """One line of `status`.

    Attributes:
        name: of the part.
        pid: None when it is not running.
        health: what Airflow says of it, or running or stopped.
        address: where it can be reached, or empty.
    """

    name: str
    pid: int | None
    health: str
    address: str = ""


@dataclass(frozen=True)
class WebLogin:
    """Airflow's address and its administrator's login."""

    address: str
    user: str
    password: str


def up(places: Places, *, is_prepared: bool = False) -> WebLogin:
    """Start every part that does not run, restart those whose settings changed, wait until all are healthy.

    Args:
        places: of the clone.
        is_prepared: `prepare` has just run, so that nothing is left to migrate.

    Raises:
        StackError: something does not start; what runs by then goes on running.
    """
    places.create()
    with _alone(places):
        postgres.start(places)
        settings = _settings(places)
        if not is_prepared:
            airflow.migrate(places, settings)
        parts = _parts(places)
        now = datetime.now(UTC)
        started = [part.name for part in parts if _make_run(places, part, settings)]
        _stop_undeclared(places, parts)
        names = [part.name for part in parts]
        airflow.wait_until_healthy(places, ports.remembered(places, "web"), names, now if started else None)
    return web_login(places)


def prepare(places: Places) -> None:
    """Start PostgreSQL and migrate both databases: the part of `up` that other work can go on beside.

    Raises:
        StackError: PostgreSQL does not start, or a migration fails.
    """
    places.create()
    with _alone(places):
        postgres.start(places)
        airflow.migrate(places, _settings(places))


def down(places: Places) -> None:
    """Stop everything this clone started, PostgreSQL last.

    Raises:
        StackError: something does not stop.
    """
    if not places.local.exists():
        return
    with _alone(places):
        processes.stop(places)
        postgres.stop(places)


def clean(places: Places) -> None:
    """Stop everything and delete all local state.

    Raises:
        StackError: something does not stop; nothing is deleted then.
    """
    down(places)
    if places.local.exists():
        postgres.remove(places)
        shutil.rmtree(places.local)


def status(places: Places) -> list[PartStatus]:
    """Return every part with its state."""
    web_port = ports.remembered(places, "web")
    health = airflow.health(web_port)
    names = {"scheduler": "scheduler", "dag-processor": "dag_processor", "triggerer": "triggerer"}
    server = postgres.postmaster(places)
    rows = [
        PartStatus(
            "postgresql",
            server.pid if server else None,
            "running" if server else "stopped",
            f"127.0.0.1:{ports.remembered(places, 'postgres')}" if server else "",
        )
    ]
    for part in _parts(places):
        process = processes.find(places, part.name)
        if process is None:
            rows.append(PartStatus(part.name, None, "stopped"))
            continue
        address = airflow_settings.web_address(web_port) if part.name == airflow.API_SERVER else ""
        said = health.get(names.get(part.name, ""))
        rows.append(PartStatus(part.name, process.pid, said.status if said else "running", address))
    return rows


def web_login(places: Places) -> WebLogin:
    """Return the administrator's login to Airflow's pages."""
    address = airflow_settings.web_address(ports.remembered(places, "web"))
    return WebLogin(address, "admin", keys.load_or_create(places).web_admin)


def _parts(places: Places) -> list[Part]:
    # Services first: what a DAG reads should be there when the scheduler starts its first run.
    return [*services.declared(places), *airflow.parts()]


def _settings(places: Places) -> dict[str, str]:
    """Write `.local/env` and Airflow's passwords for the ports that are in use from now on."""
    if processes.find(places, airflow.API_SERVER) is None:
        processes.stop(places, airflow.API_SERVER)  # a child that outlived it may hold the port
        ports.free_and_remembered(places, "web")
    airflow_settings.write_web_passwords(places, keys.load_or_create(places))
    settings_file.write_env(places)
    return settings_file.environment(places)


def _make_run(places: Places, part: Part, settings: dict[str, str]) -> bool:
    """Start the part unless it runs with these settings; say whether it was started."""
    is_running = processes.find(places, part.name) is not None
    if is_running and processes.is_started_with(places, part, settings):
        return False
    processes.stop(places, part.name)  # with its orphans: a killed scheduler leaves its task processes
    processes.start(places, part, settings)
    return True


def _stop_undeclared(places: Places, parts: list[Part]) -> None:
    for name in processes.recorded(places) - {part.name for part in parts}:
        processes.stop(places, name)


@contextmanager
def _alone(places: Places) -> Iterator[None]:
    """Keep a second `up` or `down` of this clone from working at the same time.

    Raises:
        StackError: one is at work.
    """
    lock = os.open(places.local / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackError("another command starts or stops this stack; wait for its end") from None
        yield
    finally:
        os.close(lock)
