import unicodedata
from collections import Counter
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from directive_etl.registry.units import (
    CITY_CODE,
    UnitMatch,
    matching_units,
    successions,
    units,
    units_on,
)

ISSUED = date(2020, 8, 18)
# The unverified first and last days before 2020 are left out: the merger of 1 March 2020 is the first change.
DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31))


def count_by_type(day: date) -> Counter[str]:
    return Counter(unit.unit_type for unit in units_on(day))


def test_the_units_of_the_day_of_the_dispatch_are_those_of_the_reference() -> None:
    assert count_by_type(ISSUED) == {
        "thanh_pho": 1,
        "xa_phuong": 83,
        "ubnd_quan_huyen": 9,
        "so_ban_nganh": 19,
        "ban_quan_ly_kcx_kcn": 1,
        "ban_chi_dao": 1,
        "mttq": 1,
        "doan_the": 5,
        "hoi": 4,
        "dai_hoc": 7,
        "cao_dang": 6,
        "bao_chi": 2,
        "doanh_nghiep_vien_thong": 4,
    }


def test_the_city_had_80_wards_after_the_merger_of_2024_and_has_103_since_2025() -> None:
    days = (date(2020, 2, 29), date(2020, 3, 1), date(2024, 11, 1), date(2025, 7, 1))
    assert [count_by_type(day)["xa_phuong"] for day in days] == [85, 83, 80, 103]


def test_the_district_level_and_merged_departments_ended_in_2025() -> None:
    count = count_by_type(date(2025, 7, 1))
    assert (count["ubnd_quan_huyen"], count["so_ban_nganh"]) == (0, 14)
    assert "STTTT" not in {unit.unit_code for unit in units_on(date(2025, 7, 1))}


def test_wards_hang_on_their_district_until_2025_and_on_the_city_since() -> None:
    of_2020 = {unit.parent_unit_code for unit in units_on(ISSUED) if unit.unit_type == "xa_phuong"}
    of_2025 = {unit.parent_unit_code for unit in units_on(date(2025, 7, 1)) if unit.unit_type == "xa_phuong"}
    assert of_2020 == {f"UBND-{code}" for code in (916, 917, 918, 919, 923, 924, 925, 926, 927)}
    assert of_2025 == {CITY_CODE}


def test_a_reused_code_is_another_unit() -> None:
    names = {unit.valid_from: unit.name_vi for unit in units() if unit.unit_code == "31120"}
    assert list(names.values()) == ["Phường An Hòa", "Phường Cái Khế"]


@given(DAYS)
def test_on_any_day_each_code_is_one_unit(day: date) -> None:
    codes = [unit.unit_code for unit in units_on(day)]
    assert len(codes) == len(set(codes))


@given(DAYS)
def test_on_any_day_every_unit_is_added_up_to_the_city(day: date) -> None:
    parents = {unit.unit_code: unit.parent_unit_code for unit in units_on(day)}
    for code in parents:
        steps, above = 0, parents[code]
        while above is not None:
            above, steps = parents[above], steps + 1
            assert steps < 5, code
    assert [code for code, parent in parents.items() if parent is None] == [CITY_CODE]


def test_periods_of_a_code_do_not_overlap() -> None:
    for one in units():
        others = [
            two for two in units() if two.unit_code == one.unit_code and two.valid_from > one.valid_from
        ]
        assert all(one.valid_to is not None and one.valid_to < two.valid_from for two in others), (
            one.unit_code
        )


def test_the_populations_of_the_districts_add_up_to_the_city() -> None:
    committees = [unit for unit in units_on(ISSUED) if unit.unit_type == "ubnd_quan_huyen"]
    city = next(unit for unit in units_on(ISSUED) if unit.unit_code == CITY_CODE)
    assert sum(unit.population_2019 or 0 for unit in committees) == city.population_2019 == 1_235_171


def test_every_unit_says_how_sure_it_is_and_where_it_comes_from() -> None:
    assert all(unit.status and unit.source for unit in units())


def test_names_are_in_nfc() -> None:
    assert all(unicodedata.is_normalized("NFC", unit.name_vi) for unit in units())


def test_units_match_by_type_and_by_code_together() -> None:
    match = UnitMatch(unit_types=("mttq",), units=("SGDDT",))
    assert {unit.unit_code for unit in matching_units(match, ISSUED)} == {"UBMTTQ", "SGDDT"}


def test_every_succession_of_the_city_goes_from_a_unit_in_force_to_a_unit_in_force() -> None:
    for change in successions():
        before = {
            unit.unit_code: unit.name_vi for unit in units_on(change.effective_from - timedelta(days=1))
        }
        after = {unit.unit_code: unit.name_vi for unit in units_on(change.effective_from)}
        if change.old_province_code == CITY_CODE:
            assert before[change.old_code] == change.old_name
        assert after[change.new_code] == change.new_name


def test_only_splits_go_to_more_than_one_unit() -> None:
    targets = Counter((change.old_code, change.effective_from) for change in successions())
    split = {(change.old_code, change.effective_from) for change in successions() if change.kind == "part"}
    assert {key for key, count in targets.items() if count > 1} == split
