from collections import defaultdict
from datetime import date
from pathlib import Path

import pytest

from directive_etl.errors import RegistryError
from directive_etl.registry.procedures import Procedure, load_procedures, procedures

HEADER = "procedure_code,name_vi,service_level,valid_from,valid_to,unit_types,status,source\n"


def told(tmp_path: Path, rows: str) -> str:
    path = tmp_path / "procedures.csv"
    path.write_text(HEADER + rows, encoding="utf-8")
    with pytest.raises(RegistryError) as error:
        load_procedures(path)
    return str(error.value)


def test_each_procedure_has_one_level_on_each_day_of_2020() -> None:
    periods: dict[str, list[Procedure]] = defaultdict(list)
    for procedure in procedures():
        periods[procedure.procedure_code].append(procedure)
    for month in range(1, 13):
        for code, found in periods.items():
            assert sum(one.is_in_force(date(2020, month, 15)) for one in found) == 1, code


def test_every_type_of_unit_that_handles_dossiers_has_procedures_of_high_and_low_level() -> None:
    for unit_type in ("so_ban_nganh", "ban_quan_ly_kcx_kcn", "ubnd_quan_huyen", "xa_phuong"):
        levels = {one.service_level for one in procedures() if unit_type in one.unit_types}
        assert levels == {2, 3, 4}, unit_type


def test_a_level_that_no_document_gives_says_assumed() -> None:
    assert all(one.source or one.status == "assumed" for one in procedures())


def test_two_levels_on_one_day_are_refused(tmp_path: Path) -> None:
    rows = (
        "1.000001,A,2,2020-01-01,2020-07-01,xa_phuong,assumed,\n1.000001,A,3,2020-07-01,,xa_phuong,assumed,\n"
    )
    assert "1.000001: found two levels on 2020-07-01" in told(tmp_path, rows)


def test_unknown_types_of_unit_and_reversed_periods_are_told_together(tmp_path: Path) -> None:
    rows = "1.000001,A,2,2020-01-01,2019-01-01,xa_phuong,assumed,\n1.000002,B,2,2020-01-01,,ward,assumed,\n"
    message = told(tmp_path, rows)
    assert "found valid_to 2019-01-01" in message and "found unit types ward" in message


def test_a_code_of_another_form_is_refused_with_its_line(tmp_path: Path) -> None:
    message = told(tmp_path, "5129,A,2,2020-01-01,,xa_phuong,assumed,\n")
    assert "procedures.csv:2: procedure_code: found '5129', expected a text of the form" in message
