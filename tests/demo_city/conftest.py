"""What the demo city's SMS logs say, by a slow reader that shares nothing with simulation or pipeline."""

import csv
import gzip
import io
import math
import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from directive_etl.demo_city.sms import SmsSimulation, simulate_sms, write_sms_logs
from directive_etl.periods import days_between

DAYS = days_between(date(2020, 8, 18), date(2020, 8, 25))
OPERATORS = ("viettel", "vinaphone", "mobifone", "vietnamobile")


@pytest.fixture(scope="session")
def sms_simulation() -> SmsSimulation:
    return simulate_sms(7, DAYS, subscriber_count=2_500)


@pytest.fixture(scope="session")
def sms_drop(sms_simulation: SmsSimulation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drop")
    write_sms_logs(sms_simulation, folder)
    return folder


@dataclass
class Line:
    """A row of a log that could be read; `message_id` None when it is no message's."""

    message_id: str | None
    kind: str
    state: str
    at: datetime
    sender: str = ""
    number: str = ""
    submitted_at: datetime | None = None
    segments: int = 0


@dataclass
class Message:
    number: str
    sender: str
    submitted_at: datetime
    segments: int
    receipts: list[tuple[datetime, int, str]] = field(default_factory=list)

    def end(self) -> tuple[str | None, float | None]:
        """Return the last final state, and the seconds to it."""
        final = [receipt for receipt in self.receipts if receipt[2] not in ("pending", "sent")]
        if not final:
            return None, None
        at, _, state = max(final)
        return state, (at - self.submitted_at).total_seconds()


KANNEL = re.compile(
    r"(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?P<event>Sent SMS|Receive DLR|Receive SMS|FAILED Receive DLR) "
    r"\[SMSC:(?P<smsc>[^\]]*)\] \[SVC:[^\]]*\] \[ACT:[^\]]*\] \[BINF:\] \[FID:(?P<fid>[^\]]*)\] "
    r"\[META:[^\]]*\] "
    r"\[from:(?P<sender>[^\]]*)\] \[to:(?P<to>[^\]]*)\] \[flags:(?P<flags>[-\d:]*)\] "
    r"\[msg:(?P<length>\d+):(?P<body>.*)\] \[udh:0:\]"
)
KANNEL_STATES = {
    "1": "delivered",
    "2": "failed",
    "34": "expired",
    "16": "rejected",
    "4": "pending",
    "8": "pending",
}
VINAPHONE_STATES = {
    "SENT": "sent",
    "SUCCESS": "delivered",
    "FAIL": "failed",
    "EXPIRED": "expired",
    "REJECT": "rejected",
    "PROCESSING": "pending",
}
RESTCOMM_STATES = {
    "success": "delivered",
    "failed": "failed",
    "failed_imsi": "failed",
    "ocs_rejected": "rejected",
    "temp_failed": "pending",
    "partial": "pending",
}


def local_time(text: str, form: str) -> datetime:
    return datetime.strptime(f"{text} +0700", f"{form} %z")


def national_number(text: str) -> str:
    match = re.fullmatch(r"(?:\+84|0084|84|0)([35789]\d{8})", text)
    if match is None:
        raise ValueError(text)
    return match[1]


def read_kannel(line: str) -> Line:
    if re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d Log (begins|ends)", line):
        return Line(None, "log", "", local_time(line[:19], "%Y-%m-%d %H:%M:%S"))
    match = KANNEL.fullmatch(line)
    if match is None:
        raise ValueError(line)
    at = local_time(match["at"], "%Y-%m-%d %H:%M:%S")
    if match["event"] in ("Receive SMS", "FAILED Receive DLR") or not match["fid"]:
        return Line(None, match["event"], "", at)
    message_id = f"{match['smsc']}/{match['fid']}"
    number = national_number(match["to"])
    if match["event"] == "Receive DLR":
        assert len(match["body"]) == int(match["length"])
        # Kannel tells kinds of unfinished apart; two of them are two events.
        kind = match["flags"].split(":")[-1]
        return Line(message_id, f"receipt {kind}", KANNEL_STATES[kind], at)
    is_unicode = match["flags"].split(":")[1] == "2"
    body = bytes.fromhex(match["body"]).decode("utf-16-be") if is_unicode else match["body"]
    assert int(match["length"]) == (2 * len(body) if is_unicode else len(body))
    alone, part = (70, 67) if is_unicode else (160, 153)
    segments = 1 if len(body) <= alone else math.ceil(len(body) / part)
    return Line(message_id, "sent", "sent", at, match["sender"], number, at, segments)


def read_vinaphone(line: str) -> Line:
    message_id, sender, msisdn, submitted, segments, status, done = line.split(";")
    submitted_at = local_time(submitted, "%d/%m/%Y %H:%M:%S")
    at = local_time(done, "%d/%m/%Y %H:%M:%S") if done else submitted_at
    number = national_number(msisdn)
    return Line(message_id, status, VINAPHONE_STATES[status], at, sender, number, submitted_at, int(segments))


def read_restcomm(line: str) -> Line:
    row = next(csv.reader(io.StringIO(line)))
    if len(row) != 35:
        raise ValueError(line)
    done, submitted = (local_time(text, "%Y-%m-%d %H:%M:%S.%f") for text in row[:2])
    number = national_number(row[5])
    return Line(row[12], row[8], RESTCOMM_STATES[row[8]], done, row[2], number, submitted, int(row[23]))


READERS = {
    "viettel": read_kannel,
    "mobifone": read_kannel,
    "vinaphone": read_vinaphone,
    "vietnamobile": read_restcomm,
}


def files_in_order(folder: Path) -> list[Path]:
    """Oldest first: a higher number is a newer file, but with MobiFone's rotation an older one."""
    return sorted(
        folder.iterdir(), key=lambda p: (-int(p.suffix[1:]) if p.suffix[1:].isdigit() else 0, p.name)
    )


def lines_of(path: Path, operator: str) -> list[str]:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    if operator == "vinaphone":
        assert content.startswith(b"\xef\xbb\xbf")
    text = content.decode("utf-8-sig", errors="replace")
    assert text.endswith("\n")
    lines = text[:-1].split("\n")
    return lines[1:] if operator in ("vinaphone", "vietnamobile") else lines


@dataclass
class Folder:
    read: int = 0
    refused: int = 0
    duplicates: int = 0
    events: list[Line] = field(default_factory=list)
    known_at: datetime = datetime(1970, 1, 1, tzinfo=UTC)


def read_folder(folder: Path, operator: str) -> Folder:
    found, seen = Folder(), set()
    for path in files_in_order(folder):
        found.known_at = max(found.known_at, datetime.fromtimestamp(path.stat().st_mtime, UTC))
        for text in lines_of(path, operator):
            found.read += 1
            try:
                line = READERS[operator](text)
            except (ValueError, KeyError):
                found.refused += 1
                continue
            event = (line.message_id, line.kind, line.at)
            if line.message_id is not None and event in seen:
                found.duplicates += 1
                continue
            seen.add(event)
            found.events.append(line)
    return found


@pytest.fixture(scope="session")
def sms_folders(sms_drop: Path) -> dict[tuple[str, date], Folder]:
    return {(o, day): read_folder(sms_drop / o / day.isoformat(), o) for o in OPERATORS for day in DAYS}


def messages_of(
    folders: dict[tuple[str, date], Folder], operator: str, day: date, through: date
) -> dict[str, Message]:
    """The messages submitted on a day, as the folders of that day to `through` tell of them."""
    messages: dict[str, Message] = {}
    waiting: dict[str, list[tuple[datetime, int, str]]] = defaultdict(list)
    place = 0
    for folder_day in days_between(day, min(through, day + timedelta(days=3))):
        for line in folders[operator, folder_day].events:
            place += 1
            if line.message_id is None:
                continue
            if line.submitted_at is not None and line.submitted_at.date() == day:
                told = Message(line.number, line.sender, line.submitted_at, line.segments)
                messages.setdefault(line.message_id, told)
            waiting[line.message_id].append((line.at, place, line.state))
    for message_id, message in messages.items():
        message.receipts = waiting[message_id]
    return messages


@pytest.fixture(scope="session")
def sms_recounted(sms_folders: dict[tuple[str, date], Folder]) -> dict[tuple[str, date, date], list[Message]]:
    return {
        (operator, day, through): list(messages_of(sms_folders, operator, day, through).values())
        for operator in OPERATORS
        for day in DAYS
        for through in days_between(day, min(day + timedelta(days=3), DAYS[-1]))
    }
