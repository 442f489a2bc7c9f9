"""What one page of a list says, and which page to ask for next in each way of paging."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import httpx
import orjson

from directive_etl.errors import SourceChangedError, SourceUnavailableError
from directive_etl.periods import LOCAL_ZONE, day_end, day_start
from directive_etl.registry.systems import NextUrlPaging, OffsetPaging, PageNumberPaging, PortalSystem


@dataclass(frozen=True)
class Page:
    """A page as understood: its records as sent, and what it says about itself and the list."""

    number: int
    said_number: int | None
    records: list[Any]
    total: int | None
    next_url: httpx.URL | None


class UnreadablePageError(ValueError):
    """The bytes are no JSON object: cut off on the way, or no answer of the portal at all."""


def window_of(system: PortalSystem, day: date, first_pull: bool) -> tuple[datetime, datetime]:
    """Return the aware [from, to) of change times that the pull of a day asks for."""
    back = (
        timedelta(days=system.window.initial_days)
        if first_pull
        else timedelta(hours=system.window.overlap_hours)
    )
    return day_start(day) - back, day_end(day)


def first_request(
    client: httpx.Client, system: PortalSystem, window: tuple[datetime, datetime]
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
    client: httpx.Client, system: PortalSystem, window: tuple[datetime, datetime], pages: list[Page]
) -> httpx.Request | None:
    """Return the request for the page after those read, or None when the list has ended.

    A list with a total ends when as many records were sent, or with an empty page; whether that is the whole
    list is for the proof to say. A page may be shorter than asked for: some portals cap it silently.
    """
    last = pages[-1]
    if isinstance(system.paging, NextUrlPaging):
        return None if last.next_url is None else client.build_request("GET", last.next_url)
    sent = sum(len(page.records) for page in pages)
    if not last.records or (last.total is not None and sent >= last.total):
        return None
    first = first_request(client, system, window)
    place = _place_in_list(system, page_number=last.number + 1, offset=sent)
    if system.ask.method == "POST":
        return client.build_request("POST", first.url, json=orjson.loads(first.content) | place)
    return client.build_request("GET", first.url.copy_merge_params(place))


def understand(content: bytes, number: int, url: httpx.URL, system: PortalSystem, where: str) -> Page:
    """Read the bytes of page `number`, asked for at `url`.

    Raises:
        UnreadablePageError: no JSON object; worth asking again.
        SourceUnavailableError: the portal says in the answer that it failed.
        SourceChangedError: a JSON object without the declared fields.
    """
    try:
        answer = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise UnreadablePageError(f"no JSON at character {error.pos}") from None
    if not isinstance(answer, dict):
        raise UnreadablePageError("JSON, but no object")
    declared = system.answer
    if declared.error_field is not None:
        code = str(_field(answer, declared.error_field, where))
        if code not in declared.accepted_codes:
            raise SourceUnavailableError(f"{where}: the portal answered {declared.error_field} {code[:20]!r}")
    records = _field(answer, declared.records_field, where)
    if not isinstance(records, list):
        raise SourceChangedError(
            f"{where}: {declared.records_field} is no list; the portal has changed its answer"
        )
    said_number = None if declared.page_field is None else _whole(answer, declared.page_field, where)
    next_url = None
    if isinstance(system.paging, NextUrlPaging):
        next_url = _next_url(_field(answer, system.paging.next_field, where), url, where)
    total = None if declared.total_field is None else _whole(answer, declared.total_field, where)
    return Page(number, said_number, records, total, next_url)


def _place_in_list(system: PortalSystem, page_number: int, offset: int) -> dict[str, str]:
    paging = system.paging
    if isinstance(paging, PageNumberPaging):
        return {paging.page_parameter: str(page_number), paging.size_parameter: str(paging.page_size)}
    if isinstance(paging, OffsetPaging):
        return {paging.offset_parameter: str(offset), paging.limit_parameter: str(paging.page_size)}
    return {paging.size_parameter: str(paging.page_size)}


def _request(client: httpx.Client, system: PortalSystem, parameters: dict[str, str]) -> httpx.Request:
    if system.ask.method == "POST":
        return client.build_request("POST", system.ask.path, json=parameters)
    return client.build_request("GET", system.ask.path, params=parameters)


def _field(answer: dict[str, Any], dotted: str, where: str) -> Any:
    """Return a field of the answer; a dot goes one level down."""
    value: Any = answer
    for name in dotted.split("."):
        if not isinstance(value, dict) or name not in value:
            raise SourceChangedError(
                f"{where}: no field {dotted!r}; the portal has changed its answer, ask its owner"
            )
        value = value[name]
    return value


def _whole(answer: dict[str, Any], dotted: str, where: str) -> int:
    """Return a field that is a whole number, sent as a number or as a string."""
    value = _field(answer, dotted, where)
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).isdecimal():
        raise SourceChangedError(f"{where}: {dotted!r} is no whole number; the portal has changed its answer")
    return int(value)


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
