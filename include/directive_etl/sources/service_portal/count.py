"""Count dossiers per day, unit and procedure, and the figures of the directive.

The state of a dossier on a day is its last version with a change before the end of that day. Definitions:
docs/sources/service_portal.md.
"""

from collections.abc import Sequence
from datetime import date

import pandas as pd

from directive_etl.periods import day_end
from directive_etl.registry.procedures import Procedure
from directive_etl.sources.service_portal.faults import CLOSED_STATUSES

GRAIN = ["report_date", "system_code", "unit_code", "procedure_code", "service_level"]
COUNTS = [
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
MEASURES = [
    "eligible_received_count",
    "eligible_received_online_count",
    "processed_count",
    "processed_in_time_count",
    "processed_to_date_count",
    "returned_to_date_count",
    "in_process_overdue_count",
]

IN_PERSON, ONLINE, POST = 1, 2, 3
NEWLY_REGISTERED = 1
PAUSED_STATUSES = frozenset({5, 6})
# Level 3 and 4: submitted online, the result sent or not; the directive's clause 1b is about these.
ELIGIBLE_LEVELS = frozenset({3, 4})


def state_at_end(versions: pd.DataFrame, day: date) -> pd.DataFrame:
    """Return the received dossiers as they stood when the day ended.

    Args:
        versions: one row per version, as `read_pages` gives them; any systems, any order.
        day: the reporting day.

    Returns:
        One row per system_code and dossier_key, with the columns of versions and closed_date (the finished
        date of a closed dossier, else NaT); the dates are datetime64. Versions of status 1 are ignored: the
        dossier is not received yet.
    """
    before_end = versions[versions["changed_at"] < pd.Timestamp(day_end(day))]
    received = before_end[
        (before_end["status_code"] != NEWLY_REGISTERED) & before_end["received_date"].notna()
    ]
    state = received.sort_values(["changed_at", "known_at"], kind="stable").drop_duplicates(
        ["system_code", "dossier_key"], keep="last"
    )
    dates = {
        name: pd.to_datetime(state[name])
        for name in ("received_date", "due_date", "finished_date", "returned_date")
    }
    state = state.assign(**dates)
    return state.assign(closed_date=state["finished_date"].where(state["status_code"].isin(CLOSED_STATUSES)))


def count_daily_dossiers(versions: pd.DataFrame, day: date, procedures: Sequence[Procedure]) -> pd.DataFrame:
    """Count one day per system, unit and procedure.

    Args:
        versions: one row per version, as `read_pages` gives them; any systems, any order.
        day: the reporting day.
        procedures: the catalogue, all periods of validity; holds every procedure_code of versions.

    Returns:
        One row per GRAIN with any count above zero, sorted; COUNTS in dossiers, int64. service_level is the
        level of the procedure on the day. carried_over + received = processed + in_process + paused.
    """
    state = state_at_end(versions, day)
    flags = _flag(state, day).assign(
        report_date=day,
        system_code=state["system_code"],
        unit_code=state["unit_code"],
        procedure_code=state["procedure_code"],
        service_level=_level_on(state["procedure_code"], day, procedures),
    )
    counts = flags.groupby(GRAIN, as_index=False, sort=True)[COUNTS].sum()
    return counts[counts[COUNTS].any(axis=1)].astype(dict.fromkeys(COUNTS, "int64")).reset_index(drop=True)


def to_figures(
    versions: pd.DataFrame,
    day: date,
    system_code: str,
    unit_codes: Sequence[str],
    procedures: Sequence[Procedure],
    directive_start: date,
) -> pd.DataFrame:
    """Return the figures of the directive for one system and day.

    Args:
        versions: one row per version, as `read_pages` gives them; any systems, any order.
        day: the reporting day.
        system_code: the system counted; it is the category of the figures.
        unit_codes: the units that get figures. The list is whole, so a unit without dossiers has zeros.
        procedures: the catalogue, all periods of validity.
        directive_start: first day of the figures to date.

    Returns:
        unit_code, measure_code, category_code, value (dossiers, int64): one row per unit and measure, sorted.
    """
    state = state_at_end(versions[versions["system_code"] == system_code], day)
    flags, today = _flag(state, day), pd.Timestamp(day)
    is_eligible = _level_on(state["procedure_code"], day, procedures).isin(ELIGIBLE_LEVELS)
    to_date = state["closed_date"].between(pd.Timestamp(directive_start), today)
    measures = pd.DataFrame(
        {
            "eligible_received_count": flags["received_count"] & is_eligible,
            "eligible_received_online_count": flags["received_online_count"] & is_eligible,
            "processed_count": flags["processed_count"],
            "processed_in_time_count": flags["processed_early_count"] | flags["processed_on_time_count"],
            "processed_to_date_count": to_date,
            "returned_to_date_count": to_date & (state["returned_date"] <= today),
            "in_process_overdue_count": flags["in_process_overdue_count"],
        }
    )
    totals = measures.groupby(state["unit_code"]).sum().reindex(sorted(unit_codes), fill_value=0)
    figures = (
        totals.rename_axis("unit_code").reset_index().melt("unit_code", MEASURES, "measure_code", "value")
    )
    figures = figures.assign(category_code=system_code, value=figures["value"].astype("int64"))
    return figures[["unit_code", "measure_code", "category_code", "value"]].sort_values(
        ["unit_code", "measure_code"], ignore_index=True
    )


def _flag(state: pd.DataFrame, day: date) -> pd.DataFrame:
    """Say of each dossier in which counts of the day it is: one boolean column per count."""
    today = pd.Timestamp(day)
    received_today, received_before = state["received_date"] == today, state["received_date"] < today
    closed_today, closed_before = state["closed_date"] == today, state["closed_date"] < today
    processed = closed_today & (received_today | received_before)
    is_open = (received_today | received_before) & ~closed_today & ~closed_before
    paused = is_open & state["status_code"].isin(PAUSED_STATUSES)
    in_process = is_open & ~paused
    early, late = state["finished_date"] < state["due_date"], state["finished_date"] > state["due_date"]
    return pd.DataFrame(
        {
            "received_count": received_today,
            "received_online_count": received_today & (state["channel_code"] == ONLINE),
            "received_in_person_count": received_today & (state["channel_code"] == IN_PERSON),
            "received_post_count": received_today & (state["channel_code"] == POST),
            "carried_over_count": received_before & ~closed_before,
            "processed_count": processed,
            "processed_early_count": processed & early,
            "processed_on_time_count": processed & ~early & ~late,
            "processed_late_count": processed & late,
            "in_process_count": in_process,
            "in_process_overdue_count": in_process & (state["due_date"] < today),
            "paused_count": paused,
            "returned_count": state["returned_date"] == today,
        }
    )


def _level_on(codes: pd.Series, day: date, procedures: Sequence[Procedure]) -> pd.Series:
    """Return the level of each procedure on the day; outside its periods, of the one before, else after."""
    levels: dict[str, int] = {}
    for procedure in sorted(procedures, key=lambda period: period.valid_from):
        if procedure.valid_from <= day or procedure.procedure_code not in levels:
            levels[procedure.procedure_code] = procedure.service_level
    return codes.map(levels).astype("int64")
