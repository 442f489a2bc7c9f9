"""Hand-made files, and what must stand after them: figures, statuses, and what the close notes."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pandas as pd

from directive_etl.demo_city.city import City
from directive_etl.demo_city.report_truth import (
    pipeline_observations,
    report_observations,
    report_status,
    submissions_frame,
)
from directive_etl.demo_city.submissions import Submission
from directive_etl.periods import LOCAL_ZONE, close_of
from directive_etl.registry.directive import directives
from directive_etl.registry.obligations import owed_figures
from directive_etl.registry.units import units_on

DAY = date(2020, 8, 18)
SATURDAY = date(2020, 8, 22)
WARD = "31117"
FIGURES = {("resident_count", None): 9000, ("resident_bluezone_count", None): 1800}


def at(clock: str, day: date = DAY) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), LOCAL_ZONE)


def a_file(
    received_at: datetime, outcome: str = "accepted", figures: dict[Any, Any] | None = None, **more: Any
) -> Submission:
    return Submission(
        **{
            "unit_code": WARD,
            "name": f"{received_at:%d%H%M}.xlsx",
            "received_at": received_at,
            "kind": "report",
            "outcome": outcome,
            "reason_code": "negative" if outcome == "refused" else "",
            "report_date": DAY,
            "directive_code": directives()[0].code,
            "written_unit_code": WARD,
            "written_date": DAY,
            "figures": FIGURES if figures is None else figures,
            **more,
        }
    )


def values(frame: pd.DataFrame, measure_code: str) -> list[tuple[Any, str, datetime]]:
    rows = frame[frame["measure_code"] == measure_code]
    return list(zip(rows["value"], rows["obs_status"], rows["known_at"], strict=True))


def status_of(files: list[Submission], unit_code: str = WARD, day: date = DAY) -> dict[str, Any]:
    status = report_status(City(last_day=SATURDAY), files)
    return status[(status["unit_code"] == unit_code) & (status["report_date"] == day)].iloc[0].to_dict()


def closed(files: list[Submission]) -> dict[str, int]:
    frame = pipeline_observations(City(last_day=DAY), files)
    assert set(frame["known_at"]) == {close_of(DAY)}
    return dict(frame.loc[frame["unit_code"] == WARD, ["measure_code", "value"]].itertuples(index=False))


# --- observations


def test_only_changed_figures_have_a_revision():
    corrected = {**FIGURES, ("resident_bluezone_count", None): 1900}
    frame = report_observations([a_file(at("18:00")), a_file(at("19:00"), figures=corrected)])
    assert values(frame, "resident_count") == [(9000, "A", at("18:00"))]
    assert values(frame, "resident_bluezone_count") == [(1800, "A", at("18:00")), (1900, "A", at("19:00"))]


def test_a_blank_cell_is_no_figure():
    frame = report_observations([a_file(at("18:00"), figures={**FIGURES, ("resident_count", None): None})])
    assert values(frame, "resident_count") == []


def test_a_figure_left_blank_in_a_correction_is_withdrawn_and_may_come_back():
    blank = {**FIGURES, ("resident_count", None): None}
    frame = report_observations(
        [a_file(at("18:00")), a_file(at("19:00"), figures=blank), a_file(at("20:30"))]
    )
    assert values(frame, "resident_count") == [
        (9000, "A", at("18:00")),
        (None, "M", at("19:00")),
        (9000, "A", at("20:30")),
    ]


def test_refused_files_and_copies_give_no_figures():
    assert report_observations([a_file(at("18:00"), "refused"), a_file(at("18:30"), "duplicate")]).empty


def test_a_figure_of_zero_is_a_figure():
    frame = report_observations([a_file(at("18:00"), figures={("resident_bluezone_count", None): 0})])
    assert values(frame, "resident_bluezone_count") == [(0, "A", at("18:00"))]


# --- status of the report


def test_in_time_up_to_the_due_time():
    assert status_of([a_file(at("20:00"))])["status_code"] == "on_time"
    assert status_of([a_file(at("20:00:01"))])["status_code"] == "late"


def test_the_first_accepted_file_decides():
    status = status_of(
        [a_file(at("15:00"), "refused"), a_file(at("21:00")), a_file(at("22:00"), "duplicate")]
    )
    assert (status["status_code"], status["received_at"]) == ("late", at("21:00"))
    assert (status["error_count"], status["revision_count"]) == (1, 0)


def test_only_refused_files_is_refused_and_none_is_missing():
    assert status_of([a_file(at("15:00"), "refused")])["status_code"] == "refused"
    assert status_of([])["status_code"] == "missing"
    assert pd.isna(status_of([])["received_at"])


def test_no_report_is_expected_of_a_department_on_saturday_but_of_a_ward():
    department, ward = status_of([], "STTTT", SATURDAY), status_of([], WARD, SATURDAY)
    assert (department["status_code"], department["is_expected"]) == ("not_expected", False)
    assert pd.isna(department["due_at"])
    assert (ward["status_code"], ward["due_at"]) == ("missing", at("20:00", SATURDAY))


def test_a_revision_is_an_accepted_file_with_other_figures():
    corrected = {**FIGURES, ("resident_bluezone_count", None): 1900}
    files = [a_file(at("18:00")), a_file(at("19:00"), figures=corrected), a_file(at("19:30"))]
    assert status_of(files)["revision_count"] == 2


def test_each_blank_cell_of_an_accepted_file_is_a_warning():
    blank = {**FIGURES, ("resident_count", None): None}
    assert status_of([a_file(at("18:00"), figures=blank), a_file(at("19:00"))])["warning_count"] == 1


def test_a_stock_below_the_day_before_is_a_warning_but_not_below_the_same_day():
    fewer, day_after = {**FIGURES, ("resident_count", None): 8999}, DAY + timedelta(days=1)
    corrected = [a_file(at("18:00")), a_file(at("19:00"), figures=fewer)]
    same = a_file(at("18:00", day_after), figures=fewer, report_date=day_after)
    assert status_of([*corrected, same])["warning_count"] == 0
    assert status_of([*corrected, same], day=day_after)["warning_count"] == 0
    assert status_of([corrected[0], same], day=day_after)["warning_count"] == 1


def test_a_stock_is_compared_with_what_was_known_when_it_came():
    day_after = DAY + timedelta(days=1)
    fewer = {**FIGURES, ("resident_count", None): 8999}
    late = [
        a_file(at("18:00", day_after), figures=fewer, report_date=day_after),
        a_file(at("19:00", day_after)),
    ]
    assert status_of(late, day=day_after)["warning_count"] == 0


def test_a_flow_may_fall():
    day_after = DAY + timedelta(days=1)
    four, two = {("loudspeaker_broadcast_count", None): 4}, {("loudspeaker_broadcast_count", None): 2}
    files = [
        a_file(at("18:00"), figures=four),
        a_file(at("18:00", day_after), figures=two, report_date=day_after),
    ]
    assert status_of(files, day=day_after)["warning_count"] == 0


def test_a_report_that_nobody_expected_is_noted_but_changes_no_status():
    status = status_of(
        [a_file(at("16:00", SATURDAY), unit_code="STTTT", report_date=SATURDAY)], "STTTT", SATURDAY
    )
    assert (status["status_code"], status["received_at"]) == ("not_expected", at("16:00", SATURDAY))


# --- the close


def test_the_close_notes_a_report_in_time():
    form = owed_figures(directives()[0], next(u for u in units_on(DAY) if u.unit_code == WARD), DAY)
    assert closed([a_file(at("20:00"))]) == {
        "report_expected_count": 1,
        "report_on_time_count": 1,
        "report_figure_owed_count": len(form),
        "report_figure_filled_count": 2,
    }


def test_the_close_counts_the_cells_of_the_last_file_before_it():
    blank = {**FIGURES, ("resident_count", None): None}
    noted = closed(
        [a_file(at("19:00")), a_file(at("22:00"), figures=blank), a_file(at("09:00") + timedelta(days=1))]
    )
    assert noted["report_figure_filled_count"] == 1


def test_a_late_file_is_counted_but_not_in_time():
    noted = closed([a_file(close_of(DAY))])
    assert (noted["report_on_time_count"], noted["report_figure_filled_count"]) == (0, 2)


def test_what_comes_after_the_close_does_not_count():
    noted = closed([a_file(close_of(DAY) + timedelta(seconds=1))])
    assert (
        noted["report_expected_count"],
        noted["report_on_time_count"],
        noted["report_figure_filled_count"],
    ) == (1, 0, 0)


def test_the_close_notes_nothing_of_units_that_owe_nothing():
    frame = pipeline_observations(City(first_day=SATURDAY, last_day=SATURDAY), [])
    assert "STTTT" not in set(frame["unit_code"])
    assert WARD in set(frame["unit_code"])


# --- the list of files


def test_every_file_is_listed_with_its_path_and_outcome():
    frame = submissions_frame([a_file(at("18:00")), a_file(at("19:00"), "refused")])
    assert frame[["path", "outcome", "reason_code"]].to_numpy().tolist() == [
        [f"{WARD}/181800.xlsx", "accepted", ""],
        [f"{WARD}/181900.xlsx", "refused", "negative"],
    ]
