"""What is true at each unit on each day: the figures a careful clerk would report.

Every measure of the directive is either a size that hardly changes, a share of another measure that grows
along an S-curve, a flow of the day, or a district's own count of what its wards have. A measure of another
directive that is not listed here is a small flow.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from random import Random

from directive_etl.demo_city.city import City, Curve, resident_curve, staff_curve, ward_population
from directive_etl.demo_city.dossiers import received_dossiers
from directive_etl.registry.directive import Directive, Measure
from directive_etl.registry.obligations import owed_figures
from directive_etl.registry.units import Unit, units_on

FigureKey = tuple[str, str | None]  # measure and category
TrueFigures = dict[FigureKey, int]
TypedFigures = dict[FigureKey, object]  # as they stand in the cells; None is a blank cell

# People of each personnel category, from and to, by unit or type; SGDDT counts the pupils of city schools.
PERSONNEL: dict[str, dict[str, tuple[int, int]]] = {
    "can_bo": {"": (3, 12), "ubnd_quan_huyen": (40, 90)},
    "cong_chuc": {"": (25, 90), "ubnd_quan_huyen": (110, 240)},
    "vien_chuc": {"": (10, 160), "ubnd_quan_huyen": (900, 2400), "SGDDT": (2500, 3200), "SYT": (2800, 3600)},
    "nhan_vien": {"": (2, 15), "ubnd_quan_huyen": (40, 160)},
    "nguoi_lao_dong": {"": (2, 20), "ubnd_quan_huyen": (60, 300), "BQLKCX": (28_000, 34_000)},
    "hoc_sinh": {
        "": (0, 400),
        "ubnd_quan_huyen": (9_000, 30_000),
        "SGDDT": (32_000, 38_000),
        "cao_dang": (300, 1500),
    },
    "sinh_vien": {
        "": (1_500, 9_000),
        "ubnd_quan_huyen": (0, 200),
        "SGDDT": (0, 300),
        "DHCT": (38_000, 44_000),
    },
}
MEMBERS: dict[str, tuple[int, int]] = {"": (1_500, 12_000), "mttq": (400, 900), "doan_the": (40_000, 130_000)}


@dataclass(frozen=True)
class Share:
    """A measure that is a growing share of the measure it cannot exceed.

    Attributes:
        curve: makes the unit's curve from its generator and the popularity.
        popularity: handed to `curve`.
    """

    curve: Callable[[Random, float], Curve]
    popularity: float = 1.0


def _steady(random: Random, popularity: float) -> Curve:
    """Return a share that stays where it is: a curve without steepness is at half of its ceiling."""
    return Curve(2 * popularity * random.uniform(0.84, 1.0), 0.0, 0.0)


SHARES = {
    "smartphone_count": Share(_steady),
    "bluezone_count": Share(staff_curve),
    "ncovi_count": Share(staff_curve, 0.9),
    "bluetooth_on_count": Share(staff_curve, 0.9),
    "resident_bluezone_count": Share(resident_curve),
    "resident_ncovi_count": Share(resident_curve, 0.8),
    "neighbourhood_reached_count": Share(staff_curve),
    "supported_unit_count": Share(staff_curve),
    "member_bluezone_count": Share(staff_curve, 0.6),
    "member_ncovi_count": Share(staff_curve, 0.5),
}
# Fewer of those who are not employed do as they are told.
STUDENTS = ("hoc_sinh", "sinh_vien")
STUDENT_POPULARITY = 0.85
# Flows of a day, from and to. Press items pause for some days, so that press_days_since_last_item can grow.
FLOWS = {
    "meeting_count": (0, 6),
    "loudspeaker_broadcast_count": (1, 4),
    "press_item_count": (0, 3),
    "support_session_count": (0, 3),
    "online_service_mobilisation_count": (5, 60),
}
# What a unit has in its own book of dossiers: as the portals show, one off, or wrong altogether.
DOSSIER_MEASURE = "dossier_received_count"
BOOK_SLIP_RATE = 0.15
BOOK_ERROR_RATE = 0.08
PRESS_SILENCE = (date(2020, 8, 24), date(2020, 8, 27))
# What a district counts itself for its wards; now and then it counts wrongly.
CONTROL_TOTAL_ERROR_RATE = 0.2


def true_figures(city: City, directive: Directive, unit: Unit, day: date) -> TrueFigures:
    """Return every figure on the unit's form with its true value, in the order of the form."""
    return {
        (owed.measure.code, owed.category_code): _value(
            city, directive, unit, owed.measure, owed.category_code, day
        )
        for owed in owed_figures(directive, unit, day)
    }


