"""What is there before the scheduler forks a process for each task, and what no task should pay for."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CLONE = Path(__file__).parents[2]
# The second word on the command line is what Airflow's own processes are known by.
PREPARE = """
import json, sys, threading
from airflow import settings
settings.initialize()
import airflow_local_settings
from airflow.sdk.plugins_manager import _get_plugins
plugins, errors = _get_plugins()
from directive_etl.quality import suites
from directive_etl.registry import directive, units
print(json.dumps({
    "missing": [name for name in airflow_local_settings.IMPORTED if name not in sys.modules],
    "made": [
        made.cache_info().currsize for made in (directive.directives, units.units, suites.frames_of_process)
    ],
    "plugins": [plugin.name for plugin in plugins],
    "plugin_errors": errors,
    "has_pages": "directive_etl.cockpit" in sys.modules,
    "threads": threading.active_count(),
}))
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What a scheduler has before it forks, once it has loaded the plugins, as each task's process does."""
    home = tmp_path_factory.mktemp("airflow")
    done = subprocess.run(
        [sys.executable, "-c", PREPARE, "scheduler"],
        env={
            "PATH": os.environ["PATH"],
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(CLONE / "plugins"),
            "PYTHONPATH": str(CLONE / "include"),
        },
        capture_output=True,
        text=True,
        check=True,
        cwd=home,
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_what_every_task_needs_is_imported_and_made_before_the_fork(prepared: dict):
    assert prepared["missing"] == []
    assert prepared["made"] == [1, 1, 1]


def test_nothing_that_breaks_in_a_fork_is_started(prepared: dict):
    assert prepared["threads"] == 1


def test_loading_the_plugin_builds_no_pages(prepared: dict):
    assert prepared["plugin_errors"] == {}
    assert "directive_cockpit" in prepared["plugins"]
    assert not prepared["has_pages"]
