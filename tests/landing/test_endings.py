"""A compressed file without its end is told from a whole one, and from one that is damaged for good."""

import gzip
import random
import struct
from pathlib import Path

import duckdb
import pytest

from directive_etl.landing.endings import inspect_packed
from directive_etl.landing.texts import CutOffError, Inspection

NOISE = random.Random(4).randbytes(300_000)
TEXT = "".join(f"84{number:09d};SUCCESS;{number % 7}\n" for number in range(20_000)).encode()


def zstd(path: Path, text: bytes, level: int) -> bytes:
    """Compressed by a program that is not ours: DuckDB writes real zstd frames with checksums."""
    plain = path.with_suffix(".txt")
    plain.write_bytes(text)
    duckdb.sql(
        f"copy (select unnest(string_split('{text.decode()}', chr(10))) as line) to '{path}' "
        f"(format csv, header false, compression zstd)"
        if level
        else f"copy (select '{'x' * 10}' from range(2000000)) to '{path}' (format csv, compression zstd)"
    )
    return path.read_bytes()


def cuts(size: int) -> list[int]:
    return sorted({1, 3, 4, 5, 9, 10, 17, 18, size // 2, size - 5, size - 4, size - 1} & set(range(size)))


def write(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "file"
    path.write_bytes(content)
    return path


def is_cut_off(path: Path) -> bool:
    try:
        inspect_packed(path)
    except CutOffError:
        return True
    return False


def test_a_gzip_text_is_inspected_in_the_pass_that_finds_it_whole(tmp_path: Path):
    packed = gzip.compress(b"one\r\ntwo\r\n") + gzip.compress(b"thr\0ee")

    assert inspect_packed(write(tmp_path, packed)) == Inspection(16, 3, has_nul=True, is_plainly_ended=True)
    assert inspect_packed(write(tmp_path, b"one\n")) is None


@pytest.mark.parametrize("content", [b"", b"x", TEXT, NOISE])
def test_gzip_is_whole_only_to_its_last_byte(tmp_path: Path, content: bytes):
    whole = gzip.compress(content)

    assert not is_cut_off(write(tmp_path, whole))
    for length in cuts(len(whole)):
        assert is_cut_off(write(tmp_path, whole[:length])) == (length > 1), length


def test_gzip_of_several_members_lacks_its_end_when_the_last_does(tmp_path: Path):
    first, last = gzip.compress(TEXT[:1000]), gzip.compress(TEXT[1000:])

    assert not is_cut_off(write(tmp_path, first + last))
    assert is_cut_off(write(tmp_path, first + last[:-1]))


def test_gzip_that_is_damaged_will_not_be_better_tomorrow(tmp_path: Path):
    damaged = bytearray(gzip.compress(TEXT))
    damaged[len(damaged) // 2 : len(damaged) // 2 + 50] = NOISE[:50]
    wrong_sum = gzip.compress(TEXT)[:-8] + struct.pack("<II", 1, len(TEXT))

    assert not is_cut_off(write(tmp_path, bytes(damaged)))
    assert not is_cut_off(write(tmp_path, wrong_sum))


@pytest.mark.parametrize("level", [0, 1])
def test_zstd_is_whole_only_to_its_last_byte(tmp_path: Path, level: int):
    whole = zstd(tmp_path / "text.zst", TEXT[:2000] if level else b"", level)

    assert not is_cut_off(write(tmp_path, whole))
    assert not is_cut_off(write(tmp_path, whole + whole))
    somewhere = random.Random(4)
    for length in {*cuts(len(whole)), *(somewhere.randrange(4, len(whole)) for _ in range(30))}:
        assert is_cut_off(write(tmp_path, whole[:length])) == (length >= 4), length
    assert is_cut_off(write(tmp_path, whole + whole[:-1]))


def test_a_skippable_zstd_frame_is_passed_over(tmp_path: Path):
    whole = zstd(tmp_path / "text.zst", TEXT[:2000], 1)
    skippable = struct.pack("<II", 0x184D2A50, 10) + b"0123456789"

    assert not is_cut_off(write(tmp_path, whole + skippable))
    assert is_cut_off(write(tmp_path, whole + skippable[:-1]))


@pytest.mark.parametrize("content", [b"", b"\x1f", b"plain text\n", b"PK\x03\x04 a workbook"])
def test_other_files_have_no_end_to_look_for(tmp_path: Path, content: bytes):
    assert not is_cut_off(write(tmp_path, content))
