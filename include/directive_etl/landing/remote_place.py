"""A place on the network, through fsspec: SFTP or S3. Who connects is the caller; nothing here knows Airflow."""

import posixpath
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import asyncssh
import botocore.exceptions
from fsspec import AbstractFileSystem

from directive_etl.errors import SourceUnavailableError
from directive_etl.landing.place import BLOCK_SIZE, Entry, FileChangedError, Kind, shown_name

_KINDS: Mapping[str, Kind] = {"file": "file", "directory": "folder", "link": "link"}
# What the libraries raise when the other side cannot be reached, turns us away, or breaks off.
_NETWORK_ERRORS = (
    OSError,
    asyncssh.Error,
    botocore.exceptions.BotoCoreError,
    botocore.exceptions.ClientError,
)
_EPOCH = datetime.fromtimestamp(0, UTC)


@contextmanager
def reaching(address: str) -> Iterator[None]:
    """Turn what the libraries raise while they connect into an error of ours.

    Raises:
        SourceUnavailableError: the other side does not answer, or turns us away.
    """
    try:
        yield
    except _NETWORK_ERRORS as error:
        raise SourceUnavailableError(
            f"{address}: cannot be reached: {shown_name(str(error))}; ask its owner, or correct the connection"
        ) from error


class RemotePlace:
    """A folder of an SFTP server, or a prefix of a bucket.

    Args:
        fs: connected, and without a cache of listings.
        root: path of the folder, as `fs` spells it.
        address: for messages; holds the name of a connection and no secret.
    """

    is_remote = True

    def __init__(self, fs: AbstractFileSystem, root: str, address: str) -> None:
        self._fs = fs
        self._root = root.rstrip("/")
        self._address = address

    def __str__(self) -> str:
        return self._address

    def look(self, *folder: str) -> list[Entry] | None:
        """List a folder."""
        path = posixpath.join(self._root, *folder)
        try:
            # A store that remembers its listings would never see a file grow.
            self._fs.invalidate_cache(path)
            found = self._fs.ls(path, detail=True)
        except FileNotFoundError:
            return None
        except PermissionError:
            raise
        except _NETWORK_ERRORS as error:
            raise self._unreachable(folder, error) from error
        # A bucket may hold an empty object with the folder's own name; it stands for the folder.
        below = [info for info in found if str(info["name"]).rstrip("/") != path]
        return sorted((_entry(folder, info) for info in below), key=lambda entry: entry.name)

    def iter_blocks(self, entry: Entry) -> Iterator[bytes]:
        """Yield the content of a listed file."""
        try:
            with self._fs.open(posixpath.join(self._root, *entry.folder, entry.name), "rb") as stream:
                yield from iter(lambda: stream.read(BLOCK_SIZE), b"")
        except FileNotFoundError:
            raise FileChangedError from None
        except PermissionError:
            raise
        except _NETWORK_ERRORS as error:
            raise self._unreachable(entry.folder, error) from error

    def write(self, folder: str, name: str, content: bytes) -> None:
        """Write a file under another name first, where the place would show it half written."""
        target = posixpath.join(self._root, folder)
        path = posixpath.join(target, name)
        try:
            if "s3" in self._fs.protocol:
                self._fs.pipe_file(path, content)  # an object appears whole
                return
            self._fs.makedirs(target, exist_ok=True)
            draft = posixpath.join(target, f".writing-{name}")
            self._fs.pipe_file(draft, content)
            self._fs.mv(draft, path)
        except _NETWORK_ERRORS as error:
            raise self._unreachable((folder,), error) from error

    def _unreachable(self, folder: tuple[str, ...], error: Exception) -> SourceUnavailableError:
        shown = "/".join(map(shown_name, folder))
        return SourceUnavailableError(
            f"{self._address}: {shown or 'the folder'} cannot be reached: {shown_name(str(error))}; "
            "ask its owner, or correct the connection"
        )


def _entry(folder: tuple[str, ...], info: Mapping[str, Any]) -> Entry:
    kind = _KINDS.get(str(info["type"]), "other")
    modified_at = info.get("LastModified") or info.get("mtime") or _EPOCH
    return Entry(
        folder=folder,
        name=posixpath.basename(str(info["name"]).rstrip("/")),
        kind=kind,
        size_bytes=int(info.get("size") or 0) if kind == "file" else 0,
        modified_at=modified_at.astimezone(UTC),
        version=str(info.get("ETag", "")),
    )
