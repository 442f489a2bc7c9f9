"""Pull the dossiers that changed up to the end of a day: pages as sent, a list proved whole or read again."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import httpx
import pandas as pd

from directive_etl.errors import SourceChangedError, SourceUnavailableError
from directive_etl.landing import LandedFile, land_bytes
from directive_etl.periods import day_end
from directive_etl.quality import refused_frame
from directive_etl.registry.systems import PortalSystem
from directive_etl.sources.service_portal.access import open_client, send, sent_at, while_unavailable
from directive_etl.sources.service_portal.pages import (
    Page,
    UnreadablePageError,
    first_request,
    next_request,
    understand,
    window_of,
)

__all__ = ["PullResult", "find_gap", "open_client", "pull_day"]

SOURCE_CODE = "service_portal"
MAX_READINGS = 3
MAX_ASKS_PER_PAGE = 3
MAX_PAGES = 20_000


@dataclass(frozen=True)
class PullResult:
    """A list that proved itself whole.

    files: its pages in order, each content once. refused: the pages that could not be read on the way, with
    REFUSED_COLUMNS; unreadable: their bytes. A page that was read when asked for again is in `files` as well.
    """

    files: list[LandedFile]
    refused: pd.DataFrame
    unreadable: list[LandedFile]


@dataclass(repr=False)
class _Pull:
    """What stays the same while one list is read, and the unreadable pages met so far by their hash."""

    client: httpx.Client
    system: PortalSystem
    day: date
    landing: Path
    first_pull: bool
    unreadable: dict[str, tuple[LandedFile, dict[str, str]]] = field(default_factory=dict)

    def __repr__(self) -> str:
        # The log of retries shows arguments.
        return f"<pull {self.name}>"

    @property
    def name(self) -> str:
        return f"{SOURCE_CODE} {self.system.system_code} {self.day}"


def pull_day(
    client: httpx.Client, system: PortalSystem, day: date, landing: Path, first_pull: bool
) -> PullResult:
    """Land every page of the dossiers changed in the window of a day (docs/sources/service_portal.md).

    A list that does not prove itself whole is read again from the start, up to three times in all.

    Args:
        client: from `open_client`.
        system: the declared system.
        day: the reporting day whose end closes the window.
        landing: the landing zone.
        first_pull: whether to reach back by the declared initial days instead of the overlap.

    Raises:
        SourceUnavailableError: no answer after retries; the day is not over at the portal; the list kept
            moving.
        SourceChangedError: a page that stays unreadable, an answer without the declared fields, or a list
            that contradicts itself in the same way each time it is read.
        ConfigurationError: the portal does not accept our login.
    """
    pull = _Pull(client, system, day, landing, first_pull)
    readings: set[tuple[str, ...]] = set()
    gap = ""
    for _ in range(MAX_READINGS):
        pages, files = _read_list(pull)
        gap = find_gap(pages, system.fields.dossier_code)
        if not gap:
            return _to_result(pull, files)
        readings.add(tuple(file.sha256 for file in files))
    if len(readings) == 1:
        raise SourceChangedError(
            f"{pull.name}: {gap}, the same in {MAX_READINGS} readings; ask the portal's owner"
        )
    raise SourceUnavailableError(
        f"{pull.name}: {gap}; the list moved in {MAX_READINGS} readings, try again later"
    )


def find_gap(pages: list[Page], code_field: str) -> str:
    """Say why a list is not proved whole; empty when it is.

    Whole means: each page is the one asked for, every page gives the same total, and as many distinct
    dossiers came; in a list without a total no dossier came twice (one that moves to the next page pushes
    another out of sight).
    """
    for page in pages:
        if page.said_number is not None and page.said_number != page.number:
            return f"page {page.said_number} was sent for page {page.number}"
    records = [record for page in pages for record in page.records]
    # A record without a code is refused when read; here it counts as a dossier of its own.
    codes = Counter(
        str(record[code_field]) if isinstance(record, dict) and record.get(code_field) else f"#{place}"
        for place, record in enumerate(records)
    )
    totals = {page.total for page in pages if page.total is not None}
    if len(totals) > 1:
        return "the total changed between pages"
    if totals and (total := totals.pop()) != len(codes):
        return f"the portal counts {total} dossiers and sent {len(codes)} distinct ones"
    if len(codes) < len(records):
        return f"{len(records) - len(codes)} dossiers were sent more than once"
    return ""


def _read_list(pull: _Pull) -> tuple[list[Page], list[LandedFile]]:
    """Ask for page after page until the list ends."""
    window = window_of(pull.system, pull.day, pull.first_pull)
    request: httpx.Request | None = first_request(pull.client, pull.system, window)
    pages: list[Page] = []
    files: list[LandedFile] = []
    asked: set[tuple[str, bytes]] = set()
    while request is not None:
        place = f"page {len(pages) + 1}"
        ask = (str(request.url), request.content)
        if ask in asked or len(pages) == MAX_PAGES:
            raise SourceChangedError(
                f"{pull.name} {place}: the pages lead in a circle; ask the portal's owner"
            )
        asked.add(ask)
        page, file = _read_page(pull, request, len(pages) + 1)
        if file.known_at < day_end(pull.day):
            raise SourceUnavailableError(
                f"{pull.name}: by the portal's clock the day is not over; pull it afterwards"
            )
        pages.append(page)
        files.append(file)
        request = next_request(pull.client, pull.system, window, pages)
    return pages, files


def _read_page(pull: _Pull, request: httpx.Request, number: int) -> tuple[Page, LandedFile]:
    """Read one page, asking again when it arrives unreadable; each unreadable answer is kept and named."""
    where = f"{pull.name} page {number}"
    fault = ""
    for _ in range(MAX_ASKS_PER_PAGE):
        page, file = _ask_page(pull, request, number, where)
        if isinstance(page, Page):
            return page, file
        fault = str(page)
        pull.unreadable[file.sha256] = (file, _refused_page(file, number, fault))
    raise SourceChangedError(
        f"{where}: unreadable in {MAX_ASKS_PER_PAGE} asks ({fault}); ask the portal's owner"
    )


@while_unavailable
def _ask_page(
    pull: _Pull, request: httpx.Request, number: int, where: str
) -> tuple[Page | UnreadablePageError, LandedFile]:
    """Send the request, land whatever was answered, then say what it means or why it has no meaning."""
    response = send(pull.client, request, where)
    origin = f"{request.url.path} page {number}"
    known_at = sent_at(response, where)
    file = land_bytes(
        pull.landing, SOURCE_CODE, pull.system.system_code, pull.day, response.content, origin, known_at
    )
    try:
        return understand(response.content, number, request.url, pull.system, where), file
    except UnreadablePageError as error:
        return error, file


def _refused_page(file: LandedFile, number: int, fault: str) -> dict[str, str]:
    return {
        "sha256": file.sha256,
        "place": f"page {number}",
        "reason_code": "unreadable_page",
        "reason": f"The page could not be read ({fault}); it was asked for again.",
        "content": f"{file.size_bytes} bytes",
    }


def _to_result(pull: _Pull, files: list[LandedFile]) -> PullResult:
    unreadable = list(pull.unreadable.values())
    return PullResult(
        files=list({file.sha256: file for file in files}.values()),
        refused=refused_frame(row for _, row in unreadable),
        unreadable=[file for file, _ in unreadable],
    )
