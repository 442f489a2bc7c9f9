"""The book of open alerts: files in one folder, so that it works when the warehouse does not.

One file is one open alert. What hits many tasks, days or parts is one entry that counts them; a task that
succeeds takes itself off, and the entry without any left has recovered. Processes of one machine, or of several
on a shared folder, take turns by a lock.
"""

import fcntl
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from directive_etl.alerts.causes import CAUSES, OVERDUE_CLOSE, UNKNOWN, Cause

# Who is still not cured is told again once a day.
REMIND_AFTER = timedelta(days=1)
_BY_CODE = {cause.code: cause for cause in (*CAUSES, OVERDUE_CLOSE, UNKNOWN)}


@dataclass(frozen=True, order=True)
class Affected:
    """A task that failed: what to run again."""

    dag_id: str
    task_id: str
    part: str
    day: str

    def covers(self, other: "Affected") -> bool:
        """Say whether a success of this is one of the other; without a task it stands for all of part and day."""
        same_task = self.task_id in ("", other.task_id)
        return same_task and (self.dag_id, self.part, self.day) == (other.dag_id, other.part, other.day)


@dataclass
class Alert:
    """One open alert.

    Attributes:
        cause_code: of the list of causes.
        source: DAG or source; empty when it is shared.
        part: operator, system or unit; empty when it is shared or unknown.
        said: the first message, masked.
        first_at, last_at: ISO times of the first and the newest failure.
        count: failures so far.
        affected: what is not cured yet.
        told_at: ISO time of the last message that reached somebody; empty before.
    """

    cause_code: str
    source: str
    part: str
    said: str
    first_at: str
    last_at: str
    count: int = 0
    affected: list[Affected] = field(default_factory=list)
    told_at: str = ""

    @property
    def cause(self) -> Cause:
        """The cause with its words."""
        return _BY_CODE[self.cause_code]

    @property
    def days(self) -> list[str]:
        """The reporting days it touches, in order."""
        return sorted({one.day for one in self.affected if one.day})

    @property
    def alert_id(self) -> str:
        """Name of the alert: the same as long as it is open."""
        key = self.cause_code if self.cause.is_shared else f"{self.cause_code}/{self.source}/{self.part}"
        return f"{self.cause_code}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"

    @property
    def dag_id(self) -> str:
        """The DAG whose run cures it."""
        return self.cause.dag_id or (self.affected[-1].dag_id if self.affected else self.source)


class AlertBook:
    """The open alerts in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open_alerts(self) -> list[Alert]:
        """Return the open alerts, the newest failure first."""
        if not self._folder.is_dir():
            return []
        alerts = [_read(path) for path in self._folder.glob("*.json")]
        return sorted(alerts, key=lambda alert: alert.last_at, reverse=True)

    def note_failure(
        self, cause: Cause, affected: Affected, source: str, said: str, now: datetime
    ) -> Alert | None:
        """Write a failure down.

        Returns:
            The alert when somebody must be told: it is new, nobody could be reached before, or a day has gone by.
        """
        found = Alert(
            cause.code,
            "" if cause.is_shared else source,
            "" if cause.is_shared else affected.part,
            said,
            now.isoformat(),
            now.isoformat(),
        )
        with self._locked():
            path = self._path(found)
            alert = _read(path) if path.exists() else found
            alert.count += 1
            alert.last_at = now.isoformat()
            if affected not in alert.affected:
                alert.affected.append(affected)
            _write(path, alert)
        is_due = not alert.told_at or now - datetime.fromisoformat(alert.told_at) >= REMIND_AFTER
        return alert if is_due else None

    def note_success(self, affected: Affected, now: datetime) -> list[Alert]:
        """Take a task that succeeded off every alert.

        A shared cause is over with the first
        success of a task it had hit; any other when all are cured.

        Returns:
            The alerts that have recovered, with nothing left in `affected` but what this success cured.
        """
        if not self._folder.is_dir() or not any(self._folder.glob("*.json")):
            return []
        recovered = []
        with self._locked():
            for path in self._folder.glob("*.json"):
                alert = _read(path)
                left = [one for one in alert.affected if not affected.covers(one)]
                if len(left) == len(alert.affected):
                    continue
                if alert.cause.is_shared:
                    left = []
                alert.last_at = now.isoformat()
                if left:
                    alert.affected = left
                    _write(path, alert)
                else:
                    path.unlink()
                    recovered.append(alert)
        return recovered

    def note_told(self, alert: Alert, now: datetime) -> None:
        """Write down that somebody was reached."""
        with self._locked():
            path = self._path(alert)
            if path.exists():
                kept = _read(path)
                kept.told_at = now.isoformat()
                _write(path, kept)

    def _path(self, alert: Alert) -> Path:
        return self._folder / f"{alert.alert_id}.json"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _read(path: Path) -> Alert:
    kept = json.loads(path.read_text(encoding="utf-8"))
    return Alert(**{**kept, "affected": [Affected(**one) for one in kept["affected"]]})


def _write(path: Path, alert: Alert) -> None:
    part = path.with_suffix(".part")
    part.write_text(json.dumps(asdict(alert), ensure_ascii=False), encoding="utf-8")
    part.replace(path)
