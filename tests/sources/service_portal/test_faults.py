"""Every fault a portal can have, in turn and at random: nothing is lost or counted twice, and each has
its line.
"""

import asyncio
import gzip
import logging
import socket
import socketserver
import ssl
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from random import Random

import httpx
import orjson
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from directive_etl.errors import (
    ConfigurationError,
    DirectiveEtlError,
    SourceChangedError,
    SourceUnavailableError,
)
from directive_etl.registry.systems import Limits, LinkHeaderPaging, system
from directive_etl.settings import SystemConnection
from directive_etl.sources.service_portal.extract import open_client, pull_day
from directive_etl.sources.service_portal.journal import resumable_pull
from directive_etl.sources.service_portal.read import read_pages

DAY = date(2020, 8, 20)
DATE = {"Date": "Thu, 20 Aug 2020 22:00:00 GMT"}
CODES = [f"D-{number:02d}" for number in range(23)]
HTML = "<html><body><h1>Bad gateway</h1></body></html>"


def a_record(code: str) -> dict[str, object]:
    moment = f"20/08/2020 08:00:{int(code[2:]):02d}"
    return {
        "MaHoSo": code,
        "MaTTHC": "1.001193",
        "DonViXuLy": "31117",
        "KenhThucHien": "2",
        "TrangThaiHoSo": "4",
        "NgayCapNhat": moment,
        "NgayTiepNhan": moment,
        "NgayHenTra": "",
        "NgayKetThucXuLy": "",
        "NgayTra": "",
    }


async def _trickle(body: bytes) -> AsyncIterator[bytes]:
    """Never end, and never be silent for long."""
    while True:
        yield body[:1]
        await asyncio.sleep(0.05)


async def _reset(body: bytes) -> AsyncIterator[bytes]:
    yield body[:50]
    raise ConnectionResetError


