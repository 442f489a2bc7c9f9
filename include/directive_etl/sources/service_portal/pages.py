"""What one page of a list says, and which page to ask for next in each way of paging."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

import httpx
import msgspec
import orjson

from directive_etl.errors import SourceChangedError, SourceUnavailableError
from directive_etl.periods import LOCAL_ZONE, day_end, day_start
from directive_etl.registry.systems import (
    CursorPaging,
    LinkHeaderPaging,
    NextUrlPaging,
    OffsetPaging,
    PageNumberPaging,
    PortalSystem,
)

_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True)
class Page:
    """A page as understood: the code of each record (empty without one), and what it says about itself
    and the list.

    What follows it is named by an address (`next_url`) or by a mark (`cursor`), as the system pages.
    """

    number: int
    said_number: int | None
    codes: list[str]
    total: int | None
    next_url: httpx.URL | None = None
    cursor: str | None = None


class UnreadablePageError(ValueError):
    """The bytes are no JSON object: cut off on the way, or no answer of the portal at all."""


def window_of(
    system: PortalSystem, day: date, first_pull: bool, proved_through: date | None = None
) -> tuple[datetime, datetime]:
    """Return the aware [from, to) of change times that the pull of a day asks for.

    It reaches back from the day, or from the last day before it that was proved whole if that is earlier.
    """
    if first_pull:
        return day_start(day) - timedelta(days=system.window.initial_days), day_end(day)
    start = day_start(day) if proved_through is None else min(day_start(day), day_end(proved_through))
    return start - timedelta(hours=system.window.overlap_hours), day_end(day)


def first_request(
    client: httpx.AsyncClient, system: PortalSystem, window: tuple[datetime, datetime]
) -> httpx.Request:
    """Return the request for the first page of the window."""
    changed_from, changed_to = (
        moment.astimezone(LOCAL_ZONE).strftime(system.ask.date_format) for moment in window
    )
    parameters = {
        **system.ask.constants,
        system.ask.from_parameter: changed_from,
        system.ask.to_parameter: changed_to,
        **_place_in_list(system, page_number=1, offset=0),
    }
    return _request(client, system, parameters)


def next_request(
    client: httpx.AsyncClient, system: PortalSystem, window: tuple[datetime, datetime], pages: list[Page]
) -> httpx.Request | None:
    """Return the request for the page after those read, or None when the list has ended.

    A list with a total ends when as many records were sent, or with an empty page; whether that is the whole
    list is for the proof to say. A page may be shorter than asked for: some portals cap it silently.
    """
    last = pages[-1]
    if isinstance(system.paging, NextUrlPaging | LinkHeaderPaging):
        return None if last.next_url is None else client.build_request("GET", last.next_url)
    if isinstance(system.paging, CursorPaging):
        if last.cursor is None:
            return None
        return _request_at(client, system, window, {system.paging.cursor_parameter: last.cursor})
    sent = sum(len(page.codes) for page in pages)
    if not last.codes or (last.total is not None and sent >= last.total):
        return None
    return _request_at(client, system, window, _place_in_list(system, last.number + 1, sent))


def other_requests(
    client: httpx.AsyncClient, system: PortalSystem, window: tuple[datetime, datetime], first: Page
) -> list[httpx.Request] | None:
    """Return the requests for every page after the first, or None when each page must be asked for the
    next one.

    Known beforehand are the pages of a list by number or offset with a total. A first page that is
    shorter than asked
    for, but not the whole list, shows the size that the system allows.
    """
    size = len(first.codes)
    if not isinstance(system.paging, PageNumberPaging | OffsetPaging) or first.total is None:
        return None
    if size == 0 or size >= first.total:
        return []
    if isinstance(system.paging, PageNumberPaging) and size != system.paging.page_size:
        return None
    places = [_place_in_list(system, n + 1, n * size) for n in range(1, -(-first.total // size))]
    start = first_request(client, system, window)
    return [_moved(client, start, place) for place in places]


def _request_at(
    client: httpx.AsyncClient, system: PortalSystem, window: tuple[datetime, datetime], place: dict[str, str]
) -> httpx.Request:
    return _moved(client, first_request(client, system, window), place)


def _moved(client: httpx.AsyncClient, first: httpx.Request, place: dict[str, str]) -> httpx.Request:
    """Return the request of the first page for another place of the same list."""
    if first.method == "POST":
        return client.build_request("POST", first.url, json=orjson.loads(first.content) | place)
    return client.build_request("GET", first.url.copy_merge_params(place))


def understand(
    content: bytes, number: int, url: httpx.URL, system: PortalSystem, where: str, link: str = ""
) -> Page:
    """Read the bytes of page `number`, asked for at `url`; `link` is the `Link` header that came with them.

    Raises:
        UnreadablePageError: no JSON object; worth asking again.
        SourceUnavailableError: the portal says in the answer that it failed.
        SourceChangedError: a JSON object without the declared fields.
    """
    answer = _envelope(content)
    declared = system.answer
    if declared.error_field is not None:
        code = str(_field(answer, declared.error_field, where))
        if code not in declared.accepted_codes:
            raise SourceUnavailableError(f"{where}: the portal answered {declared.error_field} {code[:20]!r}")
    codes = _codes(_raw_field(answer, declared.records_field, where), system, where)
    said_number = None if declared.page_field is None else _whole(answer, declared.page_field, where)
    next_url = cursor = None
    if isinstance(system.paging, NextUrlPaging):
        next_url = _next_url(_field(answer, system.paging.next_field, where), url, where)
    elif isinstance(system.paging, LinkHeaderPaging):
        next_url = _next_url(next_of_link(link), url, where)
    elif isinstance(system.paging, CursorPaging):
        cursor = _cursor(_field(answer, system.paging.cursor_field, where), where)
    total = None if declared.total_field is None else _whole(answer, declared.total_field, where)
    return Page(number, said_number, codes, total, next_url, cursor)


def records_of(content: bytes, system: PortalSystem) -> list[Any]:
    """Return the records of a page that was understood before."""
    records: list[Any] = _field(_envelope(content), system.answer.records_field, system.system_code)
    return records


def _envelope(content: bytes) -> dict[str, msgspec.Raw]:
    """Return the fields of an answer, each as its bytes: of 500 records only the codes are looked at here."""
    try:
        content.decode()
        return _FIELDS.decode(content)
    except UnicodeDecodeError as error:
        raise UnreadablePageError(f"no UTF-8 at byte {error.start}") from None
    except msgspec.ValidationError:
        raise UnreadablePageError("JSON, but no object") from None
    except msgspec.DecodeError as error:
        raise UnreadablePageError(f"no JSON: {error}") from None


def _codes(records: msgspec.Raw, system: PortalSystem, where: str) -> list[str]:
    try:
        return [
            str(record.code or "") for record in _decoder_of_codes(system.fields.dossier_code).decode(records)
        ]
    except msgspec.ValidationError:
        values = msgspec.json.decode(records)
    if not isinstance(values, list):
        raise SourceChangedError(
            f"{where}: {system.answer.records_field} is no list; the portal has changed its answer"
        )
    name = system.fields.dossier_code
    return [str(record.get(name) or "") if isinstance(record, dict) else "" for record in values]


@cache
def _decoder_of_codes(field: str) -> msgspec.json.Decoder[Any]:
    """Return a reader of lists of objects that skips every field but one."""
    record = msgspec.defstruct("Record", [("code", Any, None)], rename={"code": field}, gc=False)
    return msgspec.json.Decoder(list[record])  # type: ignore[valid-type]


def next_of_link(header: str) -> str | None:
    """Return the address that a Link header calls `next`, or None."""
    for address, parameters in re.findall(r"<([^>]*)>([^<]*)", header):
        for relation in re.findall(r"""(?i);\s*rel\s*=\s*["']?([^"';,]+)""", parameters):
            if "next" in relation.lower().split():
                return str(address)
    return None


def _place_in_list(system: PortalSystem, page_number: int, offset: int) -> dict[str, str]:
    paging = system.paging
    if isinstance(paging, PageNumberPaging):
        return {paging.page_parameter: str(page_number), paging.size_parameter: str(paging.page_size)}
    if isinstance(paging, OffsetPaging):
        return {paging.offset_parameter: str(offset), paging.limit_parameter: str(paging.page_size)}
    return {paging.size_parameter: str(paging.page_size)}


def _request(client: httpx.AsyncClient, system: PortalSystem, parameters: dict[str, str]) -> httpx.Request:
    if system.ask.method == "POST":
        return client.build_request("POST", system.ask.path, json=parameters)
    return client.build_request("GET", system.ask.path, params=parameters)


def _field(answer: dict[str, msgspec.Raw], dotted: str, where: str) -> Any:
    """Return a field of the answer; a dot goes one level down."""
    return msgspec.json.decode(_raw_field(answer, dotted, where))


def _raw_field(answer: dict[str, msgspec.Raw], dotted: str, where: str) -> msgspec.Raw:
    first, *others = dotted.split(".")
    try:
        value = answer[first]
        for name in others:
            value = _FIELDS.decode(value)[name]
    except (KeyError, msgspec.ValidationError):
        raise SourceChangedError(
            f"{where}: no field {dotted!r}; the portal has changed its answer, ask its owner"
        ) from None
    return value


def _whole(answer: dict[str, msgspec.Raw], dotted: str, where: str) -> int:
    """Return a field that is a whole number, sent as a number or as a string."""
    value = _field(answer, dotted, where)
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).isdecimal():
        raise SourceChangedError(f"{where}: {dotted!r} is no whole number; the portal has changed its answer")
    return int(value)


def _cursor(value: Any, where: str) -> str | None:
    """Return the mark of the place after a page; a list has ended with null or an empty one."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise SourceChangedError(
            f"{where}: the mark of the next page is no text; the portal has changed its answer"
        )
    return str(value)


def _next_url(value: Any, url: httpx.URL, where: str) -> httpx.URL | None:
    """Resolve the address of the next page. Our token must not follow a link to another host."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise SourceChangedError(
            f"{where}: the address of the next page is no text; the portal has changed its answer"
        )
    following = url.join(value)
    if (following.scheme, following.host, following.port) != (url.scheme, url.host, url.port):
        raise SourceChangedError(
            f"{where}: the next page is at another host; it was not asked for, ask the portal's owner"
        )
    return following
