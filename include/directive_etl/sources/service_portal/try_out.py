"""Try a declared system: read two pages and show how each field would be read. Nothing is kept."""

import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pandas as pd

from directive_etl.landing import LandedFile, land_bytes
from directive_etl.registry.systems import FieldNames, PortalSystem
from directive_etl.settings import SystemConnection
from directive_etl.sources.service_portal.access import open_client, send, sent_at
from directive_etl.sources.service_portal.faults import show_text
from directive_etl.sources.service_portal.pages import first_request, next_request, understand, window_of
from directive_etl.sources.service_portal.read import read_pages, read_records

_READ_AS = {
    "dossier_code": "dossier_key",
    "channel": "channel_code",
    "status": "status_code",
    "received_at": "received_date",
    "due_at": "due_date",
    "finished_at": "finished_date",
    "returned_at": "returned_date",
}
_EXAMPLES = 3
# Shorter than any phone number.
_LONGEST_CODE = 8


def iter_trial(
    system: PortalSystem, connection: SystemConnection, day: date, hash_key: str, page_count: int = 2
) -> Iterator[str]:
    """Yield the lines of the report, as the pages come.

    Args:
        system: as declared.
        connection: where it answers.
        day: the day whose end closes the window that is asked for.
        hash_key: any; the keys are not shown.
        page_count: how many pages to read.

    Raises:
        DirectiveEtlError: what would stop a pull stops the trial, with the same message.
    """
    window = window_of(system, day, first_pull=True)
    yield f"{system.system_code}: login by {system.login.kind}, pages by {system.paging.kind}"
    yield f"changes from {window[0]:%Y-%m-%d %H:%M} to {window[1]:%Y-%m-%d %H:%M}"
    with tempfile.TemporaryDirectory() as folder, open_client(system, connection) as client:
        pages, files = [], []
        request = first_request(client, system, window)
        for number in range(1, page_count + 1):
            where = f"service_portal {system.system_code} page {number}"
            response = client.run(send(client, request, where))
            sent = sent_at(response, where)
            link = response.headers.get("Link", "")
            page = understand(response.content, number, request.url, system, where, link)
            origin = f"{request.url.path} page {number}"
            pages.append(page)
            files.append(
                land_bytes(
                    Path(folder), "service_portal", system.system_code, day, response.content, origin, sent
                )
            )
            total = "no total" if page.total is None else f"total {page.total}"
            told = f"{len(page.codes)} records, {total}, {len(response.content)} bytes"
            yield f"page {number}: {told}, sent {sent:%Y-%m-%d %H:%M:%S%z}"
            following = next_request(client, system, window, pages)
            if following is None:
                yield "the list ends here"
                break
            request = following
        yield from _iter_fields(files, system, hash_key)
        yield from _iter_outcome(files, system, day, hash_key)


def _iter_fields(files: list[LandedFile], system: PortalSystem, hash_key: str) -> Iterator[str]:
    """Yield for each field its name there, how often it is filled, and examples with what they are read
    as.
    """
    records = read_records(files, system, hash_key)
    yield ""
    yield f"{'field':<16}{'there':<20}{'filled':<12}examples"
    for field in FieldNames.model_fields:
        texts = records[f"{field}_text"] if f"{field}_text" in records else records[field]
        filled = records[texts != ""]
        examples = filled.assign(text=texts[filled.index]).drop_duplicates("text").head(_EXAMPLES)
        shown = "; ".join(_show(row, field) for _, row in examples.iterrows())
        name = getattr(system.fields, field)
        count = f"{len(filled)} of {len(records)}"
        yield f"{field:<16}{name:<20}{count:<12}{shown or 'always empty: is the name right?'}"


def _show(row: pd.Series, field: str) -> str:
    text = str(row["text"])
    if field == "dossier_code":
        return f"{show_text(text)} -> keyed hash"
    value = row[_READ_AS.get(field, field)]
    if pd.isna(value):
        return f"{show_text(text)} -> CANNOT BE READ"
    # A code of a unit or procedure is free text until it is looked up; a date or a declared code holds
    # nothing else.
    if field in ("unit_code", "procedure_code"):
        return text if len(text) <= _LONGEST_CODE else show_text(text)
    return f"{text} -> {value}"


def _iter_outcome(files: list[LandedFile], system: PortalSystem, day: date, hash_key: str) -> Iterator[str]:
    pages = read_pages(files, system, hash_key=hash_key, day=day)
    yield ""
    yield (
        f"{pages.read_count} records: {len(pages.versions)} would be loaded, {len(pages.refused)} refused, "
        f"{pages.duplicate_count} sent twice"
    )
    for reason, count in pages.refused["reason"].value_counts().items():
        yield f"  {count} x {reason}"
