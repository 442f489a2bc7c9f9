"""The simulated city: its days, its seeded randomness, how many live in a ward and how fast people install.

Sizes are made up from the census and from usual staff numbers; no document gives them. The pace of
installation follows the national milestones: 15.7 million installations on 11 August 2020, 20 million on
20 August 2020.
"""

import math
from dataclasses import dataclass
from datetime import date
from functools import cache
from random import Random

from directive_etl.periods import days_between
from directive_etl.registry.units import Unit, units_on

NATIONAL_POPULATION = 96_208_984  # census of 1 April 2019
# Assumed: where installations would have levelled off at the pace of August 2020.
NATIONAL_CEILING = 24_000_000
MILESTONES = ((date(2020, 8, 11), 15_700_000), (date(2020, 8, 20), 20_000_000))
DEFAULT_DISTRICT_POPULATION = 120_000


@dataclass(frozen=True)
class City:
    """A simulated city: the same seed, days and units give the same bytes.

    Attributes:
        seed: changes every figure and every accident.
        first_day, last_day: the reporting days, both included.
        unit_codes: only these units send reports; None for all that owe one.
        subscriber_count: mobile subscribers.
        dossier_count: dossiers on the portals, about.
    """

    seed: int = 2488
    first_day: date = date(2020, 8, 18)
    last_day: date = date(2020, 8, 31)
    unit_codes: frozenset[str] | None = None
    subscriber_count: int = 90_000
    dossier_count: int = 20_000

    @property
    def days(self) -> list[date]:
        """Return the reporting days, in order."""
        return days_between(self.first_day, self.last_day)

    def random_for(self, *parts: object) -> Random:
        """Return a generator for one purpose alone, so that one more draw elsewhere changes nothing here."""
        return Random("/".join(str(part) for part in (self.seed, *parts)))


@dataclass(frozen=True)
class Curve:
    """An S-curve: the share (0 to `ceiling`) reached by the end of a day.

    Attributes:
        ceiling: share it levels off at.
        midpoint: ordinal of the day on which half of the ceiling is reached.
        rate: steepness. Unit: per day.
    """

    ceiling: float
    midpoint: float
    rate: float

    def share(self, day: date) -> float:
        """Return the share reached by the end of the day."""
        return self.ceiling / (1.0 + math.exp(-self.rate * (day.toordinal() - self.midpoint)))


@cache
def national_curve() -> Curve:
    """Return installations per inhabitant of the country, through both milestones."""
    (first, first_count), (second, second_count) = MILESTONES
    logits = [math.log(count / (NATIONAL_CEILING - count)) for count in (first_count, second_count)]
    rate = (logits[1] - logits[0]) / (second - first).days
    return Curve(NATIONAL_CEILING / NATIONAL_POPULATION, first.toordinal() - logits[0] / rate, rate)


def resident_curve(random: Random, popularity: float) -> Curve:
    """Return residents' installations in one ward: the nation's, faster or slower.

    Args:
        random: the ward's own generator.
        popularity: of the application against the nation's average, e.g. 0.5 for half as popular.
    """
    nation = national_curve()
    return Curve(
        nation.ceiling * popularity * random.uniform(0.7, 1.5),
        nation.midpoint + random.uniform(-2, 2),
        nation.rate,
    )


def staff_curve(random: Random, popularity: float) -> Curve:
    """Return installations among people who are told to install: steeper, and nearly everybody in the end."""
    start = MILESTONES[0][0].toordinal()
    ceiling = min(1.0, popularity * random.uniform(0.93, 1.06))
    return Curve(ceiling, start + random.uniform(2, 9), random.uniform(0.25, 0.6))


def ward_population(city: City, ward: Unit) -> int:
    """Return the made-up residents of a ward; the wards of a district add up to its census figure, about."""
    day = city.first_day
    district = next((unit for unit in units_on(day) if unit.unit_code == ward.parent_unit_code), None)
    siblings = [unit.unit_code for unit in units_on(day) if unit.parent_unit_code == ward.parent_unit_code]
    weights = {code: city.random_for("population", code).uniform(0.6, 1.6) for code in siblings}
    population = (district.population_2019 if district else None) or DEFAULT_DISTRICT_POPULATION
    return round(population * weights[ward.unit_code] / sum(weights.values()))
