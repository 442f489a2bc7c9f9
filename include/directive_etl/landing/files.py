"""Write-once files: landing/<source_code>/<part_code>/<YYYY-MM-DD>/<sha256><suffixes>, each with a note beside it.

The note `<sha256>.note.json` keeps what the bytes cannot say: where they came from and when. The name as sent may
hold a phone number, so only its suffixes become part of a path, and the origin is masked.
"""

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from directive_etl.masking import mask_digits

_NOTE_SUFFIX = ".note.json"
_SUFFIXES = re.compile(r"(\.[A-Za-z][A-Za-z0-9]{0,7}){1,2}$")


@dataclass(frozen=True)
class LandedFile:
    """One landed file. `known_at` is the channel's time (aware); `origin` is masked."""

    sha256: str
    path: Path
    source_code: str
    part_code: str
    report_date: date
    origin: str
    known_at: datetime
    size_bytes: int


def land_file(
    root: Path, source_code: str, part_code: str, report_date: date, origin_path: Path
) -> LandedFile:
    """Copy a dropped file into the landing zone; its modification time is when it became known.

    Landing the same bytes again changes nothing: the first time known stands.

    Raises:
        FileNotFoundError: the file went away meanwhile.
    """
    known_at = datetime.fromtimestamp(origin_path.stat().st_mtime, UTC)
    folder = _folder(root, source_code, part_code, report_date)
    digest = hashlib.sha256()
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".landing-", delete=False) as copy:
        try:
            with origin_path.open("rb") as original:
                while block := original.read(1 << 20):
                    digest.update(block)
                    copy.write(block)
            copy.close()
            return _keep(folder, Path(copy.name), digest.hexdigest(), origin_path.name, known_at)
        finally:
            Path(copy.name).unlink(missing_ok=True)


def land_bytes(
    root: Path,
    source_code: str,
    part_code: str,
    report_date: date,
    content: bytes,
    origin: str,
    known_at: datetime,
) -> LandedFile:
    """Land bytes received over the network; `origin` is their address without secrets, `known_at` their receipt.

    Landing the same bytes again changes nothing: the first time known stands.
    """
    folder = _folder(root, source_code, part_code, report_date)
    sha256 = hashlib.sha256(content).hexdigest()
    note = folder / f"{sha256}{_NOTE_SUFFIX}"
    if note.exists():
        return _read_note(note)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".landing-", delete=False) as copy:
        try:
            copy.write(content)
            copy.close()
            return _keep(folder, Path(copy.name), sha256, origin, known_at)
        finally:
            Path(copy.name).unlink(missing_ok=True)


def iter_landed(root: Path, source_code: str, part_code: str, report_date: date) -> Iterator[LandedFile]:
    """Yield what has landed for one source, part and day, sorted by time known, then hash."""
    folder = root / source_code / part_code / report_date.isoformat()
    notes = folder.glob(f"*{_NOTE_SUFFIX}") if folder.is_dir() else ()
    yield from sorted((_read_note(note) for note in notes), key=lambda file: (file.known_at, file.sha256))


def _folder(root: Path, source_code: str, part_code: str, report_date: date) -> Path:
    folder = root / source_code / part_code / report_date.isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _keep(folder: Path, copy: Path, sha256: str, origin_name: str, known_at: datetime) -> LandedFile:
    """Give the copy its final name, then its note. The note comes last, so a note always has its bytes."""
    note = folder / f"{sha256}{_NOTE_SUFFIX}"
    if note.exists():
        return _read_note(note)
    suffixes = _SUFFIXES.search(origin_name)
    path = folder / (sha256 + (suffixes.group().lower() if suffixes else ".bin"))
    size_bytes = copy.stat().st_size
    copy.chmod(0o440)
    copy.replace(path)
    content = {
        "file": path.name,
        "origin": mask_digits(origin_name),
        "known_at": known_at.astimezone(UTC).isoformat(),
        "size_bytes": size_bytes,
    }
    with tempfile.NamedTemporaryFile("w", dir=folder, prefix=".note-", delete=False) as draft:
        json.dump(content, draft)
    shutil.move(draft.name, note)
    return _read_note(note)


def _read_note(note: Path) -> LandedFile:
    content = json.loads(note.read_text())
    folder = note.parent
    return LandedFile(
        sha256=note.name.removesuffix(_NOTE_SUFFIX),
        path=folder / content["file"],
        source_code=folder.parent.parent.name,
        part_code=folder.parent.name,
        report_date=date.fromisoformat(folder.name),
        origin=content["origin"],
        known_at=datetime.fromisoformat(content["known_at"]),
        size_bytes=content["size_bytes"],
    )
