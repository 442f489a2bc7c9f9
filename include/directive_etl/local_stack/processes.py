"""Processes that go on after `up` has ended: started, found again, stopped with all their children.

Each carries the stack's folder and its own name in its environment, and so do the processes it starts.
That is how they are told from strangers: a process id alone may have been given to somebody else meanwhile.
"""

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from directive_etl.local_stack.errors import StackError
from directive_etl.local_stack.places import Places
from directive_etl.local_stack.private_files import read_json, write_private_json

STACK = "DIRECTIVE_ETL_STACK"
PART = "DIRECTIVE_ETL_STACK_PART"
LARGEST_LOG = 20_000_000  # bytes; a larger one is put aside at the next start
TERM_SECONDS = 15.0
ORPHAN_SECONDS = 3.0  # what a killed part leaves behind waits for a parent that will never answer
# psutil derives a start time from the clock at boot, which a time server may move a little.
START_TOLERANCE = 2.0


@dataclass(frozen=True)
class Part:
    """A process of the stack.

    Attributes:
        name: unique; the names of its log and process file.
        argv: the command line.
        env: variables beside the stack's settings.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)

    def digest(self, settings: Mapping[str, str]) -> str:
        """Return a digest of all the part was started with, to see whether that has changed."""
        started_with = json.dumps([list(self.argv), dict(self.env), dict(settings)], sort_keys=True)
        return hashlib.sha256(started_with.encode()).hexdigest()


def start(places: Places, part: Part, settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start the part in a session of its own, its output going to `.local/logs/<name>.log`."""
    log = places.logs / f"{part.name}.log"
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        log.replace(log.with_suffix(".log.1"))
    with log.open("ab") as output:
        started = subprocess.Popen(
            list(part.argv),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=places.root,
            env=_child_environment(settings) | dict(part.env) | {STACK: str(places.local), PART: part.name},
        )
    process = psutil.Process(started.pid)
    born = process.create_time()
    # Right after exec a process has an empty environment for a moment, and `find` would take it for a stranger.
    deadline = time.monotonic() + 1
    while is_alive(process) and not _belongs_to(process, places) and time.monotonic() < deadline:
        time.sleep(0.005)
    write_private_json(
        _process_file(places, part.name),
        {"pid": started.pid, "started": born, "digest": part.digest(settings)},
    )
    return started


def _child_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with the stack's settings and without another Airflow's."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
    hosts = [inherited.get("NO_PROXY") or inherited.get("no_proxy") or "", "127.0.0.1", "localhost"]
    no_proxy = ",".join(filter(None, hosts))  # a proxy of the outside world must not get loopback calls
    return inherited | {
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
        "PYTHONUNBUFFERED": "1",
        # Airflow names its processes with setproctitle, which otherwise overwrites the environment that
        # `of_this_stack` reads.
        "SPT_NOENV": "1",
        **settings,
    }


def find(places: Places, name: str) -> psutil.Process | None:
    """Return the part's running process, or None when it is not running."""
    record = read_json(_process_file(places, name))
    if record is None:
        return None
    try:
        process = psutil.Process(record["pid"])
        same = abs(process.create_time() - record["started"]) < START_TOLERANCE
        return process if same and is_alive(process) and _belongs_to(process, places) else None
    except psutil.Error:
        return None


def is_started_with(places: Places, part: Part, settings: Mapping[str, str]) -> bool:
    """Say whether the part's process file names this command line and these settings."""
    record = read_json(_process_file(places, part.name))
    return record is not None and record["digest"] == part.digest(settings)


def is_alive(process: psutil.Process) -> bool:
    """Say whether the process runs. A dead one that nobody has reaped does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def of_this_stack(places: Places, part: str | None = None) -> list[psutil.Process]:
    """Return all living processes of this clone's stack, or of one part of it, orphans included."""
    return [
        process
        for process in psutil.process_iter()
        if process.pid != os.getpid() and _belongs_to(process, places, part) and is_alive(process)
    ]


def _belongs_to(process: psutil.Process, places: Places, part: str | None = None) -> bool:
    try:
        environ = process.environ()
    except (psutil.Error, OSError):
        return False  # somebody else's process
    return environ.get(STACK) == str(places.local) and part in (None, environ.get(PART))


def stop(places: Places, part: str | None = None) -> None:
    """Stop one part, or all of them: SIGTERM to their process groups, SIGKILL to what is left.

    Raises:
        StackError: some survived SIGKILL.
    """
    names = recorded(places) if part is None else {part}
    has_parent = any(find(places, name) is not None for name in names)
    deadline = time.monotonic() + (TERM_SECONDS if has_parent else ORPHAN_SECONDS)
    asked: set[int] = set()
    while (processes := of_this_stack(places, part)) and time.monotonic() < deadline:
        groups = _groups(processes)
        for group in groups - asked:  # a second SIGTERM makes some programs stop without cleaning up
            _signal(group, signal.SIGTERM)
        asked |= groups
        psutil.wait_procs(processes, timeout=0.3)
    for _ in range(10):  # again and again: a dying parent may have started another child
        if not processes:
            break
        for group in _groups(processes):
            _signal(group, signal.SIGKILL)
        psutil.wait_procs(processes, timeout=0.3)
        processes = of_this_stack(places, part)
    if processes:
        raise StackError(f"still running after SIGKILL: {[process.pid for process in processes]}")
    for file in places.run.glob(f"{part or '*'}.json"):
        file.unlink()


def _groups(processes: Sequence[psutil.Process]) -> set[int]:
    groups = set()
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            groups.add(os.getpgid(process.pid))
    return groups - {os.getpgrp()}


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


def _process_file(places: Places, name: str) -> Path:
    return places.run / f"{name}.json"


def log_tail(places: Places, name: str, lines: int = 15) -> str:
    """Return the last lines of a part's log."""
    try:
        text = (places.logs / f"{name}.log").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def recorded(places: Places) -> set[str]:
    """Return the names of all parts that were started, whether or not they still run."""
    return {file.stem for file in places.run.glob("*.json")}
