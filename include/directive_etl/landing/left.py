"""Files that were left where they are, and why. A file that is left is never read; the next run looks at it again."""

from dataclasses import dataclass
from datetime import date, datetime

from directive_etl.landing.place import Entry, shown_name

# By reason: what was seen and what to do. Those of UNFINISHED heal by themselves when the sender finishes.
REASONS = {
    "unfinished_name": "the name says that it is still being written; it is taken under its final name",
    "growing": "it changed between two looks, so it is still being written; it is taken when it rests",
    "changed_while_read": "it was replaced or written to while it was read; it is taken when it rests",
    "cut_off": "the compressed file ends before its end; it is taken when the rest has come",
    "leftover": "the same file has come under its final name; remove this one",
    "link": "a link is not followed; send the file itself",
    "no_file": "a folder, pipe, socket or device stands where a file should; remove it",
    "not_readable": "it may not be read by us; the owner of the place must allow it",
    "other_name": "the name matches no pattern of the source; rename it, or add the pattern to the registry",
    "no_part": "it is in nobody's folder: the folder has no name that a sender can have, or there is none",
    "too_large": "it is larger than any file of its kind; send it in parts",
    "unknown_sender": "the sender's address is declared for no unit; add it to DIRECTIVE_ETL_MAILBOX_SENDERS",
    "unproved_sender": "the mail server does not vouch for the sender's address; the unit must send it signed in",
    "no_attachment": "the message has no report attached",
    "bad_message": "the message cannot be read; the unit must send it again",
}
UNFINISHED = frozenset({"unfinished_name", "growing", "changed_while_read", "cut_off"})

# What transfer programs append until a file is whole.
_UNFINISHED_SUFFIXES = (".part", ".partial", ".tmp", ".temp", ".filepart", ".crdownload", ".uploading")


@dataclass(frozen=True)
class LeftFile:
    """A file that was left.

    Attributes:
        part_code: operator or unit whose folder it is in; empty when the folder is nobody's.
        report_date: the day it would have landed under.
        origin: its name, as it may be shown.
        reason_code: one of REASONS.
        size_bytes: its size when it was last seen.
        modified_at: its time when it was last seen, aware.
        is_overdue: it has stayed unfinished past the limit.
    """

    part_code: str
    report_date: date
    origin: str
    reason_code: str
    size_bytes: int
    modified_at: datetime
    is_overdue: bool = False

    @property
    def is_unfinished(self) -> bool:
        """Whether it may yet become whole by itself."""
        return self.reason_code in UNFINISHED

    def __str__(self) -> str:
        return f"{self.origin} is left: {REASONS[self.reason_code]}"


def left_entry(entry: Entry, part_code: str, report_date: date, reason_code: str) -> LeftFile:
    """Describe an entry that is left."""
    return LeftFile(
        part_code, report_date, shown_name(entry.name), reason_code, entry.size_bytes, entry.modified_at
    )


def finished_name(name: str) -> str | None:
    """Return the name that a file will have once it is whole; None when it has no name of an unfinished file."""
    for suffix in _UNFINISHED_SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return None


def fault_of(entry: Entry) -> str | None:
    """Return why an entry of a folder of files cannot be taken, as far as its kind and name tell."""
    if entry.kind == "link":
        return "link"
    if entry.kind != "file":
        return "no_file"
    return "unfinished_name" if finished_name(entry.name) is not None else None
