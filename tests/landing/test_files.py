"""The landing zone: write-once, exact, and silent about names that hold a phone number."""

import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from directive_etl.landing import iter_landed, land_bytes, land_file
from directive_etl.landing.retention import delete_days_before

DAY = date(2020, 8, 20)
NOON = datetime(2020, 8, 20, 5, tzinfo=UTC)


@settings(max_examples=50)
@given(content=st.binary(max_size=2000))
def test_what_landed_is_exactly_what_was_sent(tmp_path_factory: pytest.TempPathFactory, content: bytes):
    root = tmp_path_factory.mktemp("landing")

    landed = land_bytes(root, "service_portal", "city_portal", DAY, content, "page 1.json", NOON)

    assert landed.path.read_bytes() == content
    assert landed.size_bytes == len(content)
    assert list(iter_landed(root, "service_portal", "city_portal", DAY)) == [landed]


def test_the_time_of_a_dropped_file_is_when_it_became_known(tmp_path: Path):
    dropped = tmp_path / "cdr.csv.gz"
    dropped.write_bytes(b"x")
    os.utime(dropped, (NOON.timestamp(), NOON.timestamp()))

    landed = land_file(tmp_path / "landing", "sms_log", "viettel", DAY, dropped)

    assert landed.known_at == NOON
    assert landed.path.name == f"{landed.sha256}.csv.gz"


def test_the_same_bytes_again_keep_the_first_time_known(tmp_path: Path):
    first = land_bytes(tmp_path, "sms_log", "viettel", DAY, b"x", "a.log", NOON)
    again = land_bytes(tmp_path, "sms_log", "viettel", DAY, b"x", "b.log", NOON.replace(hour=9))

    assert again == first


def test_changed_content_under_an_old_name_is_a_new_file(tmp_path: Path):
    first = land_bytes(tmp_path, "sms_log", "viettel", DAY, b"x", "a.log", NOON)
    second = land_bytes(tmp_path, "sms_log", "viettel", DAY, b"y", "a.log", NOON.replace(hour=9))

    assert list(iter_landed(tmp_path, "sms_log", "viettel", DAY)) == [first, second]
    assert first.path.read_bytes() == b"x"


def test_a_phone_number_in_a_name_stays_in_no_name_of_ours(tmp_path: Path):
    landed = land_bytes(tmp_path, "sms_log", "viettel", DAY, b"x", "log-0909123456.json", NOON)

    names = [str(path) for path in tmp_path.rglob("*")] + [landed.origin]
    assert not any("0909123456" in name for name in names)


def test_a_landed_file_cannot_be_written_by_accident(tmp_path: Path):
    landed = land_bytes(tmp_path, "sms_log", "viettel", DAY, b"x", "a.log", NOON)

    assert landed.path.stat().st_mode & 0o222 == 0


def test_retention_deletes_the_days_before_and_no_other(tmp_path: Path):
    for day in (date(2020, 8, 18), date(2020, 8, 19), date(2020, 8, 20)):
        land_bytes(tmp_path, "sms_log", "viettel", day, b"x", "a.log", NOON)

    assert delete_days_before(tmp_path / "sms_log", date(2020, 8, 19)) == 1
    left = sorted(folder.name for folder in (tmp_path / "sms_log/viettel").iterdir())
    assert left == ["2020-08-19", "2020-08-20"]
