"""Reports sent by e-mail: attachments of a declared sender arrive as that unit's files.

The mailbox is only read: no message is moved, marked or deleted. A journal in the landing zone remembers what was
taken, so a message is fetched once; one that was left is looked at again, for its sender may be declared by then.

Anyone can write any sender's address into a message. What vouches for it is the header `Authentication-Results` that
our own mail server puts on top (RFC 8601), so only a message that passed DMARC there speaks for its sender.
"""

import email
import email.errors
import email.policy
import email.utils
import hashlib
import imaplib
import json
import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path, PurePath
from urllib.parse import urlsplit

from directive_etl.errors import SourceUnavailableError
from directive_etl.landing import LandedFile
from directive_etl.landing.files import folder_of, keep_draft, read_note, write_draft
from directive_etl.landing.left import LeftFile
from directive_etl.landing.place import shown_name
from directive_etl.periods import to_local_date

log = logging.getLogger(__name__)

SOURCE = "unit_report"
# Messages that are left are told apart from files that are left in the inbox.
LEFT_SOURCE = "mailbox"
_JOURNALS = "mailbox"
EVERY_SENDER = "*"
REPORT_SUFFIXES = (".xlsx", ".xlsm", ".xls", ".ods", ".csv")
LARGEST_MESSAGE_BYTES = 40 << 20
_HEADERS_AT_ONCE = 500
_FETCHED = re.compile(
    rb'UID (?P<uid>\d+).*?INTERNALDATE "(?P<received>[^"]+)".*?RFC822\.SIZE (?P<size>\d+)', re.S
)
_COMMENT = re.compile(r"\([^()]*\)")
# What the parser of the standard library raises on messages that are built to break it.
_UNREADABLE = (
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    RecursionError,
    email.errors.MessageError,
)


@dataclass(frozen=True)
class Envelope:
    """What is known of a message before it is fetched. `received_at` is when the mail server received it, aware."""

    uid: int
    received_at: datetime
    size_bytes: int
    headers: bytes


@dataclass(frozen=True)
class Senders:
    """Who may send.

    Attributes:
        units: by e-mail address, the code of the unit.
        authserv_id: the mail server whose Authentication-Results are believed; `*` believes every sender.
    """

    units: Mapping[str, str]
    authserv_id: str

    def judge(self, headers: bytes) -> tuple[str, str]:
        """Return the unit that sent a message, or '', and why the message is left, or ''."""
        # Two headers From, or two addresses in one, leave open who it is.
        named = _addresses(headers)
        results = _values(headers, "Authentication-Results")
        address = named[0][1].strip().casefold() if len(named) == 1 else ""
        known = {declared.strip().casefold(): unit for declared, unit in self.units.items()}
        unit_code = known.get(address, "")
        if not unit_code:
            return "", "unknown_sender"
        domain = address.rpartition("@")[2]
        if self.authserv_id != EVERY_SENDER and not _vouches(results, self.authserv_id, domain):
            return unit_code, "unproved_sender"
        return unit_code, ""


def land_mail(client: imaplib.IMAP4, address: str, landing: Path, senders: Senders) -> list[LeftFile]:
    """Land the attached reports of the messages that declared senders sent; `iter_mailed` gives them.

    Args:
        client: signed in.
        address: imap://CONNECTION@/FOLDER; names the journal, too.
        landing: root of the landing zone.
        senders: who may send.

    Returns:
        The messages that were left.

    Raises:
        SourceUnavailableError: the mailbox cannot be reached or has no such folder.
    """
    left: list[LeftFile] = []
    open_folder(client, address)
    try:
        # Numbers of messages mean something only together with this one (RFC 3501, section 2.3.1.1).
        _, validity = client.response("UIDVALIDITY")
        journal = _Journal.of_mailbox(landing, f"{address} {validity!r}")
        for envelope in _iter_envelopes(client, journal.taken):
            unit_code, reason = senders.judge(envelope.headers)
            if not reason:
                reason = _take_message(client, envelope, unit_code, landing, journal)
            if reason:
                left.append(_left(envelope, unit_code, reason))
    except (imaplib.IMAP4.error, OSError) as error:
        raise _unreachable(address, error) from error
    for one in left:
        log.warning("unit_report %s: %s", one.part_code, one)
    return left


def open_folder(client: imaplib.IMAP4, address: str) -> None:
    """Open the folder of `imap://CONNECTION@/FOLDER` for reading only; without one, INBOX.

    Raises:
        SourceUnavailableError: the mailbox cannot be reached or has no such folder.
    """
    folder = urlsplit(address).path.strip("/") or "INBOX"
    try:
        status, said = client.select(f'"{folder}"', readonly=True)
    except (imaplib.IMAP4.error, OSError) as error:
        raise _unreachable(address, error) from error
    if status != "OK":
        raise SourceUnavailableError(f"{address}: there is no folder {folder}: {said!r}")


def _unreachable(address: str, error: Exception) -> SourceUnavailableError:
    return SourceUnavailableError(
        f"{address}: {shown_name(str(error))}; ask its owner, or correct the connection"
    )


