"""The suite on a batch of accepted figures."""

from datetime import date

import pandas as pd
import pytest

from directive_etl.quality.results import failed_critical, failed_warnings
from directive_etl.quality.suites import check_frame
from directive_etl.sources.unit_report.rules import RULES


def _figures(values: list[int | None]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "unit_code": "STTTT",
            "report_date": date(2020, 8, 20),
            "measure_code": "headcount",
            "category_code": "can_bo",
            "value": pd.array(values, dtype="Int64"),
        }
    )


def test_sound_figures_with_a_few_blanks_pass():
    results = check_frame(_figures([0, 1, 2, 10, 50, 99, 280000, 7, 8, None]), "core.unit_figure", RULES)
    assert [result.is_success for result in results] == [True] * len(RULES)


@pytest.mark.parametrize("value", [-1, 912000123])
def test_a_value_that_no_count_can_have_stops_the_load(value: int):
    failed = failed_critical(check_frame(_figures([1, value]), "core.unit_figure", RULES))
    assert [result.column for result in failed] == ["value"]


def test_many_blanks_are_noted_and_stop_nothing():
    results = check_frame(_figures([1, None, None, 4]), "core.unit_figure", RULES)
    assert failed_critical(results) == []
    assert [result.column for result in failed_warnings(results)] == ["value"]
