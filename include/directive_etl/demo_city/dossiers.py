"""The demo city's dossiers on three portals: simulated versions, the portals' files, and what is true.

Each line of `<demo>/portal/<system_code>.jsonl` is one version of a dossier. `visible_from` stands only on
the few that reach the portal late: the pull of day R has a version if visible_from < R+1 00:00 and its change
is in the asked window. `faults.json` plans what the portals' servers do wrong (portal_server). The truth is
counted from the simulation; nothing here uses the pipeline's readers and counters.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd

from directive_etl.demo_city.dossier_course import Course, Version, WorkingDays
from directive_etl.demo_city.dossier_demand import (
    PORTAL_UNITS,
    SYSTEM_CODES,
    Applicant,
    Demand,
    draw_applicant,
)
from directive_etl.demo_city.dossier_faults import (
    BadVersion,
    ServerFault,
    draw_bad_versions,
    plan_server_faults,
)
from directive_etl.demo_city.dossier_files import write_portal_files
from directive_etl.demo_city.dossier_truth import (
    PORTAL_COUNTS,
    PORTAL_KEYS,
    count_measures,
    count_portal_day,
    pulled_at,
    to_frame,
)
from directive_etl.demo_city.revisions import OBSERVATION_COLUMNS
from directive_etl.demo_city.sms_subscribers import draw_subscribers
from directive_etl.periods import day_end, day_start, days_between, to_local_date
from directive_etl.registry.units import matching_units

# Dossiers are simulated from here on, so that the first pull finds a city at work.
FIRST_SUBMISSION_DAY = date(2020, 7, 15)
# How far back a pull looks: two days for changes shown late, the first pull over all simulated days.
OVERLAP = timedelta(days=2)
INITIAL_WINDOW_START = date(2020, 7, 1)

# A few changes of each status reach their portal one day late, or two.
_LATE_PER_STATUS = 7
_LATEST = timedelta(days=2)


@dataclass(frozen=True)
class DossierSimulation:
    """All that happened, and what is true of it.

    Attributes:
        days: consecutive reporting days, each closed by a pull.
        versions: by dossier, then by time of change; none after the last day.
        bad_versions: records that no reader can accept, of dossiers that have no other version.
        applicants: by dossier_code.
        server_faults: what the portals' servers do wrong.
    """

    days: list[date]
    versions: list[Version]
    bad_versions: list[BadVersion]
    applicants: dict[str, Applicant]
    server_faults: list[ServerFault]

    @cached_property
    def _frame(self) -> pd.DataFrame:
        return to_frame(self.versions)

    def true_observations(self) -> pd.DataFrame:
        """Return every revision of every figure (OBSERVATION_COLUMNS), zeros included, by day and pull.

        A pull that brings versions shown late revises earlier days: the figures it changes get one row more.
        """
        codes = [unit.unit_code for unit in matching_units(PORTAL_UNITS, self.days[-1])]
        keys = pd.MultiIndex.from_product([SYSTEM_CODES, codes], names=["system_code", "unit_code"])
        parts = []
        for day in self.days:
            for pull_day in self._pulls_that_change(day):
                counted = count_measures(self._frame, day, pull_day, self.days[0], keys)
                parts.append(counted.assign(figure_date=day, known_at=pd.Timestamp(pulled_at(pull_day))))
        history = pd.concat(parts, ignore_index=True)
        before = history.groupby(["unit_code", "measure_code", "system_code", "figure_date"])["value"].shift()
        history = history[before != history["value"]].rename(columns={"system_code": "category_code"})
        return history.assign(obs_status="A")[OBSERVATION_COLUMNS].reset_index(drop=True)

    def true_portal_daily(self) -> pd.DataFrame:
        """Return reporting.portal_daily as of the last pull: PORTAL_KEYS and PORTAL_COUNTS, sorted."""
        parts = [count_portal_day(self._frame, day, self.days[-1]) for day in self.days]
        return pd.concat(parts)[[*PORTAL_KEYS, *PORTAL_COUNTS]].sort_values(PORTAL_KEYS, ignore_index=True)

    def true_pull_account(self) -> pd.DataFrame:
        """Return what each pull is sent: one row per system_code and report_date.

        record_count: dossiers in the list, bad ones included; refused_count: bad ones; late_count: versions
        that come with this pull although they changed on an earlier day; unreadable_page_count: answers cut
        off on the way.
        """
        good, bad = _shown(self.versions), _shown([fault.version for fault in self.bad_versions])
        rows = []
        for day in self.days:
            sent, refused = _sent(good, day, self.days[0]), _sent(bad, day, self.days[0])
            late = sent[sent["is_late"] & (sent["visible_from"] >= day_start(day))]
            for code in SYSTEM_CODES:
                here = [f for f in self.server_faults if (f.system_code, f.day) == (code, day)]
                dossiers, bad_ones = (
                    frame[frame["system_code"] == code]["dossier_code"].nunique() for frame in (sent, refused)
                )
                rows.append(
                    {
                        "system_code": code,
                        "report_date": day,
                        "record_count": dossiers + bad_ones,
                        "refused_count": bad_ones,
                        "late_count": int((late["system_code"] == code).sum()),
                        "unreadable_page_count": sum(f.times for f in here if f.kind == "truncated"),
                    }
                )
        return pd.DataFrame(rows).sort_values(["system_code", "report_date"], ignore_index=True)

    def true_phone_numbers(self) -> set[str]:
        """Return the national significant number (9 digits) of every applicant, for the hunt for leaks."""
        return {applicant.phone for applicant in self.applicants.values()}

    @cached_property
    def _late_versions(self) -> list[Version]:
        return [version for version in self.versions if _is_shown_late(version)]

    def _pulls_that_change(self, day: date) -> list[date]:
        """Return the pulls that may change a day's figures: its own, and those that bring late versions."""
        late = [version for version in self._late_versions if to_local_date(version.changed_at) <= day]
        shown = {to_local_date(version.visible_from) for version in late}
        return [day, *sorted(pull_day for pull_day in shown if day < pull_day <= self.days[-1])]


