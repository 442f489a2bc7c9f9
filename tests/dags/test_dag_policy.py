"""House rules of the DAGs. Each message says what to do."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DAGS = Path(__file__).parents[2] / "dags"
FILES = sorted(DAGS.glob("*.py"))
MAX_LINES = 60
CRON = re.compile(r"[\"'](?:[\d*/,-]+ +){4}[\d*/,-]+[\"']|[\"']@(?:hourly|daily|weekly|monthly)[\"']")
# Imported at parse they would cost every task process a second or more.
HEAVY = {
    "pandas",
    "numpy",
    "duckdb",
    "great_expectations",
    "openpyxl",
    "sqlalchemy.dialects.postgresql.psycopg",
}
DAILY = {"sms_log", "service_portal", "unit_report", "directive_progress", "daily_close", "warehouse_care"}
# Started by a person, from the pages.
ACTIONS = {"decide_batch", "reopen_report", "resend_feedback", "migrate_warehouse"}
EXPECTED = DAILY | ACTIONS

PARSE = """
import json, sys
before = set(sys.modules)
from airflow.dag_processing.dagbag import DagBag
loaded_by_airflow = set(sys.modules)
bag = DagBag(dag_folder=sys.argv[1])
dags = {
    dag_id: {
        "file": dag.fileloc,
        "owner": dag.owner,
        "tags": sorted(dag.tags),
        "doc": dag.doc_md,
        "catchup": dag.catchup,
        "timetable": type(dag.timetable).__name__,
        "retries": {task.task_id: task.retries for task in dag.tasks},
        "callbacks": {
            outcome: all(
                type(one).__name__ == "AlertNotifier" and one.outcome == outcome
                for task in dag.tasks
                if task.task_type != "EmptyOperator"
                for one in (callbacks(task) or [None])
            )
            for outcome, callbacks in (
                ("failed", lambda task: task.on_failure_callback),
                ("succeeded", lambda task: task.on_success_callback),
            )
        },
        "runs_code": [task.task_id for task in dag.tasks if task.task_type != "EmptyOperator"],
    }
    for dag_id, dag in bag.dags.items()
}
heavy = sorted(set(json.loads(sys.argv[2])) & (set(sys.modules) - loaded_by_airflow))
print(json.dumps({"errors": bag.import_errors, "dags": dags, "heavy": heavy}))
"""


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What Airflow reads from the folder, in a process of its own, without any database."""
    home = tmp_path_factory.mktemp("airflow")
    environment = {
        "PATH": os.environ["PATH"],
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONPATH": str(DAGS.parent / "include"),
    }
    done = subprocess.run(
        [sys.executable, "-c", PARSE, str(DAGS), json.dumps(sorted(HEAVY))],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        cwd=home,
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_there_is_one_dag_for_each_step_of_the_design(parsed: dict):
    assert parsed["errors"] == {}
    assert set(parsed["dags"]) == EXPECTED


def test_a_file_is_named_after_its_dag(parsed: dict):
    assert {dag_id: Path(dag["file"]).stem for dag_id, dag in parsed["dags"].items()} == {
        name: name for name in EXPECTED
    }


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_dag_file_is_wiring_of_at_most_60_lines(file: Path):
    lines = len(file.read_text(encoding="utf-8").splitlines())

    assert lines <= MAX_LINES, (
        f"{file.name} has {lines} lines: move what is not wiring to directive_etl/pipeline"
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_docstring_says_what_is_read_written_and_who_acts_on_failure(file: Path):
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""

    for heading in ("Reads ", "Writes ", "Fails "):
        assert re.search(f"^{heading}", docstring, re.MULTILINE), (
            f"{file.name}: its docstring needs a line `{heading}...`"
        )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_schedules_are_named_not_cron_strings(file: Path):
    assert not CRON.search(file.read_text(encoding="utf-8")), (
        f"{file.name}: take a schedule from airflow_adapter"
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_runbook_has_the_section_a_dag_names(file: Path):
    named = re.search(r"docs/runbook\.md#([a-z_]+)", file.read_text(encoding="utf-8"))
    runbook = (DAGS.parent / "docs" / "runbook.md").read_text(encoding="utf-8")

    assert named, f"{file.name}: its docstring should name a section of docs/runbook.md"
    assert re.search(rf"^## `?{named[1]}`?$", runbook, re.MULTILINE), (
        f"docs/runbook.md needs a section {named[1]}"
    )


def test_nothing_heavy_is_imported_when_the_dags_are_parsed(parsed: dict):
    assert parsed["heavy"] == [], "import it inside the task"


def test_every_dag_has_an_owner_tags_and_its_docstring_as_documentation(parsed: dict):
    for dag_id, dag in parsed["dags"].items():
        assert dag["owner"] == "data-engineering", dag_id
        assert dag["tags"], dag_id
        assert "Reads " in dag["doc"], dag_id


def test_every_task_that_runs_code_is_retried(parsed: dict):
    for dag_id, dag in parsed["dags"].items():
        for task_id in dag["runs_code"]:
            assert dag["retries"][task_id] >= 1, f"{dag_id}.{task_id}"


def test_days_are_partitions_and_nothing_catches_up_by_itself(parsed: dict):
    timetables = {dag_id: dag["timetable"] for dag_id, dag in parsed["dags"].items()}

    for dag_id in ("sms_log", "service_portal", "daily_close"):
        assert timetables[dag_id] == "CronPartitionTimetable"
    assert timetables["directive_progress"] == "PartitionedAssetTimetable"
    assert not any(dag["catchup"] for dag in parsed["dags"].values())


def test_actions_run_only_when_a_person_starts_them(parsed: dict):
    for dag_id in ACTIONS:
        assert parsed["dags"][dag_id]["timetable"] == "NullTimetable"
        assert parsed["dags"][dag_id]["tags"] == ["action"]
    assert {dag_id for dag_id, dag in parsed["dags"].items() if "action" in dag["tags"]} == ACTIONS


def test_every_task_tells_of_its_failure_and_of_its_recovery(parsed: dict):
    for dag_id, dag in parsed["dags"].items():
        assert dag["callbacks"] == {"failed": True, "succeeded": True}, dag_id
