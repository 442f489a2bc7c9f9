"""What each contributor gives to an indicator on a day (docs/progress.md, "Which contributors owe ...")."""

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from directive_etl.demo_city.revisions import Figure, Figures
from directive_etl.periods import close_of
from directive_etl.registry.directive import Directive, FigureSum, Indicator
from directive_etl.registry.obligations import expected_report
from directive_etl.registry.units import Unit

# Portals and SMS logs owe their figures every day; these two sources on the days that a report is expected.
_WITH_THE_REPORT = ("unit_report", "pipeline")


@dataclass(frozen=True)
class Contribution:
    """What one contributor gives to an indicator on a day; the sums are None when it did not report them."""

    owes: bool
    numerator: Fraction | None
    denominator: Fraction | None
    has_denominator: bool
    inputs: list[Figure]
    due_at: datetime | None
    last_day_above_zero: date | None

    @property
    def counts(self) -> bool:
        """Whether it goes into the sums: it owes, and gave everything the indicator needs."""
        given = self.numerator is not None and (self.denominator is not None or not self.has_denominator)
        return self.owes and given

    @property
    def is_late(self) -> bool:
        """Whether one of its figures first became known after it was due."""
        return self.due_at is not None and any(figure.first_known_at > self.due_at for figure in self.inputs)

    @property
    def revision_count(self) -> int:
        """How often its most revised figure changed."""
        return max((figure.change_count for figure in self.inputs), default=0)


def contribution_of(
    directive: Directive, indicator: Indicator, unit: Unit, day: date, figures: Figures
) -> Contribution:
    """Return what a unit gives to an indicator on a day, from the figures known about it."""
    given = [_current(figures, unit, part, day) for part in indicator.sums]
    source = directive.measure(indicator.numerator.measure).source
    due_at = _due_at(directive, source, unit, day)
    days_above_zero: list[date] = []
    if indicator.calculation == "days_since":
        code = indicator.numerator.measure
        days = [d for (u, m, d) in figures if (u, m) == (unit.unit_code, code) and d <= day]
        days_above_zero = [
            d for d in days if (_total(_current(figures, unit, indicator.numerator, d)) or 0) > 0
        ]
    return Contribution(
        owes=source not in _WITH_THE_REPORT or expected_report(directive, unit, day) is not None,
        numerator=_total(given[0]),
        denominator=_total(given[1]) if len(given) > 1 else None,
        has_denominator=len(given) > 1,
        inputs=[figure for part in given for figure in part],
        due_at=due_at,
        last_day_above_zero=max(days_above_zero, default=None),
    )


def _current(figures: Figures, unit: Unit, part: FigureSum, day: date) -> list[Figure]:
    """Return the current figures of one sum that have a value."""
    found = figures.get((unit.unit_code, part.measure, day), [])
    wanted = set(part.categories) if part.categories else None
    return [f for f in found if f.value is not None and (wanted is None or f.category_code in wanted)]


def _total(figures: list[Figure]) -> Fraction | None:
    values = [figure.value for figure in figures if figure.value is not None]
    return sum(values, Fraction(0)) if values else None


def _due_at(directive: Directive, source: str, unit: Unit, day: date) -> datetime | None:
    """Return when a source's figure of a unit is due; None when it cannot be late."""
    if source == "pipeline":
        return None
    return expected_report(directive, unit, day) if source == "unit_report" else close_of(day)
