"""A real SFTP, S3 and IMAP server on loopback, known to Airflow as connections."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from imaplib import IMAP4
from pathlib import Path

import asyncssh
import pytest
from tests.sources.service_portal.conftest import serve_tls

from directive_etl.local_stack import ports

__all__ = ["serve_tls"]

asyncssh.set_log_level("WARNING")
USER, PASSWORD = "directive", "letmein-4711"
BUCKET = "city"


class SftpServer:
    """An SFTP server in a thread of its own, and the folder it serves."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = asyncssh.generate_private_key("ssh-ed25519")
        self.opened: list[str] = []
        self.logins: list[str] = []
        self.when_opened: Callable[[str], None] = lambda _: None
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._started.wait(120)

    @property
    def host_key(self) -> str:
        return self.key.export_public_key().decode().strip()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self

        class Files(asyncssh.SFTPServer):
            def __init__(self, channel: asyncssh.SSHServerChannel) -> None:
                super().__init__(channel, chroot=os.fsencode(server.folder))

            def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
                name = os.fsdecode(path)
                server.opened.append(name)
                opened = super().open(path, pflags, attrs)
                server.when_opened(name)
                return opened

        class Login(asyncssh.SSHServer):
            def begin_auth(self, username: str) -> bool:
                return True

            def password_auth_supported(self) -> bool:
                return True

            def validate_password(self, username: str, password: str) -> bool:
                server.logins.append(username)
                return (username, password) == (USER, PASSWORD)

        async def listen() -> None:
            listener = await asyncssh.create_server(
                Login, "127.0.0.1", 0, server_host_keys=[self.key], sftp_factory=Files
            )
            self.port = listener.get_port()
            self._started.set()

        self._loop.run_until_complete(listen())
        self._loop.run_forever()


@pytest.fixture(scope="session")
def sftp_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SftpServer]:
    server = SftpServer(tmp_path_factory.mktemp("sftp"))
    yield server
    server.stop()


@pytest.fixture
def sftp(sftp_server: SftpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SftpServer:
    """The SFTP server with an empty folder, as the Airflow connection `city_sftp`."""
    sftp_server.folder = tmp_path / "sftp"
    sftp_server.folder.mkdir()
    sftp_server.opened.clear()
    sftp_server.when_opened = lambda _: None
    connect_sftp(monkeypatch, sftp_server, {"host_key": sftp_server.host_key})
    return sftp_server


def connect_sftp(
    monkeypatch: pytest.MonkeyPatch, server: SftpServer, extra: dict[str, str], port: int | None = None
) -> None:
    connection = {
        "conn_type": "sftp",
        "host": "127.0.0.1",
        "port": port or server.port,
        "login": USER,
        "password": PASSWORD,
        "extra": json.dumps(extra),
    }
    monkeypatch.setenv("AIRFLOW_CONN_CITY_SFTP", json.dumps(connection))


@pytest.fixture(scope="session")
def s3_address() -> Iterator[str]:
    from moto.server import ThreadedMotoServer  # seconds that only S3 needs

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """An S3 server with one empty bucket, as the Airflow connection `city_s3`; gives a client of it."""
    connection = {
        "conn_type": "aws",
        "login": "key",
        "password": "secret-of-the-key",
        "extra": json.dumps({"endpoint_url": s3_address, "region_name": "us-east-1"}),
    }
    monkeypatch.setenv("AIRFLOW_CONN_CITY_S3", json.dumps(connection))
    import boto3

    client = boto3.client(
        "s3",
        endpoint_url=s3_address,
        aws_access_key_id="key",
        aws_secret_access_key="secret-of-the-key",
        region_name="us-east-1",
    )
    client.create_bucket(Bucket=BUCKET)
    yield client
    for found in client.list_objects_v2(Bucket=BUCKET).get("Contents", ()):
        client.delete_object(Bucket=BUCKET, Key=found["Key"])
    client.delete_bucket(Bucket=BUCKET)


@pytest.fixture(scope="session")
def imap_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A real IMAP server (pymap) with one empty mailbox."""
    port = ports.find_free()
    argv = [str(Path(sys.executable).with_name("pymap")), "--host", "127.0.0.1", "--port", str(port)]
    argv += ["--no-service", "admin", "dict", "--demo-user", USER, "--demo-password", PASSWORD]
    server = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while not is_listening(port):
            assert server.poll() is None and time.monotonic() < deadline, "pymap does not start"
            time.sleep(0.05)
        yield port
    finally:
        server.terminate()
        server.wait()


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def mailbox(imap_port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[IMAP4]:
    """An empty mailbox, as the Airflow connection `city_mail`; gives a client that can put messages into it."""
    connection = {
        "conn_type": "imap",
        "host": "127.0.0.1",
        "port": imap_port,
        "login": USER,
        "password": PASSWORD,
        "extra": json.dumps({"use_ssl": False}),
    }
    monkeypatch.setenv("AIRFLOW_CONN_CITY_MAIL", json.dumps(connection))
    client = IMAP4("127.0.0.1", imap_port, timeout=120)
    client.login(USER, PASSWORD)
    client.create("Reports")
    yield client
    client.logout()
    again = IMAP4("127.0.0.1", imap_port, timeout=120)
    again.login(USER, PASSWORD)
    again.delete("Reports")
    again.logout()
