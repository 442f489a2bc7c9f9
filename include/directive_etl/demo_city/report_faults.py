"""What clerks get wrong: faults for which the file must be refused, and slips that nobody can see in it.

Every fault is exactly one finding: the figures are spoiled where nothing else depends on them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from directive_etl.demo_city.city import City
from directive_etl.demo_city.unit_figures import FigureKey, TrueFigures, TypedFigures, true_figures
from directive_etl.registry.directive import Directive
from directive_etl.registry.obligations import expected_report
from directive_etl.registry.units import Unit, units_on


@dataclass(frozen=True)
class Fault:
    """One kind of wrong file.

    Attributes:
        kind: name in the simulation.
        reason_code: code of the finding that refuses the file.
        damage: how the bytes are spoiled after the workbook was written; empty when they are not.
    """

    kind: str
    reason_code: str
    damage: str = ""


FAULTS = (
    Fault("more_than_whole", "exceeds"),
    Fault("text_in_number", "not_a_number"),
    Fault("negative", "negative"),
    Fault("fraction", "not_whole"),
    Fault("phone_number", "too_big"),
    Fault("phone_number_as_text", "not_a_number"),
    Fault("empty_form", "empty_form"),
    Fault("other_unit", "wrong_unit"),
    Fault("future_date", "future_date"),
    Fault("not_a_workbook", "unreadable", damage="text"),
    Fault("truncated", "unreadable", damage="truncated"),
    Fault("password", "password", damage="password"),
)
# How much of a figure is reported when somebody was forgotten. Unit: per cent.
UNDERCOUNT_PCT = (85, 99)
TYPED_TEXTS = ("khoảng 50", "chưa thống kê", "12 người", "đang cập nhật", "x")
# Made-up numbers in the mobile ranges, without the leading 0.
PHONE_PREFIXES = (90, 91, 93, 96, 97, 98)


@dataclass(frozen=True)
class Spoiled:
    """What is written into a wrong workbook."""

    unit_code: str
    written_date: date
    figures: TypedFigures


def with_fault(
    fault: Fault,
    city: City,
    directive: Directive,
    unit: Unit,
    day: date,
    figures: TrueFigures,
    random: Random,
) -> Spoiled:
    """Return what a clerk writes who makes this fault; `figures` are what should have been written."""
    own = Spoiled(unit.unit_code, day, dict(figures))
    if fault.kind == "other_unit":
        other = _neighbour(directive, unit, day, random)
        return Spoiled(other.unit_code, day, dict(true_figures(city, directive, other, day)))
    if fault.kind == "future_date":
        # The month mistyped. A day of the campaign could by chance give the bytes of that day's real report.
        return Spoiled(unit.unit_code, day + timedelta(days=31), dict(figures))
    if fault.kind == "empty_form":
        return Spoiled(unit.unit_code, day, dict.fromkeys(figures))
    if fault.kind == "more_than_whole":
        key = random.choice([key for key in figures if directive.measure(key[0]).at_most is not None])
        whole = figures[(directive.measure(key[0]).at_most or "", key[1])]
        own.figures[key] = whole + random.randint(1, 40)
    elif not fault.damage:
        own.figures[_leaf(directive, figures, random)] = _typed(fault, random)
    return own


def _typed(fault: Fault, random: Random) -> object:
    """Return what is typed into a cell instead of a count."""
    phone_number = f"{random.choice(PHONE_PREFIXES)}{random.randrange(10**7):07}"
    typed: dict[str, object] = {
        "text_in_number": random.choice(TYPED_TEXTS),
        "negative": -random.randint(1, 30),
        "fraction": random.randint(1, 90) + 0.5,
        "phone_number": int(phone_number),
        "phone_number_as_text": f"0{phone_number[:3]} {phone_number[3:6]} {phone_number[6:]}",
    }
    return typed[fault.kind]


def _leaf(directive: Directive, figures: TrueFigures, random: Random) -> FigureKey:
    """Return a figure that bounds no other one."""
    wholes = {directive.measure(code).at_most for code, _ in figures}
    return random.choice([key for key in figures if key[0] not in wholes])


def _neighbour(directive: Directive, unit: Unit, day: date, random: Random) -> Unit:
    """Return a unit whose file a clerk takes by mistake: of the same parent, and type if there is one."""
    siblings = [
        other
        for other in units_on(day)
        if other.parent_unit_code == unit.parent_unit_code
        and other.unit_code != unit.unit_code
        and expected_report(directive, other, day) is not None
    ]
    return random.choice([other for other in siblings if other.unit_type == unit.unit_type] or siblings)


def with_blanks(figures: Mapping[FigureKey, object], random: Random) -> TypedFigures:
    """Leave one or two cells blank."""
    blanks = random.sample(list(figures), k=min(len(figures), random.choice((1, 1, 2))))
    return {key: None if key in blanks else value for key, value in figures.items()}


def undercounted(directive: Directive, figures: Mapping[FigureKey, object], random: Random) -> TypedFigures:
    """Lower one figure and, so that all still fit, what cannot exceed it; zeros stay as they are."""
    measure_code, category_code = random.choice(list(figures))
    lowered = {measure_code}
    for code in (key[0] for key in figures):
        if directive.measure(code).at_most in lowered:
            lowered.add(code)
    pct = random.randint(*UNDERCOUNT_PCT)

    def changed(key: FigureKey, value: object) -> object:
        is_lowered = key[0] in lowered and key[1] == category_code
        return value * pct // 100 if is_lowered and isinstance(value, int) else value

    return {key: changed(key, value) for key, value in figures.items()}
