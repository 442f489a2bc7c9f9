"""Which days state bodies work: Monday to Friday without holidays, and the Saturdays worked in exchange.

Each year is a file of registry/calendar, because the government announces holidays and exchanged days year by
year. A year without a file is an error, not a year of weekends only: that would call units late during Tết.
"""

from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Literal, Self

from pydantic import model_validator

from directive_etl.errors import RegistryError
from directive_etl.periods import days_between
from directive_etl.registry.declared_file import Declared
from directive_etl.registry.declared_rows import DeclaredRow, load_rows

CALENDAR_FOLDER = Path(__file__).parent / "calendar"

DayKind = Literal["working", "weekend", "holiday", "exchanged_day_off", "exchanged_working_day"]
_SATURDAY = 5


class CalendarDay(Declared):
    """A day of the working-day calendar.

    Attributes:
        kind: `holiday` also for a day off given because a holiday fell on a weekend; the `exchanged_` kinds
            are a weekday off and the weekend day worked for it.
        name_vi: the holiday, or why the day is exchanged; None for ordinary days.
    """

    calendar_date: date
    is_working_day: bool
    kind: DayKind
    name_vi: str | None


class _SpecialDayRow(DeclaredRow):
    calendar_date: date
    kind: Literal["holiday", "exchanged_day_off", "exchanged_working_day"]
    name_vi: str
    status: str
    source: str

    @model_validator(mode="after")
    def _exchange_makes_sense(self) -> Self:
        is_weekend = self.calendar_date.weekday() >= _SATURDAY
        if self.kind == "exchanged_day_off" and is_weekend:
            raise ValueError("a weekday for exchanged_day_off")
        if self.kind == "exchanged_working_day" and not is_weekend:
            raise ValueError("a Saturday or Sunday for exchanged_working_day")
        return self


@cache
def calendar_days(year: int) -> list[CalendarDay]:
    """Return every day of a year, in order.

    Raises:
        RegistryError: the year is not declared, or its file has mistakes.
    """
    special = {row.calendar_date: row for row in _special_days(year)}
    return [
        _calendar_day(day, special.get(day)) for day in days_between(date(year, 1, 1), date(year, 12, 31))
    ]


def declared_years() -> list[int]:
    """Return the years that have a calendar, in order."""
    return sorted(int(path.stem) for path in CALENDAR_FOLDER.glob("*.csv"))


def is_working_day(day: date) -> bool:
    """Say whether state bodies work on a day.

    Raises:
        RegistryError: the calendar of its year is not declared, or has mistakes.
    """
    return calendar_days(day.year)[day.timetuple().tm_yday - 1].is_working_day


def working_days(first: date, last: date) -> int:
    """Count the working days from first to last, both included; 0 when last is before first. Unit: days.

    Raises:
        RegistryError: the calendar of one of the years is not declared, or has mistakes.
    """
    return sum(is_working_day(first + timedelta(days=n)) for n in range((last - first).days + 1))


def _special_days(year: int) -> list[_SpecialDayRow]:
    path = CALENDAR_FOLDER / f"{year}.csv"
    if not path.exists():
        raise RegistryError(
            f"{path}: the calendar of {year} is not declared; add the file with the columns calendar_date, "
            "kind, name_vi, status, source and a row for each public holiday and exchanged day"
        )
    rows = load_rows(path, _SpecialDayRow, key=["calendar_date"])
    if strays := [row.calendar_date.isoformat() for row in rows if row.calendar_date.year != year]:
        raise RegistryError(
            f"{path}: found days of another year, expected days of {year}: {', '.join(strays)}"
        )
    return rows


def _calendar_day(day: date, special: _SpecialDayRow | None) -> CalendarDay:
    if special is not None:
        works = special.kind == "exchanged_working_day"
        return CalendarDay(
            calendar_date=day, is_working_day=works, kind=special.kind, name_vi=special.name_vi
        )
    works = day.weekday() < _SATURDAY
    return CalendarDay(
        calendar_date=day, is_working_day=works, kind="working" if works else "weekend", name_vi=None
    )
