"""Hand-computed cases for every rule of docs/progress.md on rows, figures and values."""

from datetime import date
from decimal import Decimal

from tests.demo_city.truth_cases import (
    CITY,
    DEPARTMENT,
    DISTRICT,
    DISTRICT_ELSEWHERE,
    FRIDAY,
    MONDAY,
    OTHER_WARD,
    SATURDAY,
    TUESDAY,
    WARD,
    WARD_ELSEWHERE,
    WARDS,
    a_directive,
    a_share,
    a_target,
    at,
    observed,
    progress,
)

from directive_etl.registry.directive import Directive

# --- who gets a row


def test_contributors_the_responsible_and_all_ancestors_get_a_row():
    directive = a_directive(
        responsible={"units": [DEPARTMENT]}, measured_at={"units": [WARD, WARD_ELSEWHERE]}
    )
    rows = progress(directive, [])
    assert sorted(rows) == sorted([WARD, DISTRICT, WARD_ELSEWHERE, DISTRICT_ELSEWHERE, CITY, DEPARTMENT])


def test_a_responsible_unit_above_no_contributor_has_nothing_to_report():
    directive = a_directive(responsible={"units": [DEPARTMENT]}, measured_at={"units": [WARD]})
    row = progress(directive, a_share(1, 2))[DEPARTMENT]
    assert (row.status_code, row.numerator, row.obs_status) == ("not_due", None, "M")


def test_no_row_before_the_directive_and_after_it():
    assert progress(a_directive(), [], date(2020, 8, 17)) == {}
    assert progress(a_directive(), [], date(2021, 1, 1)) == {}


def test_a_parent_adds_up_its_contributors_and_never_its_own_figures():
    directive = a_directive(responsible={"units": [DISTRICT]}, measured_at=WARDS)
    rows = progress(
        directive,
        [
            *a_share(10, 40),
            *a_share(20, 40, OTHER_WARD),
            *a_share(7, 10, WARD_ELSEWHERE),
            *a_share(99, 99, DISTRICT),
        ],
    )
    sums = {unit: (row.numerator, row.denominator, row.actual_value) for unit, row in rows.items()}
    assert sums[DISTRICT] == (30, 80, Decimal("37.50"))
    assert sums[CITY] == (37, 90, Decimal("41.11"))
    assert sums[WARD] == (10, 40, Decimal("25.00"))


# --- which figures count


def test_a_contributor_without_denominator_is_left_out_of_both_sums():
    rows = progress(a_directive(), [*a_share(10, 40), *observed((OTHER_WARD, "part_count", 20))])
    assert (rows[CITY].numerator, rows[CITY].denominator, rows[CITY].obs_status) == (10, 40, "P")
    assert rows[OTHER_WARD].status_code == "not_reported"


def test_a_contributor_that_owes_nothing_on_the_day_is_left_out():
    directive = a_directive(responsible={"units": [WARD, DEPARTMENT]})
    on_saturday = [{**row, "figure_date": SATURDAY} for row in [*a_share(1, 4), *a_share(3, 4, DEPARTMENT)]]
    rows = progress(directive, on_saturday, SATURDAY)
    assert (rows[CITY].numerator, rows[CITY].denominator, rows[CITY].obs_status) == (1, 4, "A")
    assert (rows[DEPARTMENT].status_code, rows[DEPARTMENT].numerator) == ("not_due", None)


def test_sources_that_are_not_reports_owe_their_figures_on_weekends_too():
    directive = a_directive(
        responsible={"units": [DEPARTMENT]},
        calculation="count",
        numerator={"measure": "message_count"},
        denominator=None,
    )
    rows = progress(directive, observed((DEPARTMENT, "message_count", 5), day=SATURDAY), SATURDAY)
    assert rows[DEPARTMENT].numerator == 5
    assert progress(directive, [], SATURDAY)[DEPARTMENT].status_code == "not_reported"


def test_the_pipelines_own_figures_are_owed_with_the_report():
    directive = a_directive(
        responsible={"units": [DEPARTMENT]},
        calculation="count",
        numerator={"measure": "on_time_count"},
        denominator=None,
    )
    assert progress(directive, [], SATURDAY)[DEPARTMENT].status_code == "not_due"
    assert progress(directive, [], MONDAY)[DEPARTMENT].status_code == "not_reported"


def test_a_list_of_categories_restricts_the_sum():
    figures = [
        {**row, "category_code": c}
        for c, n in (("tv", 1), ("radio", 2), ("press", 4))
        for row in observed((WARD, "item_count", n))
    ]
    some = {"measure": "item_count", "categories": ["tv", "press"]}
    listed = a_directive(calculation="count", numerator=some, denominator=None)
    everything = a_directive(calculation="count", numerator={"measure": "item_count"}, denominator=None)
    assert progress(listed, figures)[WARD].numerator == 5
    assert progress(everything, figures)[WARD].numerator == 7


