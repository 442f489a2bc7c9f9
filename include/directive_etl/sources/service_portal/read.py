"""Read landed pages into typed versions of dossiers; refuse what cannot be read. Applicants are not read."""

import dataclasses
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
import pandas as pd

from directive_etl.errors import SourceChangedError
from directive_etl.landing import LandedFile
from directive_etl.periods import LOCAL_ZONE
from directive_etl.quality import refused_frame
from directive_etl.registry.systems import FieldNames, PortalSystem
from directive_etl.sources.service_portal.faults import Fault, find_faults, show_key

VERSION_COLUMNS = [
    "system_code",
    "dossier_key",
    "changed_at",
    "known_at",
    "unit_code",
    "procedure_code",
    "channel_code",
    "status_code",
    "source_status",
    "received_date",
    "due_date",
    "finished_date",
    "returned_date",
]

_KEY_COLUMNS = ["dossier_key", "changed_at"]
_CONTENT_COLUMNS = [column for column in VERSION_COLUMNS if column != "known_at"]
_FIELDS = list(FieldNames.model_fields)
_DATES = {
    "received_at": "received_date",
    "due_at": "due_date",
    "finished_at": "finished_date",
    "returned_at": "returned_date",
}
_PAGE_NUMBER = re.compile(r" page (\d+)$")
_DIGITS = {"Y": r"\d{4}", "f": r"\d{1,6}", "z": r"(?:Z|[+-]\d{2}:?\d{2})"}


@dataclass(frozen=True)
class ReadPages:
    """What became of every record: read_count = rows of versions + rows of refused + duplicate_count.

    seen_keys: the dossiers that were in the pages, those of refused records among them.
    """

    versions: pd.DataFrame
    refused: pd.DataFrame
    duplicate_count: int
    read_count: int
    seen_keys: list[int] = dataclasses.field(default_factory=list)


def read_pages(files: list[LandedFile], system: PortalSystem, *, hash_key: str, day: date) -> ReadPages:
    """Read the pages of one pull.

    Args:
        files: from `pull_day`, in order.
        system: the declared system that sent them.
        hash_key: key of the hash that stands for a dossier's code.
        day: the reporting day of the pull; a change after its end was not asked for and is refused.

    Returns:
        versions: one row per dossier and change, VERSION_COLUMNS, sorted. dossier_key int64; changed_at and
        known_at datetime in UTC; channel_code and status_code int64 in the national lists; dates are local
        `date` or None. refused: REFUSED_COLUMNS, one row per record, its content the dossier's key and the
        faulty fields only.

    Raises:
        SourceChangedError: a file is no page of this system.
    """
    records = read_records(files, system, hash_key)
    faults = find_faults(records, system, day)
    kept = records[~records.index.isin([row for fault in faults for row in fault.rows])]
    torn = find_contradictions(kept, system)
    kept = kept.drop(index=torn.rows)
    versions = kept[VERSION_COLUMNS].sort_values("known_at", kind="stable").drop_duplicates(_CONTENT_COLUMNS)
    return ReadPages(
        versions=versions.astype({"channel_code": "int64", "status_code": "int64"}).sort_values(
            ["changed_at", "dossier_key"], ignore_index=True
        ),
        refused=refused_frame(_to_refused_rows(records, [*faults, torn])),
        duplicate_count=len(kept) - len(versions),
        read_count=len(records),
        seen_keys=sorted(records["dossier_key"].unique().tolist()),
    )


def read_records(files: list[LandedFile], system: PortalSystem, hash_key: str) -> pd.DataFrame:
    """Return one row per record: its texts by our field names, and beside them what they mean, null where
    nothing.
    """
    return _to_types(_to_texts(files, system), system, hash_key)


def find_contradictions(records: pd.DataFrame, system: PortalSystem) -> Fault:
    """Find records of one dossier and time of change with different contents: none of them can be trusted."""
    distinct = records.drop_duplicates(_CONTENT_COLUMNS)
    twice = distinct[distinct.duplicated(_KEY_COLUMNS, keep=False)]
    torn = pd.MultiIndex.from_frame(records[_KEY_COLUMNS]).isin(pd.MultiIndex.from_frame(twice[_KEY_COLUMNS]))
    sentence = "One time of change was sent with different contents"
    return Fault(
        "contradictory_version",
        system.fields.changed_at,
        sentence,
        list(records.index[torn]),
        "changed_at_text",
    )


def dossier_key(dossier_code: str, hash_key: str) -> int:
    """Return the keyed hash that stands for a dossier: 8 bytes of HMAC-SHA256 as a signed integer."""
    digest = hmac.digest(hash_key.encode(), dossier_code.encode(), "sha256")
    return int.from_bytes(digest[:8], "big", signed=True)


