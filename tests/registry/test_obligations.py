from collections import Counter
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directive_etl.periods import LOCAL_ZONE
from directive_etl.registry.calendar import is_working_day
from directive_etl.registry.directive import directives
from directive_etl.registry.obligations import expected_report, owed_figures
from directive_etl.registry.units import Unit, units, units_on

ISSUED = date(2020, 8, 18)
SATURDAY = date(2020, 8, 22)
STAFF = ["can_bo", "cong_chuc", "vien_chuc", "nhan_vien", "nguoi_lao_dong"]
STUDENTS = ["hoc_sinh", "sinh_vien"]
PERSONNEL_MEASURES = ["headcount", "smartphone_count", "bluezone_count", "ncovi_count", "bluetooth_on_count"]


def unit(code: str, day: date = ISSUED) -> Unit:
    return next(one for one in units_on(day) if one.unit_code == code)


def form(code: str) -> dict[str, list[str | None]]:
    """The categories on a unit's form, by measure, in their order."""
    [directive] = directives()
    found: dict[str, list[str | None]] = {}
    for owed in owed_figures(directive, unit(code), ISSUED):
        found.setdefault(owed.measure.code, []).append(owed.category_code)
    return found


def test_135_units_owe_a_report_on_a_working_day() -> None:
    [directive] = directives()
    owing = Counter(one.unit_type for one in units_on(ISSUED) if expected_report(directive, one, ISSUED))
    assert owing == {
        "xa_phuong": 83,
        "ubnd_quan_huyen": 9,
        "so_ban_nganh": 19,
        "ban_quan_ly_kcx_kcn": 1,
        "dai_hoc": 7,
        "cao_dang": 6,
        "mttq": 1,
        "doan_the": 5,
        "hoi": 4,
    }
    assert owing.total() == 135


def test_only_districts_and_wards_owe_a_report_on_a_saturday() -> None:
    [directive] = directives()
    owing = {one.unit_type for one in units_on(SATURDAY) if expected_report(directive, one, SATURDAY)}
    assert owing == {"xa_phuong", "ubnd_quan_huyen"}


@pytest.mark.parametrize("code", ["92", "BCDCOVID", "BAOCT", "PTTHCT", "VIETTELCT", "VNPTCT"])
def test_the_city_the_press_and_the_operators_owe_nothing(code: str) -> None:
    [directive] = directives()
    assert expected_report(directive, unit(code), ISSUED) is None
    assert owed_figures(directive, unit(code), ISSUED) == []


@pytest.mark.parametrize(
    ("code", "hour"), [("31117", 20), ("UBND-916", 20), ("SNV", 17), ("DHCT", 17), ("HND", 17)]
)
def test_a_report_is_due_on_its_own_day_in_local_time(code: str, hour: int) -> None:
    [directive] = directives()
    assert expected_report(directive, unit(code), ISSUED) == datetime(2020, 8, 18, hour, tzinfo=LOCAL_ZONE)


def test_no_report_is_expected_before_the_directive_is_in_force() -> None:
    [directive] = directives()
    before = ISSUED - timedelta(days=1)
    assert not any(expected_report(directive, one, before) for one in units_on(before))
    assert owed_figures(directive, unit("SNV", before), before) == []


def test_a_unit_owes_nothing_outside_its_own_validity() -> None:
    [directive] = directives()
    department = unit("STTTT")
    assert expected_report(directive, department, date(2025, 7, 1)) is None
    assert owed_figures(directive, department, date(2025, 7, 1)) == []


def test_a_department_owes_its_staff_and_its_meetings() -> None:
    assert form("SNV") == dict.fromkeys(PERSONNEL_MEASURES, STAFF) | {
        "meeting_count": [None],
        "online_meeting_count": [None],
        "dossier_received_count": [None],
    }


@pytest.mark.parametrize("code", ["SGDDT", "UBND-916", "UBND-927"])
def test_the_department_of_education_and_the_districts_also_owe_pupils_and_students(code: str) -> None:
    found = form(code)
    assert [found[measure] for measure in PERSONNEL_MEASURES] == [STAFF + STUDENTS] * 5


@pytest.mark.parametrize("code", ["DHCT", "CDYT"])
def test_universities_and_colleges_owe_pupils_and_students_only(code: str) -> None:
    assert form(code) == dict.fromkeys(PERSONNEL_MEASURES, STUDENTS)


def test_the_department_of_communications_owes_press_items_of_every_medium() -> None:
    assert form("STTTT")["press_item_count"] == ["truyen_hinh", "phat_thanh", "bao_in", "bao_dien_tu"]
    assert {"support_session_count", "supportable_unit_count", "supported_unit_count"} <= set(form("STTTT"))


def test_a_ward_owes_what_is_measured_at_it_and_its_district_a_control_total_of_it() -> None:
    ward = [
        "resident_count",
        "resident_bluezone_count",
        "resident_ncovi_count",
        "loudspeaker_broadcast_count",
        "neighbourhood_count",
        "neighbourhood_reached_count",
    ]
    assert list(form("31117")) == ward
    assert set(ward) < set(form("UBND-916"))


def test_mass_organisations_owe_their_members() -> None:
    expected = [
        "member_count",
        "member_bluezone_count",
        "member_ncovi_count",
        "online_service_mobilisation_count",
    ]
    assert [list(form(code)) for code in ("UBMTTQ", "THANHDOAN", "HCTD")] == [expected] * 3


def test_an_indicator_without_categories_takes_those_the_unit_owes_otherwise_or_all(second) -> None:
    directive, day = second.load(), date(2020, 9, 3)
    ward = [(owed.measure.code, owed.category_code) for owed in owed_figures(directive, unit("31117"), day)]
    university = [
        (owed.measure.code, owed.category_code) for owed in owed_figures(directive, unit("DHCT"), day)
    ]
    measures = ["hole_count", "tree_count", "alive_count"]
    assert ward == [(measure, tree) for measure in measures for tree in ("fruit", "shade")]
    assert university == [(measure, tree) for measure in measures for tree in ("fruit", "shade", "herb")]


def test_two_directives_have_their_own_forms(second) -> None:
    [shipped] = directives()
    day = date(2020, 9, 3)
    forms = [
        {owed.measure.code for owed in owed_figures(one, unit("31117"), day)}
        for one in (shipped, second.load())
    ]
    assert forms[0] and forms[1] and not forms[0] & forms[1]


ANY_UNIT = st.sampled_from(units())
ANY_DAY = st.dates(date(2020, 8, 1), date(2026, 12, 31))


@given(ANY_UNIT, ANY_DAY)
def test_whoever_owes_a_report_has_a_form_in_which_every_bound_is_asked_for(one: Unit, day: date) -> None:
    [directive] = directives()
    owed = owed_figures(directive, one, day)
    asked = {(figure.measure.code, figure.category_code) for figure in owed}
    assert len(asked) == len(owed)
    if expected_report(directive, one, day) is not None:
        assert owed
    for figure in owed:
        assert figure.measure.source == "unit_report"
        if figure.measure.at_most is not None:
            assert (figure.measure.at_most, figure.category_code) in asked


@given(ANY_UNIT, ANY_DAY)
def test_a_due_time_is_on_the_day_and_only_for_units_in_force(one: Unit, day: date) -> None:
    [directive] = directives()
    due = expected_report(directive, one, day)
    if due is not None:
        assert due.astimezone(LOCAL_ZONE).date() == day
        assert one.is_in_force(day) and directive.is_active(day)
        assert is_working_day(day) or one.unit_type in ("ubnd_quan_huyen", "xa_phuong")
