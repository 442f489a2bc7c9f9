"""A measured value against its target (docs/progress.md, "Target" and "Status")."""

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from directive_etl.registry.calendar import working_days
from directive_etl.registry.directive import Indicator, Target
from directive_etl.registry.units import Unit


@dataclass(frozen=True)
class Judgement:
    """The measured value against its target."""

    status_code: str
    progress: Fraction | None
    days_overdue: int = 0


def target_in_force(indicator: Indicator, unit: Unit, day: date) -> Target | None:
    """Return the target that holds on the day, the one meant for the unit's type before the one for all."""
    in_force = [
        t for t in indicator.targets if t.valid_from <= day and (t.valid_to is None or day <= t.valid_to)
    ]
    for_its_type = [target for target in in_force if unit.unit_type in target.unit_types]
    for_all = [target for target in in_force if not target.unit_types]
    return next(iter(for_its_type + for_all), None)


def judge(
    indicator: Indicator,
    actual: Fraction | None,
    target: Target | None,
    target_value: Fraction | None,
    anybody_owes: bool,
    anybody_reported: bool,
    day: date,
) -> Judgement:
    """Return the first status that holds."""
    if not anybody_owes:
        return Judgement("not_due", None)
    if not anybody_reported:
        return Judgement("not_reported", None)
    if actual is None or target is None or target_value is None:
        return Judgement("not_due", None)
    progress, is_achieved = _against(indicator.direction, actual, target_value)
    if is_achieved:
        return Judgement("achieved", progress)
    if target.due_date is None:
        return Judgement("behind", progress)
    if day > target.due_date:
        return Judgement("overdue", progress, working_days(target.due_date + timedelta(days=1), day))
    planned, elapsed = working_days(target.valid_from, target.due_date), working_days(target.valid_from, day)
    is_on_track = indicator.direction == "up" and actual * planned >= target_value * elapsed
    return Judgement("on_track" if is_on_track else "behind", progress)


def _against(direction: str, actual: Fraction, target_value: Fraction) -> tuple[Fraction, bool]:
    """Return progress in per cent, and whether the target is reached."""
    if direction == "up":
        return (100 * actual / target_value if target_value else Fraction(100)), actual >= target_value
    return (Fraction(100) if actual <= target_value else 100 * target_value / actual), actual <= target_value
