import shutil
from datetime import date, time
from decimal import Decimal

import pytest

from directive_etl.errors import RegistryError
from directive_etl.registry.directive import DIRECTIVES_FOLDER, directives, load_directives


def test_the_shipped_directive_has_the_clauses_of_the_dispatch() -> None:
    [directive] = directives()
    assert directive.number == "2488/UBND-KGVX"
    assert [clause.code for clause in directive.clauses] == [
        "1a",
        "1b",
        "1c",
        "2",
        "3a",
        "3a-bis",
        "3b",
        "4",
        "all",
    ]
    assert len(directive.indicators) == 26


def test_every_target_of_the_shipped_directive_names_its_source_or_is_assumed() -> None:
    [directive] = directives()
    targets = [target for _, indicator in directive.indicators for target in indicator.targets]
    assert targets and all((target.source is None) == target.assumed for target in targets)


def test_a_second_directive_is_a_second_file_and_no_code(second) -> None:
    directive = second.load()
    assert [indicator.code for _, indicator in directive.indicators] == [
        "tree_pct",
        "alive_pct",
        "waterings_per_day",
        "days_since_wave",
    ]
    assert directive.reporting[0].due_time == time(16, 30)
    assert directive.active_to == date(2020, 12, 31)


def test_target_values_are_exact(second) -> None:
    [first, later, for_wards] = second.load().clauses[0].indicators[0].targets
    assert (first.value, later.value, for_wards.value) == (Decimal(50), Decimal("99.5"), Decimal(60))


def test_contributors_are_the_units_measured_at_or_else_the_responsible_ones(second) -> None:
    tree_pct, alive_pct, *_ = second.load().clauses[0].indicators
    assert tree_pct.contributors.unit_types == ("xa_phuong",)
    assert alive_pct.contributors == alive_pct.responsible


def test_a_measure_is_bounded_by_the_whole_chain_nearest_first(second) -> None:
    directive = second.load()
    chain = directive.at_most_chain(directive.measure("alive_count"))
    assert [measure.code for measure in chain] == ["tree_count", "hole_count"]


def test_an_unknown_measure_is_an_error_that_names_the_directive(second) -> None:
    with pytest.raises(RegistryError, match="directive 1-qd-ubnd: no measure 'leaf_count'"):
        second.load().measure("leaf_count")


def test_a_directive_is_active_on_its_first_and_last_day_and_not_outside(second) -> None:
    directive = second.load()
    days = (date(2020, 9, 2), date(2020, 9, 3), date(2020, 12, 31), date(2021, 1, 1))
    assert [directive.is_active(day) for day in days] == [False, True, True, False]


def test_directives_that_share_a_number_or_declare_a_measure_differently_are_refused(
    second, tmp_path
) -> None:
    second.load()
    third = second.text.replace("code: 1-qd-ubnd", "code: 2-qd-ubnd").replace("at_most: tree_count, ", "")
    (tmp_path / "2-qd-ubnd.yaml").write_text(third, encoding="utf-8")
    with pytest.raises(RegistryError) as error:
        load_directives(tmp_path)
    assert [line.removeprefix(f"{tmp_path}: ") for line in str(error.value).splitlines()] == [
        "2-qd-ubnd: found number '1/QĐ-UBND', which 1-qd-ubnd has, expected one of its own",
        "2-qd-ubnd: found measure 'alive_count' with at_most none, expected tree_count as in 1-qd-ubnd",
    ]


def test_the_second_directive_stands_beside_the_shipped_one(second, tmp_path) -> None:
    second.load()
    shutil.copy(DIRECTIVES_FOLDER / "2488-ubnd-kgvx.yaml", tmp_path)
    assert [directive.code for directive in load_directives(tmp_path)] == ["1-qd-ubnd", "2488-ubnd-kgvx"]


def test_equal_directives_have_equal_hashes(second) -> None:
    assert second.load() == second.load() and hash(second.load()) == hash(second.load())
