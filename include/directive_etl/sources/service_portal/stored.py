"""Which stored tellings can matter to a pull. The others stay in the warehouse, and only their sums are read.

A dossier is settled before a day when its work ended and its result went back before it, nothing was told of it later,
and it was never withdrawn. Such a dossier is in none of the counts of the day or of later ones, except those to date.
"""

from collections.abc import Collection
from datetime import date, datetime

import pandas as pd
import sqlalchemy as sa

from directive_etl.periods import day_start
from directive_etl.sources.service_portal.dossiers import NEWLY_REGISTERED
from directive_etl.sources.service_portal.faults import CLOSED_STATUSES
from directive_etl.warehouse.staging import STAGING, stage
from directive_etl.warehouse.tables import facts

_TABLE = facts.portal_dossier_version
_COLUMNS = ", ".join(f"v.{column.name}" for column in _TABLE.c if column.name != "batch_id")

_IN_WINDOWS = """
insert into pg_temp.concerned
select distinct dossier_key from core.portal_dossier_version
where system_code = :system_code and changed_at >= :start and changed_at < :end
"""
_CONCERNED = f"""
select {_COLUMNS} from core.portal_dossier_version v
where system_code = :system_code and exists (select from pg_temp.concerned c where c.dossier_key = v.dossier_key)
"""
_SETTLED = """
create temporary table settled on commit drop as
with dossier as (
    select dossier_key from core.portal_dossier_version v
    where system_code = :system_code
      and not exists (select from pg_temp.concerned c where c.dossier_key = v.dossier_key)
    group by dossier_key
    having max(changed_at) < :day_start and max(known_at) < :known_at and not bool_or(is_withdrawn)
), state as (
    select distinct on (dossier_key) dossier_key, unit_code, status_code, finished_date, returned_date
    from core.portal_dossier_version join dossier using (dossier_key)
    where system_code = :system_code and status_code <> :newly_registered and received_date is not null
    order by dossier_key, changed_at desc, known_at desc
)
select dossier_key, unit_code, finished_date, returned_date
from state
where status_code = any(:closed) and finished_date < :day and coalesce(returned_date < :day, true)
"""
_UNSETTLED = f"""
select {_COLUMNS} from core.portal_dossier_version v
where system_code = :system_code
  and not exists (select from pg_temp.concerned c where c.dossier_key = v.dossier_key)
  and not exists (select from pg_temp.settled s where s.dossier_key = v.dossier_key)
"""
_SUMS = """
select unit_code, count(*) as processed_to_date_count, count(returned_date) as returned_to_date_count
from pg_temp.settled where finished_date >= :directive_start group by unit_code
"""


def concerned_tellings(
    connection: sa.Connection,
    system_code: str,
    keys: Collection[int],
    windows: Collection[tuple[datetime, datetime]],
) -> pd.DataFrame:
    """Return every telling held of the dossiers that a pull concerns.

    Args:
        connection: an open transaction; their keys stay in its temporary table `concerned`.
        system_code: the system.
        keys: dossiers in the list of the pull, by their key.
        windows: also the dossiers with a change in one of these [from, to).

    Returns:
        Columns as core.portal_dossier_version, types as `read_pages` gives them.
    """
    is_held = connection.execute(
        sa.select(sa.exists().where(_TABLE.c.system_code == system_code))
    ).scalar_one()
    # Where nothing is held of the system, no dossier needs looking up.
    frame = pd.DataFrame({"dossier_key": keys if is_held else []}, dtype="int64")
    stage(connection, frame, _TABLE, ["dossier_key"])
    connection.exec_driver_sql("drop table if exists pg_temp.concerned")
    connection.exec_driver_sql(f"alter table pg_temp.{STAGING} rename to concerned")
    of_system = {"system_code": system_code}
    if is_held:
        for start, end in windows:
            connection.execute(sa.text(_IN_WINDOWS), {**of_system, "start": start, "end": end})
        connection.exec_driver_sql("analyze pg_temp.concerned")
    return _typed(pd.read_sql(sa.text(_CONCERNED), connection, params=of_system))


def unsettled_tellings(
    connection: sa.Connection, system_code: str, day: date, known_at: datetime, directive_start: date
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tellings of all other dossiers that are not settled before a day, and the sums of those that are.

    Args:
        connection: the transaction in which `concerned_tellings` was called.
        system_code: the system.
        day: the first day that is counted.
        known_at: the first moment it is counted as known at.
        directive_start: first day of the figures to date.

    Returns:
        Tellings as `concerned_tellings`; and unit_code, processed_to_date_count, returned_to_date_count.
    """
    connection.exec_driver_sql("drop table if exists pg_temp.settled")
    connection.execute(
        sa.text(_SETTLED),
        {
            "system_code": system_code,
            "day": day,
            "day_start": day_start(day),
            "known_at": known_at,
            "newly_registered": NEWLY_REGISTERED,
            "closed": sorted(CLOSED_STATUSES),
        },
    )
    tellings = pd.read_sql(sa.text(_UNSETTLED), connection, params={"system_code": system_code})
    sums = pd.read_sql(sa.text(_SUMS), connection, params={"directive_start": directive_start})
    return _typed(tellings), sums


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Give a frame read from the warehouse the types of `read_pages`."""
    for name in ("changed_at", "known_at"):
        frame[name] = pd.to_datetime(frame[name], utc=True).astype("datetime64[us, UTC]")
    for name in frame.columns[frame.columns.str.endswith("_date")]:
        frame[name] = pd.to_datetime(frame[name]).astype("datetime64[us]")
    whole = dict.fromkeys(("dossier_key", "channel_code", "status_code"), "int64")
    texts = dict.fromkeys(("system_code", "unit_code", "procedure_code", "source_status"), "str")
    return frame.astype(whole | texts | {"is_withdrawn": "bool"})
