"""Hand-computed cases for every rule of docs/progress.md."""

import json
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal

import pandas as pd
import pytest

from directive_etl.demo_city.revisions import OBSERVATION_COLUMNS
from directive_etl.demo_city.truth import PROGRESS_COLUMNS, ProgressRow, directive_progress, progress_of
from directive_etl.periods import LOCAL_ZONE
from directive_etl.registry.directive import Directive

TUESDAY = date(2020, 8, 18)
FRIDAY = date(2020, 8, 21)
SATURDAY = date(2020, 8, 22)
MONDAY = date(2020, 8, 24)
WARD, OTHER_WARD, WARD_ELSEWHERE = "31117", "31120", "31168"
DISTRICT, DISTRICT_ELSEWHERE, CITY = "UBND-916", "UBND-918", "92"
DEPARTMENT = "STTTT"
WARDS = {"units": [WARD, OTHER_WARD, WARD_ELSEWHERE]}
SHARE = {
    "numerator": {"measure": "part_count"},
    "denominator": {"measure": "whole_count"},
    "calculation": "ratio_pct",
}


def at(day: date, clock: str) -> datetime:
    """Return a local moment."""
    return datetime.combine(day, time.fromisoformat(clock), LOCAL_ZONE)


def a_measure(code: str, source: str = "unit_report", categories: str | None = None) -> dict[str, object]:
    return {
        "code": code,
        "source": source,
        "kind": "flow",
        "categories": categories,
        "name_vi": code,
        "name_en": code,
    }


def a_target(value: float, **more: object) -> dict[str, object]:
    return {"value": value, "valid_from": "2020-08-18", "assumed": True, **more}


def a_directive(targets: Sequence[dict[str, object]] = (), **indicator: object) -> Directive:
    """Return a directive with one indicator; wards report daily by 20:00, departments on working days."""
    declared = {
        "code": "the_indicator",
        "name_vi": "Chỉ tiêu",
        "name_en": "Indicator",
        "kind": "flow",
        "direction": "up",
        "responsible": WARDS,
        "targets": list(targets),
        **SHARE,
        **indicator,
    }
    return Directive.model_validate_json(
        json.dumps(
            {
                "code": "1-test",
                "number": "1/TEST",
                "title_vi": "Thử",
                "title_en": "Test",
                "issued_on": "2020-08-17",
                "issuer_vi": "Chủ tịch",
                "issuer_en": "Chairman",
                "active_from": "2020-08-18",
                "active_to": "2020-12-31",
                "reporting": [
                    {"unit_types": ["xa_phuong"], "cadence": "daily", "due_time": "20:00", "assumed": True},
                    {
                        "unit_types": ["so_ban_nganh"],
                        "cadence": "working_day",
                        "due_time": "17:00",
                        "assumed": True,
                    },
                ],
                "categories": {
                    "medium": [{"code": c, "name_vi": c, "name_en": c} for c in ("tv", "radio", "press")]
                },
                "measures": [
                    a_measure("part_count"),
                    a_measure("whole_count"),
                    a_measure("item_count", categories="medium"),
                    a_measure("message_count", source="sms_log", categories="operator"),
                    a_measure("overdue_count", source="service_portal", categories="system"),
                    a_measure("on_time_count", source="pipeline"),
                ],
                "clauses": [
                    {
                        "code": "1",
                        "text_vi": "Khoản",
                        "text_en": "Clause",
                        "obligation": "assigned",
                        "indicators": [declared],
                    }
                ],
            }
        )
    )


def observed(
    *rows: tuple[str, str, int | None], day: date = MONDAY, known: str = "15:00", **more: object
) -> list[dict]:
    """Return revisions of figures without category: unit, measure, value."""
    return [
        {
            "unit_code": unit,
            "measure_code": measure,
            "category_code": "",
            "figure_date": day,
            "value": value,
            "known_at": at(day, known),
            "obs_status": "M" if value is None else "A",
            **more,
        }
        for unit, measure, value in rows
    ]


def progress(
    directive: Directive, observations: list[dict], day: date = MONDAY, known_at: datetime | None = None
) -> dict[str, ProgressRow]:
    """Return the rows of a day by unit."""
    frame = pd.DataFrame(observations, columns=OBSERVATION_COLUMNS, dtype=object)
    return {row.unit_code: row for row in directive_progress(directive, frame, day, known_at)}


def a_share(part: int, whole: int, unit: str = WARD) -> list[dict]:
    return observed((unit, "part_count", part), (unit, "whole_count", whole))


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
