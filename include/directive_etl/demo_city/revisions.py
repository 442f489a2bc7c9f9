"""Revisions of figures, and which of them stood at a moment."""

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from itertools import pairwise

import pandas as pd

OBSERVATION_COLUMNS = [
    "unit_code",
    "measure_code",
    "category_code",
    "figure_date",
    "value",
    "known_at",
    "obs_status",
]


@dataclass(frozen=True)
class Figure:
    """One current figure of a unit, measure and day; `value` is None when it was withdrawn."""

    category_code: str
    value: Fraction | None
    is_provisional: bool
    first_known_at: datetime
    change_count: int


# By unit, measure and day.
Figures = dict[tuple[str, str, date], list[Figure]]


def known_figures(
    observations: pd.DataFrame, day: date, known_at: datetime | None, history_measures: set[str]
) -> Figures:
    """Return the figures of a day as they stood at a moment; of some measures also those of earlier days.

    Args:
        observations: OBSERVATION_COLUMNS, one row per revision, in any order.
        day: the day the figures are about.
        known_at: only revisions known by then (inclusive); None for all.
        history_measures: measures whose earlier days are wanted too.
    """
    dates = observations["figure_date"]
    wanted = (dates == day) | ((dates < day) & observations["measure_code"].isin(history_measures))
    if known_at is not None:
        wanted &= observations["known_at"] <= pd.Timestamp(known_at)
    rows = observations.loc[wanted, OBSERVATION_COLUMNS].sort_values("known_at", kind="stable")
    revisions: dict[tuple[str, str, date, str], list[tuple[Fraction | None, datetime, str]]] = {}
    for unit_code, measure_code, category_code, figure_date, value, moment, obs_status in rows.itertuples(
        index=False
    ):
        exact = None if pd.isna(value) else Fraction(int(value))
        revisions.setdefault((unit_code, measure_code, figure_date, category_code), []).append(
            (exact, moment, obs_status)
        )
    figures: Figures = {}
    for (unit_code, measure_code, figure_date, category_code), history in revisions.items():
        values = [value for value, _, _ in history]
        figures.setdefault((unit_code, measure_code, figure_date), []).append(
            Figure(
                category_code=category_code,
                value=values[-1],
                is_provisional=history[-1][2] == "P",
                first_known_at=history[0][1],
                change_count=sum(before != after for before, after in pairwise(values)),
            )
        )
    return figures
