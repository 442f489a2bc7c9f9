"""What an operator drops lands as sent; what is not there yet is told."""

import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from directive_etl.errors import SourceUnavailableError
from directive_etl.registry.operators import Operator, operator
from directive_etl.sources.sms_log.count import count_drop_day
from directive_etl.sources.sms_log.land import land_drop_day

DAY = date(2020, 8, 18)


@pytest.fixture
def viettel() -> Operator:
    return operator("viettel")


def drop(tmp_path: Path, name: str, content: bytes, mtime: int = 1_597_777_200) -> Path:
    path = tmp_path / "drop" / "sms" / "viettel" / "2020-08-18" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (mtime, mtime))
    return path


def test_files_land_as_sent_in_order_of_time(tmp_path: Path, viettel: Operator) -> None:
    drop(tmp_path, "access-01.log", b"newer", 1_597_777_300)
    drop(tmp_path, "access.log.1", b"older", 1_597_777_200)
    landed = land_drop_day(tmp_path / "drop", tmp_path / "landing", viettel, DAY)
    assert [file.path.read_bytes() for file in landed] == [b"older", b"newer"]
    assert landed[0].known_at == datetime.fromtimestamp(1_597_777_200, UTC)
    assert land_drop_day(tmp_path / "drop", tmp_path / "landing", viettel, DAY) == landed


def test_an_absent_folder_is_worth_a_retry(tmp_path: Path, viettel: Operator) -> None:
    with pytest.raises(SourceUnavailableError, match=r"sms_log viettel 2020-08-18: .*not dropped"):
        land_drop_day(tmp_path / "drop", tmp_path / "landing", viettel, DAY)


@pytest.mark.parametrize("name", [".access.log.part", "notes.txt"])
def test_a_folder_without_a_log_is_worth_a_retry(tmp_path: Path, viettel: Operator, name: str) -> None:
    drop(tmp_path, name, b"x")
    with pytest.raises(SourceUnavailableError, match=r"holds no file that matches access\*"):
        land_drop_day(tmp_path / "drop", tmp_path / "landing", viettel, DAY)


def test_files_of_other_names_are_left_and_told_of(
    tmp_path: Path, viettel: Operator, caplog: pytest.LogCaptureFixture
) -> None:
    drop(tmp_path, "access.log", b"x")
    drop(tmp_path, "report-84901234567.txt", b"y")
    assert len(land_drop_day(tmp_path / "drop", tmp_path / "landing", viettel, DAY)) == 1
    assert "report-***.txt matches none of the operator's file_patterns" in caplog.text.replace(
        "report***", "report-***"
    )


def test_a_link_is_not_followed(tmp_path: Path, viettel: Operator, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "secret").write_text("not a log")
    drop(tmp_path, "access.log", b"x")
    (tmp_path / "drop/sms/viettel/2020-08-18/access-01.log").symlink_to(tmp_path / "secret")
    assert len(land_drop_day(tmp_path / "drop", tmp_path / "landing", viettel, DAY)) == 1
    assert "access-01.log is no plain file" in caplog.text


def test_counting_without_the_drop_day_is_worth_a_retry(tmp_path: Path, viettel: Operator) -> None:
    with pytest.raises(SourceUnavailableError, match="no log has landed"):
        count_drop_day({}, viettel, (), DAY, hash_key="k", memory_limit="64MB", reach_root=tmp_path)


def test_no_scratch_is_left_in_the_landing_zone(tmp_path: Path, viettel: Operator) -> None:
    drop(tmp_path, "access.log", b"2020-08-18 00:00:00 Log begins\n")
    landed = land_drop_day(tmp_path / "drop", tmp_path / "landing", viettel, DAY)
    abandoned = tmp_path / "landing" / "sms_log" / ".scratch-abandoned"
    abandoned.mkdir()
    (abandoned / "in-use").touch()
    os.utime(abandoned, (0, 0))
    count_drop_day(
        {DAY: landed}, viettel, (), DAY, hash_key="k", memory_limit="64MB", reach_root=tmp_path / "r"
    )
    assert [path.name for path in (tmp_path / "landing" / "sms_log").iterdir()] == ["viettel"]