def simulate_dossiers(seed: int, days: list[date], dossier_count: int = 20_000) -> DossierSimulation:
    """Simulate the dossiers of three portals up to the last of some consecutive days.

    Args:
        seed: the same seed gives the same dossiers, files and truth.
        days: consecutive reporting days, the first after FIRST_SUBMISSION_DAY.
        dossier_count: about as many are submitted from FIRST_SUBMISSION_DAY to the last day.

    Raises:
        ValueError: the days are not consecutive, or too early.
    """
    if not days or days != days_between(days[0], days[-1]) or days[0] <= FIRST_SUBMISSION_DAY:
        raise ValueError(f"simulate_dossiers: give consecutive days after {FIRST_SUBMISSION_DAY}, not {days}")
    random = Random(f"{seed}/dossiers")
    working_days = WorkingDays.around(FIRST_SUBMISSION_DAY, days[-1])
    demand = Demand(random, FIRST_SUBMISSION_DAY, days[-1], dossier_count)
    slowness: dict[str, float] = {}
    versions: list[Version] = []
    for day in demand.days:
        for submitted in demand.draw_day(day):
            pace = slowness.setdefault(submitted.unit_code, random.uniform(0.6, 1.4))
            course = Course(random, working_days, submitted, pace).run()
            versions += [version for version in course if to_local_date(version.changed_at) <= days[-1]]
    versions.sort(key=lambda version: (version.dossier_code, version.changed_at))
    versions = _show_some_late(random, versions, days)
    bad_versions = draw_bad_versions(random, versions, days)
    codes = dict.fromkeys(
        version.dossier_code for version in [*versions, *(bad.version for bad in bad_versions)]
    )
    generator = np.random.default_rng([seed, 2])
    phones = generator.permutation(draw_subscribers(generator, len(codes) + 10).number).tolist()
    applicants = {
        code: draw_applicant(random, str(phone)) for code, phone in zip(codes, phones, strict=False)
    }
    unfaulted = DossierSimulation(days, versions, bad_versions, applicants, [])
    return replace(unfaulted, server_faults=plan_server_faults(unfaulted.true_pull_account()))


