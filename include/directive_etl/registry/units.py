"""Units that report or are added up: the city, departments, district committees, wards and organisations.

Codes are reused: in 2025 code 31120 changed from one ward to another. So a unit is a code and the day it is
valid from, and everything here asks for a day.
"""

from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from directive_etl.registry.declared_file import Declared
from directive_etl.registry.declared_rows import DeclaredRow, load_rows

UNITS_FOLDER = Path(__file__).parent / "units"

CITY_CODE = "92"
# The first day of a unit whose real first day nobody has looked up.
UNKNOWN_START = date(1900, 1, 1)

# The scopes of admin_units.csv that are this city; the rest are the two provinces merged into it in 2025.
_CITY_SCOPES = ("can_tho", "new_can_tho")


class Unit(Declared):
    """A unit during one period of validity.

    Attributes:
        unit_code: a ward's statistics code, `code` of organisations.csv, or `92` for the city.
        valid_from: first day; 1900-01-01 when not researched.
        valid_to: last day; None while in force.
        parent_unit_code: the unit it is added up to; None for the city.
        gso_code: code of the General Statistics Office, for the city, district committees and wards.
        population_2019: census of 1 April 2019. Unit: persons.
        status: how sure the row is.
    """

    unit_code: str
    valid_from: date
    valid_to: date | None
    name_vi: str
    name_en: str | None
    unit_type: str
    parent_unit_code: str | None
    gso_code: str | None
    population_2019: int | None
    status: str
    source: str
    note: str

    def is_in_force(self, day: date) -> bool:
        """Say whether the day is inside the period of validity."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


class UnitMatch(Declared):
    """Which units are meant: all of some types, and some by code."""

    unit_types: tuple[str, ...] = ()
    units: tuple[str, ...] = ()

    def matches(self, unit: Unit) -> bool:
        """Say whether the unit is meant, whatever the day."""
        return unit.unit_type in self.unit_types or unit.unit_code in self.units


class Succession(DeclaredRow):
    """One unit that became (part of) another.

    Attributes:
        kind: `whole`; `part`, when figures need weights to be carried over; `whole-or-unchanged`.
    """

    old_code: str
    old_name: str
    old_district_code: str
    old_province_code: str
    new_code: str
    new_name: str
    effective_from: date
    kind: Literal["whole", "part", "whole-or-unchanged"]
    status: str
    source: str


class _AdminUnitRow(DeclaredRow):
    code: str = Field(pattern=r"^\d{2,5}$")
    name: str
    level: Literal["province", "district", "ward"]
    parent_code: str | None
    valid_from: date | None
    valid_to: date | None
    unit_type: str
    scope: Literal["can_tho", "new_can_tho", "merged_2025"]
    population_2019: int | None
    population_status: str | None
    status: str
    note: str | None
    source: str


class _OrganisationRow(DeclaredRow):
    code: str = Field(pattern=r"^[A-Z0-9-]+$")
    name_vi: str
    name_en: str
    unit_type: str
    district_code: str | None
    valid_from: date | None
    valid_to: date | None
    status: str
    note: str | None
    source: str | None


@cache
def units() -> list[Unit]:
    """Return every unit in each of its periods of validity: the city, then organisations, then wards.

    Raises:
        RegistryError: mistakes in the files.
    """
    admin_units = [row for row in _admin_unit_rows() if row.scope in _CITY_SCOPES]
    districts = {row.code: row for row in admin_units if row.level == "district"}
    organisations = load_rows(
        UNITS_FOLDER / "organisations.csv", _OrganisationRow, key=["code", "valid_from"]
    )
    return [
        *(_city(row) for row in admin_units if row.level == "province"),
        *(_organisation(row, districts) for row in organisations),
        *(_ward(row) for row in admin_units if row.level == "ward"),
    ]


@cache
def units_on(day: date) -> list[Unit]:
    """Return the units in force on a day; each code is there once."""
    return [unit for unit in units() if unit.is_in_force(day)]


@cache
def matching_units(match: UnitMatch, day: date) -> list[Unit]:
    """Return the units in force on a day that are meant, in the order of `units()`."""
    return [unit for unit in units_on(day) if match.matches(unit)]


@cache
def successions() -> list[Succession]:
    """Return which unit became which, in this city and in the two provinces merged into it.

    Raises:
        RegistryError: mistakes in the file.
    """
    return load_rows(
        UNITS_FOLDER / "admin_unit_succession.csv", Succession, key=["old_code", "new_code", "effective_from"]
    )


def _admin_unit_rows() -> Sequence[_AdminUnitRow]:
    return load_rows(UNITS_FOLDER / "admin_units.csv", _AdminUnitRow, key=["code", "valid_from"])


def _city(row: _AdminUnitRow) -> Unit:
    return _admin_unit(row, "thanh_pho", None)


def _ward(row: _AdminUnitRow) -> Unit:
    # A district has no report of its own: its People's Committee, an organisation, stands for it.
    parent = CITY_CODE if row.parent_code == CITY_CODE else f"UBND-{row.parent_code}"
    return _admin_unit(row, "xa_phuong", parent)


def _admin_unit(row: _AdminUnitRow, unit_type: str, parent: str | None) -> Unit:
    return Unit(
        unit_code=row.code,
        valid_from=row.valid_from or UNKNOWN_START,
        valid_to=row.valid_to,
        name_vi=row.name,
        name_en=None,
        unit_type=unit_type,
        parent_unit_code=parent,
        gso_code=row.code,
        population_2019=row.population_2019,
        status=row.status,
        source=row.source,
        note=row.note or "",
    )


def _organisation(row: _OrganisationRow, districts: dict[str, _AdminUnitRow]) -> Unit:
    district = districts.get(row.district_code or "") if row.unit_type == "ubnd_quan_huyen" else None
    return Unit(
        unit_code=row.code,
        valid_from=row.valid_from or UNKNOWN_START,
        valid_to=row.valid_to,
        name_vi=row.name_vi,
        name_en=row.name_en,
        unit_type=row.unit_type,
        parent_unit_code=CITY_CODE,
        gso_code=district.code if district else None,
        population_2019=district.population_2019 if district else None,
        status=row.status,
        source=row.source or "none found",
        note=row.note or "",
    )
