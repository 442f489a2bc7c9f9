"""Airflow imports this at the start of each of its processes: what every task needs is made once, not per task.

The scheduler (LocalExecutor) and the Celery worker fork a process for every task. Great Expectations
alone takes 2 s to import; imported here, it is there in every fork: six mapped tasks went from 20 s to 3 s.
Only imports and declared data: a connection or a thread opened before a fork breaks in the child.

A change in `include/` reaches running tasks' processes after a restart: `make down up`.
"""

import importlib
import logging
import sys
from collections.abc import Callable
from functools import partial

IMPORTED = (
    "pandas",
    "duckdb",
    "sqlalchemy",
    "great_expectations",
    "directive_etl.alerts",
    "directive_etl.pipeline",
    # What the pipeline imports when it comes to a source.
    "directive_etl.sources.sms_log.land",
    "directive_etl.sources.sms_log.count",
    "directive_etl.sources.sms_log.load",
    "directive_etl.sources.service_portal.extract",
    "directive_etl.sources.service_portal.read",
    "directive_etl.sources.service_portal.weekday",
    "directive_etl.sources.service_portal.load",
    "directive_etl.sources.unit_report.inbox",
    # What the DAG files import: each task reads its own.
    "airflow.sdk.definitions.decorators",
    "airflow.providers.standard.decorators.python",
    "airflow.providers.standard.operators.empty",
    "directive_etl.airflow_adapter",
)


def _read_registry() -> None:
    from directive_etl.registry import campaigns, directive, operators, procedures, systems, units

    for declared in (
        directive.directives, units.units, units.successions, operators.operators, campaigns.campaigns,
        systems.systems, procedures.procedures,
    ):  # fmt: skip
        declared()  # kept by the module


def _prepare_checks() -> None:
    from directive_etl.quality import suites

    suites.frames_of_process()  # kept by the module


def _prepare() -> None:
    steps: dict[str, Callable[[], object]] = {
        **{name: partial(importlib.import_module, name) for name in IMPORTED},
        "the registry": _read_registry,
        "checking frames": _prepare_checks,
    }
    for what, step in steps.items():
        try:
            step()
        except Exception as error:  # noqa: BLE001 - the task that needs it will say more; only that one should fail
            logging.getLogger(__name__).warning("%s cannot be prepared: %s", what, type(error).__name__)


if "scheduler" in sys.argv or "worker" in sys.argv:
    _prepare()
