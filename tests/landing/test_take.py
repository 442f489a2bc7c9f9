"""Only whole files are taken; what is still being written, or is no file at all, is left with a reason."""

import gzip
import json
import os
import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st

from directive_etl.errors import SourceUnavailableError
from directive_etl.landing import iter_landed
from directive_etl.landing.files import read_note
from directive_etl.landing.left import fault_of
from directive_etl.landing.place import Entry, LocalPlace, shown_name
from directive_etl.landing.take import Taken, Wanted, take_files
from directive_etl.landing.texts import Inspection

DAY = date(2020, 8, 20)
NOON = datetime(2020, 8, 20, 5, tzinfo=UTC)


class Watched(LocalPlace):
    """A real folder in which somebody does something right after a file was read."""

    def __init__(self, root: Path, after: dict[str, object]) -> None:
        super().__init__(root)
        self._after = after

    def iter_blocks(self, entry: Entry) -> Iterator[bytes]:
        yield from super().iter_blocks(entry)
        if entry.name in self._after:
            self._after[entry.name]()


class LookedAt(LocalPlace):
    """A real folder in which somebody does something after each look at it."""

    def __init__(self, root: Path, then: Callable[[], None]) -> None:
        super().__init__(root)
        self._then = then

    def look(self, *folders: str) -> list[Entry] | None:
        entries = super().look(*folders)
        self._then()
        return entries


def put(folder: Path, name: str, content: bytes, at: datetime = NOON) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(content)
    os.utime(path, (at.timestamp(),) * 2)
    return path


def take(tmp_path: Path, place: LocalPlace | None = None, settle_seconds: float = 0) -> Taken:
    place = place or LocalPlace(tmp_path / "drop")
    entries = place.look("a") or []
    wanted = [Wanted(entry, "viettel", DAY) for entry in entries if fault_of(entry) is None]
    return take_files(place, tmp_path / "landing", "sms_log", wanted, settle_seconds)


def reasons(taken: Taken) -> dict[str, str]:
    return {left.origin: left.reason_code for left in taken.left}


def test_old_files_are_taken_at_once_however_long_they_must_rest(tmp_path: Path):
    put(tmp_path / "drop/a", "a.log", b"whole")
    # An hour of settling would run into the time limit of the test.
    taken = take(tmp_path, settle_seconds=3600)

    assert [file.path.read_bytes() for file in taken.files] == [b"whole"]
    assert taken.files[0].known_at == NOON


def test_what_a_gzip_text_says_is_kept_with_it_but_not_of_a_damaged_one(tmp_path: Path):
    put(tmp_path / "drop/a", "whole.log.gz", gzip.compress(b"one\ntwo\n"))
    put(tmp_path / "drop/a", "damaged.log.gz", gzip.compress(b"one\n")[:-8] + bytes(8))

    taken = take(tmp_path).files
    assert {file.origin: file.inspection for file in taken} == {
        "whole.log.gz": Inspection(8, 2, has_nul=False, is_plainly_ended=True),
        "damaged.log.gz": None,
    }
    assert list(iter_landed(tmp_path / "landing", "sms_log", "viettel", DAY)) == taken


def test_a_note_of_before_inspections_were_kept_is_read(tmp_path: Path):
    put(tmp_path / "drop/a", "a.log.gz", gzip.compress(b"one\n"))
    (landed,) = take(tmp_path).files
    note = landed.path.with_name(f"{landed.sha256}.note.json")
    content = json.loads(note.read_text())
    del content["inspection"]
    note.chmod(0o600)
    note.write_text(json.dumps(content))

    assert read_note(note) == replace(landed, inspection=None)


def test_a_young_file_that_rests_is_taken_and_one_that_grows_is_left(tmp_path: Path):
    put(tmp_path / "drop/a", "resting.log", b"whole")
    growing = put(tmp_path / "drop/a", "growing.log", b"begun")

    def write_on() -> None:
        put(tmp_path / "drop/a", "growing.log", growing.read_bytes() + b".")

    with time_machine.travel(NOON, tick=False):
        taken = take(tmp_path, LookedAt(tmp_path / "drop", then=write_on), settle_seconds=0.1)

    assert [file.path.read_bytes() for file in taken.files] == [b"whole"]
    assert reasons(taken) == {"growing.log": "growing"}
    assert reasons(take(tmp_path, settle_seconds=0.1)) == {}


def test_a_file_replaced_while_it_is_read_is_left_and_taken_next_time(tmp_path: Path):
    folder = tmp_path / "drop/a"
    put(folder, "a.log", b"old")
    put(folder, "b.log", b"other")

    def replace() -> None:
        put(folder, ".new", b"new").replace(folder / "a.log")

    taken = take(tmp_path, Watched(tmp_path / "drop", {"a.log": replace}))

    assert reasons(taken) == {"a.log": "changed_while_read"}
    assert [file.path.read_bytes() for file in taken.files] == [b"other"]
    assert sorted(file.path.read_bytes() for file in take(tmp_path).files) == [b"new", b"other"]


def test_a_file_that_is_gone_before_it_is_read_is_left(tmp_path: Path):
    folder = tmp_path / "drop/a"
    put(folder, "a.log", b"first")
    gone = put(folder, "b.log", b"second")

    taken = take(tmp_path, Watched(tmp_path / "drop", {"a.log": gone.unlink}))

    assert reasons(taken) == {"b.log": "changed_while_read"}
    assert [file.path.read_bytes() for file in taken.files] == [b"first"]


