"""Real processes: found again, told from strangers, stopped with everything they started."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest

from directive_etl.local_stack import processes
from directive_etl.local_stack.places import Places
from directive_etl.local_stack.processes import Part

SLEEP = Part("sleeper", ["sleep", "60"])
# A parent with a child in a process group of its own, as Airflow's task processes are.
FAMILY = Part(
    "family",
    [sys.executable, "-c", "import subprocess as s; s.Popen(['sleep', '61'], process_group=0).wait()"],
)
STUBBORN = Part("stubborn", ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"])


@pytest.fixture
def places(tmp_path):
    places = Places(root=tmp_path, local=tmp_path / ".local")
    places.create()
    yield places
    for process in processes.of_this_stack(places):
        process.kill()


def wait_for(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def test_a_started_part_is_found_again(places):
    started = processes.start(places, SLEEP, {})
    found = processes.find(places, "sleeper")
    assert found is not None
    assert found.pid == started.pid


def test_a_killed_part_is_not_running(places):
    processes.start(places, SLEEP, {}).kill()
    wait_for(lambda: processes.find(places, "sleeper") is None)


def test_a_stranger_with_the_remembered_process_id_is_not_taken_for_the_part(places):
    with subprocess.Popen(["sleep", "60"]) as stranger:
        born = psutil.Process(stranger.pid).create_time()
        record = {"pid": stranger.pid, "started": born, "digest": ""}
        (places.run / "sleeper.json").write_text(json.dumps(record), encoding="utf-8")
        assert processes.find(places, "sleeper") is None
        processes.stop(places)
        assert stranger.poll() is None
        stranger.kill()


def test_a_copied_clone_does_not_take_the_processes_of_the_original_for_its_own(places, tmp_path):
    started = processes.start(places, SLEEP, {})
    copy = Places(root=tmp_path / "copy", local=tmp_path / "copy" / ".local")
    shutil.copytree(places.local, copy.local)
    assert processes.find(copy, "sleeper") is None
    processes.stop(copy)
    assert started.poll() is None


def test_stopping_a_part_stops_its_children_in_other_process_groups(places):
    processes.start(places, FAMILY, {})
    wait_for(lambda: len(processes.of_this_stack(places)) == 2)
    processes.stop(places, "family")
    assert processes.of_this_stack(places) == []


def test_the_orphans_of_a_killed_part_are_found_and_stopped(places):
    parent = processes.start(places, FAMILY, {})
    wait_for(lambda: len(processes.of_this_stack(places)) == 2)
    parent.kill()
    parent.wait()
    assert processes.find(places, "family") is None
    assert len(processes.of_this_stack(places, "family")) == 1
    processes.stop(places, "family")
    assert processes.of_this_stack(places) == []


def test_a_process_that_ignores_sigterm_is_killed(places, monkeypatch):
    monkeypatch.setattr(processes, "TERM_SECONDS", 0.5)
    processes.start(places, STUBBORN, {})
    wait_for(lambda: "ready" in processes.log_tail(places, "stubborn"))
    processes.stop(places)
    assert processes.of_this_stack(places) == []


def test_stopping_one_part_leaves_the_others(places):
    processes.start(places, SLEEP, {})
    processes.start(places, FAMILY, {})
    processes.stop(places, "family")
    assert processes.find(places, "sleeper") is not None


def test_a_part_survives_the_interrupt_of_the_terminal_it_was_started_from(places):
    started = processes.start(places, SLEEP, {})
    assert os.getsid(started.pid) == started.pid != os.getsid(0)


def test_a_part_gets_the_settings_and_no_variable_of_another_airflow(places, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid:3128")
    processes.start(places, Part("env", ["env"], {"OWN": "2"}), {"AIRFLOW_HOME": "/x"})
    wait_for(lambda: "OWN=2" in processes.log_tail(places, "env", 200))
    lines = processes.log_tail(places, "env", 200).splitlines()
    assert "AIRFLOW_HOME=/x" in lines
    assert not any(line.startswith("AIRFLOW__CORE__EXECUTOR") for line in lines)
    assert any(line.startswith("NO_PROXY=") and "127.0.0.1" in line for line in lines)


def test_changed_settings_are_noticed(places):
    processes.start(places, SLEEP, {"A": "1"})
    assert processes.is_started_with(places, SLEEP, {"A": "1"})
    assert not processes.is_started_with(places, SLEEP, {"A": "2"})


def test_an_unreaped_process_counts_as_dead(places):
    started = processes.start(places, SLEEP, {})
    os.kill(started.pid, signal.SIGKILL)  # nobody waits for it: it stays a zombie
    wait_for(lambda: psutil.Process(started.pid).status() == psutil.STATUS_ZOMBIE)
    assert processes.find(places, "sleeper") is None
    started.wait()
