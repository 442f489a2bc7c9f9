"""Keep a reader process at hand, give it one file after another, and notice when a file kills it."""

import json
import os
import selectors
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Self

from directive_etl.errors import ConfigurationError

# Isolated, so that neither the environment nor the working folder can put a module in the child's way.
_PROGRAM = (
    f"import sys; sys.path.insert(0, {str(Path(__file__).parents[3])!r}); "
    "from directive_etl.sources.unit_report.reader import main; main()"
)
START_SECONDS = 60.0
# What is too slow is told by the processor's time, so that a busy machine refuses nothing; the clock ends a child
# that waits for something.
PROCESSOR_SECONDS = 20
FILE_SECONDS = 120.0
ANSWER_BYTES = 64 * 1024 * 1024


class _ChildGoneError(Exception):
    """The child closed its output without an answer."""


class ReaderProcess:
    """A context manager around the child: one child reads many files; its death costs one file."""

    def __init__(self) -> None:
        self._command = [sys.executable, "-I", "-B", "-c", _PROGRAM]
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    @property
    def process_id(self) -> int | None:
        """Of the child at hand; None while there is none."""
        return self._child.pid if self._child else None

    def read(self, path: Path) -> dict[str, Any]:
        """Return the child's answer about a file: `sheets`, or `reason_code`.

        A file that uses up the child's time is `too_slow`. A child that dies otherwise is given the file once more,
        in case something else killed it; a file that kills two is `crashed`.

        Raises:
            OSError: the file is not there.
            ConfigurationError: the child does not even start.
        """
        path.stat()  # what is missing is our fault, not the unit's
        for _ in range(2):
            child = self._child or self._start()
            try:
                return self._ask(child, path)
            except TimeoutError:
                self._stop()
                return {"reason_code": "too_slow"}
            except (_ChildGoneError, BrokenPipeError):
                if self._stop() == -signal.SIGXCPU:
                    return {"reason_code": "too_slow"}
        return {"reason_code": "crashed"}

    def _ask(self, child: subprocess.Popen[bytes], path: Path) -> dict[str, Any]:
        if child.stdin is None:
            raise _ChildGoneError
        # The child works in another folder.
        asked = {"path": os.fspath(path.absolute()), "processor_seconds": PROCESSOR_SECONDS}
        child.stdin.write(json.dumps(asked).encode() + b"\n")
        return _read_answer(child, FILE_SECONDS)

    def _start(self) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            # No secret of ours is in reach of a file from outside.
            env={"LC_ALL": "C.UTF-8"},
            cwd="/",
        )
        self._child = child
        try:
            _read_answer(child, START_SECONDS)
        except (_ChildGoneError, TimeoutError):
            self._stop()
            raise ConfigurationError(
                f"unit_report: the reader of workbooks does not start; try: {' '.join(self._command)}"
            ) from None
        return child

    def _stop(self) -> int | None:
        """End the child at hand, if there is one; returns how it ended."""
        child, self._child = self._child, None
        if child is None:
            return None
        if child.stdin is not None:
            child.stdin.close()
        if child.poll() is None:
            child.send_signal(signal.SIGKILL)
        child.wait()
        if child.stdout is not None:
            child.stdout.close()
        return child.returncode


def _read_answer(child: subprocess.Popen[bytes], seconds: float) -> dict[str, Any]:
    """Read one line of JSON from the child within a time.

    An answer that is not read to its end by then is none, even if it arrived before this process came to look:
    what is too slow must not depend on which of two processes was given a processor first.
    """
    if child.stdout is None:
        raise _ChildGoneError
    deadline = monotonic() + seconds
    received: list[bytes] = []
    size = 0
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while not (received and received[-1].endswith(b"\n")):
            is_readable = selector.select(max(0.0, deadline - monotonic()))
            if monotonic() >= deadline:
                raise TimeoutError
            if not is_readable:
                continue
            block = os.read(child.stdout.fileno(), 1 << 16)
            size += len(block)
            if not block or size > ANSWER_BYTES:
                raise _ChildGoneError
            received.append(block)
    answer = json.loads(b"".join(received))
    if not isinstance(answer, dict):
        raise _ChildGoneError
    return answer
