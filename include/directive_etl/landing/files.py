"""Write-once files: landing/<source_code>/<part_code>/<YYYY-MM-DD>/<sha256><suffixes>, each with a note beside it.

The note `<sha256>.note.json` keeps what the bytes cannot say: where they came from and when; and what a text says that
landing had to unpack, so that nobody has to unpack it again for that. The name as sent may hold a phone number, so only
its suffixes become part of a path, and the origin is masked.
"""

import hashlib
import json
import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from directive_etl.landing.texts import Inspection
from directive_etl.masking import mask_digits

_NOTE_SUFFIX = ".note.json"
_SUFFIXES = re.compile(r"(\.[A-Za-z][A-Za-z0-9]{0,7}){1,2}$")


@dataclass(frozen=True)
class LandedFile:
    """One landed file.

    `known_at` is the channel's time (aware); `origin` is masked; `inspection` is what its text says, where landing had
    to read it to its end.
    """

    sha256: str
    path: Path
    source_code: str
    part_code: str
    report_date: date
    origin: str
    known_at: datetime
    size_bytes: int
    inspection: Inspection | None = None


@dataclass(frozen=True)
class Draft:
    """A copy in the landing zone that has no name there yet; keep it or discard it."""

    path: Path
    sha256: str

    @property
    def folder(self) -> Path:
        """The folder of its source, part and day."""
        return self.path.parent

    @property
    def note(self) -> Path:
        """Where its note is, if the same bytes have landed before."""
        return self.folder / f"{self.sha256}{_NOTE_SUFFIX}"

    def discard(self) -> None:
        """Remove the copy, if it is still there."""
        self.path.unlink(missing_ok=True)


def write_draft(
    root: Path, source_code: str, part_code: str, report_date: date, blocks: Iterable[bytes]
) -> Draft:
    """Copy bytes into the folder of a source, part and day, where nothing shows them yet."""
    digest = hashlib.sha256()

    def hashed() -> Iterator[bytes]:
        for block in blocks:
            digest.update(block)
            yield block

    path = _copy_into(folder_of(root, source_code, part_code, report_date), hashed())
    return Draft(path, digest.hexdigest())


def _copy_into(folder: Path, blocks: Iterable[bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".landing-", delete=False) as copy:
        try:
            copy.writelines(blocks)
        except BaseException:
            Path(copy.name).unlink()
            raise
    return Path(copy.name)


def keep_draft(
    draft: Draft, name: str, origin: str, known_at: datetime, inspection: Inspection | None = None
) -> LandedFile:
    """Give a copy its final name, then its note. The note comes last, so a note always has its bytes.

    Args:
        draft: the copy; it is gone afterwards.
        name: as sent; only its suffixes are used.
        origin: where it came from, as it may be shown.
        known_at: the channel's time, aware.
        inspection: what its text says, where it was read to its end.

    Returns:
        The landed file; the first time known stands where the same bytes had landed before.
    """
    if draft.note.exists():
        draft.discard()
        return read_note(draft.note)
    suffixes = _SUFFIXES.search(name)
    path = draft.folder / (draft.sha256 + (suffixes.group().lower() if suffixes else ".bin"))
    content = {
        "file": path.name,
        "origin": origin,
        "known_at": known_at.astimezone(UTC).isoformat(),
        "size_bytes": draft.path.stat().st_size,
        "inspection": asdict(inspection) if inspection else None,
    }
    draft.path.chmod(0o440)
    draft.path.replace(path)
    with tempfile.NamedTemporaryFile("w", dir=draft.folder, prefix=".note-", delete=False) as written:
        json.dump(content, written)
    Path(written.name).replace(draft.note)
    return _landed(draft.note, content)


def land_file(
    root: Path, source_code: str, part_code: str, report_date: date, origin_path: Path
) -> LandedFile:
    """Copy a file of this machine into the landing zone; its modification time is when it became known.

    Landing the same bytes again changes nothing: the first time known stands.

    Raises:
        FileNotFoundError: the file went away meanwhile.
    """
    known_at = datetime.fromtimestamp(origin_path.stat().st_mtime, UTC)
    with origin_path.open("rb") as original:
        blocks = iter(lambda: original.read(1 << 20), b"")
        draft = write_draft(root, source_code, part_code, report_date, blocks)
    return keep_draft(draft, origin_path.name, mask_digits(origin_path.name), known_at)


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
    folder = folder_of(root, source_code, part_code, report_date)
    sha256 = hashlib.sha256(content).hexdigest()
    note = folder / f"{sha256}{_NOTE_SUFFIX}"
    if note.exists():
        return read_note(note)
    draft = Draft(_copy_into(folder, [content]), sha256)
    return keep_draft(draft, origin, mask_digits(origin), known_at)


def iter_landed(root: Path, source_code: str, part_code: str, report_date: date) -> Iterator[LandedFile]:
    """Yield what has landed for one source, part and day, sorted by time known, then hash."""
    folder = folder_of(root, source_code, part_code, report_date)
    notes = folder.glob(f"*{_NOTE_SUFFIX}") if folder.is_dir() else ()
    yield from sorted((read_note(note) for note in notes), key=lambda file: (file.known_at, file.sha256))


def folder_of(root: Path, source_code: str, part_code: str, report_date: date) -> Path:
    """Return the folder of a source, part and day."""
    return root / source_code / part_code / report_date.isoformat()


def read_note(note: Path) -> LandedFile:
    """Read what is known of a landed file."""
    return _landed(note, json.loads(note.read_text()))


def _landed(note: Path, content: dict[str, Any]) -> LandedFile:
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
        # Notes of before it was kept have none.
        inspection=Inspection(**inspection) if (inspection := content.get("inspection")) else None,
    )
