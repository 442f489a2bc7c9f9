"""The observation, where every revision is kept: a value is never changed or deleted."""

from collections.abc import Mapping

import pandas as pd
import sqlalchemy as sa

from directive_etl.warehouse.merge import Merged
from directive_etl.warehouse.staging import stage
from directive_etl.warehouse.tables.facts import observation

# What the pipeline observes of itself, at a close, which recomputes the day at once.
OWN_SOURCE = "pipeline"
COLUMNS = ["unit_code", "measure_code", "category_code", "figure_date", "value", "obs_status", "known_at"]

# What was known just before decides whether a figure is news; what became known later decides whether it is current.
_NEWS = """
create temporary table news on commit drop as
select s.*, later.is_known is not null as is_outdated,
       before.known_at is not null and before.obs_status = s.obs_status
           and before.value is not distinct from s.value as is_confirmation
from pg_temp.staging s
left join lateral (
    select o.value, o.obs_status, o.known_at
    from core.observation o
    where o.figure_date = s.figure_date and o.unit_code = s.unit_code and o.measure_code = s.measure_code
      and o.category_code = s.category_code and o.known_at <= s.known_at
    order by o.known_at desc, o.recorded_at desc, o.observation_id desc
    limit 1
) before on true
left join lateral (
    select true as is_known
    from core.observation o
    where o.figure_date = s.figure_date and o.unit_code = s.unit_code and o.measure_code = s.measure_code
      and o.category_code = s.category_code and o.known_at > s.known_at
    limit 1
) later on true
where before.known_at is null or before.obs_status <> s.obs_status or before.value is distinct from s.value
   or (:keep_confirmations and before.known_at < s.known_at)
"""
_SUPERSEDE = """
update core.observation o set superseded_at = greatest(:recorded_at, o.recorded_at)
from pg_temp.news n
where o.figure_date = n.figure_date and o.unit_code = n.unit_code and o.measure_code = n.measure_code
  and o.category_code = n.category_code and o.superseded_at is null and not n.is_outdated
"""
_INSERT = """
insert into core.observation (source_code, unit_code, measure_code, category_code, figure_date, value, obs_status,
                              known_at, recorded_at, superseded_at, batch_id)
select :source_code, unit_code, measure_code, category_code, figure_date, value, obs_status,
       known_at, :recorded_at, case when is_outdated then cast(:recorded_at as timestamptz) end, batch_id
from pg_temp.news
"""
# A task that dies after its load has told nobody which days changed; its next try finds them here.
_NOTE_DAYS = """
insert into ops.changed_day (source_code, report_date)
select distinct :source_code, figure_date from pg_temp.news order by figure_date
"""


def record_observations(
    connection: sa.Connection,
    frame: pd.DataFrame,
    *,
    source_code: str,
    batch_id: int,
    keep_confirmations: bool = False,
) -> Merged:
    """Add a revision for each figure that differs from what was known before it, in the caller's transaction.

    The order of arrival does not matter: a figure known earlier than the current one is added as history. A figure
    left blank (value NULL, status M) is recorded too: it withdraws what was known before it, now or when that comes.

    Args:
        connection: an open transaction that holds the part's lock.
        frame: COLUMNS, at most one row per unit, measure, category and day; value int or None, known_at aware.
        source_code: the source of the figures.
        batch_id: the ledger row that stands for them.
        keep_confirmations: also record a figure that says again what was known before it. Wanted where another figure
            from between the two may still arrive; a source that recounts later moments itself does without.

    Returns:
        Figures that said something new, and those that did not.
    """
    numbered = frame.assign(batch_id=batch_id)
    written = sum(
        record_batches(
            connection, numbered, source_code=source_code, keep_confirmations=keep_confirmations
        ).values()
    )
    return Merged(written=written, deleted=0, unchanged=len(frame) - written)


def record_batches(
    connection: sa.Connection, frame: pd.DataFrame, *, source_code: str, keep_confirmations: bool = False
) -> Mapping[int, int]:
    """Add what several batches say at once, as `record_observations` does for one.

    Args:
        connection: an open transaction that holds the lock of each batch's part.
        frame: COLUMNS and `batch_id`; at most one row per unit, measure, category and day in all batches together.
        source_code: the source of the figures.
        keep_confirmations: as for one batch.

    Returns:
        By batch, how many figures said something new; batches without any are left out.
    """
    if not _find_news(connection, frame, keep_confirmations=keep_confirmations):
        return {}
    # Not the start of the transaction: another batch may have committed while this one waited for its lock.
    recorded_at = connection.execute(sa.text("select clock_timestamp()")).scalar_one()
    connection.execute(sa.text(_SUPERSEDE), {"recorded_at": recorded_at})
    connection.execute(sa.text(_INSERT), {"recorded_at": recorded_at, "source_code": source_code})
    if source_code != OWN_SOURCE:
        connection.execute(sa.text(_NOTE_DAYS), {"source_code": source_code})
    counted = connection.exec_driver_sql(
        "select batch_id, count(*) from pg_temp.news where not is_confirmation group by batch_id"
    )
    return dict(counted.tuples().all())


def has_news(connection: sa.Connection, frame: pd.DataFrame) -> bool:
    """Say whether recording the figures, confirmations kept, would write anything.

    Args:
        connection: an open transaction that holds the lock of each part.
        frame: COLUMNS.
    """
    return _find_news(connection, frame.assign(batch_id=None), keep_confirmations=True)


def _find_news(connection: sa.Connection, frame: pd.DataFrame, *, keep_confirmations: bool) -> bool:
    """Fill the temporary table `news` with the figures to write; says whether there is any."""
    if frame.empty:
        return False
    stage(connection, frame, observation, [*COLUMNS, "batch_id"])
    connection.exec_driver_sql("drop table if exists pg_temp.news")
    found = connection.execute(sa.text(_NEWS), {"keep_confirmations": keep_confirmations})
    return found.rowcount > 0
