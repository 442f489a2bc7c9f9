"""The machine: folders and their rights, disk, clock."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa

from directive_etl.doctor.finding import Finding
from directive_etl.doctor.warehouse import short_engine
from directive_etl.landing.place import is_address
from directive_etl.settings import Settings

LEAST_FREE_BYTES = 1 << 30
LARGEST_DIFFERENCE_SECONDS = 60.0
_WRITTEN = ("landing", "outbox", "reports")
_READ = ("drop", "inbox")
_OTHERS = 0o007


def examine_folders(known: Settings) -> Iterator[Finding]:
    """Find folders that are missing, closed to us, or open to others although they hold phone numbers."""
    for name in (*_READ, *_WRITTEN):
        place = getattr(known, name)
        if is_address(str(place)):
            continue  # looked at with its connection
        folder = Path(place)
        variable = f"DIRECTIVE_ETL_{name.upper()}"
        if not folder.is_dir():
            yield Finding(f"folder {name}", f"{folder} is not there", f"make it, or correct {variable}")
        elif not os.access(folder, os.R_OK | os.X_OK) or (name in _WRITTEN and not _can_write(folder)):
            verb = "written" if name in _WRITTEN else "read"
            yield Finding(
                f"folder {name}",
                f"{folder} cannot be {verb} by this user (uid {os.getuid()})",
                f"give this user the right, e.g. `chown -R {os.getuid()} {folder}`; or mount it read-write",
            )
        elif name in ("landing", "drop") and folder.stat().st_mode & _OTHERS:
            yield Finding(
                f"folder {name}",
                f"{folder} holds phone numbers and is open to every user of the machine",
                f"`chmod o= {folder}`",
            )
        else:
            yield Finding(f"folder {name}", str(folder))


def examine_disk(known: Settings, least_free_bytes: int = LEAST_FREE_BYTES) -> Iterator[Finding]:
    """Find a disk that is nearly full; the landing zone only grows between two runs of warehouse_care."""
    if not known.landing.is_dir():
        return
    free = shutil.disk_usage(known.landing).free
    said = f"{free / (1 << 30):.1f} GiB free for the landing zone"
    if free < least_free_bytes:
        cure = (
            "enlarge the disk, or lower DIRECTIVE_ETL_LANDING_RETENTION_DAYS and run the DAG warehouse_care"
        )
        yield Finding("disk", said, cure)
    else:
        yield Finding("disk", said)


def examine_clock(known: Settings) -> Iterator[Finding]:
    """Find a missing time zone, and a clock that differs from the warehouse's."""
    try:
        ZoneInfo("Asia/Ho_Chi_Minh")
    except ZoneInfoNotFoundError:
        yield Finding("time zone", "Asia/Ho_Chi_Minh is not known", "install the package tzdata")
    if known.warehouse_url is None:
        return
    try:
        with short_engine(known.warehouse_url.get_secret_value()).connect() as connection:
            there = connection.execute(sa.text("select clock_timestamp()")).scalar_one()
    except sa.exc.SQLAlchemyError:
        return  # said by the examination of the warehouse
    yield from judge_clock(datetime.now(UTC), there)


def judge_clock(here: datetime, there: datetime) -> Iterator[Finding]:
    """Compare the two clocks."""
    difference = abs((here - there).total_seconds())
    if difference > LARGEST_DIFFERENCE_SECONDS:
        said = f"this machine and the warehouse differ by {difference:.0f} s"
        yield Finding(
            "clock",
            said,
            "set both by NTP (`timedatectl set-ntp true`); schedules and freshness depend on it",
        )
    else:
        yield Finding("clock", f"differs from the warehouse's by {difference:.1f} s")


def _can_write(folder: Path) -> bool:
    # Asking is not enough: a read-only mount says yes to os.access as root.
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
