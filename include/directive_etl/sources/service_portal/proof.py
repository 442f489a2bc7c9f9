"""Whether what was read of a list is the whole list, although it may have moved while it was read."""

from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from directive_etl.landing import LandedFile
from directive_etl.registry.systems import PortalSystem
from directive_etl.sources.service_portal.pages import Page, records_of


@dataclass(frozen=True)
class Reading:
    """One passage through a list: its pages in order, and the landed file of each."""

    pages: list[Page]
    files: list[LandedFile]

    @property
    def content(self) -> list[str]:
        """Return the hash of each page."""
        return [file.sha256 for file in self.files]

    @cached_property
    def gap(self) -> str:
        """Say why it cannot be the whole list; empty when nothing speaks against it."""
        return find_gap(self.pages)


def find_gap(pages: list[Page]) -> str:
    """Say why one passage cannot be the whole list; empty when nothing speaks against it.

    Each page must be the one asked for, every page give the same total, and as many distinct dossiers
    have come; in a
    list without a total no dossier may come twice (one that moves to the next page pushes another out of
    sight).
    """
    for page in pages:
        if page.said_number is not None and page.said_number != page.number:
            return f"page {page.said_number} was sent for page {page.number}"
    codes = set(chain.from_iterable(page.codes for page in pages))
    record_count = sum(len(page.codes) for page in pages)
    # A record without a code is refused when read; here it counts as a dossier of its own.
    distinct_count = len(codes - {""}) + sum(page.codes.count("") for page in pages)
    totals = {page.total for page in pages if page.total is not None}
    if len(totals) > 1:
        return "the total changed between pages"
    if totals and (total := totals.pop()) != distinct_count:
        return f"the portal counts {total} dossiers and sent {distinct_count} distinct ones"
    if distinct_count < record_count:
        return f"{record_count - distinct_count} dossiers were sent more than once"
    return ""


def is_one_moment(reading: Reading, system: PortalSystem) -> bool:
    """Whether a passage shows the list at one moment: it came in one answer, or the first page froze it."""
    return len(reading.pages) == 1 or system.window.is_frozen


def agree(first: Reading, second: Reading, system: PortalSystem) -> bool:
    """Whether two passages show the same records in the same order; what is around the records may differ.

    A list that changed between two pages of the first passage gives another page in the second one: a
    dossier that
    came or went on a page already read is missed by totals and counts, but not by this.
    """
    if first.content == second.content:
        return True
    if [page.codes for page in first.pages] != [page.codes for page in second.pages]:
        return False
    pairs = zip(first.files, second.files, strict=True)
    return all(
        one.sha256 == other.sha256
        or records_of(one.path.read_bytes(), system) == records_of(other.path.read_bytes(), system)
        for one, other in pairs
    )
