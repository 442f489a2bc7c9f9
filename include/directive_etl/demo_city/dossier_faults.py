"""Faults planted in the demo city's portals: records that cannot be true, and servers that fail."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from random import Random

import pandas as pd

from directive_etl.demo_city.dossier_course import IN_PROCESS, PROCESSED, Version
from directive_etl.demo_city.dossier_demand import CITY_PORTAL, NATIONAL_PORTAL, ONE_STOP, SYSTEM_CODES
from directive_etl.periods import to_local_date

Record = dict[str, object]

# Records of a page, as the declared systems ask for.
_PAGE_SIZE = 500

# System, position of the day, page, what happens, how many times.
_SERVER_FAULTS = (
    (NATIONAL_PORTAL, 1, 1, "session_expired", 1),
    (NATIONAL_PORTAL, 7, 1, "http_429", 1),
    (CITY_PORTAL, 2, 1, "truncated", 1),
    (CITY_PORTAL, 6, 1, "http_503", 2),
    (CITY_PORTAL, 9, 2, "duplicate_page", 1),
    (ONE_STOP, 3, 2, "truncated", 1),
    (ONE_STOP, 8, 1, "http_500", 1),
    (ONE_STOP, 10, 2, "duplicate_page", 1),
)


@dataclass(frozen=True)
class BadVersion:
    """The only version of a dossier that no reader can accept, and how its record is spoilt."""

    kind: str
    version: Version

    def spoil(self, record: Record) -> Record:
        """Return the record with its fault."""
        return record | _SPOILERS[self.kind](record)


@dataclass(frozen=True)
class ServerFault:
    """What a server does wrong with a page of the list that closes a day (portal_server.FAULT_KINDS)."""

    system_code: str
    day: date
    page: int
    kind: str
    times: int

    def to_record(self) -> Record:
        """Return the fault as faults.json holds it."""
        return vars(self) | {"day": self.day.isoformat()}


_SPOILERS: dict[str, Callable[[Record], Record]] = {
    "unknown_unit": lambda record: {"unit_code": "UBND-999"},
    "unknown_procedure": lambda record: {"procedure_code": "9.999999"},
    # A clerk typed the applicant's number into the wrong field: the reason of the refusal must not show it.
    "phone_as_procedure": lambda record: {"procedure_code": record["applicant_phone"]},
    "bad_date": lambda record: {"received_at": "31/02/2020 08:00"},
    "unknown_status": lambda record: {"status": 99},
    "unknown_channel": lambda record: {"channel": 9},
    "missing_received_date": lambda record: {"received_at": None, "status": IN_PROCESS, "finished_at": None},
    "missing_finished_date": lambda record: {"status": PROCESSED, "finished_at": None},
}


def draw_bad_versions(random: Random, versions: list[Version], days: list[date]) -> list[BadVersion]:
    """Draw one bad version per system and kind, each modelled on a good one of some reporting day."""
    bad = []
    for place, code in enumerate(SYSTEM_CODES):
        received = [v for v in versions if v.system_code == code and v.received_at is not None]
        models = [v for v in received if to_local_date(v.changed_at) >= days[0]]
        for number, kind in enumerate(_SPOILERS if models else ()):
            model = random.choice(models)
            spoilt = replace(
                model,
                dossier_code=f"000.00.999.H13-{model.changed_at:%y%m%d}-{place}{number:03}",
                visible_from=model.changed_at,
            )
            bad.append(BadVersion(kind, spoilt))
    return bad


def plan_server_faults(pulls: pd.DataFrame) -> list[ServerFault]:
    """Place the servers' faults on pages that exist.

    Args:
        pulls: one row per system_code and report_date with the record_count of its list.
    """
    keys = zip(pulls["system_code"], pulls["report_date"], strict=True)
    page_counts = {
        key: math.ceil(count / _PAGE_SIZE) for key, count in zip(keys, pulls["record_count"], strict=True)
    }
    days = sorted({day for _, day in page_counts})
    return [
        ServerFault(code, days[place], page, kind, times)
        for code, place, page, kind, times in _SERVER_FAULTS
        if place < len(days) and page <= page_counts[code, days[place]]
    ]
