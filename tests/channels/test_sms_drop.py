"""The drop of SMS logs as a folder, an SFTP server and a bucket: the same files give the same figures."""

import gzip
import os
import random
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.channels.conftest import BUCKET, SftpServer, connect_sftp

from directive_etl import pipeline
from directive_etl.__main__ import main
from directive_etl.airflow_connections import connected_place
from directive_etl.errors import ConfigurationError, SourceUnavailableError, UnfinishedFileError
from directive_etl.local_stack import ports
from directive_etl.settings import settings

DAY = date(2020, 8, 18)
NIGHT = datetime(2020, 8, 18, 17, 30, tzinfo=UTC)
HEADER = "message_id;sender;msisdn;submitted_at;segments;status;done_at"

Put = Callable[[str, bytes], None]


def log_of(first: int, count: int, day: date = DAY) -> bytes:
    """A log of delivered messages to generated numbers."""
    digits = random.Random(first)
    lines = [HEADER]
    for number in range(first, first + count):
        recipient = f"8491{digits.randrange(10**7):07d}"
        lines.append(
            f"{number};BLUEZONE;{recipient};{day:%d/%m/%Y} 09:00:00;1;SUCCESS;{day:%d/%m/%Y} 09:00:05"
        )
    return ("\n".join(lines) + "\n").encode()


def folder_of(day: date = DAY) -> str:
    return f"sms/vinaphone/{day}"


def put_file(root: Path, name: str, content: bytes, at: datetime = NIGHT) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (at.timestamp(),) * 2)
    return path


def use(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"DIRECTIVE_ETL_{name.upper()}", value)
    settings.cache_clear()


