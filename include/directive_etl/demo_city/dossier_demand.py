"""Who submits which dossier where: the demand for administrative procedures in the demo city.

Volumes, shares and the growth of online submission are made up; figures of Can Tho for 2020 were not found.
"""

import math
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random

from directive_etl.demo_city.dossier_course import IN_PERSON, NEWLY_REGISTERED, ONLINE, POST, Version
from directive_etl.periods import LOCAL_ZONE, days_between
from directive_etl.registry.calendar import is_working_day
from directive_etl.registry.procedures import Procedure, procedures
from directive_etl.registry.units import Unit, UnitMatch, matching_units

NATIONAL_PORTAL, CITY_PORTAL, ONE_STOP = "national_portal", "city_portal", "one_stop"
SYSTEM_CODES = (NATIONAL_PORTAL, CITY_PORTAL, ONE_STOP)
PORTAL_UNITS = UnitMatch(unit_types=("so_ban_nganh", "ban_quan_ly_kcx_kcn", "ubnd_quan_huyen", "xa_phuong"))

# Dossiers of one unit against those of a ward.
_UNIT_WEIGHTS = {"xa_phuong": 1.0, "ubnd_quan_huyen": 6.0, "so_ban_nganh": 3.0, "ban_quan_ly_kcx_kcn": 2.0}
_WEEKDAY_WEIGHTS = (1.35, 1.1, 1.0, 0.95, 0.9)
_WEEKEND_WEIGHT = 0.06

# Shares of the submissions to each kind of unit that go through the national portal and the city's; the rest
# comes to the counter. They grow along an S-curve, from the first value to the second.
_NATIONAL_SHARES = {"xa_phuong": (0.01, 0.04), "ubnd_quan_huyen": (0.03, 0.08), "so_ban_nganh": (0.08, 0.18)}
_CITY_SHARES = {"xa_phuong": (0.06, 0.16), "ubnd_quan_huyen": (0.12, 0.28), "so_ban_nganh": (0.25, 0.40)}
_GROWTH_MIDPOINT = date(2020, 8, 20)
_GROWTH_PER_DAY = 0.25

_FAMILY_NAMES = ("Nguyễn", "Trần", "Lê", "Phạm", "Huỳnh", "Phan", "Võ", "Đặng", "Bùi", "Đỗ", "Ngô", "Lý")
_MIDDLE_NAMES = ("Văn", "Thị", "Hữu", "Ngọc", "Minh", "Thanh", "Hoàng", "Kim", "Quốc", "Thùy")
_GIVEN_NAMES = ("An", "Bình", "Châu", "Dũng", "Hạnh", "Khoa", "Lan", "Mai", "Phúc", "Quyên", "Trang", "Vy")
_STREETS = ("30 Tháng 4", "Hòa Bình", "Nguyễn Trãi", "Trần Hưng Đạo", "Mậu Thân", "Lý Tự Trọng", "3 Tháng 2")


@dataclass(frozen=True)
class Applicant:
    """A made-up person; nothing of it may leave the landing zone."""

    name: str
    phone: str
    address: str


