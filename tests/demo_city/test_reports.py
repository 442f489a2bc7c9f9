"""The simulated reports: every case that the pipeline must cope with occurs, each with a certain outcome."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import pytest

from directive_etl.demo_city.city import MILESTONES, NATIONAL_POPULATION, City, national_curve
from directive_etl.demo_city.report_faults import FAULTS
from directive_etl.demo_city.report_truth import typed_phone_numbers
from directive_etl.demo_city.reports import simulate_reports
from directive_etl.demo_city.submissions import Submission
from directive_etl.demo_city.unit_figures import true_figures
from directive_etl.periods import close_of, to_local_date
from directive_etl.registry.directive import Directive, directives
from directive_etl.registry.obligations import expected_report, owed_figures
from directive_etl.registry.units import Unit, units_on

FIRST_DAY = date(2020, 8, 18)
A_WARD, A_DISTRICT, A_DEPARTMENT, A_UNIVERSITY, A_UNION = "31117", "UBND-916", "STTTT", "DHCT", "THANHDOAN"
SMALL_CITY = City(
    unit_codes=frozenset({A_WARD, A_DISTRICT, A_DEPARTMENT, A_UNIVERSITY, A_UNION}), dossier_count=300
)


@cache
def the_city() -> list[Submission]:
    return simulate_reports(City())


@cache
def the_directive() -> Directive:
    return directives()[0]


def unit(code: str) -> Unit:
    return next(one for one in units_on(FIRST_DAY) if one.unit_code == code)


def wrong_figures(file: Submission) -> list[str]:
    """Return what is wrong with the figures of a file, one entry a fault."""
    wrong = []
    for (measure_code, category_code), value in file.figures.items():
        whole = file.figures.get((the_directive().measure(measure_code).at_most or "", category_code))
        if isinstance(value, str):
            wrong.append(f"{measure_code} is a text")
        elif isinstance(value, float):
            wrong.append(f"{measure_code} is not whole")
        elif isinstance(value, int) and value > 99_999_999:
            wrong.append(f"{measure_code} is a phone number")
        elif isinstance(value, int) and value < 0:
            wrong.append(f"{measure_code} is negative")
        elif isinstance(value, int) and isinstance(whole, int) and value > whole:
            wrong.append(f"{measure_code} is more than its whole")
    return wrong


def due_at(file: Submission) -> object:
    return expected_report(the_directive(), unit(file.unit_code), file.report_date)


# --- the plan


def test_every_fault_happens_several_times():
    seen = Counter(file.kind for file in the_city() if file.outcome == "refused")
    assert min(seen[fault.kind] for fault in FAULTS) >= 5


@pytest.mark.parametrize("kind", ["report", "blank_cells", "correction", "withdrawal", "copy", "unasked"])
def test_every_kind_of_sound_file_happens_several_times(kind: str):
    assert sum(file.kind == kind for file in the_city()) >= 5


def test_files_come_in_time_late_before_the_close_and_after_it():
    first = {}
    for file in the_city():
        if file.outcome == "accepted" and due_at(file) is not None:
            first.setdefault((file.unit_code, file.report_date), file)
    when = Counter(
        "in time"
        if f.received_at <= due_at(f)
        else "before the close"
        if f.received_at <= close_of(f.report_date)
        else "after"
        for f in first.values()
    )
    assert min(when["in time"], when["before the close"], when["after"]) >= 10


def test_corrections_come_after_the_close_too():
    late = [f for f in the_city() if f.kind == "correction" and f.received_at > close_of(f.report_date)]
    assert len(late) >= 5


def test_some_units_are_silent_and_some_are_only_refused():
    sent = {(file.unit_code, file.report_date): set() for file in the_city()}
    for file in the_city():
        sent[file.unit_code, file.report_date].add(file.outcome)
    assert sum(outcomes == {"refused"} for outcomes in sent.values()) >= 5
    owed = sum(
        expected_report(the_directive(), u, day) is not None for day in City().days for u in units_on(day)
    )
    assert owed - len(sent) >= 20


def test_a_fault_is_mostly_put_right():
    refused = {(f.unit_code, f.report_date) for f in the_city() if f.outcome == "refused"}
    accepted = {(f.unit_code, f.report_date) for f in the_city() if f.outcome == "accepted"}
    assert len(refused & accepted) > len(refused) / 2


def test_old_files_are_sent_again_after_their_correction():
    by_name = {(f.unit_code, f.name): f for f in the_city()}
    again = [
        copy
        for copy in the_city()
        if copy.copy_of
        and any(
            f.outcome == "accepted"
            and (f.unit_code, f.report_date) == (copy.unit_code, copy.report_date)
            and by_name[copy.unit_code, copy.copy_of].received_at < f.received_at < copy.received_at
            for f in the_city()
        )
    ]
    assert len(again) >= 3


def test_a_city_is_its_seed():
    assert simulate_reports(SMALL_CITY) == simulate_reports(SMALL_CITY)
    assert simulate_reports(SMALL_CITY) != simulate_reports(replace(SMALL_CITY, seed=1))


def test_a_unit_sends_the_same_whoever_else_is_in_the_city():
    alone = simulate_reports(City(unit_codes=frozenset({A_WARD})))
    assert alone == [file for file in the_city() if file.unit_code == A_WARD]


# --- each file by itself


def test_names_are_unique_in_an_inbox():
    names = Counter((file.unit_code, file.name) for file in the_city())
    assert set(names.values()) == {1}


def test_files_arrive_in_order_between_their_day_and_the_last_close():
    moments = [file.received_at for file in the_city()]
    assert moments == sorted(moments)
    assert all(to_local_date(file.received_at) >= file.report_date for file in the_city())
    assert moments[-1] <= close_of(City().last_day)


def test_only_copies_have_the_content_of_another_file_of_the_unit():
    written = Counter(
        (f.unit_code, f.written_unit_code, f.written_date, f.damage, tuple(f.figures.items()))
        for f in the_city()
        if not f.copy_of
    )
    assert set(written.values()) == {1}


def test_a_copy_comes_after_its_original():
    by_name = {(file.unit_code, file.name): file for file in the_city()}
    copies = [file for file in the_city() if file.copy_of]
    assert all(by_name[c.unit_code, c.copy_of].received_at < c.received_at for c in copies)
    assert {c.outcome for c in copies} == {"duplicate"}


def test_accepted_files_have_the_form_of_their_unit_and_nothing_wrong():
    for file in the_city():
        if file.outcome == "accepted":
            form = owed_figures(the_directive(), unit(file.unit_code), file.report_date)
            assert list(file.figures) == [(owed.measure.code, owed.category_code) for owed in form]
            assert wrong_figures(file) == []
            assert (file.written_unit_code, file.written_date, file.damage) == (
                file.unit_code,
                file.report_date,
                "",
            )


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("more_than_whole", "is more than its whole"),
        ("text_in_number", "is a text"),
        ("phone_number_as_text", "is a text"),
        ("phone_number", "is a phone number"),
        ("fraction", "is not whole"),
        ("negative", "is negative"),
    ],
)
def test_a_fault_in_a_cell_is_the_only_one_in_its_file(kind: str, fault: str):
    found = [wrong_figures(file) for file in the_city() if file.kind == kind]
    assert all(len(wrong) == 1 and wrong[0].endswith(fault) for wrong in found)


def test_the_other_faults_are_what_they_are_called():
    by_kind = {fault.kind: [file for file in the_city() if file.kind == fault.kind] for fault in FAULTS}
    assert all(file.written_unit_code != file.unit_code for file in by_kind["other_unit"])
    assert all(file.written_date > to_local_date(file.received_at) for file in by_kind["future_date"])
    assert {file.damage for file in by_kind["not_a_workbook"]} == {"text"}
    assert {file.damage for file in by_kind["truncated"]} == {"truncated"}
    assert {file.damage for file in by_kind["password"]} == {"password"}
    assert all(set(file.figures.values()) == {None} for file in by_kind["empty_form"])


def test_unasked_reports_are_of_days_on_which_none_is_expected():
    unasked = [file for file in the_city() if file.kind == "unasked"]
    assert {due_at(file) for file in unasked} == {None}
    assert {file.outcome for file in unasked} == {"accepted"}


def test_typed_phone_numbers_are_found():
    kinds = {"phone_number", "phone_number_as_text"}
    numbers = typed_phone_numbers(the_city())
    assert len(numbers) == sum(file.kind in kinds and not file.copy_of for file in the_city())
    assert all(len(number) == 9 for number in numbers)


def test_unreadable_files_count_for_the_day_they_come():
    unreadable = [file for file in the_city() if file.damage or file.kind == "future_date"]
    assert all(to_local_date(file.received_at) == file.report_date for file in unreadable)


# --- the true figures


@pytest.mark.parametrize("code", [A_WARD, A_DISTRICT, A_DEPARTMENT, A_UNIVERSITY, A_UNION])
def test_true_figures_fit_into_their_wholes(code: str):
    for day in SMALL_CITY.days:
        figures = true_figures(SMALL_CITY, the_directive(), unit(code), day)
        for (measure_code, category_code), value in figures.items():
            whole = the_directive().measure(measure_code).at_most
            assert 0 <= value <= (figures[whole, category_code] if whole else value)


def test_installations_only_grow():
    for code in (A_WARD, A_UNIVERSITY, A_UNION):
        days = [true_figures(SMALL_CITY, the_directive(), unit(code), day) for day in SMALL_CITY.days]
        for key in days[0]:
            if key[0].endswith("bluezone_count"):
                assert [figures[key] for figures in days] == sorted(figures[key] for figures in days)


def test_the_nation_passes_both_milestones():
    for day, count in MILESTONES:
        assert national_curve().share(day) * NATIONAL_POPULATION == pytest.approx(count)


def test_districts_sometimes_count_otherwise_than_their_wards():
    differs = Counter()
    for day in City().days:
        for district in (u for u in units_on(day) if u.unit_type == "ubnd_quan_huyen"):
            own = true_figures(City(), the_directive(), district, day)["resident_count", None]
            wards = [u for u in units_on(day) if u.parent_unit_code == district.unit_code]
            differs[
                own
                != sum(true_figures(City(), the_directive(), w, day)["resident_count", None] for w in wards)
            ] += 1
    assert differs[True] >= 5
    assert differs[False] > differs[True]


def test_press_items_pause_for_longer_than_the_target_allows():
    quiet = [
        day
        for day in SMALL_CITY.days
        if all(
            value == 0
            for key, value in true_figures(SMALL_CITY, the_directive(), unit(A_DEPARTMENT), day).items()
            if key[0] == "press_item_count"
        )
    ]
    assert any(all(day + timedelta(days=n) in quiet for n in range(4)) for day in quiet)
