"""Steps of the pipeline in a process of their own, under any wall clock.

Great Expectations takes seconds to import, so one server imports it, and each process is a fork of that server.
"""

import multiprocessing
import os
import sys
import traceback
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

Step = tuple[str, str]

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    ["tests.pipeline.steps", "directive_etl.pipeline", "directive_etl.quality.suites"]
)


def start(
    environment: dict[str, str], folder: Path, clock: str, steps: Sequence[Step], errors: Path
) -> multiprocessing.process.BaseProcess:
    """Start the steps `(source, day)` in a folder; what goes wrong is written to `errors`, and the exit code is 1."""
    process = FORKS.Process(target=_run, args=(environment, folder, clock, list(steps), errors))
    process.start()
    return process


def _run(environment: dict[str, str], folder: Path, clock: str, steps: list[Step], errors: Path) -> None:
    import time_machine

    os.setsid()  # so that a kill of the group takes the readers it started
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    with errors.open("w") as file:
        os.dup2(file.fileno(), sys.stderr.fileno())
    try:
        with time_machine.travel(datetime.fromisoformat(clock), tick=True):
            for source, day in steps:
                _step(source, date.fromisoformat(day))
    except Exception:  # noqa: BLE001 - told to the test through the file
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


def _step(source: str, day: date) -> None:
    from directive_etl import pipeline

    if source == "daily_close":
        pipeline.close(day)
    elif source.startswith("count "):
        pipeline.count_sms_operator(source.removeprefix("count "), day)
    else:
        pipeline.run_source(source, day)
