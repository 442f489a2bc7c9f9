from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directive_etl.errors import RegistryError
from directive_etl.registry.calendar import calendar_days, declared_years, is_working_day, working_days

DECLARED_DAYS = st.dates(date(min(declared_years()), 1, 1), date(max(declared_years()), 12, 31))


def test_the_demo_fortnight_has_ten_working_days() -> None:
    assert working_days(date(2020, 8, 18), date(2020, 8, 31)) == 10


def test_state_bodies_rested_seven_days_at_tet_2020() -> None:
    rest = [day.calendar_date.day for day in calendar_days(2020)[:31] if day.kind == "holiday"]
    assert rest == [1, 23, 24, 25, 26, 27, 28, 29]


def test_national_day_2020_was_one_day_off() -> None:
    working = [is_working_day(date(2020, 9, day)) for day in (1, 2, 3)]
    assert working == [True, False, True]


def test_a_saturday_worked_in_exchange_is_a_working_day() -> None:
    assert is_working_day(date(2024, 5, 4)) and not is_working_day(date(2024, 4, 29))


def test_every_exchanged_day_off_is_worked_on_another_day_of_the_year() -> None:
    for year in declared_years():
        kinds = [day.kind for day in calendar_days(year)]
        assert kinds.count("exchanged_day_off") == kinds.count("exchanged_working_day"), year


def test_years_are_declared_without_a_gap() -> None:
    assert declared_years() == list(range(2020, max(declared_years()) + 1))


@given(st.sampled_from(declared_years()))
def test_a_year_has_each_of_its_days_once(year: int) -> None:
    days = [day.calendar_date for day in calendar_days(year)]
    assert days == [date(year, 1, 1) + timedelta(days=n) for n in range(len(days))]
    assert days[-1] == date(year, 12, 31)


@given(DECLARED_DAYS)
def test_a_day_without_a_special_kind_works_from_monday_to_friday(day: date) -> None:
    declared = calendar_days(day.year)[day.timetuple().tm_yday - 1]
    if declared.name_vi is None:
        assert declared.is_working_day == (day.isoweekday() <= 5)
        assert declared.kind == ("working" if declared.is_working_day else "weekend")
    else:
        assert declared.is_working_day == (declared.kind == "exchanged_working_day")


@given(DECLARED_DAYS, DECLARED_DAYS, DECLARED_DAYS)
def test_working_days_of_two_neighbouring_periods_add_up(one: date, two: date, three: date) -> None:
    first, middle, last = sorted((one, two, three))
    both = working_days(first, middle) + working_days(middle + timedelta(days=1), last)
    assert both == working_days(first, last)


@given(DECLARED_DAYS, st.integers(1, 400))
def test_a_period_that_ends_before_it_begins_has_no_working_days(day: date, back: int) -> None:
    assert working_days(day, day - timedelta(days=back)) == 0


@given(DECLARED_DAYS)
def test_a_single_day_counts_as_what_it_is(day: date) -> None:
    assert working_days(day, day) == int(is_working_day(day))


@pytest.mark.parametrize("year", [2019, max(declared_years()) + 1])
def test_an_undeclared_year_is_an_error_that_says_which_file_to_add(year: int) -> None:
    with pytest.raises(
        RegistryError, match=rf"{year}\.csv: the calendar of {year} is not declared; add the file"
    ):
        is_working_day(date(year, 6, 1))
