"""Reports by SFTP, S3 and e-mail: each reaches the unit that sent it, and its answer goes where the unit looks."""

import json
import os
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from imaplib import IMAP4
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.channels.conftest import BUCKET, SftpServer
from tests.channels.test_sms_drop import put_file, rows, use

from directive_etl import pipeline
from directive_etl.__main__ import main
from directive_etl.airflow_connections import connected_mailbox, connected_place
from directive_etl.errors import ConfigurationError, SourceUnavailableError
from directive_etl.periods import LOCAL_ZONE
from directive_etl.registry.directive import directives
from directive_etl.registry.units import units_on
from directive_etl.settings import settings
from directive_etl.sources.unit_report.form import form_of
from directive_etl.sources.unit_report.mailbox import Senders
from directive_etl.sources.unit_report.template import write_workbook

DAY = date(2020, 8, 20)
RECEIVED_AT = datetime(2020, 8, 20, 16, 30, tzinfo=LOCAL_ZONE)
VOUCHED = "mx.city.example; dmarc=pass header.from=sttt.example"


@pytest.fixture
def report(tmp_path: Path) -> bytes:
    return a_report(tmp_path, "STTTT", 10)


def a_report(tmp_path: Path, unit_code: str, figure: int) -> bytes:
    (directive,) = [one for one in directives() if one.code == "2488-ubnd-kgvx"]
    (unit,) = [one for one in units_on(DAY) if one.unit_code == unit_code]
    path = tmp_path / f"{unit_code}-{figure}.xlsx"
    write_workbook(path, directive, unit, DAY, dict.fromkeys(form_of(directive, unit, DAY).addresses, figure))
    return path.read_bytes()


def sent(engine: sa.Engine) -> list[tuple[Any, ...]]:
    return rows(engine, "select part_code, status_code, known_at from ops.load_batch order by known_at")


def left(engine: sa.Engine) -> list[tuple[Any, ...]]:
    return rows(
        engine,
        "select source_code, part_code, origin, reason_code from ops.left_file order by 1, 2, 3, 4",
    )


def test_an_inbox_and_an_outbox_on_sftp_work_as_folders_do(
    places: Path, warehouse: sa.Engine, sftp: SftpServer, report: bytes, monkeypatch: pytest.MonkeyPatch
):
    use(monkeypatch, inbox="sftp://city_sftp@/inbox", outbox="sftp://city_sftp@/outbox")
    put_file(sftp.folder, "inbox/STTTT/bc.xlsx", report, RECEIVED_AT)
    put_file(sftp.folder, "inbox/STTTT/next.xlsx.filepart", report[:99], RECEIVED_AT)
    put_file(sftp.folder, "inbox/a\n../bc.xlsx", report, RECEIVED_AT)

    assert pipeline.answer_inbox(connect=connected_place) == [DAY]
    pipeline.deliver_answers(connected_place)

    assert sent(warehouse) == [("STTTT", "loaded", RECEIVED_AT)]
    names = sorted(path.name for path in (sftp.folder / "outbox/STTTT").iterdir())
    assert len(names) == 2
    assert names[0].endswith("-bien-nhan.txt")
    assert names[1] == "tong-hop.txt"
    assert left(warehouse) == [
        ("unit_report", "", "a\\u000a..", "no_part"),
        ("unit_report", "STTTT", "next.xlsx.filepart", "unfinished_name"),
    ]
    assert pipeline.answer_inbox(connect=connected_place) == []
    assert len(sftp.opened) == 1 + len(names)


