"""The catalogue of administrative procedures: name, online service level and which units handle them.

The level is a field of the catalogue and not of a dossier, and it changes over time: a dossier has the level
that was valid on the day it was received.
"""

from collections.abc import Iterator
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from directive_etl.errors import RegistryError
from directive_etl.registry.declared_rows import DeclaredRow, load_rows
from directive_etl.registry.units import units

PROCEDURES_FILE = Path(__file__).parent / "procedures" / "procedures.csv"


def _split(text: object) -> object:
    return tuple(text.split()) if isinstance(text, str) else text


UnitTypes = Annotated[tuple[str, ...], BeforeValidator(_split), Field(min_length=1)]


class Procedure(DeclaredRow):
    """A procedure during one period of its service level.

    Attributes:
        procedure_code: national code, e.g. `1.005129`.
        service_level: 1 and 2 are handled on paper, 3 is submitted online, 4 is also paid for and
            returned online.
        valid_from, valid_to: days on which the level holds, both included; valid_to None while it holds.
        unit_types: types of unit that handle it; blanks between them in the file.
        status: how sure the row is.
    """

    procedure_code: str = Field(pattern=r"^\d\.\d{6}$")
    name_vi: str
    service_level: int = Field(ge=1, le=4)
    valid_from: date
    valid_to: date | None
    unit_types: UnitTypes
    status: str
    source: str | None

    def is_in_force(self, day: date) -> bool:
        """Say whether the level holds on a day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@cache
def procedures() -> list[Procedure]:
    """Return the catalogue of registry/procedures: each procedure in each of its periods.

    Raises:
        RegistryError: mistakes in the file.
    """
    return load_procedures(PROCEDURES_FILE)


def load_procedures(path: Path) -> list[Procedure]:
    """Read a catalogue, sorted by code and first day.

    Raises:
        RegistryError: mistakes in the file, overlapping periods, unknown types of unit.
    """
    rows = load_rows(path, Procedure, key=["procedure_code", "valid_from"])
    rows.sort(key=lambda row: (row.procedure_code, row.valid_from))
    if faults := [*_iter_period_faults(rows), *_iter_unit_type_faults(rows)]:
        raise RegistryError("\n".join(f"{path}: {fault}" for fault in faults))
    return rows


def _iter_period_faults(rows: list[Procedure]) -> Iterator[str]:
    for row in rows:
        if row.valid_to is not None and row.valid_to < row.valid_from:
            yield f"{row.procedure_code}: found valid_to {row.valid_to}, expected {row.valid_from} or later"
    for row, following in pairwise(rows):
        if row.procedure_code == following.procedure_code and row.is_in_force(following.valid_from):
            yield f"{row.procedure_code}: found two levels on {following.valid_from}, expected one"


def _iter_unit_type_faults(rows: list[Procedure]) -> Iterator[str]:
    known = {unit.unit_type for unit in units()}
    for row in rows:
        if unknown := sorted(set(row.unit_types) - known):
            expected = ", ".join(sorted(known))
            yield f"{row.procedure_code}: found unit types {', '.join(unknown)}, expected some of {expected}"
