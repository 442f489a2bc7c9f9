"""Airflow's processes on one machine: database migration, the four components, their health."""

import importlib.metadata
import importlib.util
import json
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from directive_etl.local_stack import airflow_settings, postgres, processes
from directive_etl.local_stack.errors import StackError
from directive_etl.local_stack.places import Places
from directive_etl.local_stack.private_files import read_json, write_private_json
from directive_etl.local_stack.processes import Part

API_SERVER = "api-server"
HEALTHY_SECONDS = 120.0


@dataclass(frozen=True)
class Health:
    """What the API server says of a component.

    Attributes:
        status: healthy, unhealthy or unknown.
        heartbeat: time of the last one; None for the metadata database, which has none.
    """

    status: str
    heartbeat: str | None

    def is_healthy(self, since: datetime | None) -> bool:
        """Say whether the component is healthy, by a heartbeat not older than `since`."""
        if self.status != "healthy" or since is None or self.heartbeat is None:
            return self.status == "healthy"
        return datetime.fromisoformat(self.heartbeat) >= since


def parts() -> list[Part]:
    """Return Airflow's four components."""
    # --skip-serve-logs: the log servers listen on all interfaces, and the API server reads the files itself.
    return [
        Part(API_SERVER, airflow_settings.command("api-server")),
        Part("scheduler", airflow_settings.command("scheduler", "--skip-serve-logs")),
        Part("dag-processor", airflow_settings.command("dag-processor")),
        Part("triggerer", airflow_settings.command("triggerer", "--skip-serve-logs")),
    ]


def migrate(places: Places, settings: Mapping[str, str]) -> None:
    """Bring Airflow's database and the warehouse to the installed version, both at the same time.

    Raises:
        StackError: one of the two failed; its log has the rest.
    """
    running: dict[str, Sequence[str]] = {}
    if not _is_migrated(places):
        running["airflow-migrate"] = airflow_settings.command("db", "migrate")
    if (command := warehouse_migration()) is not None:
        running["warehouse-migrate"] = command
    started = {
        name: processes.start(places, Part(name, command), settings) for name, command in running.items()
    }
    for name, process in started.items():
        if process.wait() != 0:
            tail = processes.log_tail(places, name)
            raise StackError(f"{' '.join(running[name][1:])} failed:\n{tail}")
    if "airflow-migrate" in started:
        write_private_json(places.airflow_home / "migrated.json", _migration_state(places))


def warehouse_migration() -> Sequence[str] | None:
    """Return the command that migrates the warehouse, or None where the package has no commands yet."""
    if importlib.util.find_spec("directive_etl.__main__") is None:
        return None
    return [sys.executable, "-m", "directive_etl", "migrate"]


def _is_migrated(places: Places) -> bool:
    """Say whether nothing changed since the last migration: to ask Airflow itself takes 3 s."""
    return bool(read_json(places.airflow_home / "migrated.json") == _migration_state(places))


def _migration_state(places: Places) -> dict[str, str]:
    exists = postgres.query(places, "airflow", "SELECT to_regclass('alembic_version') IS NOT NULL") == "t"
    return {
        "airflow": importlib.metadata.version("apache-airflow"),
        "revision": postgres.query(places, "airflow", "SELECT version_num FROM alembic_version")
        if exists
        else "",
    }


def health(port: int) -> dict[str, Health]:
    """Return what the API server says of each component; empty while it does not answer."""
    address = f"{airflow_settings.web_address(port)}/api/v2/monitor/health"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(address, timeout=5) as response:
            answer = json.load(response)
    except (OSError, ValueError):
        return {}
    return {
        name: Health(part["status"] or "unknown", part.get(f"latest_{name}_heartbeat"))
        for name, part in answer.items()
        if part is not None
    }


def wait_until_healthy(places: Places, port: int, names: Sequence[str], since: datetime | None) -> None:
    """Wait until every component of Airflow says so.

    Args:
        places: of the clone.
        port: Airflow's.
        names: the parts that have to be alive.
        since: a component was started at this time; the heartbeat of a dead predecessor, which counts as
            healthy for 30 s, is no sign of life. None when nothing was started.

    Raises:
        StackError: a part ended, or the time is up.
    """
    deadline = time.monotonic() + HEALTHY_SECONDS
    components: dict[str, Health] = {}
    while time.monotonic() < deadline:
        for name in names:
            if processes.find(places, name) is None:
                raise StackError(f"{name} ended at once:\n{processes.log_tail(places, name)}")
        components = health(port)
        if components and all(component.is_healthy(since) for component in components.values()):
            return
        time.sleep(0.3)
    said = {name: component.status for name, component in components.items()} or "no answer"
    raise StackError(f"not healthy after {HEALTHY_SECONDS:.0f} s: {said}; see {places.logs}")
