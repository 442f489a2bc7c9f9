"""Pull the dossiers that changed up to the end of a day: pages as sent, a list that proves itself whole."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import httpx
import pandas as pd

from directive_etl.errors import SourceChangedError
from directive_etl.landing import LandedFile, land_bytes
from directive_etl.periods import day_end
from directive_etl.quality import refused_frame
from directive_etl.registry.systems import PortalSystem
from directive_etl.sources.service_portal.access import (
    EarlyAnswerError,
    PortalClient,
    open_client,
    send,
    sent_at,
    while_unavailable,
)
from directive_etl.sources.service_portal.journal import SOURCE_CODE, PullJournal, ask_id
from directive_etl.sources.service_portal.pages import (
    Page,
    UnreadablePageError,
    first_request,
    next_request,
    other_requests,
    understand,
    window_of,
)
from directive_etl.sources.service_portal.proof import Reading, agree, is_one_moment

__all__ = ["PullResult", "open_client", "pull_day"]

log = logging.getLogger(__name__)

MAX_READINGS = 6
MAX_SAME_FAULT = 3
MAX_ASKS_PER_PAGE = 3
MAX_PAGES = 20_000


@dataclass(frozen=True)
class PullResult:
    """What a pull brought.

    files: the pages of the passage that was proved whole, in order, each content once; without a proof
    the pages of
    every passage. refused: the pages that could not be read on the way, with REFUSED_COLUMNS; unreadable:
    their bytes.
    window: the [from, to) asked for. answered_at: when the portal sent its last answer; a page that had
    landed before
    keeps the time it was first known. doubt: why the list is not proved whole; empty when it is.
    """

    files: list[LandedFile]
    refused: pd.DataFrame
    unreadable: list[LandedFile]
    window: tuple[datetime, datetime]
    answered_at: datetime
    doubt: str = ""


@dataclass(repr=False)
class _Pull:
    """What stays the same while one list is read, and the unreadable pages met so far by their hash."""

    client: PortalClient
    system: PortalSystem
    day: date
    landing: Path
    window: tuple[datetime, datetime]
    journal: PullJournal | None
    on_page: Callable[[LandedFile], None]
    unreadable: dict[str, tuple[LandedFile, dict[str, str]]] = field(default_factory=dict)
    # Pages understood so far by number, ask, Link header and hash: the same bytes are not read twice.
    known: dict[tuple[int, str, str, str], Page] = field(default_factory=dict)
    answers: list[datetime] = field(default_factory=list)

    others: dict[tuple[int, int | None], list[httpx.Request] | None] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<pull {self.name}>"

    def requests_after(self, first: Page) -> list[httpx.Request] | None:
        """Return `other_requests`, made once for all readings whose first page has this size and total."""
        shape = (len(first.codes), first.total)
        if shape not in self.others:
            self.others[shape] = other_requests(self.client, self.system, self.window, first)
        return self.others[shape]

    @property
    def name(self) -> str:
        return f"{SOURCE_CODE} {self.system.system_code} {self.day}"


def pull_day(
    client: PortalClient,
    system: PortalSystem,
    day: date,
    landing: Path,
    first_pull: bool,
    *,
    proved_through: date | None = None,
    window: tuple[datetime, datetime] | None = None,
    journal: PullJournal | None = None,
    on_page: Callable[[LandedFile], None] = lambda _: None,
) -> PullResult:
    """Land every page of the dossiers changed in the window of a day (docs/sources/service_portal.md).

    A list of several pages is read until two passages after each other agree, up to six times in all. One
    that keeps
    moving is returned as far as it was seen, with the reason why it is in doubt.

    Args:
        client: from `open_client`.
        system: the declared system.
        day: the reporting day whose end closes the window.
        landing: the landing zone.
        first_pull: whether to reach back by the declared initial days instead of the overlap.
        proved_through: the last day before this one whose pull was proved whole.
        window: asks for these change times instead, as an earlier pull of the day did.
        journal: of a pull that may have been interrupted; what it names is not fetched again.
        on_page: told of each page when it has landed and was understood; a page that is read twice is told of twice,
            and not every page need belong to the result.

    Raises:
        SourceUnavailableError: no answer after retries, or the day is not over at the portal.
        SourceChangedError: a page that stays unreadable, an answer without the declared fields, or a list
            that contradicts itself in the same way each time it is read.
        ConfigurationError: the portal does not accept our login.
    """
    window = window or window_of(system, day, first_pull, proved_through)
    return client.run(_read_until_proved(_Pull(client, system, day, landing, window, journal, on_page)))


async def _read_until_proved(pull: _Pull) -> PullResult:
    readings: list[Reading] = []
    doubt = ""
    for number in range(1, MAX_READINGS + 1):
        reading = await _read_list(pull, number)
        previous = readings[-1] if readings else None
        if previous is not None and reading.content == previous.content:
            reading = previous
        readings.append(reading)
        if gap := reading.gap:
            doubt = gap
            if [one.content for one in readings].count(reading.content) == MAX_SAME_FAULT:
                raise SourceChangedError(
                    f"{pull.name}: {gap}, the same in {MAX_SAME_FAULT} readings; ask the portal's owner"
                )
        elif is_one_moment(reading, pull.system) or (
            previous is not None and agree(previous, reading, pull.system)
        ):
            return _to_result(pull, reading.files, doubt="")
        elif previous is None or previous.gap:
            continue
        else:
            doubt = "two readings of the list differ"
        log.warning("%s: %s (reading %d); the list is read again", pull.name, doubt, number)
    log.warning("%s: %s after %d readings; loaded as provisional", pull.name, doubt, MAX_READINGS)
    return _to_result(pull, [file for reading in readings for file in reading.files], doubt)


async def _read_list(pull: _Pull, reading: int) -> Reading:
    """Ask for all pages: side by side where their addresses are known after the first, else one after the
    other.
    """
    request: httpx.Request | None = first_request(pull.client, pull.system, pull.window)
    assert request is not None  # noqa: S101 - for the type checker
    pages_and_files = [await _read_page(pull, reading, request, 1)]
    others = pull.requests_after(pages_and_files[0][0])
    if others is not None:
        pages_and_files += await _read_side_by_side(pull, reading, others)
        return Reading(*map(list, zip(*pages_and_files, strict=True)))
    asked = {ask_id(request)}
    while request := next_request(
        pull.client, pull.system, pull.window, [page for page, _ in pages_and_files]
    ):
        number = len(pages_and_files) + 1
        if (ask := ask_id(request)) in asked or number > MAX_PAGES:
            raise SourceChangedError(
                f"{pull.name} page {number}: the pages lead in a circle; ask the portal's owner"
            )
        asked.add(ask)
        pages_and_files.append(await _read_page(pull, reading, request, number))
    return Reading(*map(list, zip(*pages_and_files, strict=True)))


async def _read_side_by_side(
    pull: _Pull, reading: int, requests: list[httpx.Request]
) -> list[tuple[Page, LandedFile]]:
    """Read pages 2 and on, as many at a time as the system allows; the first error ends all."""
    if len(requests) >= MAX_PAGES:
        raise SourceChangedError(f"{pull.name}: a list of {len(requests)} pages; ask the portal's owner")
    waiting = enumerate(requests, start=2)
    found: dict[int, tuple[Page, LandedFile]] = {}

    async def ask_on() -> None:
        for number, request in waiting:
            found[number] = await _read_page(pull, reading, request, number)

    asking = [asyncio.create_task(ask_on()) for _ in range(pull.system.limits.connections)]
    try:
        await asyncio.gather(*asking)
    finally:
        for one in asking:
            one.cancel()
    return [found[number] for number in sorted(found)]


async def _read_page(
    pull: _Pull, reading: int, request: httpx.Request, number: int
) -> tuple[Page, LandedFile]:
    """Read one page, asking again when it arrives unreadable; each unreadable answer is kept and named."""
    where, ask = f"{pull.name} page {number}", ask_id(request)
    if pull.journal is not None and (landed := pull.journal.find(reading, ask)):
        file, link = landed
        pull.answers.append(file.known_at)
        page = understand(file.path.read_bytes(), number, request.url, pull.system, where, link)
        pull.known[number, ask, link, file.sha256] = page
        pull.on_page(file)
        return page, file
    fault = ""
    for _ in range(MAX_ASKS_PER_PAGE):
        page_or_fault, file, link = await _ask_page(pull, request, ask, number, where)
        if isinstance(page_or_fault, Page):
            if pull.journal is not None:
                pull.journal.note(reading, ask, file, link)
            pull.on_page(file)
            return page_or_fault, file
        fault = str(page_or_fault)
        log.warning("%s: unreadable (%s); kept as %s", where, fault, file.sha256)
        pull.unreadable[file.sha256] = (file, _refused_page(file, number, fault))
    raise SourceChangedError(
        f"{where}: unreadable in {MAX_ASKS_PER_PAGE} asks ({fault}); ask the portal's owner"
    )


@while_unavailable
async def _ask_page(
    pull: _Pull, request: httpx.Request, ask: str, number: int, where: str
) -> tuple[Page | UnreadablePageError, LandedFile, str]:
    """Send the request, land whatever was answered, then say what it means or why it has no meaning."""
    response = await send(pull.client, request, where)
    origin = f"{request.url.path} page {number}"
    known_at = sent_at(response, where)
    if known_at < day_end(pull.day):
        raise EarlyAnswerError(f"{pull.name}: by the portal's clock the day is not over; pull it afterwards")
    link = response.headers.get("Link", "")
    content = response.content
    file = land_bytes(pull.landing, SOURCE_CODE, pull.system.system_code, pull.day, content, origin, known_at)
    pull.answers.append(known_at)
    key = (number, ask, link, file.sha256)
    try:
        page = pull.known.get(key) or understand(content, number, request.url, pull.system, where, link)
    except UnreadablePageError as error:
        return error, file, link
    pull.known[key] = page
    return page, file, link


def _refused_page(file: LandedFile, number: int, fault: str) -> dict[str, str]:
    return {
        "sha256": file.sha256,
        "place": f"page {number}",
        "reason_code": "unreadable_page",
        "reason": f"The page could not be read ({fault}); it was asked for again.",
        "content": f"{file.size_bytes} bytes",
    }


def _to_result(pull: _Pull, files: list[LandedFile], doubt: str) -> PullResult:
    unreadable = list(pull.unreadable.values())
    return PullResult(
        files=list({file.sha256: file for file in files}.values()),
        refused=refused_frame(row for _, row in unreadable),
        unreadable=[file for file, _ in unreadable],
        window=pull.window,
        answered_at=max(pull.answers),
        doubt=doubt,
    )
