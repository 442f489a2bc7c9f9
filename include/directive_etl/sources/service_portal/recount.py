"""Count a day as it could be known at each pull, and record what is new in that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd
import sqlalchemy as sa

from directive_etl.registry.procedures import Procedure
from directive_etl.sources.service_portal.count import count_daily_dossiers, to_figures
from directive_etl.sources.service_portal.dossiers import Dossiers, State
from directive_etl.sources.service_portal.versions import Pull
from directive_etl.warehouse.merge import merge_rows
from directive_etl.warehouse.observations import record_observations
from directive_etl.warehouse.tables import facts


@dataclass(frozen=True)
class DayCount:
    """A day of one system as counted.

    figures: for each moment from the earliest on, the columns of an observation; daily: the fact as known at the last
    of them, one row per unit and procedure.
    """

    system_code: str
    day: date
    figures: Sequence[pd.DataFrame]
    daily: pd.DataFrame


@dataclass(frozen=True)
class Counting:
    """What the counts of one system's days are made from.

    tellings: all that can matter, as in core.portal_dossier_version; settled: the sums of the dossiers left out
    (`to_figures`); pulls: of the system, by day; known_at: nothing known before this moment is counted anew;
    unit_codes, procedures, directive_start: as `to_figures` takes them.
    """

    system_code: str
    tellings: pd.DataFrame
    settled: pd.DataFrame
    pulls: Mapping[date, Pull]
    known_at: datetime
    unit_codes: Sequence[str]
    procedures: Sequence[Procedure]
    directive_start: date


def count_days(counting: Counting, days: Sequence[date]) -> list[DayCount]:
    """Count days as known at each pull from `known_at` on."""
    dossiers = Dossiers(counting.system_code, counting.tellings)
    moments_of = {day: _moments(counting, day) for day in days}
    figures: dict[date, list[pd.DataFrame]] = {day: [] for day in days}
    daily = {}
    # By moment first: what was known then is the same for all days.
    for known_at in sorted(set().union(*moments_of.values())):
        versions = dossiers.known_by(known_at)
        for day in days:
            if known_at in moments_of[day]:
                state = versions.at_end(day)
                figures[day].append(_figures(counting, state, known_at))
                if known_at == moments_of[day][-1]:
                    daily[day] = count_daily_dossiers(state, counting.procedures)
    return [DayCount(counting.system_code, day, figures[day], daily[day]) for day in days]


def _moments(counting: Counting, day: date) -> list[datetime]:
    """Return the moments at which a day must be counted, the first one first."""
    # A day cannot be counted before its own pull, and this batch changes nothing that was known before it.
    first = max(counting.pulls[day].known_at, counting.known_at)
    return sorted({first, *(one.known_at for one in counting.pulls.values() if one.known_at > first)})


def _figures(counting: Counting, state: State, known_at: datetime) -> pd.DataFrame:
    """Return the figures of a day as known at a moment, with the columns of an observation."""
    is_proven = any(
        one.is_proven and one.day >= state.day and one.known_at <= known_at for one in counting.pulls.values()
    )
    return to_figures(
        state, counting.unit_codes, counting.procedures, counting.directive_start, counting.settled
    ).assign(figure_date=state.day, obs_status="A" if is_proven else "P", known_at=known_at)


def record_count(connection: sa.Connection, count: DayCount, *, source_code: str, batch_id: int) -> int:
    """Record a counted day, each moment as an observation and the last one as the fact; says how many rows changed.

    Args:
        connection: an open transaction that holds the part's lock.
        count: from `count_days`.
        source_code: the source of the figures.
        batch_id: the ledger row that stands for them.
    """
    changed = sum(
        record_observations(connection, figures, source_code=source_code, batch_id=batch_id).changed
        for figures in count.figures
    )
    merged = merge_rows(
        connection,
        facts.daily_portal_dossier,
        count.daily,
        scope={"report_date": count.day, "system_code": count.system_code},
        stamp={"batch_id": batch_id},
    )
    return changed + merged.changed
