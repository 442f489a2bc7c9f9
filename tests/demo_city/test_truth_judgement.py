"""Hand-computed cases for every rule of docs/progress.md on targets, status and trust."""

from datetime import date
from decimal import Decimal

import pandas as pd
import pytest
from tests.demo_city.truth_cases import (
    CITY,
    DEPARTMENT,
    DISTRICT,
    FRIDAY,
    MONDAY,
    OTHER_WARD,
    SATURDAY,
    WARD,
    WARD_ELSEWHERE,
    a_directive,
    a_share,
    a_target,
    at,
    observed,
    progress,
)

from directive_etl.demo_city.revisions import OBSERVATION_COLUMNS
from directive_etl.demo_city.truth import PROGRESS_COLUMNS, progress_of

# --- targets


def test_the_target_of_the_units_type_comes_before_the_one_for_all():
    directive = a_directive(
        [a_target(50), a_target(30, unit_types=["xa_phuong"])], responsible={"unit_types": ["xa_phuong"]}
    )
    rows = progress(directive, a_share(40, 100))
    assert (rows[WARD].target_value, rows[WARD].status_code) == (30, "achieved")
    assert (rows[CITY].target_value, rows[CITY].status_code) == (50, "behind")


def test_only_the_target_in_force_counts():
    directive = a_directive(
        [
            a_target(10, valid_to="2020-08-23"),
            a_target(20, valid_from="2020-08-24", assumed=False, source="a letter"),
        ]
    )
    friday = [{**row, "figure_date": FRIDAY} for row in a_share(1, 2)]
    row = progress(directive, [*friday, *a_share(1, 2)])[WARD]
    assert (row.target_value, row.is_target_assumed) == (20, False)
    row = progress(directive, [*friday, *a_share(1, 2)], FRIDAY)[WARD]
    assert (row.target_value, row.is_target_assumed) == (10, True)


def test_without_a_target_in_force_there_is_a_value_but_no_judgement():
    row = progress(a_directive([a_target(10, valid_to="2020-08-23")]), a_share(1, 2))[WARD]
    assert (row.status_code, row.actual_value, row.target_value, row.progress_pct) == (
        "not_due",
        50,
        None,
        None,
    )
    assert (row.is_target_assumed, row.due_date, row.obs_status) == (None, None, "A")


# --- status


def test_nothing_reported_is_never_zero():
    row = progress(a_directive([a_target(0)]), [])[WARD]
    assert (row.status_code, row.numerator, row.denominator, row.actual_value) == (
        "not_reported",
        None,
        None,
        None,
    )
    assert (row.obs_status, row.progress_pct, row.is_late, row.revision_count) == ("M", None, False, 0)


def test_nobody_owes_is_not_due_even_with_figures():
    directive = a_directive([a_target(50)], responsible={"units": [DEPARTMENT]})
    figures = [{**row, "figure_date": SATURDAY} for row in a_share(1, 2, DEPARTMENT)]
    row = progress(directive, figures, SATURDAY)[DEPARTMENT]
    assert (row.status_code, row.numerator, row.actual_value, row.target_value) == ("not_due", None, None, 50)


def test_achieved_is_judged_on_the_exact_value():
    rows = progress(a_directive([a_target(66.67)]), a_share(2, 3))
    assert (rows[WARD].actual_value, rows[WARD].status_code) == (Decimal("66.67"), "behind")


@pytest.mark.parametrize(
    ("actual", "target", "status", "pct"),
    [
        (0, 0, "achieved", Decimal(100)),
        (4, 5, "achieved", Decimal(100)),
        (8, 5, "behind", Decimal("62.50")),
        (3, 0, "behind", Decimal(0)),
    ],
)
def test_less_is_better_when_the_direction_is_down(actual: int, target: int, status: str, pct: Decimal):
    directive = a_directive(
        [a_target(target)],
        calculation="count",
        direction="down",
        numerator={"measure": "part_count"},
        denominator=None,
        responsible={"units": [WARD]},
    )
    row = progress(directive, observed((WARD, "part_count", actual)))[WARD]
    assert (row.status_code, row.progress_pct) == (status, pct)


def test_progress_is_not_capped_and_a_target_of_zero_is_reached():
    assert progress(a_directive([a_target(25)]), a_share(1, 2))[WARD].progress_pct == 200
    assert progress(a_directive([a_target(0)]), a_share(0, 2))[WARD].progress_pct == 100


@pytest.mark.parametrize(
    ("part", "status"), [(44, "behind"), (45, "on_track"), (89, "on_track"), (90, "achieved")]
)
def test_on_track_is_the_share_of_the_working_days_gone(part: int, status: str):
    # 18 to 24 August has 5 working days, 18 to 31 August has 10: half of 90 is due.
    directive = a_directive([a_target(90, due_date="2020-08-31")])
    assert progress(directive, a_share(part, 100))[WARD].status_code == status


def test_less_is_better_is_never_on_track():
    directive = a_directive([a_target(5, due_date="2020-08-31")], direction="down")
    assert progress(directive, a_share(10, 100))[WARD].status_code == "behind"


