"""Scratch folders for data that must not leave the landing zone, swept when a process died over one."""

import fcntl
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

_PREFIX = ".scratch-"
_LOCK = "in-use"
# A folder is made a moment before it is locked.
_YOUNGEST_SWEPT_SECONDS = 600


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """Give a folder that only this user can read, locked while it is used and gone afterwards."""
    _sweep(parent)
    with TemporaryDirectory(prefix=_PREFIX, dir=parent) as name:
        folder = Path(name)
        with (folder / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder


def _sweep(parent: Path) -> None:
    """Remove the folders of processes that were killed: nobody holds their lock."""
    for folder in parent.glob(f"{_PREFIX}*"):
        try:
            if time.time() - folder.stat().st_mtime < _YOUNGEST_SWEPT_SECONDS:
                continue
            with (folder / _LOCK).open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue  # in use, or swept by another process
