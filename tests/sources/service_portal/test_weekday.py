"""A sudden drop is a warning; a holiday, or few dossiers before, is none."""

from datetime import date

import pandas as pd
import pytest

from directive_etl.sources.service_portal.weekday import find_sudden_drop


def received(count: int, day: date) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "dossier_key": range(count),
            "received_date": pd.to_datetime([day] * count),
            "status_code": [4] * count,
        }
    )


@pytest.mark.parametrize(
    ("day", "count", "before", "is_success"),
    [
        (date(2020, 8, 20), 49, 100, False),
        (date(2020, 8, 20), 50, 100, True),
        (date(2020, 8, 20), 0, 19, True),
        (date(2020, 8, 20), 0, None, True),
        (date(2020, 9, 2), 3, 100, True),  # National Day, after a working Wednesday
    ],
)
def test_a_drop_below_half_of_a_week_before_is_a_warning(day, count, before, is_success):
    result = find_sudden_drop(received(count, day), day, before)
    assert (result.is_success, result.severity) == (is_success, "warning")


def test_dossiers_of_other_days_do_not_count():
    versions = pd.concat([received(10, date(2020, 8, 20)), received(90, date(2020, 8, 19))])
    assert not find_sudden_drop(versions, date(2020, 8, 20), 100).is_success
