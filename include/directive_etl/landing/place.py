"""Places that files come from and go to: a folder of this machine, or one reached over the network.

Both look the same to the sources: list a folder, open a file, write a file. Nothing is followed and nothing blocks: a
link, a pipe or a device is listed for what it is, and only a plain file can be opened.
"""

import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NoReturn, Protocol

from directive_etl.errors import ConfigurationError, SourceUnavailableError
from directive_etl.masking import mask_digits

Kind = Literal["file", "folder", "link", "other"]

BLOCK_SIZE = 1 << 20
_LONGEST_SHOWN_NAME = 160
_ENTER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class FileChangedError(Exception):
    """A file went away, or became something else, between being listed and being opened."""


@dataclass(frozen=True)
class Entry:
    """One name in a folder, as it was when it was listed.

    Attributes:
        folder: the names of the folders from the root of the place.
        name: as it is there, bytes that are no text as surrogates; never to be shown (`shown_name`).
        kind: what it is; a link is not looked behind.
        size_bytes: 0 for all but files.
        modified_at: aware, to the microsecond; of an object store, when it was stored.
        version: differs between two contents of one name even when size and time do not: the inode, the ETag.
    """

    folder: tuple[str, ...]
    name: str
    kind: Kind
    size_bytes: int
    modified_at: datetime
    version: str

    @property
    def is_hidden(self) -> bool:
        """Whether the name begins with a dot: of programs, not of senders."""
        return self.name.startswith(".")


class Place(Protocol):
    """A folder with folders in it."""

    is_remote: bool

    def look(self, *folder: str) -> list[Entry] | None:
        """List a folder, sorted by name; None when there is none.

        Raises:
            PermissionError: it may not be entered.
            SourceUnavailableError: it cannot be reached, or is a link or no folder.
        """

    def iter_blocks(self, entry: Entry) -> Iterator[bytes]:
        """Yield the content of a listed file.

        Raises:
            FileChangedError: it is no longer what was listed.
            PermissionError: it may not be read.
            SourceUnavailableError: the place cannot be reached.
        """

    def write(self, folder: str, name: str, content: bytes) -> None:
        """Write a file whole or not at all, over one of the same name.

        Raises:
            SourceUnavailableError: the place cannot be reached or written to.
        """


# Opens a place that is an address, `sftp://...` or `s3://...`; needs connections, which only Airflow knows.
Connect = Callable[[str], Place]


def no_connection(address: str) -> NoReturn:
    """Refuse an address where nobody can resolve its connection.

    Raises:
        ConfigurationError: always.
    """
    raise ConfigurationError(f"{address}: no connection is known here; see docs/channels.md")


def is_address(place: str) -> bool:
    """Say whether a setting names a place on the network."""
    return "://" in place


def open_place(place: str, connect: Connect = no_connection) -> Place:
    """Open the place that a setting names: a folder, or an address."""
    return connect(place) if is_address(place) else LocalPlace(Path(place))


def shown_name(name: str) -> str:
    """Return a name from outside as it may be shown and stored: numbers masked, on one line, of bounded length."""
    text = mask_digits(name).encode("utf-8", "backslashreplace").decode()
    visible = "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text)
    shown = mask_digits(visible)
    return shown if len(shown) <= _LONGEST_SHOWN_NAME else f"{shown[: _LONGEST_SHOWN_NAME - 1]}…"


class LocalPlace:
    """A folder of this machine. The root may be a link, for an engineer chose it; nothing below it is followed."""

    is_remote = False

    def __init__(self, root: Path) -> None:
        self._root = root

    def __str__(self) -> str:
        return str(self._root)

    def look(self, *folder: str) -> list[Entry] | None:
        """List a folder."""
        try:
            with self._entered(folder) as descriptor, os.scandir(descriptor) as names:
                entries = list(self._iter_entries(folder, names))
        except FileNotFoundError:
            return None
        except PermissionError:
            raise
        except OSError as error:
            shown = "/".join(map(shown_name, folder))
            raise SourceUnavailableError(
                f"{self._root}: {shown or 'the folder'} cannot be entered ({error.strerror}); links are not followed"
            ) from None
        return sorted(entries, key=lambda entry: entry.name)

    def iter_blocks(self, entry: Entry) -> Iterator[bytes]:
        """Yield the content of a listed file."""
        try:
            with self._entered(entry.folder) as folder:
                descriptor = os.open(entry.name, _OPEN, dir_fd=folder)
        except PermissionError:
            raise
        except OSError:  # it is gone, or is a link or a socket by now
            raise FileChangedError from None
        with os.fdopen(descriptor, "rb") as stream:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or _version(status) != entry.version:
                raise FileChangedError
            yield from iter(lambda: stream.read(BLOCK_SIZE), b"")

    def write(self, folder: str, name: str, content: bytes) -> None:
        """Write a file."""
        target = self._root / folder
        target.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target, prefix=".writing-", delete=False) as draft:
            draft.write(content)
        Path(draft.name).chmod(0o644)
        Path(draft.name).replace(target / name)

    @contextmanager
    def _entered(self, folder: tuple[str, ...]) -> Iterator[int]:
        descriptor = os.open(self._root, _ENTER)
        try:
            for name in folder:
                inner = os.open(name, _ENTER | os.O_NOFOLLOW, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = inner
            yield descriptor
        finally:
            os.close(descriptor)

    def _iter_entries(self, folder: tuple[str, ...], names: Iterator[os.DirEntry[str]]) -> Iterator[Entry]:
        for found in names:
            with suppress(FileNotFoundError):
                status = found.stat(follow_symlinks=False)
                kind = _kind(status.st_mode)
                size_bytes = status.st_size if kind == "file" else 0
                yield Entry(folder, found.name, kind, size_bytes, _modified_at(status), _version(status))


def _kind(mode: int) -> Kind:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "folder"
    return "link" if stat.S_ISLNK(mode) else "other"


def _modified_at(status: os.stat_result) -> datetime:
    return datetime.fromtimestamp(status.st_mtime_ns // 1000 / 1_000_000, UTC)


def _version(status: os.stat_result) -> str:
    return f"{status.st_dev}-{status.st_ino}-{status.st_mtime_ns}-{status.st_size}"
