"""The doctor looks behind Airflow's connections: what is missing, not complete or out of reach has a cure."""

import json
import socket
from collections.abc import Callable, Iterator
from imaplib import IMAP4
from pathlib import Path
from typing import Any

import pytest
from tests.alerts.city_portal import PASSWORD as PORTAL_PASSWORD
from tests.alerts.city_portal import USER as PORTAL_USER
from tests.alerts.city_portal import CityPortal
from tests.channels.conftest import BUCKET, PASSWORD, USER, SftpServer, connect_sftp
from tests.channels.test_sms_drop import DAY, use

from directive_etl.__main__ import main
from directive_etl.airflow_connections import airflow_connections
from directive_etl.doctor import Finding
from directive_etl.doctor.connections import examine_connections
from directive_etl.settings import settings

# What a slow machine may need to answer itself.
PATIENT = 120.0


def look(seconds: float = PATIENT) -> dict[str, Finding]:
    return {one.subject: one for one in examine_connections(settings(), airflow_connections(), seconds)}


@pytest.fixture
def portal() -> Iterator[CityPortal]:
    portal = CityPortal(DAY)
    yield portal
    portal.close()


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Somebody who takes every call and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield int(listening.getsockname()[1])


def connect(monkeypatch: pytest.MonkeyPatch, name: str, **parts: object) -> None:
    monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(parts))


def test_places_and_a_mailbox_that_answer_are_well(
    places: Path, sftp: SftpServer, s3: Any, mailbox: IMAP4, monkeypatch: pytest.MonkeyPatch
):
    (sftp.folder / "drop").mkdir()
    use(
        monkeypatch,
        drop="sftp://city_sftp@/drop",
        inbox=f"s3://city_s3@{BUCKET}/inbox",
        outbox="sftp://city_sftp@/outbox",  # made with the first answer
        mailbox="imap://city_mail@/Reports",
        mailbox_authserv_id="mx.city.example",
    )

    found = look()

    assert {name: found[name].said for name in ("place drop", "place inbox", "place outbox", "mailbox")} == {
        "place drop": "sftp://city_sftp@/drop answers",
        "place inbox": f"s3://city_s3@{BUCKET}/inbox answers",
        "place outbox": "sftp://city_sftp@/outbox answers",
        "mailbox": "imap://city_mail@/Reports answers",
    }


def test_a_folder_of_this_machine_needs_no_connection(places: Path):
    assert not any(subject.startswith("place ") for subject in look())


def test_a_connection_that_is_missing_is_named_with_the_page_where_to_make_it(
    places: Path, monkeypatch: pytest.MonkeyPatch
):
    use(
        monkeypatch,
        drop="sftp://nobody@/drop",
        inbox="s3://nothing@city/inbox",
        mailbox="imap://noone@/Reports",
    )
    found = look()

    for subject, connection in (("place drop", "nobody"), ("place inbox", "nothing"), ("mailbox", "noone")):
        assert f"there is no Airflow connection {connection}" in found[subject].said
        assert "(Admin, Connections)" in found[subject].cure


def test_a_connection_that_is_not_complete_says_what_it_lacks(
    places: Path, sftp: SftpServer, monkeypatch: pytest.MonkeyPatch
):
    connect_sftp(monkeypatch, sftp, {})
    connect(monkeypatch, "city_mail", conn_type="imap", host="127.0.0.1", login=USER)
    connect(monkeypatch, "directive_etl_city_portal", conn_type="http", host="127.0.0.1", login=USER)
    connect(monkeypatch, "directive_etl_national_portal", conn_type="http", login=USER, password=PASSWORD)
    connect(
        monkeypatch, "city_s3", conn_type="aws", login="key", password=PASSWORD, extra='{"endpoint_url": "x"}'
    )
    use(
        monkeypatch,
        drop="sftp://city_sftp@/drop",
        inbox=f"s3://city_s3@{BUCKET}/inbox",
        mailbox="imap://city_mail@/Reports",
    )
    found = look()

    assert found["place inbox"].said == "its connection cannot be used (ValueError)"
    assert "must give the server's public key as `host_key`" in found["place drop"].said
    assert "must give host, login and password" in found["mailbox"].said
    assert found["portal city_portal"].said == "its connection gives no password"
    assert "gives no host" in found["portal national_portal"].said
    assert all(one.cure for one in found.values())
    assert PASSWORD not in str(found)


