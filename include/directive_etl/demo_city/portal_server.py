"""The demo city's three portals: each logs in, pages and answers in its own way, and fails when told to.

What they send was decided here and in portal_dossiers.py, and not read from registry/systems, so that the
pipeline is tested against a stranger. All times are simulated: the answer for a list that ends on a day is
sent, by its Date header, at 05:00 of the next morning.

`<demo>/portal/faults.json` lists what goes wrong: {system_code, day, page, kind, times}, where day is the
last day of the list asked for and kind is one of FAULT_KINDS.
"""

import base64
import binascii
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from directive_etl.demo_city.portal_dossiers import Book, Version, to_one_stop_record, to_record

SYSTEM_CODES = ("national_portal", "city_portal", "one_stop")
FAULT_KINDS = ("truncated", "http_500", "http_503", "http_429", "duplicate_page", "session_expired")

_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
_ANSWERS_AFTER = timedelta(hours=5)
_LARGEST_PAGE = 1000


def serve(demo: Path, host: str, port: int) -> None:
    """Answer until stopped. Makes the accounts when there are none yet (see `connections`)."""
    connections(demo, "")
    # Without uvicorn's own Date header: the portals live in simulated time.
    uvicorn.run(
        build_app(demo), host=host, port=port, date_header=False, server_header=False, log_level="warning"
    )


def connections(demo: Path, server_url: str) -> dict[str, dict[str, str]]:
    """Return base_url, username and password of each system; passwords are made at random once per demo."""
    path = demo / "portal" / "accounts.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(orjson.dumps({code: secrets.token_urlsafe(24) for code in SYSTEM_CODES}))
    passwords = orjson.loads(path.read_bytes())
    return {
        code: {
            "base_url": f"{server_url.rstrip('/')}/{code}",
            "username": "directive",
            "password": passwords[code],
        }
        for code in SYSTEM_CODES
    }


def build_app(demo: Path) -> Starlette:
    """Return the application; its state (sessions, faults still to come) is its own."""
    portals = _Portals(demo)
    return Starlette(
        routes=[
            Route("/national_portal/mapi/login", portals.log_in, methods=["POST"]),
            Route("/national_portal/mapi/g", portals.answer_national, methods=["POST"]),
            Route("/city_portal/api/ho-so", portals.answer_city, methods=["GET"]),
            Route("/one_stop/v1/dossiers", portals.answer_one_stop, methods=["GET"]),
        ]
    )


@dataclass
class _Page:
    """The part of a list that a request asks for, counted in records."""

    system_code: str
    changed_from: datetime
    changed_to: datetime
    offset: int
    size: int

    @property
    def number(self) -> int:
        return self.offset // self.size + 1

    @property
    def answered_at(self) -> datetime:
        return self.changed_to.astimezone(UTC) + _ANSWERS_AFTER

    @property
    def day(self) -> str:
        return (self.changed_to - timedelta(microseconds=1)).astimezone(_ZONE).date().isoformat()