def test_a_file_that_becomes_a_link_is_not_followed(tmp_path: Path):
    folder = tmp_path / "drop/a"
    secret = put(tmp_path, "secret", b"secret")
    put(folder, "a.log", b"first")
    swapped = put(folder, "b.log", b"second")

    def swap() -> None:
        swapped.unlink()
        swapped.symlink_to(secret)

    taken = take(tmp_path, Watched(tmp_path / "drop", {"a.log": swap}))

    assert [file.path.read_bytes() for file in taken.files] == [b"first"]
    assert reasons(taken) == {"b.log": "changed_while_read"}


def test_gzip_without_its_end_waits_for_the_rest(tmp_path: Path):
    whole = gzip.compress(os.urandom(5000))
    path = put(tmp_path / "drop/a", "a.log.gz", whole[:-1])

    assert reasons(take(tmp_path)) == {"a.log.gz": "cut_off"}
    assert list(iter_landed(tmp_path / "landing", "sms_log", "viettel", DAY)) == []

    put(path.parent, path.name, whole)
    assert [file.path.read_bytes() for file in take(tmp_path).files] == [whole]


def test_changed_content_under_an_old_name_lands_beside_the_old(tmp_path: Path):
    put(tmp_path / "drop/a", "a.log", b"first")
    take(tmp_path)
    put(tmp_path / "drop/a", "a.log", b"corrected", NOON.replace(hour=9))
    take(tmp_path)

    landed = list(iter_landed(tmp_path / "landing", "sms_log", "viettel", DAY))
    assert [file.path.read_bytes() for file in landed] == [b"first", b"corrected"]
    assert [file.origin for file in landed] == ["a.log", "a.log"]


def test_nothing_half_copied_stays_in_the_landing_zone(tmp_path: Path):
    folder = tmp_path / "drop/a"
    changed = put(folder, "a.log", b"old")
    put(folder, "b.gz", gzip.compress(b"x")[:-2])
    take(tmp_path, Watched(tmp_path / "drop", {"a.log": lambda: changed.write_bytes(b"newer")}))

    assert [path for path in (tmp_path / "landing").rglob("*") if path.is_file()] == []


def test_what_is_no_plain_file_is_known_by_its_kind_and_never_opened(tmp_path: Path):
    folder = tmp_path / "drop/a"
    put(folder, "a.log", b"x")
    os.mkfifo(folder / "pipe.log")
    os.mknod(folder / "device.log", 0o600 | 0o020000, os.makedev(1, 3)) if os.getuid() == 0 else None
    (folder / "link.log").symlink_to("/etc/passwd")
    (folder / "loop.log").symlink_to("loop.log")
    (folder / "folder.log").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(folder / "socket.log"))
        entries = {entry.name: fault_of(entry) for entry in LocalPlace(tmp_path / "drop").look("a") or ()}

    assert entries.pop("device.log", "no_file") == "no_file"
    assert entries == {
        "a.log": None,
        "pipe.log": "no_file",
        "link.log": "link",
        "loop.log": "link",
        "folder.log": "no_file",
        "socket.log": "no_file",
    }


def test_a_file_that_becomes_a_pipe_does_not_block(tmp_path: Path):
    folder = tmp_path / "drop/a"
    put(folder, "a.log", b"first")
    swapped = put(folder, "b.log", b"second")

    def swap() -> None:
        swapped.unlink()
        os.mkfifo(swapped)

    taken = take(tmp_path, Watched(tmp_path / "drop", {"a.log": swap}))

    assert reasons(taken) == {"b.log": "changed_while_read"}


def test_a_link_in_place_of_a_folder_is_not_entered(tmp_path: Path):
    put(tmp_path / "elsewhere", "a.log", b"x")
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop/a").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(SourceUnavailableError, match=r"a cannot be entered .* links are not followed"):
        LocalPlace(tmp_path / "drop").look("a")


def test_the_root_itself_may_be_a_link(tmp_path: Path):
    put(tmp_path / "elsewhere/a", "a.log", b"x")
    (tmp_path / "drop").symlink_to(tmp_path / "elsewhere")

    assert [entry.name for entry in LocalPlace(tmp_path / "drop").look("a") or ()] == ["a.log"]


@pytest.mark.parametrize(
    "name",
    [
        b"line\nbreak.log",
        b"..log",
        b"\xff\xfe.log",
        b"tab\tand\x1b[31mcolour.log",
        "\u202egol.exe.log".encode(),
        b"n" * 251 + b".log",
        b"-rf *.log",
        b"$(reboot).log",
        b"84901234567.log",
    ],
)
def test_any_name_lands_and_shows_on_one_line_without_a_number(tmp_path: Path, name: bytes):
    folder = tmp_path / "drop/a"
    folder.mkdir(parents=True)
    (folder / os.fsdecode(name)).write_bytes(b"content")

    (landed,) = take(tmp_path).files

    assert landed.path.read_bytes() == b"content"
    assert landed.path.parent == tmp_path / "landing/sms_log/viettel/2020-08-20"
    assert re.fullmatch(r"[0-9a-f]{64}(\.exe)?\.log", landed.path.name)
    assert landed.origin.isprintable()
    assert len(landed.origin) <= 160
    assert "84901234567" not in landed.origin
    landed.origin.encode()


@settings(max_examples=200)
@given(name=st.text(st.characters(exclude_characters="/\0", exclude_categories=()), min_size=1, max_size=300))
def test_every_name_can_be_shown(name: str):
    shown = shown_name(name)

    assert shown.isprintable()
    assert len(shown) <= 160
    shown.encode()