def test_a_password_that_is_refused_and_a_folder_or_bucket_that_is_not_there(
    places: Path, sftp: SftpServer, s3: Any, imap_port: int, monkeypatch: pytest.MonkeyPatch
):
    mail = {"conn_type": "imap", "host": "127.0.0.1", "port": imap_port, "extra": '{"use_ssl": false}'}
    connect(monkeypatch, "city_mail", **mail, login=USER, password="another-one")
    use(
        monkeypatch,
        drop="sftp://city_sftp@/nowhere",
        inbox="s3://city_s3@another/inbox",
        mailbox="imap://city_mail@/Reports",
    )
    found = look()

    assert found["place drop"].said == "sftp://city_sftp@/nowhere is not there"
    assert found["place inbox"].said == "s3://city_s3@another/inbox is not there"
    assert "cannot sign in" in found["mailbox"].said and "another-one" not in str(found)

    connect(monkeypatch, "city_mail", **mail, login=USER, password=PASSWORD)
    use(monkeypatch, mailbox="imap://city_mail@/Nowhere")
    assert "there is no folder Nowhere" in look()["mailbox"].said


def test_a_server_that_never_answers_keeps_nobody_waiting(
    places: Path, sftp: SftpServer, silent_port: int, monkeypatch: pytest.MonkeyPatch
):
    connect_sftp(monkeypatch, sftp, {"host_key": sftp.host_key}, silent_port)
    use(monkeypatch, drop="sftp://city_sftp@/drop")

    found = look(seconds=1)["place drop"]

    assert found.said == "no answer within 1 seconds" and "host and port" in found.cure


def test_a_portal_is_known_by_its_connection_and_one_that_is_away_is_said_to_be(
    places: Path, portal: CityPortal, monkeypatch: pytest.MonkeyPatch
):
    login = {"conn_type": "http", "schema": "http", "login": PORTAL_USER, "password": PORTAL_PASSWORD}
    port = portal.server.server_port
    connect(monkeypatch, "directive_etl_city_portal", host="127.0.0.1", port=port, **login)
    with socket.socket() as taken:  # and not listened at
        taken.bind(("127.0.0.1", 0))
        closed = taken.getsockname()[1]
        connect(monkeypatch, "directive_etl_national_portal", host="127.0.0.1", port=closed, **login)
        found = look()

    assert found["portal city_portal"] == Finding("portal city_portal", "answers")
    assert found["portal national_portal"].said == "does not answer"


def test_a_portal_whose_certificate_is_not_trusted_is_cured_by_ca_file(
    places: Path, serve_tls: Callable[[object], tuple[str, Path]], monkeypatch: pytest.MonkeyPatch
):
    async def says_no(scope: dict[str, Any], receive: object, send: Callable[..., Any]) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 404, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    address, certificate = serve_tls(says_no)
    given = {"base_url": address, "username": USER, "password": PASSWORD}
    use(monkeypatch, system_connections=json.dumps({"city_portal": given}))
    assert "ca_file" in look()["portal city_portal"].cure

    use(
        monkeypatch,
        system_connections=json.dumps({"city_portal": {**given, "ca_file": f"{certificate}.old"}}),
    )
    assert "ca_file cannot be read" in look()["portal city_portal"].said

    use(monkeypatch, system_connections=json.dumps({"city_portal": {**given, "ca_file": str(certificate)}}))
    assert look()["portal city_portal"].is_well


def test_the_command_says_when_connections_of_airflows_pages_are_not_seen(
    places: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    use(monkeypatch, drop="sftp://nobody@/drop")

    assert main(["doctor"]) == 1

    said = capsys.readouterr().out
    assert "FAULT place drop" in said and "there is no Airflow connection nobody" in said
    assert "FAULT connections: Airflow's database does not answer here" in said