def spoil(kind: str, body: bytes, previous: bytes, request: Request, random: Random) -> Response:
    """Answer with a fault in the place of a page."""
    if kind.startswith("429 "):
        return Response("", 429, {"Retry-After": kind.removeprefix("429 "), **DATE})
    if kind.isdecimal():
        return Response(HTML, int(kind), DATE, "text/html")
    if kind == "redirect":
        return RedirectResponse("https://127.0.0.2:9/list", headers=DATE)
    if kind == "slow":
        return StreamingResponse(_trickle(body), 200, DATE)
    if kind == "reset":
        return StreamingResponse(_reset(body), 200, DATE | {"Content-Length": str(len(body))})
    if kind == "bad gzip":
        return Response(b"\x1f\x8bnothing", 200, DATE | {"Content-Encoding": "gzip"})
    answer = orjson.loads(body)
    changed = {
        "cut": body[: len(body) // 2],
        "html": HTML.encode(),
        "nan": body.replace(b'"tongSo":23', b'"tongSo":NaN'),
        "null list": orjson.dumps(answer | {"ketQua": None}),
        "null": b"null",
        "other type": orjson.dumps(answer | {"tongSo": {"value": 23}}),
        "total moved": orjson.dumps(answer | {"tongSo": 24}),
        "duplicated": previous,
        "shuffled": orjson.dumps(answer | {"ketQua": random.sample(answer["ketQua"], len(answer["ketQua"]))}),
        "gzip": gzip.compress(body),
    }[kind]
    return Response(changed, 200, DATE | ({"Content-Encoding": "gzip"} if kind == "gzip" else {}))


class FaultyPortal:
    """The city portal with 23 dossiers in pages of 5; `faults` says which ask, counted from 0, meets what."""

    def __init__(self, faults: dict[int, str] | None = None) -> None:
        self.faults = faults or {}
        self.asks: list[int] = []
        self.random = Random(1)

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{rest:path}", self._answer)])

    async def _answer(self, request: Request) -> Response:
        offset = int(request.query_params["offset"])
        self.asks.append(offset)
        fault = self.faults.get(len(self.asks) - 1)
        body, previous = (self._page(max(0, offset - back)) for back in (0, 5))
        if fault is None:
            return Response(body, 200, DATE)
        return spoil(fault, body, previous, request, self.random)

    def _page(self, offset: int) -> bytes:
        return orjson.dumps({"tongSo": 23, "ketQua": [a_record(code) for code in CODES[offset : offset + 5]]})


# One connection, so that the order of asks is certain.
LIMITS = Limits(connections=1)
DECLARED = system("city_portal")
DECLARED = DECLARED.model_copy(
    update={"paging": DECLARED.paging.model_copy(update={"page_size": 5}), "limits": LIMITS}
)


def pull(address: str, landing: Path, limits: Limits = LIMITS, **connection: object) -> list[str]:
    """Pull the day as the pipeline does; return the codes of the dossiers it counts, by time of change."""
    declared = DECLARED.model_copy(update={"limits": limits})
    with (
        resumable_pull(landing, "city_portal", DAY) as journal,
        open_client(declared, SystemConnection(base_url=address, **connection)) as client,  # type: ignore[arg-type]
    ):
        pulled = pull_day(client, declared, DAY, landing, first_pull=False, journal=journal)
    assert not pulled.doubt
    versions = read_pages(pulled.files, DECLARED, hash_key="a key", day=DAY).versions
    return [f"D-{moment.second:02d}" for moment in versions["changed_at"]]


HEALED = {
    "429 0": "page 2: the portal answered 429",
    "429 Thu, 20 Aug 2020 22:00:03 GMT": "page 2: the portal answered 429",
    "429 Thu, 01 Jan 1970 00:00:00 GMT": "page 2: the portal answered 429",
    "429 99999999999999999999": "page 2: the portal answered 429",
    "429 -5": "page 2: the portal answered 429",
    "429 soon": "page 2: the portal answered 429",
    "429 nan": "page 2: the portal answered 429",
    "500": "page 2: the portal answered 500",
    "502": "page 2: the portal answered 502",
    "503": "page 2: the portal answered 503",
    "504": "page 2: the portal answered 504",
    "401": "login refused (401); offered once more",
    "slow": "page 2: no answer (ReadTimeout)",
    "reset": "page 2: no answer (RemoteProtocolError)",
    "bad gzip": "page 2: no answer (DecodingError)",
    "cut": "page 2: unreadable (no JSON",
    "html": "page 2: unreadable (no JSON",
    "nan": "page 2: unreadable (no JSON",
    "null": "page 2: unreadable (JSON, but no object",
    "total moved": "the total changed between pages",
    "duplicated": "the portal counts 23 dossiers and sent 18 distinct ones",
    "shuffled": "two readings of the list differ",
}
STOPPED = {
    "redirect": "page 2: the portal answered 307, a redirect to '127.0.0.2', which was refused",
    "null list": "page 2: ketQua is no list",
    "other type": "page 2: 'tongSo' is no whole number",
    "404": "page 2: the portal answered 404",
}


@pytest.mark.parametrize("kind", HEALED)
def test_what_time_can_heal_is_healed_and_has_one_line(kind, serve_app, tmp_path, caplog):
    caplog.set_level(logging.WARNING, "directive_etl")
    portal = FaultyPortal({1: kind})
    # Short only where an answer never ends: the others must not fail on a machine that is slow.
    limits = LIMITS.model_copy(update={"answer_seconds": 2}) if kind == "slow" else LIMITS
    assert pull(serve_app(portal.app()), tmp_path, limits) == CODES
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("directive_etl")]
    assert len(lines) == 1
    assert HEALED[kind] in lines[0]