class _Portals:
    def __init__(self, demo: Path) -> None:
        self._folder = demo / "portal"
        self._books = {code: Book(self._folder / f"{code}.jsonl") for code in SYSTEM_CODES}
        self._passwords = {code: entry["password"] for code, entry in connections(demo, "").items()}
        self._sessions: set[str] = set()
        self._faults = _read_plan(self._folder / "faults.json")

    async def log_in(self, request: Request) -> Response:
        names = orjson.loads(await request.body())
        given = f"{names.get('username')} {names.get('password')}"
        if not secrets.compare_digest(
            given.encode(), f"directive {self._passwords['national_portal']}".encode()
        ):
            return _json({"session": "", "error_code": "-1"})
        session = secrets.token_urlsafe(24)
        self._sessions.add(session)
        return _json({"session": session, "error_code": "0"})

    async def answer_national(self, request: Request) -> Response:
        """Pages by number; every value is a string, also the numbers of the envelope."""
        ask = orjson.loads(await request.body())
        if ask.get("session") not in self._sessions:
            return _json({"error_code": "-1"})
        times = [
            datetime.strptime(ask[name], "%Y%m%d%H%M%S").replace(tzinfo=_ZONE)
            for name in ("TuNgay", "DenNgay")
        ]
        size = _page_size(ask["size"])
        page = _Page("national_portal", times[0], times[1], (int(ask["page"]) - 1) * size, size)
        return self._answer(
            page,
            lambda records, total: {
                "error_code": "0",
                "page": str(page.number),
                "total": str(total),
                "data": records,
            },
            lambda version: to_record(version, "%Y%m%d%H%M%S"),
        )

    async def answer_city(self, request: Request) -> Response:
        """Pages by offset and limit, with a total."""
        basic = base64.b64encode(f"directive:{self._passwords['city_portal']}".encode()).decode()
        if not _is_authorised(request, f"Basic {basic}"):
            return _json({"loi": "401"}, 401)
        ask = request.query_params
        form = "%d/%m/%Y %H:%M:%S"
        times = [
            datetime.strptime(ask[name], form).replace(tzinfo=_ZONE) for name in ("capNhatTu", "capNhatDen")
        ]
        page = _Page("city_portal", times[0], times[1], int(ask["offset"]), _page_size(ask["limit"]))
        return self._answer(
            page,
            lambda records, total: {
                "tongSo": total,
                "offset": page.offset,
                "limit": page.size,
                "ketQua": records,
            },
            lambda version: to_record(version, form),
        )

    async def answer_one_stop(self, request: Request) -> Response:
        """Pages by the address of the next one, without a total; status and channel in codes of its own."""
        if not _is_authorised(request, f"Bearer {self._passwords['one_stop']}"):
            return _json({"error": "unauthorized"}, 401)
        ask = request.query_params
        try:
            state: dict[str, Any] = {**ask, "offset": 0}
            if "cursor" in ask:
                state = orjson.loads(base64.urlsafe_b64decode(ask["cursor"]))
        except (binascii.Error, orjson.JSONDecodeError):
            return _json({"error": "bad cursor"}, 400)
        times = [datetime.fromisoformat(state[name]) for name in ("changed_from", "changed_to")]
        page = _Page("one_stop", times[0], times[1], state["offset"], _page_size(state["page_size"]))

        def envelop(records: list[Version], total: int) -> dict[str, Any]:
            end = page.offset + page.size
            cursor = base64.urlsafe_b64encode(orjson.dumps({**state, "offset": end})).decode()
            following = f"{request.url.path}?cursor={cursor}" if end < total else None
            return {"data": {"items": records}, "next": following}

        return self._answer(page, envelop, to_one_stop_record)

    def _answer(
        self,
        page: _Page,
        envelop: Callable[[list[Version], int], dict[str, Any]],
        to_record: Callable[[Version], Version],
    ) -> Response:
        """Send a page in its envelope, or what the plan of faults puts in its place."""
        headers = {"Date": format_datetime(page.answered_at, usegmt=True)}
        fault = self._take_fault(page)
        if fault in ("http_500", "http_503", "http_429"):
            wait = {} if fault == "http_500" else {"Retry-After": "1"}
            return Response("", int(fault.removeprefix("http_")), headers | wait)
        if fault == "session_expired":
            self._sessions.clear()
            return _json({"error_code": "-1"}, headers=headers)
        versions = self._books[page.system_code].list_changes(page.changed_from, page.changed_to)
        # A list that moved while it was read: the records of the page before, in the place of this one.
        start = page.offset - (page.size if fault == "duplicate_page" else 0)
        records = [to_record(version) for version in versions[max(0, start) : max(0, start) + page.size]]
        answer = _json(envelop(records, len(versions)), headers=headers)
        if fault == "truncated":
            return Response(bytes(answer.body[: len(answer.body) * 2 // 3]), 200, headers, "application/json")
        return answer

    def _take_fault(self, page: _Page) -> str | None:
        for fault in self._faults:
            place = (fault["system_code"], fault["day"], fault["page"])
            if fault["times"] > 0 and place == (page.system_code, page.day, page.number):
                fault["times"] -= 1
                return str(fault["kind"])
        return None


def _read_plan(path: Path) -> list[dict[str, Any]]:
    """Return the faults still to come; without a plan there are none."""
    plan: list[dict[str, Any]] = orjson.loads(path.read_bytes()) if path.exists() else []
    if unknown := {str(fault["kind"]) for fault in plan} - set(FAULT_KINDS):
        raise ValueError(
            f"{path}: {', '.join(sorted(unknown))} is no fault the portals have: {', '.join(FAULT_KINDS)}"
        )
    return plan


def _json(content: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, "application/json")


def _page_size(text: str) -> int:
    return max(1, min(int(text), _LARGEST_PAGE))


def _is_authorised(request: Request, expected: str) -> bool:
    return secrets.compare_digest(request.headers.get("Authorization", "").encode(), expected.encode())