def rows(engine: sa.Engine, query: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def messages(engine: sa.Engine) -> int:
    query = "select coalesce(sum(message_count), 0) from core.daily_sms where operator_code = 'vinaphone'"
    return int(rows(engine, query)[0][0])


def left(engine: sa.Engine) -> list[tuple[Any, ...]]:
    return rows(engine, "select origin, reason_code, is_overdue from ops.left_file order by 1, 2")


def count(day: date = DAY) -> list[date]:
    return pipeline.count_sms_operator("vinaphone", day, connected_place)


def test_a_drop_on_sftp_gives_what_a_folder_gives(
    places: Path, warehouse: sa.Engine, sftp: SftpServer, monkeypatch: pytest.MonkeyPatch
):
    files = {"sms_1.csv.gz": gzip.compress(log_of(0, 30)), "sms_2.csv": log_of(100, 12)}
    for root in (places / "drop", sftp.folder / "drop"):
        for name, content in files.items():
            put_file(root, f"{folder_of()}/{name}", content)
    count()
    daily = "select to_jsonb(d) - 'batch_id' from core.daily_sms d order by 1"
    ledger = "select sha256, origin, known_at, size_bytes from ops.landed_file order by 1"
    by_folder = rows(warehouse, daily), rows(warehouse, ledger)
    assert messages(warehouse) == 42

    with warehouse.begin() as connection:
        for table in (
            "ops.batch_file",
            "ops.refused_row",
            "ops.landed_file",
            "core.daily_sms",
            "core.observation",
        ):
            connection.execute(sa.text(f"delete from {table}"))
        connection.execute(sa.text("delete from ops.quality_result"))
        connection.execute(sa.text("delete from ops.load_batch"))
    use(monkeypatch, drop="sftp://city_sftp@/drop", landing=str(places / "other-landing"))
    assert count() == [DAY]

    assert (rows(warehouse, daily), rows(warehouse, ledger)) == by_folder


def test_a_file_that_lies_unchanged_on_sftp_crosses_the_network_once(
    places: Path, warehouse: sa.Engine, sftp: SftpServer, monkeypatch: pytest.MonkeyPatch
):
    use(monkeypatch, drop="sftp://city_sftp@/drop")
    put_file(sftp.folder, f"drop/{folder_of()}/sms_1.csv", log_of(0, 5))
    count()
    assert len(sftp.opened) == 1

    assert count() == []
    assert len(sftp.opened) == 1

    put_file(sftp.folder, f"drop/{folder_of()}/sms_1.csv", log_of(0, 7), NIGHT + timedelta(hours=1))
    count()
    assert len(sftp.opened) == 2
    assert messages(warehouse) == 7


def test_a_run_by_hand_finds_the_same_connections(
    places: Path, warehouse: sa.Engine, sftp: SftpServer, monkeypatch: pytest.MonkeyPatch
):
    use(monkeypatch, drop="sftp://city_sftp@/drop")
    put_file(sftp.folder, f"drop/{folder_of()}/sms_1.csv", log_of(0, 5))

    assert main(["run", "sms_log", str(DAY)]) == 1  # the other operators dropped nothing

    assert messages(warehouse) == 5


def test_a_file_replaced_on_sftp_while_it_is_fetched_is_left_for_the_next_run(
    places: Path, warehouse: sa.Engine, sftp: SftpServer, monkeypatch: pytest.MonkeyPatch
):
    use(monkeypatch, drop="sftp://city_sftp@/drop")
    put_file(sftp.folder, f"drop/{folder_of()}/sms_1.csv", log_of(0, 5))
    path = put_file(sftp.folder, f"drop/{folder_of()}/sms_2.csv", log_of(10, 3))

    def write_on(name: str) -> None:
        if name.endswith("sms_2.csv"):
            path.write_bytes(log_of(10, 4))

    sftp.when_opened = write_on
    count()
    assert messages(warehouse) == 5
    assert left(warehouse) == [("sms_2.csv", "changed_while_read", False)]

    sftp.when_opened = lambda _: None
    count()
    assert messages(warehouse) == 9
    assert left(warehouse) == []


def test_hostile_names_and_kinds_on_sftp_stay_there(
    places: Path, warehouse: sa.Engine, sftp: SftpServer, monkeypatch: pytest.MonkeyPatch
):
    use(monkeypatch, drop="sftp://city_sftp@/drop")
    folder = put_file(sftp.folder, f"drop/{folder_of()}/sms_1.csv", log_of(0, 5)).parent
    put_file(sftp.folder, "secret.csv", log_of(50, 5))
    (folder / "sms_link.csv").symlink_to("../../../../secret.csv")
    os.mkfifo(folder / "sms_pipe.csv")
    (folder / os.fsdecode(b"sms_\xff\n84901234567.csv")).write_bytes(log_of(20, 2))
    (folder / "sms_3.csv.part").write_bytes(b"")

    count()

    assert messages(warehouse) == 7
    assert left(warehouse) == [
        ("sms_3.csv.part", "unfinished_name", False),
        ("sms_link.csv", "link", False),
        ("sms_pipe.csv", "no_file", False),
    ]
    assert sorted(row[0] for row in rows(warehouse, "select origin from ops.landed_file")) == [
        "sms_1.csv",
        "sms_\\udcff\\u000a***.csv",
    ]


def test_a_server_with_another_key_gets_no_password(
    places: Path, sftp: SftpServer, monkeypatch: pytest.MonkeyPatch
):
    other = SftpServer(sftp.folder)
    try:
        use(monkeypatch, drop="sftp://city_sftp@/drop")
        connect_sftp(monkeypatch, other, {"host_key": sftp.host_key})
        with pytest.raises(SourceUnavailableError, match="Host key is not trusted"):
            count()
        connect_sftp(monkeypatch, other, {})
        with pytest.raises(ConfigurationError):
            count()
        connect_sftp(monkeypatch, other, {"host_key": "no key"})
        with pytest.raises(ConfigurationError, match="`host_key` of the connection"):
            count()
        assert other.logins == []
    finally:
        other.stop()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("sftp://city_sftp@/drop", "must give the server's public key"),
        ("sftp://nobody@/drop", "no Airflow connection nobody"),
        ("sftp://host/drop", "write sftp://CONNECTION"),
        ("ftp://city_sftp@/drop", "write sftp://CONNECTION"),
    ],
)
def test_an_address_that_cannot_work_says_what_is_wrong(
    places: Path, sftp: SftpServer, monkeypatch: pytest.MonkeyPatch, address: str, said: str
):
    connect_sftp(monkeypatch, sftp, {})
    use(monkeypatch, drop=address)
    with pytest.raises(ConfigurationError, match=said):
        count()


def test_a_server_that_does_not_answer_is_worth_a_retry(
    places: Path, sftp: SftpServer, monkeypatch: pytest.MonkeyPatch
):
    port = ports.find_free()
    connect_sftp(monkeypatch, sftp, {"host_key": sftp.host_key}, port)
    use(monkeypatch, drop="sftp://city_sftp@/drop")
    with pytest.raises(SourceUnavailableError, match="sftp://city_sftp@/drop: cannot be reached"):
        count()


