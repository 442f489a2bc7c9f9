"""What has arrived in the inbox: each unit's files that are whole, and what was left with the reason."""

import logging
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from directive_etl.landing import LandedFile
from directive_etl.landing.left import LeftFile, fault_of, finished_name, left_entry
from directive_etl.landing.place import Entry, Place
from directive_etl.landing.take import Wanted, take_files
from directive_etl.periods import to_local_date

log = logging.getLogger(__name__)

SOURCE = "unit_report"
# Folders are named by the code of their unit, and the code becomes a folder of the landing zone and of the outbox.
_UNIT_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
# What an editor puts beside a workbook while it is open.
_EDITORS_LOCK = "~$"


def take_inbox(
    inbox: Place, landing: Path, settle_seconds: float, unfinished_limit: timedelta
) -> tuple[list[LandedFile], list[LeftFile]]:
    """Land the files of every unit's folder that are whole.

    Args:
        inbox: holds one folder per unit.
        landing: root of the landing zone.
        settle_seconds: how long a file must rest to be taken for whole.
        unfinished_limit: a file that stays unfinished while files this much younger come is overdue.

    Returns:
        One landed file per sending, known since its own time there, in the order in which they came; and what was left.

    Raises:
        SourceUnavailableError: the inbox cannot be reached.
    """
    wanted: list[Wanted] = []
    left: list[LeftFile] = []
    seen: list[Entry] = []
    folders = inbox.look()
    if folders is None:
        log.warning("unit_report: there is no inbox at %s", inbox)
    for folder in folders or ():
        if folder.is_hidden:
            continue
        if folder.kind != "folder" or not _UNIT_CODE.fullmatch(folder.name):
            left.append(_left(folder, "", "link" if folder.kind == "link" else "no_part"))
            continue
        try:
            entries = inbox.look(folder.name) or []
        except PermissionError:
            left.append(_left(folder, folder.name, "not_readable"))
            continue
        seen += entries
        names = {entry.name for entry in entries if entry.kind == "file"}
        for entry in entries:
            if entry.is_hidden or entry.name.startswith(_EDITORS_LOCK):
                continue
            fault = fault_of(entry)
            if fault is not None:
                is_leftover = finished_name(entry.name) in names
                left.append(_left(entry, folder.name, "leftover" if is_leftover else fault))
            else:
                wanted.append(Wanted(entry, folder.name, to_local_date(entry.modified_at)))
    taken = take_files(inbox, landing, SOURCE, wanted, settle_seconds)
    left += taken.left
    for one in left:
        log.warning("unit_report %s: %s", one.part_code, one)
    came = sorted(taken.landed, key=lambda pair: (pair[0].modified_at, pair[0].folder, pair[0].name))
    files = [replace(file, known_at=entry.modified_at) for entry, file in came]
    return files, _mark_overdue(left, seen, unfinished_limit)


def _left(entry: Entry, unit_code: str, reason_code: str) -> LeftFile:
    return left_entry(entry, unit_code, to_local_date(entry.modified_at), reason_code)


def _mark_overdue(left: Sequence[LeftFile], seen: Sequence[Entry], limit: timedelta) -> list[LeftFile]:
    """Judge by the newest file of the inbox, not by a clock: looked at again, it is judged the same."""
    newest = max((entry.modified_at for entry in seen), default=None)
    return [
        replace(one, is_overdue=one.is_unfinished and newest is not None and newest - one.modified_at > limit)
        for one in left
    ]