@pytest.mark.parametrize("kind", STOPPED)
def test_what_time_cannot_heal_stops_with_its_line_and_the_next_run_is_right(kind, serve_app, tmp_path):
    portal = FaultyPortal({1: kind})
    address = serve_app(portal.app())
    with pytest.raises(SourceChangedError) as caught:
        pull(address, tmp_path)
    assert STOPPED[kind] in str(caught.value)
    assert portal.asks.count(5) == 1
    assert pull(address, tmp_path) == CODES


def test_compressed_pages_are_read(serve_app, tmp_path):
    portal = FaultyPortal(dict.fromkeys(range(10), "gzip"))
    assert pull(serve_app(portal.app()), tmp_path) == CODES


@pytest.mark.parametrize("seed", range(20))
def test_faults_at_random_lose_nothing_and_count_nothing_twice(seed, serve_app, tmp_path):
    random = Random(seed)
    kinds = [kind for kind in (*HEALED, *STOPPED, "gzip") if kind != "slow"]
    portal = FaultyPortal({place: random.choice(kinds) for place in range(40) if random.random() < 0.3})
    address = serve_app(portal.app())
    for _ in range(40):
        try:
            codes = pull(address, tmp_path)
            break
        except DirectiveEtlError as error:
            assert "service_portal city_portal 2020-08-20" in str(error)
    assert codes == CODES


def test_after_a_crash_nothing_that_landed_is_fetched_again(serve_app, tmp_path):
    portal = FaultyPortal(dict.fromkeys(range(3, 20), "503"))
    address = serve_app(portal.app())
    with pytest.raises(SourceUnavailableError):
        pull(address, tmp_path)
    assert portal.asks[:3] == [0, 5, 10]
    # As a crash leaves it: the last line cut off.
    journal = tmp_path / "service_portal" / "city_portal" / DAY.isoformat() / "pull.journal"
    journal.write_text(journal.read_text() + '[1, "cut')
    portal.faults, portal.asks = {}, []
    assert pull(address, tmp_path) == CODES
    # The rest of the first reading, then the second one.
    assert portal.asks == [15, 20, 0, 5, 10, 15, 20]
    assert not journal.exists()
    portal.asks.clear()
    assert pull(address, tmp_path) == CODES
    assert Counter(portal.asks) == dict.fromkeys([0, 5, 10, 15, 20], 2)


def test_a_pull_that_ended_but_was_not_loaded_asks_for_nothing_again(serve_app, tmp_path):
    portal = FaultyPortal()
    address = serve_app(portal.app())

    def pull_then(error: Exception | None) -> None:
        with (
            resumable_pull(tmp_path, "city_portal", DAY) as journal,
            open_client(DECLARED, SystemConnection(base_url=address)) as client,
        ):
            pull_day(client, DECLARED, DAY, tmp_path, first_pull=False, journal=journal)
            if error:
                raise error

    with pytest.raises(RuntimeError):
        pull_then(RuntimeError("the warehouse is down"))
    portal.asks.clear()
    pull_then(None)
    assert portal.asks == []


def test_a_redirect_is_followed_where_the_connection_allows_it(serve_app, tmp_path):
    async def move(request: Request) -> Response:
        return RedirectResponse(f"{target}{request.url.path}?{request.url.query}", headers=DATE)

    target = serve_app(FaultyPortal().app()).replace("127.0.0.1", "localhost")
    address = serve_app(Starlette(routes=[Route("/{rest:path}", move)]))
    with pytest.raises(SourceChangedError, match="a redirect to 'localhost', which was refused"):
        pull(address, tmp_path)
    assert pull(address, tmp_path, redirect_hosts=["localhost"]) == CODES


def test_a_host_that_signed_its_own_certificate_is_trusted_only_when_it_is_given(serve_tls, tmp_path):
    address, certificate = serve_tls(FaultyPortal().app())
    with pytest.raises(ConfigurationError, match=r"the certificate of '127\.0\.0\.1' is not trusted"):
        pull(address, tmp_path)
    assert pull(address, tmp_path, ca_file=certificate) == CODES


