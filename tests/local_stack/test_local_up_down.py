"""The whole stack with a real Airflow: up, kill, up again, down. One story, for each start costs seconds."""

import os
import shutil
import signal
import time

import httpx
import psutil
import pytest

from directive_etl.local_stack import keys, postgres, processes, services, stack
from directive_etl.local_stack.errors import StackError
from directive_etl.local_stack.places import Places

pytestmark = pytest.mark.slow

# A task that outlives the scheduler which started it.
DAG = """
from airflow.sdk import dag, task

@dag(schedule=None)
def waits():
    @task
    def wait():
        import time
        time.sleep(900)
    wait()

waits()
"""
PORTALS = ["sh", "-c", 'echo "reads $AIRFLOW_HOME"; exec sleep 600']


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    root = tmp_path_factory.mktemp("clone")
    (root / "include").symlink_to(Places.of_clone().root / "include")
    (root / "plugins").mkdir()
    (root / "dags").mkdir()
    (root / "dags" / "waits.py").write_text(DAG, encoding="utf-8")
    places = Places.of_clone(root)
    yield places
    stack.clean(places)
    shutil.rmtree(root)


def api(places, user, password) -> httpx.Client:
    client = httpx.Client(base_url=stack.web_login(places).address, trust_env=False, timeout=20)
    answer = client.post("/auth/token", json={"username": user, "password": password})
    answer.raise_for_status()
    client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return client


def the_dag(client: httpx.Client) -> dict:
    for _ in range(600):  # the processor may be healthy before it has read its first file
        if dags := client.get("/api/v2/dags").json()["dags"]:
            return dags[0]
        time.sleep(0.2)
    raise AssertionError("no DAG was found in 120 s")


def states(places) -> dict[str, str]:
    return {row.name: row.health for row in stack.status(places)}


def pids(places) -> dict[str, int | None]:
    return {row.name: row.pid for row in stack.status(places)}


HEALTHY = {
    "postgresql": "running",
    "portals": "running",
    "api-server": "running",
    "scheduler": "healthy",
    "dag-processor": "healthy",
    "triggerer": "healthy",
}


@pytest.mark.timeout(600)
def test_the_stack_comes_up_comes_back_after_kills_and_goes_down_whole(places):
    services.declare(places, "portals", PORTALS)
    login = stack.up(places)
    assert states(places) == HEALTHY
    assert f"reads {places.airflow_home}" in processes.log_tail(places, "portals")

    # The two logins work with their passwords, and only the administrator may start a DAG.
    viewer = api(places, "viewer", keys.load_or_create(places).web_viewer)
    admin = api(places, login.user, login.password)
    dag = the_dag(admin)
    assert (dag["dag_id"], dag["is_paused"]) == ("waits", False)
    run = {"logical_date": None}
    assert viewer.post("/api/v2/dags/waits/dagRuns", json=run).status_code == 403
    assert httpx.get(f"{login.address}/api/v2/dags", trust_env=False).status_code == 401
    assert admin.post("/api/v2/dags/waits/dagRuns", json=run).status_code == 200

    # Nothing of ours listens to other machines.
    addresses = {
        connection.laddr.ip
        for process in [*processes.of_this_stack(places), postgres.postmaster(places)]
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    }
    assert addresses == {"127.0.0.1"}

    # A second `up` changes nothing.
    before = pids(places)
    assert stack.up(places) == login
    assert pids(places) == before

    # A killed scheduler comes back, its orphans are gone, the others stay.
    os.kill(before["scheduler"], signal.SIGKILL)
    orphans = {process.pid for process in processes.of_this_stack(places, "scheduler")} - {
        before["scheduler"]
    }
    stack.up(places)
    after = pids(places)
    assert states(places) == HEALTHY
    assert {name for name in after if after[name] != before[name]} == {"scheduler"}
    assert not orphans & {process.pid for process in processes.of_this_stack(places)}

    # `down` leaves no process, task processes included.
    server = postgres.postmaster(places)
    stack.down(places)
    assert processes.of_this_stack(places) == []
    assert not processes.is_alive(server)
    assert set(pids(places).values()) == {None}


def test_no_log_of_the_stack_has_a_secret(places):
    secrets = [str(secret) for secret in vars(keys.load_or_create(places)).values()]
    logs = [*places.logs.glob("*.log"), *places.airflow_home.rglob("*.log"), places.pgdata / "server.log"]
    texts = [log.read_text(encoding="utf-8", errors="replace") for log in logs if log.is_file()]
    assert texts
    assert not [secret for secret in secrets for text in texts if secret in text]


def test_a_second_command_at_the_same_time_is_refused(places):
    with stack._alone(places), pytest.raises(StackError, match="another command"):
        stack.down(places)
