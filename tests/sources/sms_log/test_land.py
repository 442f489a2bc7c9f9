"""What an operator drops lands as sent; what is not there yet is told."""

import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from directive_etl.errors import SourceUnavailableError
from directive_etl.landing.place import LocalPlace
from directive_etl.landing.take import Taken
from directive_etl.registry.operators import Operator, operator
from directive_etl.sources.sms_log.count import count_drop_day
from directive_etl.sources.sms_log.land import land_drop_day, require_logs

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


def land(tmp_path: Path, viettel: Operator) -> Taken | None:
    return land_drop_day(LocalPlace(tmp_path / "drop"), tmp_path / "landing", viettel, DAY)


def left(taken: Taken | None) -> list[tuple[str, str]]:
    assert taken is not None
    return sorted((one.origin, one.reason_code) for one in taken.left)


def test_files_land_as_sent_in_order_of_time(tmp_path: Path, viettel: Operator) -> None:
    drop(tmp_path, "access-01.log", b"newer", 1_597_777_300)
    drop(tmp_path, "access.log.1", b"older", 1_597_777_200)
    taken = land(tmp_path, viettel)
    assert taken is not None
    assert [file.path.read_bytes() for file in taken.files] == [b"older", b"newer"]
    assert taken.files[0].known_at == datetime.fromtimestamp(1_597_777_200, UTC)
    again = land(tmp_path, viettel)
    assert again is not None
    assert again.files == taken.files


def test_an_absent_folder_is_worth_a_retry(tmp_path: Path, viettel: Operator) -> None:
    (tmp_path / "drop").mkdir()
    with pytest.raises(SourceUnavailableError, match=r"sms_log viettel 2020-08-18: .*not dropped"):
        require_logs(viettel, DAY, land(tmp_path, viettel))


@pytest.mark.parametrize("name", [".access.log.part", "notes.txt", "access.log.filepart"])
def test_a_folder_without_a_whole_log_is_worth_a_retry(tmp_path: Path, viettel: Operator, name: str) -> None:
    drop(tmp_path, name, b"x")
    with pytest.raises(SourceUnavailableError, match=r"holds no file that matches access\*"):
        require_logs(viettel, DAY, land(tmp_path, viettel))


def test_an_unfinished_log_is_named_when_there_is_no_other(tmp_path: Path, viettel: Operator) -> None:
    drop(tmp_path, "access-84901234567.log.part", b"x")
    with pytest.raises(SourceUnavailableError, match=r"\*\*\*\.log\.part is left: .* still being written"):
        require_logs(viettel, DAY, land(tmp_path, viettel))


def test_files_of_other_names_are_left_and_told_of(
    tmp_path: Path, viettel: Operator, caplog: pytest.LogCaptureFixture
) -> None:
    drop(tmp_path, "access.log", b"x")
    drop(tmp_path, "report-84901234567.txt", b"y")
    taken = land(tmp_path, viettel)
    assert taken is not None
    assert len(taken.files) == 1
    assert left(taken) == [("report-***.txt", "other_name")]
    assert "report-***.txt is left: the name matches no pattern" in caplog.text


def test_a_file_that_has_come_under_its_final_name_leaves_no_alert_behind(
    tmp_path: Path, viettel: Operator
) -> None:
    drop(tmp_path, "access.log", b"x")
    drop(tmp_path, "access.log.part", b"x")
    drop(tmp_path, "access-02.log.part", b"x")
    drop(tmp_path, "other.part", b"x")
    assert left(land(tmp_path, viettel)) == [
        ("access-02.log.part", "unfinished_name"),
        ("access.log.part", "leftover"),
        ("other.part", "other_name"),
    ]


def test_a_link_is_not_followed(tmp_path: Path, viettel: Operator, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "secret").write_text("not a log")
    drop(tmp_path, "access.log", b"x")
    (tmp_path / "drop/sms/viettel/2020-08-18/access-01.log").symlink_to(tmp_path / "secret")
    taken = land(tmp_path, viettel)
    assert taken is not None
    assert len(taken.files) == 1
    assert "access-01.log is left: a link is not followed" in caplog.text


def test_a_folder_that_is_a_link_is_not_entered(tmp_path: Path, viettel: Operator) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "access.log").write_text("not a log")
    (tmp_path / "drop/sms/viettel").mkdir(parents=True)
    (tmp_path / "drop/sms/viettel/2020-08-18").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SourceUnavailableError, match="links are not followed"):
        land(tmp_path, viettel)


def test_counting_without_the_drop_day_is_worth_a_retry(tmp_path: Path, viettel: Operator) -> None:
    with pytest.raises(SourceUnavailableError, match="no log has landed"):
        count_drop_day({}, viettel, (), DAY, hash_key="k", memory_limit="64MB", reach_root=tmp_path)


def test_no_scratch_is_left_in_the_landing_zone(tmp_path: Path, viettel: Operator) -> None:
    drop(tmp_path, "access.log", b"2020-08-18 00:00:00 Log begins\n")
    taken = land(tmp_path, viettel)
    assert taken is not None
    abandoned = tmp_path / "landing" / "sms_log" / ".scratch-abandoned"
    abandoned.mkdir()
    (abandoned / "in-use").touch()
    os.utime(abandoned, (0, 0))
    count_drop_day(
        {DAY: taken.files}, viettel, (), DAY, hash_key="k", memory_limit="64MB", reach_root=tmp_path / "r"
    )
    assert [path.name for path in (tmp_path / "landing" / "sms_log").iterdir()] == ["viettel"]