@cache
def dossiers_between(seed: int, first_day: date, last_day: date, dossier_count: int) -> DossierSimulation:
    """Return the dossiers of some days, simulated once a process; one forked afterwards has them, too."""
    return simulate_dossiers(seed, days_between(first_day, last_day), dossier_count)


@cache
def received_dossiers(
    seed: int, first_day: date, last_day: date, dossier_count: int
) -> dict[tuple[str, date], int]:
    """Return how many dossiers each unit received on a day, over the systems, as the last pull shows them."""
    daily = dossiers_between(seed, first_day, last_day, dossier_count).true_portal_daily()
    sums = daily.groupby(["unit_code", "report_date"], as_index=False)["received_count"].sum()
    return {(str(unit), day): int(count) for unit, day, count in sums.to_numpy().tolist()}


def write_dossiers(simulation: DossierSimulation, demo: Path) -> list[Path]:
    """Write `<demo>/portal/<system_code>.jsonl` for each system, and `faults.json`.

    Returns:
        The files written.
    """
    return write_portal_files(
        demo / "portal",
        simulation.versions,
        simulation.bad_versions,
        simulation.applicants,
        simulation.server_faults,
    )


def _show_some_late(random: Random, versions: list[Version], days: list[date]) -> list[Version]:
    """Make some versions of each status reach their portal a day or two late.

    A portal sends the last version in the asked window only, so the late one must still be the last of its
    dossier when it appears: otherwise it would never be sent, and its day never corrected.
    """
    can_be_late: dict[int, list[int]] = {}
    for place, (version, following) in enumerate(pairwise([*versions, None])):
        if version is None or not days[0] <= to_local_date(version.changed_at) < days[-1]:
            continue
        appears_by = day_end(to_local_date(version.changed_at) + _LATEST)
        is_last = following is None or following.dossier_code != version.dossier_code
        if is_last or (following is not None and following.changed_at >= appears_by):
            can_be_late.setdefault(version.status, []).append(place)
    shown = list(versions)
    for status in sorted(can_be_late):
        places = can_be_late[status]
        for place in random.sample(places, min(_LATE_PER_STATUS, len(places) // 10)):
            delay = random.choice((_LATEST / 2, _LATEST / 2, _LATEST / 2, _LATEST))
            appears_on = day_start(to_local_date(versions[place].changed_at) + delay)
            visible_from = appears_on + timedelta(seconds=random.randrange(8 * 3600, 20 * 3600))
            shown[place] = replace(versions[place], visible_from=visible_from)
    return shown


def _shown(versions: list[Version]) -> pd.DataFrame:
    """Return one row per version: system_code, dossier_code, changed_at, visible_from, is_late."""
    columns = ["system_code", "dossier_code", "changed_at", "visible_from"]
    frame = pd.DataFrame(
        [[getattr(version, name) for name in columns] for version in versions], columns=columns
    )
    return frame.assign(is_late=[_is_shown_late(version) for version in versions])


def _sent(shown: pd.DataFrame, pull_day: date, first_day: date) -> pd.DataFrame:
    """Return the versions that may be in the list of a pull; of each dossier the last one is sent."""
    start = day_start(INITIAL_WINDOW_START) if pull_day == first_day else day_start(pull_day) - OVERLAP
    end = day_end(pull_day)
    is_changed = (shown["changed_at"] >= start) & (shown["changed_at"] < end)
    return shown[is_changed & (shown["visible_from"] < end)]


def _is_shown_late(version: Version) -> bool:
    return to_local_date(version.visible_from) > to_local_date(version.changed_at)
