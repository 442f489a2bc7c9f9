"""What of a pull has landed already, so that after a crash nothing is fetched again.

`pull.journal` lies beside the landed pages of a day while its pull is under way: one line for each page
that was
understood, with the reading and the ask it answers. It goes when the pull is loaded, so that a later run
asks anew.
"""

import hashlib
import io
import json
import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path

import httpx

from directive_etl.errors import RefusedBatchError, SourceChangedError
from directive_etl.landing import LandedFile, iter_landed

log = logging.getLogger(__name__)

SOURCE_CODE = "service_portal"


class PullJournal:
    """The pages of an unfinished pull: found by the reading and the request they answer."""

    def __init__(self, landing: Path, system_code: str, day: date) -> None:
        self._path = landing / SOURCE_CODE / system_code / day.isoformat() / "pull.journal"
        self._notes: io.FileIO | None = None
        self._lines: dict[tuple[int, str], tuple[str, str]] = {}
        self._files: dict[str, LandedFile] = {}
        if self._path.exists():
            self._read()
            self._files = {file.sha256: file for file in iter_landed(landing, SOURCE_CODE, system_code, day)}
            log.info(
                "%s %s %s: resumed, %d pages have landed", SOURCE_CODE, system_code, day, len(self._lines)
            )

    def find(self, reading: int, ask: str) -> tuple[LandedFile, str] | None:
        """Return the landed page that answers an ask (`ask_id`), with its Link header, or None."""
        sha256, link = self._lines.get((reading, ask), ("", ""))
        file = self._files.get(sha256)
        return None if file is None else (file, link)

    def note(self, reading: int, ask: str, file: LandedFile, link: str) -> None:
        """Write down that a page has landed."""
        line = json.dumps([reading, ask, file.sha256, link]) + "\n"
        if self._notes is None:  # a page has landed, so its folder is there
            self._notes = self._path.open("ab", buffering=0)
        self._notes.write(line.encode())

    def close(self) -> None:
        """Stop writing; what was noted stays."""
        if self._notes is not None:
            self._notes.close()

    def forget(self) -> None:
        """Forget the pull: the next one asks for everything anew."""
        self._path.unlink(missing_ok=True)

    def _read(self) -> None:
        text = self._path.read_text(encoding="utf-8")
        if not text.endswith("\n"):
            with self._path.open("a", encoding="utf-8") as journal:
                journal.write("\n")
        for line in text.splitlines():
            try:
                reading, ask, sha256, link = json.loads(line)
            except ValueError:
                continue  # cut off by the crash
            self._lines[reading, ask] = (sha256, link)


@contextmanager
def resumable_pull(landing: Path, system_code: str, day: date) -> Iterator[PullJournal]:
    """Keep the journal of a pull until it is loaded, or has failed for good.

    It stays when the process dies and on every error that a later attempt may not meet again.
    """
    with closing(PullJournal(landing, system_code, day)) as journal:
        try:
            yield journal
        except (SourceChangedError, RefusedBatchError):
            journal.forget()
            raise
        journal.forget()


def ask_id(request: httpx.Request) -> str:
    """Return a hash that stands for a request; made before the login is added, so it holds no secret."""
    return hashlib.sha256(f"{request.method} {request.url} ".encode() + request.content).hexdigest()