def test_answers_wait_while_the_outbox_cannot_be_reached(
    places: Path, warehouse: sa.Engine, s3: Any, report: bytes, monkeypatch: pytest.MonkeyPatch
):
    use(monkeypatch, outbox="s3://city_s3@elsewhere/outbox")
    put_file(places / "inbox", "STTTT/bc.xlsx", report, RECEIVED_AT)
    assert pipeline.answer_inbox(connect=connected_place) == [DAY]
    with pytest.raises(
        SourceUnavailableError, match="s3://city_s3@elsewhere/outbox: STTTT cannot be reached"
    ):
        pipeline.deliver_answers(connected_place)

    use(monkeypatch, outbox=f"s3://city_s3@{BUCKET}/outbox")
    pipeline.deliver_answers(connected_place)

    keys = [found["Key"] for found in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert [key.rpartition("-")[2] for key in keys] == ["nhan.txt", "hop.txt"]
    pipeline.deliver_answers(connected_place)


def test_an_inbox_in_a_bucket_is_read_by_hand_as_by_the_dag(
    places: Path, warehouse: sa.Engine, s3: Any, report: bytes, monkeypatch: pytest.MonkeyPatch
):
    use(monkeypatch, inbox=f"s3://city_s3@{BUCKET}/inbox", outbox=f"s3://city_s3@{BUCKET}/outbox")
    s3.put_object(Bucket=BUCKET, Key="inbox/STTTT/bc.xlsx", Body=report)
    # In a bucket a file is as old as its place there, so this one comes years after its day was locked.
    pipeline.reopen_report("STTTT", DAY, "sent by way of the bucket")

    assert main(["run", "unit_report", str(DAY)]) == 0

    assert [row[:2] for row in sent(warehouse)] == [("STTTT", "loaded")]
    assert len(s3.list_objects_v2(Bucket=BUCKET, Prefix="outbox/STTTT/")["Contents"]) == 2


def test_an_unfinished_report_is_overdue_when_much_younger_files_have_come(
    places: Path, warehouse: sa.Engine, report: bytes
):
    query = "select origin, is_overdue from ops.left_file"
    put_file(places / "inbox", "STTTT/bc.xlsx.part", b"x", RECEIVED_AT)
    put_file(places / "inbox", "UBND-916/bc.xlsx", report, RECEIVED_AT + timedelta(hours=23))
    pipeline.answer_inbox()
    assert rows(warehouse, query) == [("bc.xlsx.part", False)]

    put_file(places / "inbox", "UBND-916/bc2.xlsx", report, RECEIVED_AT + timedelta(hours=25))
    pipeline.answer_inbox()
    assert rows(warehouse, query) == [("bc.xlsx.part", True)]

    put_file(places / "inbox", "STTTT/bc.xlsx", report, RECEIVED_AT)
    pipeline.answer_inbox()
    assert rows(warehouse, query) == [("bc.xlsx.part", False)]


# --- by e-mail -------------------------------------------------------------------------------------------------------


@pytest.fixture
def with_mailbox(places: Path, mailbox: IMAP4, monkeypatch: pytest.MonkeyPatch) -> IMAP4:
    use(
        monkeypatch,
        mailbox="imap://city_mail@/Reports",
        mailbox_senders=json.dumps({"Van-Thu@sttt.example": "STTTT"}),
        mailbox_authserv_id="mx.city.example",
    )
    return mailbox


def message(
    attached: dict[str, bytes], sender: str = "Văn thư <van-thu@STTT.example>", results: str = VOUCHED
) -> bytes:
    made = EmailMessage()
    if results:
        made["Authentication-Results"] = results
    made["From"] = sender
    made["Subject"] = "Báo cáo ngày 20/8"
    made.set_content("Kính gửi")
    for name, content in attached.items():
        made.add_attachment(content, "application", "octet-stream", filename=name)
    return made.as_bytes()


def post(client: IMAP4, content: bytes, at: datetime = RECEIVED_AT) -> None:
    status, _ = client.append("Reports", "", f'"{at:%d-%b-%Y %H:%M:%S %z}"', content)
    assert status == "OK"


def take_and_answer() -> list[date]:
    pipeline.take_mail(connected_mailbox)
    return pipeline.answer_inbox()


def test_a_mailed_report_is_the_units_known_since_the_message_was_received(
    places: Path, warehouse: sa.Engine, with_mailbox: IMAP4, report: bytes
):
    post(with_mailbox, message({"báo cáo 84901234567.xlsx": report, "logo.png": b"\x89PNG"}))

    assert take_and_answer() == [DAY]

    assert sent(warehouse) == [("STTTT", "loaded", RECEIVED_AT)]
    assert rows(warehouse, "select origin from ops.landed_file") == [("báo cáo ***.xlsx (e-mail)",)]
    assert len(list((places / "outbox/STTTT").glob("*-bien-nhan.txt"))) == 1
    assert left(warehouse) == []
    assert take_and_answer() == []
    assert len(sent(warehouse)) == 1


def test_the_mailbox_stays_as_it_is(places: Path, warehouse: sa.Engine, with_mailbox: IMAP4, report: bytes):
    post(with_mailbox, message({"bc.xlsx": report}))
    take_and_answer()

    with_mailbox.select("Reports", readonly=True)
    assert (
        with_mailbox.uid("SEARCH", "UNSEEN")[1][0].split() == with_mailbox.uid("SEARCH", "ALL")[1][0].split()
    )
    with_mailbox.close()


def test_mail_that_nobody_vouches_for_is_noted_and_left(
    places: Path,
    warehouse: sa.Engine,
    with_mailbox: IMAP4,
    report: bytes,
    monkeypatch: pytest.MonkeyPatch,
):
    reports = {"bc.xlsx": report}
    post(with_mailbox, message(reports, sender="stranger84901234567@elsewhere.example"))
    post(with_mailbox, message(reports, results=""))
    post(with_mailbox, message(reports, results="mx.city.example; dmarc=fail header.from=sttt.example"))
    post(with_mailbox, message(reports, results="mx.evil.example; dmarc=pass header.from=sttt.example"))
    post(with_mailbox, message({"photo.jpg": b"x"}))

    assert take_and_answer() == []

    sttt = "e-mail from van-thu@STTT.example"
    assert left(warehouse) == [
        ("mailbox", "", "e-mail from stranger***@elsewhere.example", "unknown_sender"),
        ("mailbox", "STTTT", sttt, "no_attachment"),
        ("mailbox", "STTTT", sttt, "unproved_sender"),
        ("mailbox", "STTTT", sttt, "unproved_sender"),
        ("mailbox", "STTTT", sttt, "unproved_sender"),
    ]
    use(monkeypatch, mailbox_authserv_id="*")
    assert take_and_answer() == [DAY]


def test_the_same_report_by_two_channels_is_a_duplicate(
    places: Path, warehouse: sa.Engine, with_mailbox: IMAP4, report: bytes
):
    put_file(places / "inbox", "STTTT/bc.xlsx", report, RECEIVED_AT + timedelta(minutes=5))
    post(with_mailbox, message({"bc.xlsx": report}))

    take_and_answer()

    assert [row[:2] for row in sent(warehouse)] == [("STTTT", "loaded"), ("STTTT", "duplicate")]


def test_a_mailed_report_of_another_unit_is_refused(
    places: Path, warehouse: sa.Engine, with_mailbox: IMAP4, tmp_path: Path
):
    post(with_mailbox, message({"bc.xlsx": a_report(tmp_path, "UBND-916", 10)}))

    assert take_and_answer() == []

    assert [row[:2] for row in sent(warehouse)] == [("STTTT", "refused")]


def test_a_mailbox_out_of_reach_leaves_the_inbox_alone(
    places: Path,
    warehouse: sa.Engine,
    with_mailbox: IMAP4,
    report: bytes,
    monkeypatch: pytest.MonkeyPatch,
):
    put_file(places / "inbox", "STTTT/bc.xlsx", report, RECEIVED_AT)
    use(monkeypatch, mailbox="imap://city_mail@/Nowhere")

    assert main(["run", "unit_report", str(DAY)]) == 1

    assert [row[:2] for row in sent(warehouse)] == [("STTTT", "loaded")]
    with pytest.raises(SourceUnavailableError, match="there is no folder Nowhere"):
        pipeline.take_mail(connected_mailbox)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"mailbox": "imap://nobody@/Reports", "mailbox_authserv_id": "x"}, "no Airflow connection nobody"),
        ({"mailbox": "imap://city_mail@/Reports"}, "MAILBOX_AUTHSERV_ID is not set"),
    ],
)
def test_a_mailbox_that_cannot_work_says_what_is_wrong(
    places: Path, mailbox: IMAP4, monkeypatch: pytest.MonkeyPatch, values: dict[str, str], said: str
):
    use(monkeypatch, **values)
    with pytest.raises(ConfigurationError, match=said):
        pipeline.take_mail(connected_mailbox)


