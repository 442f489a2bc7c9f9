"""Take files from a place: only those that rest, whole, and each once.

A file is looked at twice. One that changes meanwhile is still being written, and is left for the next run. The clock
only decides whether a second look has to wait: a file whose time is long past is taken at once, so old days can be
loaded at full speed, and no figure depends on when this ran.
"""

import hashlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from pathlib import Path

from directive_etl.landing.endings import inspect_packed
from directive_etl.landing.files import Draft, LandedFile, folder_of, keep_draft, read_note, write_draft
from directive_etl.landing.left import LeftFile, left_entry
from directive_etl.landing.place import Entry, FileChangedError, Place, shown_name
from directive_etl.landing.texts import CutOffError


@dataclass(frozen=True)
class Wanted:
    """A file to take, whose it is, and the day it lands under."""

    entry: Entry
    part_code: str
    report_date: date


@dataclass
class Taken:
    """What became of the files of a place: landed, each with its entry there, or left."""

    landed: list[tuple[Entry, LandedFile]] = field(default_factory=list)
    left: list[LeftFile] = field(default_factory=list)

    @property
    def files(self) -> list[LandedFile]:
        """The landed files, each content once, in order of time known, then hash."""
        once = {file.sha256: file for _, file in self.landed}
        return sorted(once.values(), key=lambda file: (file.known_at, file.sha256))


def take_files(
    place: Place, root: Path, source_code: str, wanted: Sequence[Wanted], settle_seconds: float
) -> Taken:
    """Land the files that rest, and leave the others.

    Args:
        place: where they are.
        root: of the landing zone.
        source_code: as in `landing`.
        wanted: listed just now; files only.
        settle_seconds: a file younger than this is looked at again after it; 0 takes what is there.

    Raises:
        SourceUnavailableError: the place cannot be reached.
    """
    taken = Taken()
    resting = _leave_growing(place, wanted, settle_seconds, taken)
    for _, of_folder in groupby(resting, key=lambda one: one.entry.folder):
        _take_folder(place, root, source_code, list(of_folder), taken)
    return taken


def _leave_growing(
    place: Place, wanted: Sequence[Wanted], settle_seconds: float, taken: Taken
) -> list[Wanted]:
    now = time.time()
    young = [one for one in wanted if abs(now - one.entry.modified_at.timestamp()) < settle_seconds]
    if not young:
        return list(wanted)
    time.sleep(settle_seconds)
    seen = _look_again(place, {one.entry.folder for one in young})
    growing = [one for one in young if one.entry not in seen]
    taken.left += [left_entry(one.entry, one.part_code, one.report_date, "growing") for one in growing]
    return [one for one in wanted if one not in growing]


def _take_folder(place: Place, root: Path, source_code: str, wanted: Sequence[Wanted], taken: Taken) -> None:
    drafts: list[tuple[Wanted, Draft]] = []
    try:
        for one in wanted:
            if known := _fetched_before(place, root, source_code, one):
                taken.landed.append((one.entry, known))
                continue
            try:
                blocks = place.iter_blocks(one.entry)
                drafts.append((one, write_draft(root, source_code, one.part_code, one.report_date, blocks)))
            except FileChangedError:
                _leave(taken, one, "changed_while_read")
            except PermissionError:
                _leave(taken, one, "not_readable")
        seen = _look_again(place, {one.entry.folder for one, _ in drafts})
        for one, draft in drafts:
            if one.entry not in seen:
                _leave(taken, one, "changed_while_read")
                continue
            try:
                inspection = None if draft.note.exists() else inspect_packed(draft.path)
            except CutOffError:
                _leave(taken, one, "cut_off")
                continue
            name = one.entry.name
            landed = keep_draft(draft, name, shown_name(name), one.entry.modified_at, inspection)
            if place.is_remote:
                (draft.folder / f"{landed.sha256}{_mark(place, one.entry)}").touch()
            taken.landed.append((one.entry, landed))
    finally:
        for _, draft in drafts:
            draft.discard()


def _leave(taken: Taken, one: Wanted, reason_code: str) -> None:
    taken.left.append(left_entry(one.entry, one.part_code, one.report_date, reason_code))


def _look_again(place: Place, folders: Iterable[tuple[str, ...]]) -> set[Entry]:
    return {entry for folder in folders for entry in place.look(*folder) or ()}


def _fetched_before(place: Place, root: Path, source_code: str, one: Wanted) -> LandedFile | None:
    """Find a file of a distant place that was fetched before, so that it does not cross the network every time."""
    if not place.is_remote:
        return None
    folder = folder_of(root, source_code, one.part_code, one.report_date)
    mark = _mark(place, one.entry)
    for found in folder.glob(f"*{mark}"):
        return read_note(folder / f"{found.name.removesuffix(mark)}.note.json")
    return None


def _mark(place: Place, entry: Entry) -> str:
    """Return the suffix of the empty file that remembers an entry: its address, size, time and version."""
    parts = (str(place), *entry.folder, entry.name, entry.size_bytes, entry.modified_at, entry.version)
    digest = hashlib.sha256(repr(parts).encode("utf-8", "surrogateescape")).hexdigest()
    return f".fetched-{digest[:32]}"