def test_overdue_begins_after_the_due_date_and_counts_working_days():
    directive = a_directive([a_target(90, due_date="2020-08-20")])
    figures = [
        row
        for day in (date(2020, 8, 20), FRIDAY, SATURDAY, MONDAY)
        for row in observed((WARD, "part_count", 1), (WARD, "whole_count", 2), day=day)
    ]
    found = {
        day: progress(directive, figures, day)[WARD] for day in (date(2020, 8, 20), FRIDAY, SATURDAY, MONDAY)
    }
    assert [row.status_code for row in found.values()] == ["behind", "overdue", "overdue", "overdue"]
    assert [row.days_overdue for row in found.values()] == [0, 1, 1, 2]


def test_what_is_reached_or_not_reported_is_not_overdue():
    directive = a_directive([a_target(50, due_date="2020-08-20")])
    rows = progress(directive, a_share(1, 2))
    assert [(rows[unit].status_code, rows[unit].days_overdue) for unit in (WARD, OTHER_WARD)] == [
        ("achieved", 0),
        ("not_reported", 0),
    ]
    assert rows[OTHER_WARD].due_date == date(2020, 8, 20)


# --- trust


def test_provisional_inputs_and_missing_contributors_make_a_row_provisional():
    complete = [*a_share(1, 2), *a_share(1, 2, OTHER_WARD), *a_share(1, 2, WARD_ELSEWHERE)]
    assert progress(a_directive(), complete)[CITY].obs_status == "A"
    assert progress(a_directive(), complete[2:])[CITY].obs_status == "P"
    complete[0] = {**complete[0], "obs_status": "P"}
    rows = progress(a_directive(), complete)
    assert [rows[unit].obs_status for unit in (WARD, DISTRICT, CITY, WARD_ELSEWHERE)] == ["P", "P", "P", "A"]


def test_a_report_at_its_due_time_is_in_time_and_a_second_later_is_late():
    in_time = [{**row, "known_at": at(MONDAY, "20:00")} for row in a_share(1, 2)]
    late = [{**row, "known_at": at(MONDAY, "20:00:01")} for row in a_share(1, 2)]
    assert not progress(a_directive(), in_time)[WARD].is_late
    assert progress(a_directive(), late)[WARD].is_late
    assert progress(a_directive(), late)[CITY].is_late


def test_a_late_correction_does_not_make_a_figure_late():
    figures = [*a_share(1, 2), *observed((WARD, "part_count", 2), day=MONDAY, known="23:00")]
    assert not progress(a_directive(), figures)[WARD].is_late


@pytest.mark.parametrize(
    ("measure", "clock", "is_late"),
    [("message_count", "08:00", False), ("overdue_count", "08:01", True), ("on_time_count", "09:00", False)],
)
def test_other_sources_are_late_after_the_close_and_the_pipeline_never(
    measure: str, clock: str, is_late: bool
):
    directive = a_directive(calculation="count", numerator={"measure": measure}, denominator=None)
    figures = [{**row, "known_at": at(date(2020, 8, 25), clock)} for row in observed((WARD, measure, 1))]
    assert progress(directive, figures)[WARD].is_late is is_late


def test_revisions_are_the_most_revised_figure_of_each_contributor_added_up():
    figures = [
        *observed(
            (WARD, "part_count", 1),
            (WARD, "whole_count", 9),
            (OTHER_WARD, "part_count", 1),
            (OTHER_WARD, "whole_count", 9),
        ),
        *observed(
            (WARD, "part_count", 2), (WARD, "whole_count", 8), (OTHER_WARD, "whole_count", 7), known="16:00"
        ),
        *observed((WARD, "part_count", 3), known="17:00"),
        *observed((WARD, "part_count", 3), known="18:00"),
    ]
    rows = progress(a_directive(), figures)
    assert [rows[unit].revision_count for unit in (WARD, OTHER_WARD, CITY)] == [2, 1, 3]


def test_revisions_of_a_contributor_that_is_left_out_do_not_count():
    figures = [
        *observed((WARD, "part_count", 1)),
        *observed((WARD, "part_count", 2), known="21:00"),
        *a_share(1, 2, OTHER_WARD),
    ]
    rows = progress(a_directive(), figures)
    assert [(rows[unit].revision_count, rows[unit].is_late) for unit in (WARD, CITY)] == [
        (0, False),
        (0, False),
    ]


# --- the frame


def test_every_directive_in_force_is_in_the_frame_with_its_names():
    frame = progress_of(pd.DataFrame([], columns=OBSERVATION_COLUMNS, dtype=object), MONDAY)
    assert list(frame.columns) == PROGRESS_COLUMNS
    row = frame[(frame["indicator_code"] == "resident_bluezone_pct") & (frame["unit_code"] == DISTRICT)].iloc[
        0
    ]
    assert (row["directive_number"], row["clause_code"], row["parent_unit_code"]) == (
        "2488/UBND-KGVX",
        "2",
        CITY,
    )
    assert (row["unit_type"], row["status_code"], row["report_date"]) == (
        "ubnd_quan_huyen",
        "not_reported",
        MONDAY,
    )
    assert not frame.duplicated(["indicator_code", "unit_code"]).any()