@pytest.mark.parametrize(
    ("headers", "judged"),
    [
        ("From: a@x.example", ("U1", "")),
        ("From: A@X.EXAMPLE", ("U1", "")),
        ("From: a@x.example, b@x.example", ("", "unknown_sender")),
        ("From: a@x.example\r\nFrom: b@x.example", ("", "unknown_sender")),
        ("From: a@x.example <b@y.example>", ("", "unknown_sender")),
        ("From:", ("", "unknown_sender")),
        ("Subject: none", ("", "unknown_sender")),
    ],
)
def test_a_sender_is_one_address_and_that_address(headers: str, judged: tuple[str, str]):
    vouched = "Authentication-Results: mx; spf=pass; dmarc=pass (p=none) header.from=x.example\r\n"
    assert Senders({"a@x.example": "U1"}, "mx").judge((vouched + headers + "\r\n\r\n").encode()) == judged


@pytest.mark.parametrize(
    "results",
    [
        "mx; dmarc=fail header.from=x.example",
        "mx; dmarc=pass header.from=y.example",
        "mx; dmarc=pass",
        "mx; spf=pass smtp.mailfrom=x.example; dkim=pass header.d=x.example",
        "mx; none (dmarc=pass header.from=x.example)",
        "my; dmarc=pass header.from=x.example",
        "my; mx; dmarc=pass header.from=x.example",
    ],
)
def test_only_dmarc_passed_for_the_senders_domain_at_our_server_vouches(results: str):
    headers = f"Authentication-Results: {results}\r\nFrom: a@x.example\r\n\r\n".encode()
    forged_below = (
        f"Authentication-Results: {results}\r\n"
        "Authentication-Results: mx; dmarc=pass header.from=x.example\r\nFrom: a@x.example\r\n\r\n"
    ).encode()
    senders = Senders({"a@x.example": "U1"}, "mx")
    assert senders.judge(headers) == ("U1", "unproved_sender")
    assert senders.judge(forged_below) == ("U1", "unproved_sender")


def test_a_journal_that_was_cut_off_only_takes_a_message_again(
    places: Path, warehouse: sa.Engine, with_mailbox: IMAP4, report: bytes, tmp_path: Path
):
    post(with_mailbox, message({"bc.xlsx": report}))
    take_and_answer()
    (journal,) = (places / "landing/mailbox").iterdir()
    os.truncate(journal, journal.stat().st_size - 5)
    later = RECEIVED_AT + timedelta(hours=1)
    post(with_mailbox, message({"bc.xlsx": a_report(tmp_path, "STTTT", 11)}), later)

    take_and_answer()

    assert sent(warehouse) == [("STTTT", "loaded", RECEIVED_AT), ("STTTT", "loaded", later)]
    assert settings().mailbox
