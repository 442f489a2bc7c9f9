"""Why a record of a portal cannot become a version of a dossier. Each fault names its field, and its rows in SQL."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from directive_etl.periods import day_end
from directive_etl.quality import mask_digits
from directive_etl.registry.procedures import procedures
from directive_etl.registry.systems import PortalSystem
from directive_etl.sources.service_portal.records import DATES, text_column

# Refused, withdrawn, stopped, processed, returned: work on the dossier has ended.
CLOSED_STATUSES = frozenset({3, 7, 8, 9, 10})
# Newly registered, and what can end before an office has taken the dossier.
MAY_BE_UNRECEIVED_STATUSES = frozenset({1, 3, 7, 8})

_REQUIRED_FIELDS = ("dossier_code", "procedure_code", "unit_code", "channel", "status", "changed_at")
# A code, a number or a date. Anything else could be a name that slipped into the wrong field.
_SHOWABLE = re.compile(r"[0-9A-Za-z._/:+-]{0,40}( [0-9:.+-]{1,15})?")


@dataclass(frozen=True)
class Fault:
    """One kind of fault.

    field: the system's name; column: where its text stands in the table `record`; condition: the SQL that is true for
    a record with the fault, over `record`.
    """

    reason_code: str
    field: str
    sentence: str
    column: str
    condition: str

    def show(self, text: str) -> str:
        """Return the faulty field as sent, long numbers masked, free text left out."""
        shown = show_text(text)
        return f"{self.field}={shown}" if self.field else shown


def show_text(text: str) -> str:
    """Return a value as sent, long numbers masked; free text, which may be a name, only by its length."""
    return mask_digits(text) if _SHOWABLE.fullmatch(text) else f"(text of {len(text)} characters)"


def show_key(key: int) -> str:
    """Write a dossier's key in hexadecimal groups of four, so that no digits look like a phone number."""
    digits = f"{int(key) & (1 << 64) - 1:016x}"
    return "dossier " + ":".join(digits[n : n + 4] for n in range(0, 16, 4))


def faults_of(system: PortalSystem, day: date) -> list[Fault]:
    """Return every fault that a record of a system may have, the gravest first.

    Args:
        system: the declared system that sent the records.
        day: the reporting day of the pull.
    """
    return [
        *_iter_missing(system),
        *_iter_unreadable(system),
        *_iter_unknown(system),
        *_iter_contradictory_dates(system, day),
    ]


NOT_A_RECORD = Fault("not_a_record", "", "The record is no JSON object", "place", "NOT is_record")


def contradiction(system: PortalSystem) -> Fault:
    """Return the fault of records of one dossier and time of change with different contents: none can be trusted."""
    sentence = "One time of change was sent with different contents"
    return Fault("contradictory_version", system.fields.changed_at, sentence, "changed_at_text", "is_torn")


def _iter_missing(system: PortalSystem) -> Iterator[Fault]:
    for field in _REQUIRED_FIELDS:
        name, column = getattr(system.fields, field), text_column(field)
        yield Fault("missing_field", name, f"{name} is empty", column, f"{column} = ''")


def _iter_unreadable(system: PortalSystem) -> Iterator[Fault]:
    for field, read in {"changed_at": "changed_at", **DATES}.items():
        name, column = getattr(system.fields, field), text_column(field)
        sentence = f"{name} is no date of the declared form"
        yield Fault("bad_date", name, sentence, column, f"{column} <> '' AND {read} IS NULL")


def _iter_unknown(system: PortalSystem) -> Iterator[Fault]:
    """Codes that are not declared; a unit on the day of the change, since codes of wards are reused."""
    for field in ("status", "channel"):
        name = getattr(system.fields, field)
        sentence = f"{name} is not in the {field}_map of registry/systems/{system.system_code}.yaml"
        yield Fault(f"unknown_{field}", name, sentence, field, f"{field} <> '' AND {field}_code IS NULL")

    name = system.fields.unit_code
    in_force = (
        "SELECT 1 FROM unit WHERE unit.code = record.unit_code AND record.changed_at >= unit.valid_from "
        "AND record.changed_at < unit.valid_until"
    )
    yield Fault(
        "unknown_unit",
        name,
        f"{name} is no unit in force on the day of the change",
        "unit_code",
        f"unit_code <> '' AND changed_at IS NOT NULL AND NOT EXISTS ({in_force})",
    )

    name = system.fields.procedure_code
    declared = sorted({procedure.procedure_code for procedure in procedures()})
    known = ", ".join(f"'{code}'" for code in declared)
    yield Fault(
        "unknown_procedure",
        name,
        f"{name} is not in registry/procedures",
        "procedure_code",
        f"procedure_code <> '' AND procedure_code NOT IN ({known})",
    )


def _iter_contradictory_dates(system: PortalSystem, day: date) -> Iterator[Fault]:
    """Dates that cannot be true together with the status: such a dossier would be in no count, or in two."""
    names = system.fields
    yield Fault(
        "missing_received_date",
        names.status,
        f"{names.received_at} is empty in a status that only a received dossier can have",
        "status",
        f"received_at_text = '' AND status_code NOT IN {_sql(MAY_BE_UNRECEIVED_STATUSES)}",
    )
    yield Fault(
        "missing_finished_date",
        names.status,
        f"{names.finished_at} is empty in a status that ends the work",
        "status",
        f"finished_at_text = '' AND received_date IS NOT NULL AND status_code IN {_sql(CLOSED_STATUSES)}",
    )
    yield Fault(
        "finished_before_received",
        names.finished_at,
        f"{names.finished_at} is before {names.received_at}",
        "finished_at_text",
        "finished_date < received_date",
    )
    yield Fault(
        "outside_window",
        names.changed_at,
        f"{names.changed_at} is after the day that was asked for",
        "changed_at_text",
        f"changed_at >= TIMESTAMPTZ '{day_end(day).isoformat()}'",
    )


def _sql(codes: frozenset[int]) -> str:
    return f"({', '.join(map(str, sorted(codes)))})"
