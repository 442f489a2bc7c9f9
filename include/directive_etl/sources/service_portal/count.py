"""Count dossiers per day, unit and procedure, and the figures of the directive.

Definitions: docs/sources/service_portal.md.
"""

from collections.abc import Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from directive_etl.registry.procedures import Procedure
from directive_etl.sources.service_portal.dossiers import State

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
PAUSED_STATUSES = frozenset({5, 6})
# Level 3 and 4: submitted online, the result sent or not; the directive's clause 1b is about these.
ELIGIBLE_LEVELS = frozenset({3, 4})


def count_daily_dossiers(state: State, procedures: Sequence[Procedure]) -> pd.DataFrame:
    """Count one day of one system per unit and procedure.

    Args:
        state: of the day.
        procedures: the catalogue, all periods of validity; holds every procedure_code of the state.

    Returns:
        One row per GRAIN with any count above zero, sorted; COUNTS in dossiers, int64. service_level is the
        level of the procedure on the day. carried_over + received = processed + in_process + paused.
    """
    counted = _flag(state)
    procedure_count = len(state.procedure_codes)
    # A unit and a procedure as one number, in the order of both.
    pair = state.rows["unit"].astype("int64") * procedure_count + state.rows["procedure"]
    is_counted = np.logical_or.reduce([counted[name] for name in COUNTS])
    pairs, place = np.unique(pair[is_counted], return_inverse=True)
    units, of_procedures = np.divmod(pairs, max(procedure_count, 1))
    levels = _levels_on(state.day, state.procedure_codes, procedures)
    return pd.DataFrame(
        {
            "report_date": state.day,
            "system_code": state.system_code,
            "unit_code": state.unit_codes[units],
            "procedure_code": state.procedure_codes[of_procedures],
            "service_level": levels[of_procedures],
            **{name: _count(place[counted[name][is_counted]], len(pairs)) for name in COUNTS},
        }
    )


def to_figures(
    state: State,
    unit_codes: Sequence[str],
    procedures: Sequence[Procedure],
    directive_start: date,
    settled: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the figures of the directive for one system and day.

    Args:
        state: of the day; its system is the category of the figures.
        unit_codes: the units that get figures. The list is whole, so a unit without dossiers has zeros.
        procedures: the catalogue, all periods of validity.
        directive_start: first day of the figures to date.
        settled: sums of dossiers that are not in the state and count to date only: unit_code,
            processed_to_date_count, returned_to_date_count.

    Returns:
        unit_code, measure_code, category_code, value (dossiers, int64): one row per unit and measure, sorted.
    """
    units, measures = pd.Index(sorted(unit_codes)), sorted(MEASURES)
    unit_of = units.get_indexer(state.unit_codes)[state.rows["unit"]]
    flags = _flag_measures(state, procedures, directive_start)
    totals = {name: _count(unit_of[flags[name] & (unit_of >= 0)], len(units)) for name in measures}
    if settled is not None:
        place = units.get_indexer(pd.Index(settled["unit_code"]))
        for name in ("processed_to_date_count", "returned_to_date_count"):
            np.add.at(totals[name], place[place >= 0], settled[name].to_numpy(dtype="int64")[place >= 0])
    return pd.DataFrame(
        {
            "unit_code": np.repeat(units.to_numpy(dtype=object), len(measures)),
            "measure_code": np.tile(np.array(measures, dtype=object), len(units)),
            "category_code": state.system_code,
            "value": np.stack([totals[name] for name in measures], axis=1).ravel(),
        }
    )


def _count(places: npt.NDArray[np.intp], length: int) -> npt.NDArray[np.int64]:
    return np.bincount(places, minlength=length).astype("int64")


def _flag(state: State) -> dict[str, npt.NDArray[np.bool_]]:
    """Say of each dossier in which counts of the day it is, by the name of the count."""
    rows, today = state.rows, np.datetime64(state.day)
    received, closed, due, finished = (
        rows[f"{name}_date"] for name in ("received", "closed", "due", "finished")
    )
    received_today, received_before = received == today, received < today
    closed_today, closed_before = closed == today, closed < today
    processed = closed_today & (received_today | received_before)
    is_open = (received_today | received_before) & ~closed_today & ~closed_before
    paused = is_open & np.isin(rows["status_code"], list(PAUSED_STATUSES))
    in_process = is_open & ~paused
    early, late = finished < due, finished > due
    return {
        "received_count": received_today,
        "received_online_count": received_today & (rows["channel_code"] == ONLINE),
        "received_in_person_count": received_today & (rows["channel_code"] == IN_PERSON),
        "received_post_count": received_today & (rows["channel_code"] == POST),
        "carried_over_count": received_before & ~closed_before,
        "processed_count": processed,
        "processed_early_count": processed & early,
        "processed_on_time_count": processed & ~early & ~late,
        "processed_late_count": processed & late,
        "in_process_count": in_process,
        "in_process_overdue_count": in_process & (due < today),
        "paused_count": paused,
        "returned_count": rows["returned_date"] == today,
    }


def _flag_measures(
    state: State, procedures: Sequence[Procedure], directive_start: date
) -> dict[str, npt.NDArray[np.bool_]]:
    """Say of each dossier in which figures of the day it is, by the name of the measure."""
    counted, rows, today = _flag(state), state.rows, np.datetime64(state.day)
    levels = _levels_on(state.day, state.procedure_codes, procedures)
    is_eligible = np.isin(levels, list(ELIGIBLE_LEVELS))[rows["procedure"]]
    to_date = (rows["closed_date"] >= np.datetime64(directive_start)) & (rows["closed_date"] <= today)
    return {
        "eligible_received_count": counted["received_count"] & is_eligible,
        "eligible_received_online_count": counted["received_online_count"] & is_eligible,
        "processed_count": counted["processed_count"],
        "processed_in_time_count": counted["processed_early_count"] | counted["processed_on_time_count"],
        "processed_to_date_count": to_date,
        "returned_to_date_count": to_date & (rows["returned_date"] <= today),
        "in_process_overdue_count": counted["in_process_overdue_count"],
    }


def _levels_on(
    day: date, procedure_codes: "pd.Index[str]", procedures: Sequence[Procedure]
) -> npt.NDArray[np.int64]:
    """Return the level of each procedure on the day; outside its periods, of the one before, else after."""
    levels: dict[str, int] = {}
    for procedure in sorted(procedures, key=lambda period: period.valid_from):
        if procedure.valid_from <= day or procedure.procedure_code not in levels:
            levels[procedure.procedure_code] = procedure.service_level
    return np.array([levels[code] for code in procedure_codes], dtype="int64")
