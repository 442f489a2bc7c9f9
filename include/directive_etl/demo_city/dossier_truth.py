"""What is true of the demo city's dossiers after each pull: counted from the simulated versions."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

import pandas as pd

from directive_etl.demo_city.dossier_course import (
    CLOSED_STATUSES,
    IN_PERSON,
    NEWLY_REGISTERED,
    ONLINE,
    PAUSED_STATUSES,
    POST,
    Version,
)
from directive_etl.demo_city.dossier_demand import level_on
from directive_etl.periods import LOCAL_ZONE, day_end, to_local_date

PORTAL_KEYS = ["report_date", "system_code", "unit_code", "procedure_code", "service_level"]
PORTAL_COUNTS = [
    "received_count",
    "received_online_count",
    "received_in_person_count",
    "received_post_count",
    "carried_over_count",
    "processed_count",
    "processed_early_count",
    "processed_on_time_count",
    "processed_late_count",
    "in_process_count",
    "in_process_overdue_count",
    "paused_count",
    "returned_count",
]
PORTAL_MEASURES = [
    "eligible_received_count",
    "eligible_received_online_count",
    "processed_count",
    "processed_in_time_count",
    "processed_to_date_count",
    "returned_to_date_count",
    "in_process_overdue_count",
]

# A portal answers for a day at 05:00 of the next.
PULL_TIME = time(5, 0)


def pulled_at(day: date) -> datetime:
    """Return when the pull that closes a day is answered."""
    return datetime.combine(day + timedelta(days=1), PULL_TIME, LOCAL_ZONE)


def to_frame(versions: Sequence[Version]) -> pd.DataFrame:
    """Return one row per received version: codes, status, channel, changed_at and visible_from, and four
    local dates.

    The dates are ordinals of days, None where the version has none. Versions without a reception count
    nowhere.
    """
    counted = [v for v in versions if v.status != NEWLY_REGISTERED and v.received_at is not None]
    frame = pd.DataFrame(
        {
            "system_code": [v.system_code for v in counted],
            "dossier_code": [v.dossier_code for v in counted],
            "unit_code": [v.unit_code for v in counted],
            "procedure_code": [v.procedure_code for v in counted],
            "channel": [v.channel for v in counted],
            "status": [v.status for v in counted],
            "changed_at": [v.changed_at for v in counted],
            "visible_from": [v.visible_from for v in counted],
            "received": _ordinals([v.received_at for v in counted]),
            "due": _ordinals([v.due_at for v in counted]),
            "finished": _ordinals([v.finished_at for v in counted]),
            "returned": _ordinals([v.returned_at for v in counted]),
        }
    )
    return frame.sort_values(["system_code", "dossier_code", "changed_at"], kind="stable", ignore_index=True)


def dossiers_at_end(frame: pd.DataFrame, day: date, pull_day: date) -> pd.DataFrame:
    """Return each received dossier as it stood at the end of a day, by what the portals showed at the pull of
    another.

    Args:
        frame: from `to_frame`.
        day: the day the state is about.
        pull_day: the day that the pull closes, `day` or later.

    Returns:
        One row per dossier: the columns of frame, a boolean for each of PORTAL_COUNTS, the day work `ended`
        (infinite while it goes on), and the service_level of the procedure on the day.
    """
    is_there = (frame["changed_at"] < day_end(day)) & (frame["visible_from"] < day_end(pull_day))
    state = frame[is_there].drop_duplicates(["system_code", "dossier_code"], keep="last").copy()
    today = day.toordinal()
    # A dossier that is still open has no end yet: a day that never comes.
    ended = state["finished"].where(state["status"].isin(CLOSED_STATUSES), float("inf"))
    due = state["due"].fillna(float("inf"))
    received_today = state["received"] == today
    is_processed = ended == today
    is_open = ended > today
    is_paused = is_open & state["status"].isin(PAUSED_STATUSES)
    state["received_count"] = received_today
    for channel, name in {ONLINE: "online", IN_PERSON: "in_person", POST: "post"}.items():
        state[f"received_{name}_count"] = received_today & (state["channel"] == channel)
    state["carried_over_count"] = (state["received"] < today) & (ended >= today)
    state["processed_count"] = is_processed
    state["processed_early_count"] = is_processed & (ended < due) & state["due"].notna()
    state["processed_late_count"] = is_processed & (ended > due)
    state["processed_on_time_count"] = (
        is_processed & ~state["processed_early_count"] & ~state["processed_late_count"]
    )
    state["in_process_count"] = is_open & ~is_paused
    state["in_process_overdue_count"] = is_open & ~is_paused & (due < today)
    state["paused_count"] = is_paused
    state["returned_count"] = state["returned"] == today
    state["ended"] = ended
    levels = {code: level_on(code, day) for code in state["procedure_code"].unique()}
    state["service_level"] = state["procedure_code"].map(levels)
    return state


def count_portal_day(frame: pd.DataFrame, day: date, pull_day: date) -> pd.DataFrame:
    """Return reporting.portal_daily of one day: PORTAL_KEYS and PORTAL_COUNTS, rows with any count above
    zero.
    """
    state = dossiers_at_end(frame, day, pull_day).assign(report_date=day)
    counts = state.groupby(PORTAL_KEYS)[PORTAL_COUNTS].sum().astype("int64").reset_index()
    return counts[counts[PORTAL_COUNTS].any(axis=1)]


def count_measures(
    frame: pd.DataFrame, day: date, pull_day: date, start: date, keys: pd.MultiIndex
) -> pd.DataFrame:
    """Return the directive's figures of one day.

    Args:
        frame: from `to_frame`.
        day: the day of the figures.
        pull_day: the day that the pull closes, `day` or later.
        start: first day of the figures to date.
        keys: every (system_code, unit_code); those without dossiers get zeros.

    Returns:
        system_code, unit_code, measure_code, value, one row per key and measure.
    """
    state = dossiers_at_end(frame, day, pull_day)
    is_eligible = state["service_level"] >= 3
    to_date = state["ended"].between(start.toordinal(), day.toordinal())
    flags = pd.DataFrame(
        {
            "eligible_received_count": state["received_count"] & is_eligible,
            "eligible_received_online_count": state["received_online_count"] & is_eligible,
            "processed_count": state["processed_count"],
            "processed_in_time_count": state["processed_count"] & ~state["processed_late_count"],
            "processed_to_date_count": to_date,
            "returned_to_date_count": to_date & (state["returned"] <= day.toordinal()),
            "in_process_overdue_count": state["in_process_overdue_count"],
        }
    )
    totals = (
        flags.groupby([state["system_code"], state["unit_code"]])
        .sum()
        .reindex(keys, fill_value=0)
        .astype("int64")
    )
    return totals.reset_index().melt(keys.names, PORTAL_MEASURES, "measure_code", "value")


def _ordinals(moments: Sequence[datetime | None]) -> list[float | None]:
    return [float(to_local_date(moment).toordinal()) if moment is not None else None for moment in moments]