def _value(
    city: City, directive: Directive, unit: Unit, measure: Measure, category_code: str | None, day: date
) -> int:
    wards = _wards_of(unit.unit_code, day)
    if wards and measure.code in _ward_measures(directive, wards[0], day):
        counted = sum(_value(city, directive, ward, measure, category_code, day) for ward in wards)
        return _control_total(city, unit, measure, counted, day)
    if measure.at_most is None:
        return _size_or_flow(city, unit, measure, category_code, day)
    whole = _value(city, directive, unit, directive.measure(measure.at_most), category_code, day)
    return _part(city, unit, measure, category_code, day, whole)


def _control_total(city: City, unit: Unit, measure: Measure, counted: int, day: date) -> int:
    """Return a district's own count: the wards' sum, or a few less when it forgot to add somebody."""
    root = measure.code if measure.at_most is None else measure.at_most
    random = city.random_for("control total", unit.unit_code, root, day)
    if random.random() >= CONTROL_TOTAL_ERROR_RATE:
        return counted
    # The part is cut more than the whole, so that it still fits into it.
    return counted * (97 if measure.at_most is None else 95) // 100


def _part(city: City, unit: Unit, measure: Measure, category_code: str | None, day: date, whole: int) -> int:
    random = city.random_for("share", unit.unit_code, measure.code, category_code)
    if measure.kind == "flow" or measure.code not in SHARES:
        return city.random_for("flow", unit.unit_code, measure.code, category_code, day).randint(0, whole)
    share = SHARES[measure.code]
    popularity = share.popularity * (STUDENT_POPULARITY if category_code in STUDENTS else 1)
    return min(whole, round(whole * share.curve(random, popularity).share(day)))


def _size_or_flow(city: City, unit: Unit, measure: Measure, category_code: str | None, day: date) -> int:
    random = city.random_for("size", unit.unit_code, measure.code, category_code)
    if measure.code == "resident_count":
        return ward_population(city, unit)
    if measure.code == "headcount":
        return random.randint(*_range_for(PERSONNEL[category_code or ""], unit))
    if measure.code == "member_count":
        return random.randint(*_range_for(MEMBERS, unit))
    if measure.code == "neighbourhood_count":
        return random.randint(5, 14)
    if measure.code == "supportable_unit_count":
        return random.randint(40, 60)
    if measure.code == DOSSIER_MEASURE:
        return _in_the_book(city, unit, day)
    if measure.code == "press_item_count" and PRESS_SILENCE[0] <= day <= PRESS_SILENCE[1]:
        return 0
    daily = city.random_for("flow", unit.unit_code, measure.code, category_code, day)
    return daily.randint(*FLOWS.get(measure.code, (0, 9)))


def _in_the_book(city: City, unit: Unit, day: date) -> int:
    """Return how many dossiers the unit has in its book as received on a day."""
    received = received_dossiers(city.seed, city.first_day, city.last_day, city.dossier_count)
    true = received.get((unit.unit_code, day), 0)
    chance = city.random_for("dossier book", unit.unit_code, day).random()
    if chance < BOOK_ERROR_RATE:
        return true * 2 + 5
    return true + (chance < BOOK_ERROR_RATE + BOOK_SLIP_RATE)


def _range_for(ranges: dict[str, tuple[int, int]], unit: Unit) -> tuple[int, int]:
    return ranges.get(unit.unit_code) or ranges.get(unit.unit_type) or ranges[""]


@cache
def _wards_of(unit_code: str, day: date) -> list[Unit]:
    return [
        unit for unit in units_on(day) if unit.parent_unit_code == unit_code and unit.unit_type == "xa_phuong"
    ]


def _ward_measures(directive: Directive, ward: Unit, day: date) -> set[str]:
    return {owed.measure.code for owed in owed_figures(directive, ward, day)}