def iter_mailed(landing: Path) -> Iterator[LandedFile]:
    """Yield every report that came by e-mail, known since its message was received."""
    for path in sorted((landing / _JOURNALS).glob("*.jsonl")):
        for row in _Journal(path).rows:
            known_at = datetime.fromisoformat(row["known_at"])
            folder = folder_of(landing, SOURCE, row["unit_code"], to_local_date(known_at))
            yield replace(read_note(folder / f"{row['sha256']}.note.json"), known_at=known_at)


def _iter_envelopes(client: imaplib.IMAP4, taken: set[int]) -> Iterator[Envelope]:
    _, found = client.uid("SEARCH", "ALL")
    uids = [uid for uid in map(int, (found[0] or b"").split()) if uid not in taken]
    fields = "(UID INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (FROM AUTHENTICATION-RESULTS)])"
    for start in range(0, len(uids), _HEADERS_AT_ONCE):
        _, answers = client.uid("FETCH", ",".join(map(str, uids[start : start + _HEADERS_AT_ONCE])), fields)
        for answer in answers:
            match = _FETCHED.search(answer[0]) if isinstance(answer, tuple) else None
            if match:
                received_at = datetime.strptime(match["received"].decode().strip(), "%d-%b-%Y %H:%M:%S %z")
                yield Envelope(int(match["uid"]), received_at.astimezone(UTC), int(match["size"]), answer[1])


def _take_message(
    client: imaplib.IMAP4, envelope: Envelope, unit_code: str, landing: Path, journal: "_Journal"
) -> str:
    """Land a message's reports; returns why it is left instead, or ''."""
    if envelope.size_bytes > LARGEST_MESSAGE_BYTES:
        return "too_large"
    _, answer = client.uid("FETCH", str(envelope.uid), "(BODY.PEEK[])")
    content = next((part[1] for part in answer if isinstance(part, tuple)), None)
    if content is None:
        return "bad_message"
    try:
        attached = list(_iter_reports(content))
    except _UNREADABLE:
        return "bad_message"
    if not attached:
        return "no_attachment"
    day = to_local_date(envelope.received_at)
    files = []
    for name, report in attached:
        draft = write_draft(landing, SOURCE, unit_code, day, [report])
        landed = keep_draft(draft, name, f"{shown_name(name)} (e-mail)", envelope.received_at)
        files.append(replace(landed, known_at=envelope.received_at))
    journal.add(envelope.uid, files)
    return ""


def _iter_reports(content: bytes) -> Iterator[tuple[str, bytes]]:
    message = email.message_from_bytes(content, _class=EmailMessage, policy=email.policy.default)
    for part in message.walk():
        name = part.get_filename() or ""
        if PurePath(name).suffix.lower() in REPORT_SUFFIXES:
            report = part.get_payload(decode=True)
            if isinstance(report, bytes):
                yield name, report


def _values(headers: bytes, name: str) -> list[str]:
    parsed = email.message_from_bytes(headers, policy=email.policy.compat32)
    return [str(value) for value in parsed.get_all(name, [])]


def _addresses(headers: bytes) -> list[tuple[str, str]]:
    return email.utils.getaddresses(_values(headers, "From"))


def _vouches(results: Sequence[str], authserv_id: str, domain: str) -> bool:
    """Say whether our mail server's own header, the topmost, says that DMARC passed for the domain."""
    if not results:
        return False
    server, _, methods = _COMMENT.sub(" ", results[0]).partition(";")
    if server.split()[:1] != [authserv_id]:
        return False
    for method in methods.split(";"):
        words = re.sub(r"\s*=\s*", "=", method).split()
        if words[:1] == ["dmarc=pass"] and f"header.from={domain}" in (word.casefold() for word in words):
            return True
    return False


def _left(envelope: Envelope, unit_code: str, reason_code: str) -> LeftFile:
    senders = ", ".join(address for _, address in _addresses(envelope.headers))
    origin = f"e-mail from {shown_name(senders)}"
    day = to_local_date(envelope.received_at)
    return LeftFile(unit_code, day, origin, reason_code, envelope.size_bytes, envelope.received_at)


class _Journal:
    """Which messages of a mailbox were taken, and the files they gave; one line a message."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.taken: set[int] = set()
        self.rows: list[dict[str, str]] = []
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                self._remember(line)

    @classmethod
    def of_mailbox(cls, landing: Path, mailbox: str) -> "_Journal":
        name = hashlib.sha256(mailbox.encode()).hexdigest()[:32]
        return cls(landing / _JOURNALS / f"{name}.jsonl")

    def add(self, uid: int, files: Sequence[LandedFile]) -> None:
        """Remember a message whose files have landed."""
        rows = [
            {"unit_code": file.part_code, "sha256": file.sha256, "known_at": file.known_at.isoformat()}
            for file in files
        ]
        line = json.dumps({"uid": uid, "files": rows})
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as journal:
            journal.write(f"\n{line}")  # a line that a kill cut off stays a line of its own
            journal.flush()
            os.fsync(journal.fileno())
        self._remember(line)

    def _remember(self, line: str) -> None:
        try:
            message = json.loads(line)
        except ValueError:
            return  # cut off: the message is taken again, to the same effect
        self.taken.add(message["uid"])
        self.rows += message["files"]
