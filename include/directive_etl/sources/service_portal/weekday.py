"""A sudden drop: far fewer dossiers received than on the same weekday a week before."""

from datetime import date, timedelta

import pandas as pd
import sqlalchemy as sa

from directive_etl.quality.results import CheckResult
from directive_etl.registry.calendar import is_working_day
from directive_etl.warehouse.tables import facts

WEEK = timedelta(days=7)
# Below half of a week before, where there were enough to judge by. Assumed: no document gives a bound.
LOWEST_SHARE = 0.5
FEWEST_BEFORE = 20


def received_on(connection: sa.Connection, system_code: str, day: date) -> int | None:
    """Return how many dossiers of a system the warehouse counts as received on a day; None if it was not
    pulled.
    """
    pull, daily = facts.portal_pull, facts.daily_portal_dossier
    was_pulled = sa.exists().where(pull.c.system_code == system_code, pull.c.report_date == day)
    if not connection.execute(sa.select(was_pulled)).scalar():
        return None
    total = sa.select(sa.func.coalesce(sa.func.sum(daily.c.received_count), 0)).where(
        daily.c.system_code == system_code, daily.c.report_date == day
    )
    return int(connection.execute(total).scalar_one())


def find_sudden_drop(versions: pd.DataFrame, day: date, before: int | None) -> CheckResult:
    """Compare the dossiers received on a day with those of the same weekday a week before.

    Args:
        versions: what the pull of the day read; all that was received on the day is among them.
        day: the reporting day.
        before: dossiers received a week before, or None if that is not known.

    Returns:
        A warning; it succeeds where a comparison says nothing: a day off, or few dossiers before.
    """
    received = versions[(versions["received_date"] == pd.Timestamp(day)) & (versions["status_code"] != 1)][
        "dossier_key"
    ].nunique()
    comparable = is_working_day(day) == is_working_day(day - WEEK)
    is_drop = (
        comparable and before is not None and before >= FEWEST_BEFORE and received < before * LOWEST_SHARE
    )
    return CheckResult(
        check_code="received_like_a_week_before",
        severity="warning",
        column="received_date",
        is_success=not is_drop,
        observed=f"{received} received, {'not known' if before is None else before} a week before",
        failed_count=int(is_drop),
        notes="far fewer dossiers than on the same weekday before: the portal may have shown a part only",
    )