@pytest.mark.parametrize(
    ("scheme", "redirect_hosts", "is_read"),
    [("http", (), False), ("https", (), True), ("http", ("elsewhere.example",), True)],
)
def test_the_authorities_certificates_are_read_only_where_one_may_be_met(
    scheme, redirect_hosts, is_read, monkeypatch
):
    contexts = []
    create = ssl.create_default_context
    monkeypatch.setattr(ssl, "create_default_context", lambda **how: contexts.append(how) or create(**how))
    connection = SystemConnection(base_url=f"{scheme}://portal.example", redirect_hosts=redirect_hosts)
    with open_client(system("national_portal"), connection):
        pass
    assert bool(contexts) == is_read


def test_a_client_of_an_unencrypted_portal_trusts_no_certificate(serve_tls):
    address, _ = serve_tls(FaultyPortal().app())
    with (
        open_client(system("one_stop"), SystemConnection(base_url="http://portal.example")) as client,
        pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.run(client.send(client.build_request("GET", address)))


def test_a_login_that_is_never_answered_is_given_up_in_time():
    declared = system("national_portal").model_copy(update={"limits": Limits(read_seconds=0.2)})
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel connects; nobody answers
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with (
            open_client(declared, SystemConnection(base_url=address)) as client,
            pytest.raises(httpx.ReadTimeout),
        ):
            client.run(client.post("mapi/g", json={}))


@pytest.fixture
def serve_bytes() -> Iterator[Callable[[bytes], str]]:
    """Answer every ask with these bytes and hang up, whether they are HTTP or not; returns the address."""
    with ExitStack() as stack:

        def serve(answer: bytes) -> str:
            class Handler(socketserver.BaseRequestHandler):
                def handle(self) -> None:
                    self.request.recv(1 << 16)
                    self.request.sendall(answer)

            server = stack.enter_context(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler))
            threading.Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.shutdown)
            return f"http://127.0.0.1:{server.server_address[1]}"

        yield serve


@pytest.mark.parametrize(
    "answer", [b"", b"no HTTP at all\r\n\r\n", b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"tongSo":'],
    ids=["nothing", "no HTTP", "a part"],
)  # fmt: skip
def test_an_answer_that_is_none_is_asked_for_again_and_then_told(answer, serve_bytes, tmp_path, caplog):
    caplog.set_level(logging.WARNING, "directive_etl")
    with pytest.raises(SourceUnavailableError, match=r"page 1: no answer \(RemoteProtocolError\)"):
        pull(serve_bytes(answer), tmp_path)
    assert len([line for line in caplog.messages if "asked again" in line]) == 4


def test_the_address_of_the_next_page_may_be_long(serve_app, tmp_path):
    async def answer(request: Request) -> Response:
        number = int(request.query_params.get("page", 1))
        links = (
            {"Link": f'<{request.url.path}?page=2&mark={"m" * 30_000}>; rel="next"'} if number == 1 else {}
        )
        return Response(orjson.dumps({"data": {"items": [a_record(CODES[number])]}}), 200, DATE | links)

    declared = system("one_stop")
    declared = declared.model_copy(
        update={"paging": LinkHeaderPaging(kind="link_header", size_parameter="size", page_size=1)}
    )
    address = serve_app(Starlette(routes=[Route("/{rest:path}", answer)]))
    with open_client(declared, SystemConnection(base_url=address)) as client:
        assert len(pull_day(client, declared, DAY, tmp_path, first_pull=False).files) == 2


def test_nothing_is_asked_faster_than_the_system_allows(serve_app, tmp_path):
    from time import monotonic

    from directive_etl.sources.service_portal.transport import BURST, Pace

    async def ask_on() -> None:
        pace = Pace(requests_per_second=200)
        for _ in range(BURST + 20):
            await pace.wait()

    started = monotonic()
    asyncio.run(ask_on())
    assert monotonic() - started >= 20 / 200 * 0.9
