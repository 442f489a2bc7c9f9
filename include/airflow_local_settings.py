"""Airflow imports this at the start of each of its processes: heavy imports are paid once, not per task.

The scheduler (LocalExecutor) and the Celery worker fork a process for every task. Great Expectations
alone takes 2 s to import; imported here, it is there in every fork: six mapped tasks went from 20 s to 3 s.
Only imports: a connection or a thread opened before a fork breaks in the child.

A change in `include/` reaches running tasks' processes after a restart: `make down up`.
"""

import importlib
import logging
import sys

PRELOADED = ("pandas", "duckdb", "sqlalchemy", "great_expectations", "directive_etl.pipeline")

if "scheduler" in sys.argv or "worker" in sys.argv:
    for name in PRELOADED:
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 - the task that needs it will say more; only that one should fail
            logging.getLogger(__name__).warning("%s cannot be preloaded: %s", name, type(error).__name__)