def test_a_drop_in_a_bucket_is_counted_once_and_a_new_version_lands_beside_the_old(
    places: Path, warehouse: sa.Engine, s3: Any, monkeypatch: pytest.MonkeyPatch
):
    use(monkeypatch, drop=f"s3://city_s3@{BUCKET}/drop")
    key = f"drop/{folder_of()}/sms_1.csv"
    s3.put_object(Bucket=BUCKET, Key=f"drop/{folder_of()}/", Body=b"")
    s3.put_object(Bucket=BUCKET, Key=key, Body=log_of(0, 5))
    s3.put_object(Bucket=BUCKET, Key=f"drop/{folder_of()}/sms_2.csv.tmp", Body=b"")
    assert count() == [DAY]
    assert count() == []
    assert messages(warehouse) == 5

    s3.put_object(Bucket=BUCKET, Key=key, Body=log_of(0, 5)[:-4] + b"\n")  # one line is cut
    s3.put_object(Bucket=BUCKET, Key=key, Body=log_of(0, 8))
    assert count() == [DAY]

    assert messages(warehouse) == 8
    assert rows(warehouse, "select origin from ops.landed_file") == [("sms_1.csv",), ("sms_1.csv",)]
    assert left(warehouse) == [("sms_2.csv.tmp", "unfinished_name", False)]


def test_a_bucket_that_is_not_there_holds_nothing_yet(places: Path, s3: Any, monkeypatch: pytest.MonkeyPatch):
    use(monkeypatch, drop="s3://city_s3@elsewhere/drop")
    with pytest.raises(SourceUnavailableError, match=r"sms_log vinaphone 2020-08-18: .*not dropped a folder"):
        count()


def test_an_unfinished_file_raises_an_alert_after_the_limit_and_the_others_are_counted(
    places: Path, warehouse: sa.Engine
):
    for day in (DAY, DAY + timedelta(days=1)):
        put_file(places / "drop", f"{folder_of(day)}/sms_1.csv", log_of(day.day * 100, 5))
    whole = gzip.compress(log_of(0, 9))
    put_file(places / "drop", f"{folder_of()}/sms_2.csv.gz", whole[:-3])

    count()
    assert pipeline.require_whole_files(DAY) == []
    assert left(warehouse) == [("sms_2.csv.gz", "cut_off", False)]

    count(DAY + timedelta(days=1))
    assert messages(warehouse) == 10
    with pytest.raises(
        UnfinishedFileError, match=r"vinaphone 2020-08-18 sms_2\.csv\.gz: the compressed file ends"
    ):
        pipeline.require_whole_files(DAY + timedelta(days=1))

    before = rows(warehouse, "select * from ops.left_file")
    count()  # the older day again does not take the alert back, and writes nothing
    assert rows(warehouse, "select * from ops.left_file") == before

    put_file(places / "drop", f"{folder_of()}/sms_2.csv.gz", whole)
    count(DAY + timedelta(days=1))
    assert pipeline.require_whole_files(DAY + timedelta(days=1)) == []
    assert messages(warehouse) == 19
    assert left(warehouse) == []


def test_a_day_with_nothing_but_an_unfinished_file_does_not_stop_the_days_after_it(
    places: Path, warehouse: sa.Engine
):
    next_day = DAY + timedelta(days=1)
    put_file(places / "drop", f"{folder_of()}/sms_1.csv.part", b"")
    put_file(places / "drop", f"{folder_of(next_day)}/sms_1.csv", log_of(0, 5, next_day))

    with pytest.raises(SourceUnavailableError, match=r"sms_1\.csv\.part is left"):
        count()
    count(next_day)

    assert messages(warehouse) == 5
    assert left(warehouse) == [("sms_1.csv.part", "unfinished_name", True)]


def test_landed_bytes_about_persons_go_after_the_retention_and_reports_stay(
    places: Path, warehouse: sa.Engine, monkeypatch: pytest.MonkeyPatch
):
    put_file(places / "drop", f"{folder_of()}/sms_1.csv", log_of(0, 5))
    count()
    use(monkeypatch, landing_retention_days="31")
    days = {"kept": DAY - timedelta(days=31), "gone": DAY - timedelta(days=32)}
    folders: Mapping[str, str] = {
        "sms_log": "viettel",
        "service_portal": "city_portal",
        "unit_report": "STTTT",
    }
    for source, part in folders.items():
        for day in days.values():
            put_file(places / "landing" / source / part / str(day), "a.bin", b"x")

    assert pipeline.care_for_storage() == 2

    stay = {source: (places / "landing" / source).glob("*/*") for source in folders}
    assert {source: sorted(folder.name for folder in found) for source, found in stay.items()} == {
        "sms_log": [str(days["kept"]), str(DAY)],
        "service_portal": [str(days["kept"])],
        "unit_report": [str(days["gone"]), str(days["kept"])],
    }
