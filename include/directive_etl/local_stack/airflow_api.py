"""Airflow's REST API, as far as the demo needs it: start runs, and wait until they are done."""

import time
from collections.abc import Sequence
from datetime import date
from typing import Any

import httpx

from directive_etl.local_stack.errors import StackError
from directive_etl.local_stack.stack import WebLogin

_POLL_SECONDS = 1.0
_PAGE = 100  # Airflow gives no more at once
_UNFINISHED = ("queued", "running")


class AirflowApi:
    """A logged-in client of one Airflow."""

    def __init__(self, login: WebLogin) -> None:
        self._client = httpx.Client(base_url=login.address, timeout=60, trust_env=False)
        answer = self._client.post("/auth/token", json={"username": login.user, "password": login.password})
        answer.raise_for_status()
        self._client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def wait_for_dags(self, dag_ids: Sequence[str], seconds: float = 120) -> None:
        """Wait until the dag processor has read every DAG.

        Raises:
            StackError: one is not there in time; the message has the import errors.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            known = {dag["dag_id"] for dag in self._get("/api/v2/dags", limit=100)["dags"]}
            if known.issuperset(dag_ids):
                return
            time.sleep(_POLL_SECONDS)
        errors = self._get("/api/v2/importErrors")["import_errors"]
        traces = "\n".join(f"{error['filename']}: {error['stack_trace']}" for error in errors)
        raise StackError(f"Airflow does not know {', '.join(set(dag_ids) - known)}\n{traces}")

    def backfill(self, dag_id: str, first: date, last: date) -> None:
        """Run a DAG for each day, both included; days whose run succeeded before are left alone.

        Raises:
            StackError: another backfill of the DAG does not end.
        """
        ask = {
            "dag_id": dag_id,
            "from_date": f"{first}T00:00:00+07:00",
            "to_date": f"{last}T23:59:00+07:00",
            "reprocess_behavior": "failed",
            "max_active_runs": 4,
        }
        deadline = time.monotonic() + 90  # Airflow looks every 30 s whether a backfill is done
        while (
            answer := self._client.post("/api/v2/backfills", json=ask)
        ).status_code == httpx.codes.CONFLICT:
            if time.monotonic() > deadline:
                raise StackError(f"{dag_id}: another backfill is at work: {answer.text}")
            time.sleep(_POLL_SECONDS)
        answer.raise_for_status()

    def trigger(self, dag_id: str) -> str:
        """Start one run now and return its id."""
        answer = self._client.post(f"/api/v2/dags/{dag_id}/dagRuns", json={"logical_date": None})
        answer.raise_for_status()
        return str(answer.json()["dag_run_id"])

    def clear(self, dag_id: str, partition_key: str) -> None:
        """Run the newest run of a DAG for a partition key again, all its tasks."""
        run_id = next(run["dag_run_id"] for run in self.runs(dag_id) if run["partition_key"] == partition_key)
        ask = {"dag_run_id": run_id, "dry_run": False, "only_failed": False, "reset_dag_runs": True}
        self._client.post(f"/api/v2/dags/{dag_id}/clearTaskInstances", json=ask).raise_for_status()

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """Return all runs of a DAG, newest first."""
        found: list[dict[str, Any]] = []
        while True:
            page = self._get(
                f"/api/v2/dags/{dag_id}/dagRuns", limit=_PAGE, offset=len(found), order_by="-run_after"
            )
            found += page["dag_runs"]
            if len(page["dag_runs"]) < _PAGE:
                return found

    def wait_until_idle(self, dag_ids: Sequence[str], seconds: float) -> None:
        """Wait until no run of these DAGs is queued or running.

        Raises:
            StackError: the time is up.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not any(self._count(dag_id, state) for dag_id in dag_ids for state in _UNFINISHED):
                return
            time.sleep(_POLL_SECONDS)
        raise StackError(f"{', '.join(dag_ids)}: still running after {seconds:.0f} s; see the Airflow pages")

    def wait_for_partitions(self, dag_id: str, keys: Sequence[str], seconds: float) -> None:
        """Wait until the DAG has a finished run for every partition key, and none unfinished.

        Raises:
            StackError: the time is up.
        """
        deadline = time.monotonic() + seconds
        missing = set(keys)
        while time.monotonic() < deadline:
            runs = self.runs(dag_id)
            missing = set(keys) - {run["partition_key"] for run in runs if run["state"] not in _UNFINISHED}
            if not missing and not any(run["state"] in _UNFINISHED for run in runs):
                return
            time.sleep(_POLL_SECONDS)
        raise StackError(f"{dag_id}: no finished run for {', '.join(sorted(missing))} after {seconds:.0f} s")

    def failed_runs(self, dag_ids: Sequence[str]) -> list[str]:
        """Return `dag_id run_id` of every failed run."""
        return [
            f"{dag_id} {run['partition_key'] or run['dag_run_id']}"
            for dag_id in dag_ids
            for run in self.runs(dag_id)
            if run["state"] == "failed"
        ]

    def _count(self, dag_id: str, state: str) -> int:
        return int(self._get(f"/api/v2/dags/{dag_id}/dagRuns", state=state, limit=1)["total_entries"])

    def _get(self, path: str, **parameters: Any) -> Any:
        answer = self._client.get(path, params=parameters)
        answer.raise_for_status()
        return answer.json()