class Demand:
    """Draws submissions day by day."""

    def __init__(self, random: Random, first_day: date, last_day: date, dossier_count: int) -> None:
        """Spread about `dossier_count` dossiers over the days, both included."""
        self._random = random
        self.days = days_between(first_day, last_day)
        weights = [_day_weight(day) for day in self.days]
        self._per_day = {
            day: dossier_count * w / sum(weights) for day, w in zip(self.days, weights, strict=True)
        }
        self._counters: dict[tuple[int, date], int] = {}
        self._unit_sizes: dict[str, float] = {}

    def draw_day(self, day: date) -> list[Version]:
        """Return the dossiers submitted on a day, newly registered."""
        random, units = self._random, matching_units(PORTAL_UNITS, day)
        for unit in units:
            if unit.unit_code not in self._unit_sizes:
                self._unit_sizes[unit.unit_code] = _UNIT_WEIGHTS[unit.unit_type] * random.uniform(0.4, 1.6)
        count = round(self._per_day[day] * random.uniform(0.93, 1.07))
        chosen = random.choices(
            range(len(units)), [self._unit_sizes[unit.unit_code] for unit in units], k=count
        )
        catalogue = _catalogue_on(day)
        return [self._draw_dossier(day, units[place], place, catalogue) for place in chosen]

    def _draw_dossier(
        self, day: date, unit: Unit, place: int, catalogue: dict[str, list[Procedure]]
    ) -> Version:
        random = self._random
        system_code = self._draw_system(unit.unit_type, day)
        channel = self._draw_channel(system_code, day)
        offered = catalogue[unit.unit_type]
        # The portals are mostly for what can be submitted online.
        below_3 = 1.0 if system_code == ONE_STOP else 0.15
        weights = [below_3 if procedure.service_level < 3 else 1.0 for procedure in offered]
        opens, closes = (6 * 3600, 23 * 3600) if channel == ONLINE else (7 * 3600 + 1800, 16 * 3600)
        second = random.randrange(opens, closes)
        moment = datetime.combine(day, time.min, LOCAL_ZONE) + timedelta(seconds=second)
        number = self._counters[(place, day)] = self._counters.get((place, day), 0) + 1
        return Version(
            system_code=system_code,
            dossier_code=f"000.00.{place + 1:03}.H13-{day:%y%m%d}-{number:04}",
            procedure_code=random.choices(offered, weights)[0].procedure_code,
            unit_code=unit.unit_code,
            channel=channel,
            status=NEWLY_REGISTERED,
            changed_at=moment,
            visible_from=moment,
        )

    def _draw_system(self, unit_type: str, day: date) -> str:
        kind = unit_type if unit_type in _CITY_SHARES else "so_ban_nganh"
        national, city = _share_on(_NATIONAL_SHARES[kind], day), _share_on(_CITY_SHARES[kind], day)
        # Counters are shut at weekends.
        counter = 1 - national - city if is_working_day(day) else 0.0
        return self._random.choices(SYSTEM_CODES, (national, city, counter))[0]

    def _draw_channel(self, system_code: str, day: date) -> int:
        if system_code == NATIONAL_PORTAL or not is_working_day(day):
            return ONLINE
        shares = (0.06, 0.90, 0.04) if system_code == CITY_PORTAL else (0.86, 0.08, 0.06)
        return self._random.choices((IN_PERSON, ONLINE, POST), shares)[0]


def draw_applicant(random: Random, phone: str) -> Applicant:
    """Draw a person with the given phone number."""
    name = f"{random.choice(_FAMILY_NAMES)} {random.choice(_MIDDLE_NAMES)} {random.choice(_GIVEN_NAMES)}"
    address = f"Số {random.randint(1, 480)}, đường {random.choice(_STREETS)}, thành phố Cần Thơ"
    return Applicant(name, phone, address)


def level_on(procedure_code: str, day: date) -> int:
    """Return the service level of a procedure on a day."""
    return next(
        p.service_level for p in procedures() if p.procedure_code == procedure_code and p.is_in_force(day)
    )


def _catalogue_on(day: date) -> dict[str, list[Procedure]]:
    in_force = [procedure for procedure in procedures() if procedure.is_in_force(day)]
    return {kind: [p for p in in_force if kind in p.unit_types] for kind in PORTAL_UNITS.unit_types}


def _day_weight(day: date) -> float:
    return _WEEKDAY_WEIGHTS[day.weekday() % 5] if is_working_day(day) else _WEEKEND_WEIGHT


def _share_on(shares: tuple[float, float], day: date) -> float:
    grown = 1 / (1 + math.exp(-_GROWTH_PER_DAY * (day - _GROWTH_MIDPOINT).days))
    return shares[0] + (shares[1] - shares[0]) * grown
