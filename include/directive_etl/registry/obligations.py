"""What a unit owes under a directive: reports on which days, by when, and the figures on its form."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from functools import cache

from directive_etl.periods import LOCAL_ZONE
from directive_etl.registry.calendar import is_working_day
from directive_etl.registry.declared_file import Declared
from directive_etl.registry.directive import Directive, FigureSum, Measure, ReportingRule
from directive_etl.registry.units import Unit

# The categories a unit owes of each measure, by the measure's code; {None} for a measure that is not split.
OwedCategories = dict[str, set[str | None]]


class OwedFigure(Declared):
    """One figure of a unit's form; `category_code` None when the measure is not split."""

    measure: Measure
    category_code: str | None


def expected_report(directive: Directive, unit: Unit, day: date) -> datetime | None:
    """Return when the unit's report for a day is due, aware local time; None when no report is expected.

    Raises:
        RegistryError: the unit reports on working days, and the calendar of the year is not declared.
    """
    rule = reporting_rule(directive, unit)
    if rule is None or not (directive.is_active(day) and unit.is_in_force(day)):
        return None
    if rule.cadence == "working_day" and not is_working_day(day):
        return None
    return datetime.combine(day, rule.due_time, LOCAL_ZONE)


def reporting_rule(directive: Directive, unit: Unit) -> ReportingRule | None:
    """Return the rule that makes the unit report; None for a unit that never does."""
    return next((rule for rule in directive.reporting if rule.matches(unit)), None)


def owed_figures(directive: Directive, unit: Unit, day: date) -> list[OwedFigure]:
    """Return the figures on the unit's form, in the order of the directive's measures and categories.

    A unit owes the `unit_report` measures of the indicators that it answers for or contributes to, the
    measures that bound them, and the measures it is a witness of. It owes the categories that those indicators
    list. An indicator that lists none takes the categories that the unit owes, by its other indicators, of that
    measure or of a measure that bounds it; where there are none either, the measure's whole list.

    The form is the same on every day that the directive and the unit are in force, whether or not a report is
    expected for it; on other days, and for a unit without a reporting rule, it is empty.
    """
    if not (directive.is_active(day) and unit.is_in_force(day)):
        return []
    return list(_form(directive, unit))


@cache
def _form(directive: Directive, unit: Unit) -> tuple[OwedFigure, ...]:
    if reporting_rule(directive, unit) is None:
        return ()
    sums = list(_iter_reported_sums(directive, unit))
    listed: OwedCategories = defaultdict(set)
    for figure_sum in sums:
        _add(listed, directive, figure_sum.measure, set(figure_sum.categories))
    owed: OwedCategories = defaultdict(set, {code: set(categories) for code, categories in listed.items()})
    for figure_sum in sums:
        if not figure_sum.categories:
            _add(
                owed,
                directive,
                figure_sum.measure,
                _implied_categories(directive, figure_sum.measure, listed),
            )
    return tuple(
        OwedFigure(measure=measure, category_code=category)
        for measure in directive.measures
        if measure.code in owed
        for category in _category_codes(directive, measure)
        if category in owed[measure.code]
    )


def _iter_reported_sums(directive: Directive, unit: Unit) -> Iterator[FigureSum]:
    for _, indicator in directive.indicators:
        if indicator.contributors.matches(unit) or indicator.responsible.matches(unit):
            for figure_sum in indicator.sums:
                if directive.measure(figure_sum.measure).source == "unit_report":
                    yield figure_sum
    for witness in directive.witnesses:
        if witness.reported_by.matches(unit):
            yield FigureSum(measure=witness.measure)


def _add(
    owed: OwedCategories, directive: Directive, code: str, categories: set[str | None] | set[str]
) -> None:
    """Owe the categories of a measure and of every measure that bounds it."""
    measure = directive.measure(code)
    for bounded in [measure, *directive.at_most_chain(measure)]:
        owed[bounded.code].update(categories)


def _implied_categories(directive: Directive, code: str, listed: OwedCategories) -> set[str | None]:
    measure = directive.measure(code)
    chain = [measure, *directive.at_most_chain(measure)]
    by_others = set().union(*(listed.get(bounded.code, set()) for bounded in chain))
    return by_others or set(_category_codes(directive, measure))


def _category_codes(directive: Directive, measure: Measure) -> list[str | None]:
    if measure.categories is None:
        return [None]
    return [category.code for category in directive.categories[measure.categories]]