def test_a_withdrawn_figure_is_not_reported():
    figures = [*a_share(10, 40), *observed((WARD, "part_count", None), known="18:00")]
    assert progress(a_directive(), figures)[WARD].status_code == "not_reported"
    assert progress(a_directive(), figures, known_at=at(MONDAY, "17:59"))[WARD].numerator == 10


def test_the_revision_known_last_counts_whatever_the_order_of_rows():
    first = observed((WARD, "part_count", 10), (WARD, "whole_count", 40))
    second = observed((WARD, "part_count", 12), known="18:00")
    assert progress(a_directive(), [*second, *first])[WARD].numerator == 12


# --- values


def test_ratio_is_rounded_half_away_from_zero():
    assert progress(a_directive(), a_share(1, 3))[WARD].actual_value == Decimal("33.33")
    assert progress(a_directive(), a_share(1, 800))[WARD].actual_value == Decimal("0.13")


def test_nothing_to_measure_is_not_due_and_has_no_value():
    row = progress(a_directive([a_target(50)]), a_share(0, 0))[WARD]
    assert (row.status_code, row.numerator, row.denominator, row.actual_value) == ("not_due", 0, 0, None)
    assert (row.obs_status, row.progress_pct, row.target_value) == ("M", None, 50)


def test_per_unit_day_divides_by_the_contributors_that_reported():
    directive = a_directive(
        [a_target(2)], calculation="per_unit_day", numerator={"measure": "part_count"}, denominator=None
    )
    rows = progress(directive, observed((WARD, "part_count", 2), (OTHER_WARD, "part_count", 3)))
    city = rows[CITY]
    assert (city.numerator, city.denominator, city.actual_value, city.target_value) == (
        5,
        2,
        Decimal("2.50"),
        2,
    )
    assert (city.status_code, city.progress_pct, city.obs_status) == ("achieved", 125, "P")


def test_count_targets_are_for_each_contributor_that_owes():
    directive = a_directive(
        [a_target(4)], calculation="count", numerator={"measure": "part_count"}, denominator=None
    )
    rows = progress(directive, observed((WARD, "part_count", 6)))
    assert (rows[CITY].target_value, rows[CITY].progress_pct, rows[CITY].status_code) == (12, 50, "behind")
    assert (rows[WARD].target_value, rows[WARD].status_code, rows[WARD].denominator) == (4, "achieved", None)
    assert (rows[OTHER_WARD].target_value, rows[OTHER_WARD].status_code) == (4, "not_reported")


def a_days_since(**more: object) -> Directive:
    return a_directive(
        calculation="days_since",
        direction="down",
        numerator={"measure": "item_count"},
        denominator=None,
        responsible={"units": [WARD]},
        targets=[a_target(3)],
        **more,
    )


def items(day: date, count: int, category: str = "tv") -> list[dict]:
    return [{**row, "category_code": category} for row in observed((WARD, "item_count", count), day=day)]


def test_days_since_counts_from_the_last_day_above_zero():
    figures = [*items(TUESDAY, 2), *items(FRIDAY, 1, "radio"), *items(FRIDAY, 0), *items(MONDAY, 0)]
    row = progress(a_days_since(), figures)[WARD]
    assert (row.numerator, row.actual_value, row.denominator, row.status_code) == (3, 3, None, "achieved")


def test_days_since_starts_at_the_issue_before_the_first():
    row = progress(a_days_since(), items(MONDAY, 0))[WARD]
    assert (row.numerator, row.status_code, row.progress_pct) == (7, "behind", Decimal("42.86"))


def test_days_since_is_zero_on_the_day_itself():
    row = progress(a_days_since(), items(MONDAY, 1))[WARD]
    assert (row.numerator, row.progress_pct) == (0, 100)


def test_days_since_needs_a_report_of_the_day():
    row = progress(a_days_since(), items(FRIDAY, 1))[WARD]
    assert (row.status_code, row.numerator, row.actual_value) == ("not_reported", None, None)


def test_days_since_takes_revision_and_lateness_from_the_day_alone():
    corrected = [{**row, "known_at": at(MONDAY, "21:00")} for row in items(FRIDAY, 5)]
    row = progress(a_days_since(), [*items(FRIDAY, 1), *corrected, *items(MONDAY, 0)])[WARD]
    assert (row.numerator, row.revision_count, row.is_late) == (3, 0, False)
