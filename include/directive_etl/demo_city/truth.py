"""Progress computed a second time, from true observations, by the rules of docs/progress.md.

Written for reading, in exact fractions, and from the registry alone: it shares nothing with the pipeline, so
that the end-to-end test compares two independent answers.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import cache

import pandas as pd

from directive_etl.demo_city.contributions import Contribution, contribution_of
from directive_etl.demo_city.judgement import judge, target_in_force
from directive_etl.demo_city.revisions import known_figures
from directive_etl.registry.directive import Clause, Directive, Indicator, directives
from directive_etl.registry.units import Unit, matching_units, units_on


@dataclass(frozen=True)
class ProgressRow:
    """One indicator, unit and day: the columns of reporting.directive_progress_daily without `recorded_at`.

    `numerator`, `denominator` and `target_value` are exact; `actual_value` and `progress_pct` are rounded.
    """

    directive_number: str
    clause_code: str
    indicator_code: str
    indicator_name_vi: str
    indicator_name_en: str
    unit_code: str
    unit_name: str
    unit_type: str
    parent_unit_code: str | None
    report_date: date
    numerator: Decimal | None
    denominator: Decimal | None
    actual_value: Decimal | None
    target_value: Decimal | None
    is_target_assumed: bool | None
    progress_pct: Decimal | None
    status_code: str
    obs_status: str
    due_date: date | None
    days_overdue: int
    is_late: bool
    revision_count: int


PROGRESS_COLUMNS = [field.name for field in fields(ProgressRow)]


def progress_of(observations: pd.DataFrame, day: date, known_at: datetime | None = None) -> pd.DataFrame:
    """Compute the progress of every directive in force on a day.

    Args:
        observations: one row per revision of a figure: unit_code str, measure_code str, category_code str
            ('' for none), figure_date date, value number or missing, known_at aware datetime, obs_status A, P
            or M.
        day: the day to judge.
        known_at: only what was known by then (inclusive); None for everything.

    Returns:
        PROGRESS_COLUMNS, one row per indicator, unit and day, in directive order, then by unit code.
    """
    rows = [
        row
        for directive in directives()
        for row in directive_progress(directive, observations, day, known_at)
    ]
    return pd.DataFrame([vars(row) for row in rows], columns=PROGRESS_COLUMNS, dtype=object)


def directive_progress(
    directive: Directive, observations: pd.DataFrame, day: date, known_at: datetime | None = None
) -> Iterator[ProgressRow]:
    """Yield the rows of one directive and day; none when it is not in force. Arguments: `progress_of`."""
    if not directive.is_active(day):
        return
    history = {i.numerator.measure for _, i in directive.indicators if i.calculation == "days_since"}
    figures = known_figures(observations, day, known_at, history)
    for clause, indicator in directive.indicators:
        contributors = matching_units(indicator.contributors, day)
        contributions = {
            unit.unit_code: contribution_of(directive, indicator, unit, day, figures) for unit in contributors
        }
        below = _contributors_below(contributors, matching_units(indicator.responsible, day), day)
        for unit_code in sorted(below):
            given = [contributions[code] for code in below[unit_code]]
            yield _row(directive, clause, indicator, _units_by_code(day)[unit_code], given, day)


def _contributors_below(contributors: list[Unit], responsible: list[Unit], day: date) -> dict[str, list[str]]:
    """Return, for every unit that gets a row, the contributors at or below it."""
    below: dict[str, list[str]] = {unit.unit_code: [] for unit in responsible}
    for contributor in contributors:
        unit: Unit | None = contributor
        while unit is not None:
            below.setdefault(unit.unit_code, []).append(contributor.unit_code)
            unit = _units_by_code(day).get(unit.parent_unit_code or "")
    return below


def _row(
    directive: Directive,
    clause: Clause,
    indicator: Indicator,
    unit: Unit,
    given: list[Contribution],
    day: date,
) -> ProgressRow:
    owing = [one for one in given if one.owes]
    counted = [one for one in owing if one.counts]
    numerator, denominator = _sums(directive, indicator, given, counted, day)
    actual = _actual(indicator, numerator, denominator)
    target = target_in_force(indicator, unit, day)
    target_value = None
    if target is not None:
        target_value = Fraction(target.value) * (len(owing) if indicator.calculation == "count" else 1)
    judged = judge(indicator, actual, target, target_value, bool(owing), bool(counted), day)
    return ProgressRow(
        directive_number=directive.number,
        clause_code=clause.code,
        indicator_code=indicator.code,
        indicator_name_vi=indicator.name_vi,
        indicator_name_en=indicator.name_en,
        unit_code=unit.unit_code,
        unit_name=unit.name_vi,
        unit_type=unit.unit_type,
        parent_unit_code=unit.parent_unit_code,
        report_date=day,
        numerator=_exact(numerator),
        denominator=_exact(denominator),
        actual_value=_rounded(actual),
        target_value=_exact(target_value),
        is_target_assumed=target.assumed if target else None,
        progress_pct=_rounded(judged.progress),
        status_code=judged.status_code,
        obs_status=_obs_status(actual, owing, counted),
        due_date=target.due_date if target else None,
        days_overdue=judged.days_overdue,
        is_late=any(one.is_late for one in counted),
        revision_count=sum(one.revision_count for one in counted),
    )


def _sums(
    directive: Directive,
    indicator: Indicator,
    given: list[Contribution],
    counted: list[Contribution],
    day: date,
) -> tuple[Fraction | None, Fraction | None]:
    """Return numerator and denominator; both None when nobody who owes a figure reported."""
    if not counted:
        return None, None
    if indicator.calculation == "days_since":
        last = max(
            (one.last_day_above_zero for one in given if one.last_day_above_zero), default=directive.issued_on
        )
        return Fraction((day - last).days), None
    numerator = sum((one.numerator or Fraction(0) for one in counted), Fraction(0))
    if indicator.calculation == "per_unit_day":
        return numerator, Fraction(len(counted))
    if indicator.calculation == "ratio_pct":
        return numerator, sum((one.denominator or Fraction(0) for one in counted), Fraction(0))
    return numerator, None


def _actual(
    indicator: Indicator, numerator: Fraction | None, denominator: Fraction | None
) -> Fraction | None:
    if numerator is None or indicator.calculation in ("count", "days_since"):
        return numerator
    if not denominator:
        return None
    return numerator / denominator * (100 if indicator.calculation == "ratio_pct" else 1)


def _obs_status(actual: Fraction | None, owing: list[Contribution], counted: list[Contribution]) -> str:
    if actual is None:
        return "M"
    is_partial = len(counted) < len(owing)
    return "P" if is_partial or any(f.is_provisional for one in counted for f in one.inputs) else "A"


@cache
def _units_by_code(day: date) -> dict[str, Unit]:
    return {unit.unit_code: unit for unit in units_on(day)}


def _exact(value: Fraction | None) -> Decimal | None:
    return None if value is None else Decimal(value.numerator) / Decimal(value.denominator)


def _rounded(value: Fraction | None) -> Decimal | None:
    """Round to 2 decimals, half away from zero."""
    if value is None:
        return None
    cents = math.floor(abs(value) * 100 + Fraction(1, 2))
    return Decimal(cents if value >= 0 else -cents).scaleb(-2)
