"""The declared suite of a pull: what it keeps out and what it only remarks on."""

from datetime import UTC, date, datetime

import pandas as pd
import pytest

from directive_etl.quality.suites import check_frame
from directive_etl.sources.service_portal.rules import RULES


def a_frame(*changes: dict[str, object]) -> pd.DataFrame:
    version = {
        "system_code": "one_stop",
        "dossier_key": 1,
        "changed_at": datetime(2020, 8, 20, 9, tzinfo=UTC),
        "received_date": date(2020, 8, 18),
        "due_date": None,
        "finished_date": None,
        "returned_date": None,
    }
    return pd.DataFrame([version | change for change in changes], columns=list(version))


@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        ([{}], []),
        ([{"due_date": date(2020, 8, 18)}, {"dossier_key": 2}], []),
        ([], [("expect_table_row_count_to_be_between", "warning")]),
        ([{}, {"due_date": date(2020, 8, 30)}], [("expect_compound_columns_to_be_unique", "critical")]),
        (
            [{}, {"dossier_key": 2, "due_date": date(2020, 8, 17)}],
            [("expect_column_pair_values_a_to_be_greater_than_b", "warning")],
        ),
        (
            [{"finished_date": date(2020, 8, 20), "returned_date": date(2020, 8, 19)}],
            [("expect_column_pair_values_a_to_be_greater_than_b", "warning")],
        ),
    ],
)
def test_the_suite_says_what_is_odd(changes, failed):
    results = check_frame(a_frame(*changes), "core.portal_dossier_version", RULES)
    assert [(result.check_code, result.severity) for result in results if not result.is_success] == failed
