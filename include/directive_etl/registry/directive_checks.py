"""What a directive must hold beyond its form: references that meet, periods that fit, units that report.

Each check yields its own mistakes, so a file is told everything at once.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING

from directive_etl.registry.mistakes import Mistake, Place
from directive_etl.registry.source_measures import COUNTED_MEASURES
from directive_etl.registry.units import UnitMatch, matching_units, units

if TYPE_CHECKING:
    from directive_etl.registry.directive import Directive, Indicator, Measure, Target


def iter_mistakes(directive: "Directive") -> Iterator[Mistake]:
    """Yield every mistake of a directive whose form is right."""
    yield from _period_mistakes(directive)
    yield from _duplicate_mistakes(directive)
    # The first of two equal codes is meant; the second is a mistake of its own.
    measures = {measure.code: measure for measure in reversed(directive.measures)}
    for n, measure in enumerate(directive.measures):
        yield from _measure_mistakes(directive, measure, measures, ("measures", n))
    yield from _cycle_mistakes(directive, measures)
    yield from _reporting_mistakes(directive)
    for c, clause in enumerate(directive.clauses):
        for i, indicator in enumerate(clause.indicators):
            place = ("clauses", c, "indicators", i)
            yield from _sum_mistakes(directive, indicator, measures, place)
            yield from _calculation_mistakes(indicator, measures, place)
            yield from _who_mistakes(directive, indicator, measures, place)
            yield from _target_mistakes(directive, indicator, place)
    yield from _witness_mistakes(directive, measures)
    yield from _unused_mistakes(directive, measures)


def _period_mistakes(directive: "Directive") -> Iterator[Mistake]:
    if directive.active_from < directive.issued_on:
        yield Mistake(
            ("active_from",), str(directive.active_from), f"{directive.issued_on} (issued_on) or later"
        )
    if directive.active_to is not None and directive.active_to < directive.active_from:
        yield Mistake(
            ("active_to",), str(directive.active_to), f"{directive.active_from} (active_from) or later"
        )


def _duplicate_mistakes(directive: "Directive") -> Iterator[Mistake]:
    yield from _repeats(
        (measure.code, ("measures", n, "code")) for n, measure in enumerate(directive.measures)
    )
    yield from _repeats((clause.code, ("clauses", c, "code")) for c, clause in enumerate(directive.clauses))
    yield from _repeats(
        (indicator.code, ("clauses", c, "indicators", i, "code"))
        for c, clause in enumerate(directive.clauses)
        for i, indicator in enumerate(clause.indicators)
    )
    for name, categories in directive.categories.items():
        yield from _repeats((one.code, ("categories", name, n, "code")) for n, one in enumerate(categories))


def _repeats(codes: Iterable[tuple[str, Place]]) -> Iterator[Mistake]:
    seen: set[str] = set()
    for code, place in codes:
        if code in seen:
            yield Mistake(place, f"{code!r} a second time", "a code that is not taken")
        seen.add(code)


def _measure_mistakes(
    directive: "Directive", measure: "Measure", measures: dict[str, "Measure"], place: Place
) -> Iterator[Mistake]:
    counted = COUNTED_MEASURES.get(measure.source)
    if counted is None:
        if measure.categories is not None and measure.categories not in directive.categories:
            yield Mistake((*place, "categories"), repr(measure.categories), _one_of(directive.categories))
    elif measure.code not in counted:
        yield Mistake(
            (*place, "code"),
            repr(measure.code),
            f"a measure that {measure.source} counts: {_one_of(counted)}",
        )
    elif measure.categories != counted[measure.code]:
        expected = (
            f"{counted[measure.code]!r}, by which {measure.source} splits it"
            if counted[measure.code]
            else "none"
        )
        yield Mistake((*place, "categories"), repr(measure.categories), expected)
    if measure.at_most is None:
        return
    bound = measures.get(measure.at_most)
    at_most = (*place, "at_most")
    if bound is None:
        yield Mistake(at_most, repr(measure.at_most), "the code of a measure")
        return
    differing = [
        name for name in ("source", "categories", "kind") if getattr(bound, name) != getattr(measure, name)
    ]
    if differing:
        found, expected = (
            " and ".join(f"{name} {getattr(one, name) or 'none'}" for name in differing)
            for one in (bound, measure)
        )
        yield Mistake(at_most, f"{measure.at_most!r} with {found}", f"a measure with {expected}, as here")


def _cycle_mistakes(directive: "Directive", measures: dict[str, "Measure"]) -> Iterator[Mistake]:
    told: set[str] = set()
    for n, measure in enumerate(directive.measures):
        chain = [measure.code]
        while (bound := measures[chain[-1]].at_most) in measures and bound not in chain:
            chain.append(bound)
        if bound == measure.code and measure.code not in told:
            told.update(chain)
            found = " at most ".join([*chain, measure.code])
            yield Mistake(("measures", n, "at_most"), f"a circle: {found}", "a chain that ends")


def _reporting_mistakes(directive: "Directive") -> Iterator[Mistake]:
    taken: dict[str, int] = {}
    for n, rule in enumerate(directive.reporting):
        place = ("reporting", n)
        yield from _origin_mistakes(rule.assumed, rule.source, place)
        yield from _match_mistakes(rule, directive.active_from, place)
        if rule.due_time.tzinfo is not None:
            yield Mistake((*place, "due_time"), str(rule.due_time), "a local time without offset")
        for unit in matching_units(rule, directive.active_from):
            first = taken.setdefault(unit.unit_code, n)
            if first != n:
                yield Mistake(
                    place, f"unit {unit.unit_code}, which reporting[{first}] has too", "each unit in one rule"
                )


def _sum_mistakes(
    directive: "Directive", indicator: "Indicator", measures: dict[str, "Measure"], place: Place
) -> Iterator[Mistake]:
    for name in ("numerator", "denominator"):
        figure_sum = getattr(indicator, name)
        if figure_sum is None:
            continue
        measure = measures.get(figure_sum.measure)
        if measure is None:
            yield Mistake((*place, name, "measure"), repr(figure_sum.measure), "the code of a measure")
            continue
        known = {one.code for one in directive.categories.get(measure.categories or "", ())}
        for n, category in enumerate(figure_sum.categories):
            at = (*place, name, "categories", n)
            if measure.categories is None:
                yield Mistake(at, repr(category), f"no categories: measure {measure.code!r} is not split")
            elif measure.source == "unit_report" and category not in known:
                yield Mistake(at, repr(category), f"a category of {measure.categories!r}: {_one_of(known)}")
        yield from _repeats(
            (one, (*place, name, "categories", n)) for n, one in enumerate(figure_sum.categories)
        )


def _calculation_mistakes(
    indicator: "Indicator", measures: dict[str, "Measure"], place: Place
) -> Iterator[Mistake]:
    if (indicator.calculation == "ratio_pct") != (indicator.denominator is not None):
        found, expected = ("a denominator", "none") if indicator.denominator else ("none", "a denominator")
        yield Mistake(
            (*place, "denominator"), found, f"{expected}, since calculation is {indicator.calculation!r}"
        )
    used = [measures[one.measure] for one in indicator.sums if one.measure in measures]
    if len({measure.source for measure in used}) > 1:
        found = " and ".join(measure.source for measure in used)
        yield Mistake((*place, "denominator", "measure"), found, "numerator and denominator of one source")
    # Days since the last time count what happened, and are themselves a level.
    needed = "flow" if indicator.calculation in ("days_since", "per_unit_day") else indicator.kind
    for name, measure in zip(("numerator", "denominator"), used, strict=False):
        if measure.kind != needed:
            yield Mistake((*place, name, "measure"), f"{measure.code!r}, a {measure.kind}", f"a {needed}")
    own_kind = {"days_since": "stock", "per_unit_day": "flow"}.get(indicator.calculation, indicator.kind)
    if indicator.kind != own_kind:
        yield Mistake(
            (*place, "kind"),
            repr(indicator.kind),
            f"{own_kind!r}, since calculation is {indicator.calculation!r}",
        )


def _who_mistakes(
    directive: "Directive", indicator: "Indicator", measures: dict[str, "Measure"], place: Place
) -> Iterator[Mistake]:
    yield from _match_mistakes(indicator.responsible, directive.active_from, (*place, "responsible"))
    if indicator.measured_at is not None:
        yield from _match_mistakes(indicator.measured_at, directive.active_from, (*place, "measured_at"))
    measure = measures.get(indicator.numerator.measure)
    if measure is None or measure.source not in ("unit_report", "pipeline"):
        return
    silent = [
        unit.unit_code
        for unit in matching_units(indicator.contributors, directive.active_from)
        if not any(rule.matches(unit) for rule in directive.reporting)
    ]
    if silent:
        at = "responsible" if indicator.measured_at is None else "measured_at"
        found = f"units that owe no report: {', '.join(silent)}"
        yield Mistake((*place, at), found, "units that a rule of `reporting` names", needs_whole_file=True)


def _match_mistakes(match: UnitMatch, day: date, place: Place) -> Iterator[Mistake]:
    known_types, known_codes = {unit.unit_type for unit in units()}, {unit.unit_code for unit in units()}
    for n, unit_type in enumerate(match.unit_types):
        if unit_type not in known_types:
            yield Mistake((*place, "unit_types", n), repr(unit_type), _one_of(known_types))
    for n, code in enumerate(match.units):
        if code not in known_codes:
            yield Mistake((*place, "units", n), repr(code), "the code of a unit of registry/units")
    if not matching_units(match, day):
        yield Mistake(place, "no unit", f"at least one unit in force on {day}")


def _target_mistakes(directive: "Directive", indicator: "Indicator", place: Place) -> Iterator[Mistake]:
    known_types = {unit.unit_type for unit in units()}
    for n, target in enumerate(indicator.targets):
        at = (*place, "targets", n)
        yield from _origin_mistakes(target.assumed, target.source, at)
        if target.valid_to is not None and target.valid_to < target.valid_from:
            yield Mistake(
                (*at, "valid_to"), str(target.valid_to), f"{target.valid_from} (valid_from) or later"
            )
        if target.due_date is not None and target.due_date < target.valid_from:
            yield Mistake(
                (*at, "due_date"), str(target.due_date), f"{target.valid_from} (valid_from) or later"
            )
        if target.due_date is not None and target.valid_to is not None and target.due_date > target.valid_to:
            yield Mistake((*at, "due_date"), str(target.due_date), f"{target.valid_to} (valid_to) or earlier")
        for t, unit_type in enumerate(target.unit_types):
            if unit_type not in known_types:
                yield Mistake((*at, "unit_types", t), repr(unit_type), _one_of(known_types))
        for earlier in range(n):
            if _compete(indicator.targets[earlier], target):
                yield Mistake(
                    at, f"days and units that targets[{earlier}] has too", "one target a day and unit"
                )


def _compete(one: "Target", other: "Target") -> bool:
    meet = (one.valid_to is None or other.valid_from <= one.valid_to) and (
        other.valid_to is None or one.valid_from <= other.valid_to
    )
    # A target for some types goes before one for all, so these two do not compete.
    same_units = bool(set(one.unit_types) & set(other.unit_types)) or not (one.unit_types or other.unit_types)
    return meet and same_units


def _origin_mistakes(assumed: bool, source: str | None, place: Place) -> Iterator[Mistake]:
    if not assumed and source is None:
        yield Mistake(place, "neither source nor assumed", "the document in `source`, or `assumed: true`")
    if assumed and source is not None:
        yield Mistake((*place, "assumed"), "true beside a source", "one of the two; put a hint in `note`")


def _witness_mistakes(directive: "Directive", measures: dict[str, "Measure"]) -> Iterator[Mistake]:
    yield from _repeats(
        (one.measure, ("witnesses", n, "measure")) for n, one in enumerate(directive.witnesses)
    )
    known_types = {unit.unit_type for unit in units()}
    fitting = [
        code
        for code, measure in measures.items()
        if (measure.source, measure.kind, measure.categories) == ("unit_report", "flow", None)
    ]
    for n, witness in enumerate(directive.witnesses):
        clauses = [clause.code for clause in directive.clauses]
        if witness.clause not in clauses:
            yield Mistake(("witnesses", n, "clause"), repr(witness.clause), _one_of(clauses))
        if witness.measure not in fitting:
            expected = f"a flow that units report, not split: {_one_of(fitting)}"
            yield Mistake(("witnesses", n, "measure"), repr(witness.measure), expected)
        yield from _origin_mistakes(witness.assumed, witness.source, ("witnesses", n))
        for t, unit_type in enumerate(witness.reported_by.unit_types):
            if unit_type not in known_types:
                place = ("witnesses", n, "reported_by", "unit_types", t)
                yield Mistake(place, repr(unit_type), _one_of(known_types))


def _unused_mistakes(directive: "Directive", measures: dict[str, "Measure"]) -> Iterator[Mistake]:
    used: set[str] = {witness.measure for witness in directive.witnesses}
    for _, indicator in directive.indicators:
        for figure_sum in indicator.sums:
            code: str | None = figure_sum.measure
            while code in measures and code not in used:
                used.add(code)
                code = measures[code].at_most
    for n, measure in enumerate(directive.measures):
        if measure.code not in used:
            expected = "an indicator or a witness that uses it, or no such measure"
            yield Mistake(
                ("measures", n), f"{measure.code!r}, which no indicator uses", expected, needs_whole_file=True
            )


def _one_of(codes: Iterable[str]) -> str:
    return "one of " + ", ".join(sorted(codes))
