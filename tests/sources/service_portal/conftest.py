"""A portal server on loopback with dossiers of our making, real HTTP between it and the code under test."""

import ipaddress
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import stamina
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from directive_etl.demo_city.portal_server import build_app, connections
from directive_etl.landing import LandedFile, land_bytes
from directive_etl.periods import LOCAL_ZONE
from directive_etl.registry.systems import PortalSystem, system
from directive_etl.settings import SystemConnection
from directive_etl.sources.service_portal.access import PortalClient, open_client

DAY = date(2020, 8, 20)
Version = dict[str, object]
OpenPortal = Callable[..., tuple[PortalClient, PortalSystem]]


@pytest.fixture(autouse=True)
def _retry_without_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=5, cap=True):
        yield


@pytest.fixture
def day() -> date:
    return DAY


@pytest.fixture
def a_version() -> Callable[..., Version]:
    """One version of a dossier as the demo city writes it; each call is another dossier."""
    count = iter(range(1, 1_000_000))

    def make(**changes: object) -> Version:
        number = next(count)
        at = datetime(2020, 8, 20, 8, 0, tzinfo=LOCAL_ZONE) + timedelta(seconds=number)
        return {
            "dossier_code": f"000.00.19.H13-200820-{number:04d}",
            "procedure_code": "1.001193",
            "unit_code": "31117",
            "channel": 2,
            "received_at": at.isoformat(),
            "due_at": (at + timedelta(days=5)).isoformat(),
            "finished_at": None,
            "returned_at": None,
            "status": 4,
            "changed_at": at.isoformat(),
            "applicant_name": "Nguyễn Thị Thử",
            "applicant_phone": f"0909{number:06d}",
            "applicant_address": "1 Đường Thử, phường Thử",
        } | changes

    return make


@contextmanager
def _running(app: object, **tls: str) -> Iterator[str]:
    """Serve an ASGI application on a free port of loopback."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(app, date_header=False, log_level="critical", lifespan="off", **tls)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        try:
            yield f"http{'s' if tls else ''}://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(timeout=60)


@pytest.fixture
def serve_app() -> Iterator[Callable[[object], str]]:
    """Serve any ASGI application until the test ends; returns its address."""
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(_running(app))


@pytest.fixture
def serve_tls(tmp_path: Path) -> Iterator[Callable[[object], tuple[str, Path]]]:
    """Serve with a certificate that the host signed itself; returns the address and the certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = tmp_path / "host.pem", tmp_path / "host.key"
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )
    files = {"ssl_certfile": str(certificate), "ssl_keyfile": str(secret)}
    with ExitStack() as stack:
        yield lambda app: (stack.enter_context(_running(app, **files)), certificate)


@pytest.fixture
def open_portal(tmp_path: Path, serve_app: Callable[[object], str]) -> Iterator[OpenPortal]:
    """Serve versions as one of the demo city's systems, with faults; returns a client and the system."""
    with ExitStack() as stack:

        def open_it(
            system_code: str,
            versions: list[Version],
            faults: list[dict[str, object]] | None = None,
            page_size: int = 10,
        ) -> tuple[PortalClient, PortalSystem]:
            demo = tmp_path / "demo"
            (demo / "portal").mkdir(parents=True, exist_ok=True)
            lines = "".join(json.dumps(version, ensure_ascii=False) + "\n" for version in versions)
            (demo / "portal" / f"{system_code}.jsonl").write_text(lines, encoding="utf-8")
            (demo / "portal" / "faults.json").write_text(json.dumps(faults or []))
            address = serve_app(build_app(demo))
            declared = system(system_code)
            paged = declared.model_copy(
                update={"paging": declared.paging.model_copy(update={"page_size": page_size})}
            )
            connection = SystemConnection.model_validate(connections(demo, address)[system_code])
            return stack.enter_context(open_client(paged, connection)), paged

        yield open_it


@pytest.fixture
def land_records(tmp_path: Path) -> Callable[..., LandedFile]:
    """Land records as one page of a system, as if it had been pulled."""

    def land(declared: PortalSystem, records: list[object], number: int = 1, day: date = DAY) -> LandedFile:
        answer: object = records
        for name in reversed(declared.answer.records_field.split(".")):
            answer = {name: answer}
        known_at = datetime(2020, 8, 21, 5, 0, number, tzinfo=LOCAL_ZONE)
        content = json.dumps(answer, ensure_ascii=False).encode()
        origin = f"/list page {number}"
        return land_bytes(
            tmp_path / "landing", "service_portal", declared.system_code, day, content, origin, known_at
        )

    return land
