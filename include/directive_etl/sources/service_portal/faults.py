"""Why a record of a portal cannot become a version of a dossier. Each fault names its rows and its field."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import pandas as pd

from directive_etl.periods import LOCAL_ZONE, day_end
from directive_etl.quality import mask_digits
from directive_etl.registry.procedures import procedures
from directive_etl.registry.systems import PortalSystem
from directive_etl.registry.units import units_on

# Refused, withdrawn, stopped, processed, returned: work on the dossier has ended.
CLOSED_STATUSES = frozenset({3, 7, 8, 9, 10})
# Newly registered, and what can end before an office has taken the dossier.
MAY_BE_UNRECEIVED_STATUSES = frozenset({1, 3, 7, 8})

_DATE_FIELDS = ("changed_at", "received_at", "due_at", "finished_at", "returned_at")
_REQUIRED_FIELDS = ("dossier_code", "procedure_code", "unit_code", "channel", "status", "changed_at")
# A code, a number or a date. Anything else could be a name that slipped into the wrong field.
_SHOWABLE = re.compile(r"[0-9A-Za-z._/:+-]{0,40}( [0-9:.+-]{1,15})?")


@dataclass(frozen=True)
class Fault:
    """One kind of fault. rows: labels in the frame of records; field: the system's name; column: its text."""

    reason_code: str
    field: str
    sentence: str
    rows: list[int]
    column: str

    def show(self, records: pd.DataFrame, row: int) -> str:
        """Return the faulty field as sent, long numbers masked, free text left out."""
        shown = show_text(str(records.at[row, self.column]))
        return f"{self.field}={shown}" if self.field else shown


def show_text(text: str) -> str:
    """Return a value as sent, long numbers masked; free text, which may be a name, only by its length."""
    return mask_digits(text) if _SHOWABLE.fullmatch(text) else f"(text of {len(text)} characters)"


def show_key(key: int) -> str:
    """Write a dossier's key in hexadecimal groups of four, so that no digits look like a phone number."""
    digits = f"{int(key) & (1 << 64) - 1:016x}"
    return "dossier " + ":".join(digits[n : n + 4] for n in range(0, 16, 4))


def find_faults(records: pd.DataFrame, system: PortalSystem, day: date) -> list[Fault]:
    """Find every fault of every record, the gravest first.

    Args:
        records: one row per record: the texts as sent by our field names (dates as `<field>_text`), and
            beside them the converted values, null where a text could not be converted.
        system: the declared system that sent them.
        day: the reporting day of the pull.
    """
    no_object = ~records["is_record"].astype(bool)
    faults = [_fault("not_a_record", "", "The record is no JSON object", records, no_object, "place")]
    readable = records[~no_object]
    faults += _iter_missing(readable, system)
    faults += _iter_unreadable(readable, system)
    faults += _iter_unknown(readable, system)
    faults += _iter_contradictory_dates(readable, system, day)
    return [fault for fault in faults if fault.rows]


def _fault(
    code: str, field: str, sentence: str, records: pd.DataFrame, mask: pd.Series, column: str
) -> Fault:
    return Fault(code, field, sentence, list(records.index[mask.fillna(False).astype(bool)]), column)


def _iter_missing(records: pd.DataFrame, system: PortalSystem) -> Iterator[Fault]:
    for field in _REQUIRED_FIELDS:
        name = getattr(system.fields, field)
        column = f"{field}_text" if field in _DATE_FIELDS else field
        yield _fault("missing_field", name, f"{name} is empty", records, records[column] == "", column)


def _iter_unreadable(records: pd.DataFrame, system: PortalSystem) -> Iterator[Fault]:
    for field in _DATE_FIELDS:
        name, column = getattr(system.fields, field), f"{field}_text"
        unreadable = (records[column] != "") & records[field].isna()
        yield _fault("bad_date", name, f"{name} is no date of the declared form", records, unreadable, column)


def _iter_unknown(records: pd.DataFrame, system: PortalSystem) -> Iterator[Fault]:
    """Codes that are not declared; a unit on the day of the change, since codes of wards are reused."""
    for field, column in (("status", "status_code"), ("channel", "channel_code")):
        name = getattr(system.fields, field)
        unknown = (records[field] != "") & records[column].isna()
        sentence = f"{name} is not in the {field}_map of registry/systems/{system.system_code}.yaml"
        yield _fault(f"unknown_{field}", name, sentence, records, unknown, field)

    changed_on = records["changed_at"].dt.tz_convert(LOCAL_ZONE).dt.date
    is_unknown = pd.Series(False, index=records.index)
    for day, units in records["unit_code"].groupby(changed_on):
        is_unknown[units.index] = ~units.isin([unit.unit_code for unit in units_on(day)]) & (units != "")
    name = system.fields.unit_code
    yield _fault(
        "unknown_unit",
        name,
        f"{name} is no unit in force on the day of the change",
        records,
        is_unknown,
        "unit_code",
    )

    declared = {procedure.procedure_code for procedure in procedures()}
    name, codes = system.fields.procedure_code, records["procedure_code"]
    is_unknown = ~codes.isin(declared) & (codes != "")
    yield _fault(
        "unknown_procedure",
        name,
        f"{name} is not in registry/procedures",
        records,
        is_unknown,
        "procedure_code",
    )


def _iter_contradictory_dates(records: pd.DataFrame, system: PortalSystem, day: date) -> Iterator[Fault]:
    """Dates that cannot be true together with the status: such a dossier would be in no count, or in two."""
    names, status = system.fields, records["status_code"]
    received, finished = records["received_at"], records["finished_at"]
    unreceived = (
        (records["received_at_text"] == "") & status.notna() & ~status.isin(MAY_BE_UNRECEIVED_STATUSES)
    )
    sentence = f"{names.received_at} is empty in a status that only a received dossier can have"
    yield _fault("missing_received_date", names.status, sentence, records, unreceived, "status")

    unfinished = status.isin(CLOSED_STATUSES) & received.notna() & (records["finished_at_text"] == "")
    sentence = f"{names.finished_at} is empty in a status that ends the work"
    yield _fault("missing_finished_date", names.status, sentence, records, unfinished, "status")

    # Without a date on either side the comparison is false.
    backwards = _day(finished) < _day(received)
    sentence = f"{names.finished_at} is before {names.received_at}"
    yield _fault(
        "finished_before_received", names.finished_at, sentence, records, backwards, "finished_at_text"
    )

    late = records["changed_at"] >= pd.Timestamp(day_end(day))
    sentence = f"{names.changed_at} is after the day that was asked for"
    yield _fault("outside_window", names.changed_at, sentence, records, late, "changed_at_text")


def _day(moments: pd.Series) -> pd.Series:
    days: pd.Series = moments.dt.tz_convert(LOCAL_ZONE).dt.normalize()
    return days
