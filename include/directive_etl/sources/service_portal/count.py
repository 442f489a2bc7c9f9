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
    """Return the received dossiers as they stood when the day ended, and in which counts of the day each is.

    Args:
        versions: one row per version, as `read_pages` gives them; any systems, any order.
        day: the reporting day.

    Returns:
        One row per system_code and dossier_key, with the columns of versions, closed_date (the finished
        date of a closed dossier, else NaT) and a boolean column per name in COUNTS; the dates are datetime64.
        Versions of status 1 are ignored: the dossier is not received yet.
    """
    is_received = (versions["status_code"] != NEWLY_REGISTERED) & versions["received_date"].notna()
    received = versions[is_received & (versions["changed_at"] < pd.Timestamp(day_end(day)))]
    state = received.sort_values(["changed_at", "known_at"], kind="stable").drop_duplicates(
        ["dossier_key", "system_code"], keep="last"
    )
    dates = {
        name: pd.to_datetime(state[name])
        for name in ("received_date", "due_date", "finished_date", "returned_date")
    }
    state = state.assign(**dates)
    state = state.assign(closed_date=state["finished_date"].where(state["status_code"].isin(CLOSED_STATUSES)))
    return pd.concat([state, _flag(state, day)], axis=1)


def count_daily_dossiers(state: pd.DataFrame, day: date, procedures: Sequence[Procedure]) -> pd.DataFrame:
    """Count one day per system, unit and procedure.

    Args:
        state: of the day, from `state_at_end`; any systems.
        day: the reporting day.
        procedures: the catalogue, all periods of validity; holds every procedure_code of the state.

    Returns:
        One row per GRAIN with any count above zero, sorted; COUNTS in dossiers, int64. service_level is the
        level of the procedure on the day. carried_over + received = processed + in_process + paused.
    """
    counts = state.groupby(["system_code", "unit_code", "procedure_code"], as_index=False, sort=True)[
        COUNTS
    ].sum()
    counts = counts[counts[COUNTS].any(axis=1)].reset_index(drop=True)
    counts = counts.assign(
        report_date=day, service_level=_level_on(counts["procedure_code"], day, procedures)
    ).astype(dict.fromkeys(COUNTS, "int64"))
    return counts[GRAIN + COUNTS]


def to_figures(
    state: pd.DataFrame,
    day: date,
    system_code: str,
    unit_codes: Sequence[str],
    procedures: Sequence[Procedure],
    directive_start: date,
    settled: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the figures of the directive for one system and day.

    Args:
        state: of the day, from `state_at_end`; any systems.
        day: the reporting day.
        system_code: the system counted; it is the category of the figures.
        unit_codes: the units that get figures. The list is whole, so a unit without dossiers has zeros.
        procedures: the catalogue, all periods of validity.
        directive_start: first day of the figures to date.
        settled: sums of dossiers that are not in the state and count to date only: unit_code,
            processed_to_date_count, returned_to_date_count.

    Returns:
        unit_code, measure_code, category_code, value (dossiers, int64): one row per unit and measure, sorted.
    """
    state, today = state[state["system_code"] == system_code], pd.Timestamp(day)
    is_eligible = _level_on(state["procedure_code"], day, procedures).isin(ELIGIBLE_LEVELS)
    to_date = state["closed_date"].between(pd.Timestamp(directive_start), today)
    measures = pd.DataFrame(
        {
            "eligible_received_count": state["received_count"] & is_eligible,
            "eligible_received_online_count": state["received_online_count"] & is_eligible,
            "processed_count": state["processed_count"],
            "processed_in_time_count": state["processed_early_count"] | state["processed_on_time_count"],
            "processed_to_date_count": to_date,
            "returned_to_date_count": to_date & (state["returned_date"] <= today),
            "in_process_overdue_count": state["in_process_overdue_count"],
        }
    )
    totals = measures.groupby(state["unit_code"]).sum()
    if settled is not None:
        totals = totals.add(settled.set_index("unit_code"), fill_value=0)
    totals = totals.reindex(index=sorted(unit_codes), columns=MEASURES, fill_value=0).fillna(0)
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