def _to_texts(files: list[LandedFile], system: PortalSystem) -> pd.DataFrame:
    """One row per record as sent: where it stood, and the text of each declared field, empty when null."""
    rows: dict[str, list[Any]] = {name: [] for name in ("sha256", "place", "known_at", "is_record", *_FIELDS)}
    names = system.fields.model_dump()
    for position, file in enumerate(files, start=1):
        number = match[1] if (match := _PAGE_NUMBER.search(file.origin)) else str(position)
        records = _records_of(file, system, number)
        rows["sha256"] += [file.sha256] * len(records)
        rows["place"] += [f"page {number} record {n}" for n in range(1, len(records) + 1)]
        rows["known_at"] += [file.known_at] * len(records)
        rows["is_record"] += [isinstance(record, dict) for record in records]
        for meaning in _FIELDS:
            name = names[meaning]
            rows[meaning] += [
                _text(record.get(name)) if isinstance(record, dict) else "" for record in records
            ]
    texts = pd.DataFrame(rows)
    texts[_FIELDS] = texts[_FIELDS].astype("str").mask(lambda frame: frame.isin(system.empty_values), "")
    return texts


def _records_of(file: LandedFile, system: PortalSystem, number: str) -> list[Any]:
    value: Any = None
    try:
        value = orjson.loads(file.path.read_bytes())
        for name in system.answer.records_field.split("."):
            value = value[name]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        value = None
    if not isinstance(value, list):
        raise SourceChangedError(
            f"service_portal {file.part_code} {file.report_date} page {number}: the landed file "
            f"{file.sha256} has no list {system.answer.records_field!r}; pull the day again"
        )
    return value


def _text(value: object) -> str:
    """All values are agreed to be strings; a number is taken as its digits, null as empty."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int | float) else orjson.dumps(value).decode()


def _to_types(texts: pd.DataFrame, system: PortalSystem, hash_key: str) -> pd.DataFrame:
    """Add the columns of a version; what cannot be converted is null there."""
    keys = {code: dossier_key(code, hash_key) for code in texts["dossier_code"].unique()}
    typed = texts.assign(
        system_code=system.system_code,
        dossier_key=texts["dossier_code"].map(keys).astype("int64"),
        known_at=pd.to_datetime(texts["known_at"], utc=True).astype("datetime64[us, UTC]"),
        source_status=texts["status"],
        status_code=texts["status"].map(system.status_map).astype("Int64"),
        channel_code=texts["channel"].map(system.channel_map).astype("Int64"),
    )
    for moment in ("changed_at", *_DATES):
        typed[f"{moment}_text"] = texts[moment]
        # Most times stand in many records: each is read once.
        places, distinct = pd.factorize(texts[moment])
        moments = to_moments(pd.Series(distinct, dtype="str"), system.date_formats)
        typed[moment] = moments.take(places).set_axis(texts.index)
        if moment in _DATES:
            days = moments.dt.tz_convert(LOCAL_ZONE).dt.date.astype(object).where(moments.notna(), None)
            typed[_DATES[moment]] = days.take(places).set_axis(texts.index)
    return typed


def to_moments(texts: pd.Series, formats: Iterable[str]) -> pd.Series:
    """Read texts of the declared forms exactly, so that no digit is guessed: UTC, NaT for all others.

    A form without an offset is local time.
    """
    moments = pd.Series(pd.NaT, index=texts.index, dtype="datetime64[us, UTC]")
    for date_format in formats:
        fitting = texts[moments.isna() & texts.str.fullmatch(_pattern_of(date_format))]
        if "%z" in date_format:
            parsed = pd.to_datetime(fitting, format=date_format, errors="coerce", utc=True)
        else:
            naive = pd.to_datetime(fitting, format=date_format, errors="coerce")
            parsed = naive.dt.tz_localize(LOCAL_ZONE, ambiguous="NaT", nonexistent="NaT").dt.tz_convert("UTC")
        moments.loc[fitting.index] = parsed.astype("datetime64[us, UTC]")
    return moments


def _pattern_of(date_format: str) -> str:
    parts = re.split(r"%(.)", date_format)
    return "".join(_DIGITS.get(part, r"\d{2}") if n % 2 else re.escape(part) for n, part in enumerate(parts))


def _to_refused_rows(typed: pd.DataFrame, faults: list[Fault]) -> list[dict[str, str]]:
    """One row per refused record, naming all its faults; the first gives the reason code."""
    found: dict[int, list[Fault]] = {}
    for fault in faults:
        for row in fault.rows:
            found.setdefault(row, []).append(fault)
    refused = typed.loc[sorted(found), ["sha256", "place", "dossier_key"]]
    return [
        {
            "sha256": sha256,
            "place": place,
            "reason_code": found[row][0].reason_code,
            "reason": ". ".join(dict.fromkeys(fault.sentence for fault in found[row])) + ".",
            "content": "; ".join([show_key(key), *(fault.show(typed, row) for fault in found[row])]),
        }
        for row, sha256, place, key in refused.itertuples(name=None)
    ]
