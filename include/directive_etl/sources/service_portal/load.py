"""Load dossier versions, and recount every day that a new version touches."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

import pandas as pd
import sqlalchemy as sa

from directive_etl.errors import RefusedBatchError
from directive_etl.periods import to_local_date
from directive_etl.quality import RowAccount
from directive_etl.quality.results import CheckResult, describe, failed_critical
from directive_etl.registry.procedures import Procedure
from directive_etl.sources.service_portal.count import count_daily_dossiers, to_figures
from directive_etl.sources.service_portal.extract import PullResult
from directive_etl.sources.service_portal.read import ReadPages
from directive_etl.warehouse.ledger import Batch, lock_part, write_batch
from directive_etl.warehouse.merge import merge_rows
from directive_etl.warehouse.observations import record_observations
from directive_etl.warehouse.tables import facts

SOURCE = "service_portal"
VERSION_KEY = ["system_code", "dossier_key", "changed_at"]


def is_first_pull(connection: sa.Connection, system_code: str, day: date) -> bool:
    """Whether no earlier day of the system was pulled, so that dossiers open before must be fetched too."""
    table = facts.portal_pull
    query = sa.select(sa.literal(True)).where(table.c.system_code == system_code, table.c.report_date < day)
    return connection.execute(query.limit(1)).scalar() is None


def pull_batch(
    system_code: str, day: date, pull: PullResult, pages: ReadPages, checks: Sequence[CheckResult]
) -> Batch:
    """Describe a pull as a ledger row; a failed critical check makes it a refused batch."""
    failed = failed_critical(checks)
    refused = pd.concat([pull.refused, pages.refused], ignore_index=True)
    read_count = pages.read_count + len(pull.refused)
    if failed:
        account = RowAccount(read=read_count, loaded=0, refused=read_count)
    else:
        account = RowAccount(
            read=read_count, loaded=len(pages.versions), refused=len(refused), duplicate=pages.duplicate_count
        )
    return Batch(
        source_code=SOURCE,
        part_code=system_code,
        report_date=day,
        known_at=max(file.known_at for file in pull.files),
        account=account,
        files=pull.files,
        unreadable_files=pull.unreadable,
        refused=refused,
        checks=checks,
        suite_name="core.portal_dossier_version",
        status_code="refused" if failed else "loaded",
        reason=describe(failed),
    )


def stored_versions(connection: sa.Connection, system_code: str) -> pd.DataFrame:
    """Return every dossier version held of a system, columns as core.portal_dossier_version, times in UTC."""
    table = facts.portal_dossier_version
    columns = [column for column in table.c if column.name != "batch_id"]
    frame = pd.read_sql(sa.select(*columns).where(table.c.system_code == system_code), connection)
    for moment in ("changed_at", "known_at"):
        frame[moment] = pd.to_datetime(frame[moment], utc=True)
    return frame


def new_versions(versions: pd.DataFrame, stored: pd.DataFrame) -> pd.DataFrame:
    """Return the versions that say something not known before they came.

    Args:
        versions: of one pull, one row per dossier version.
        stored: all versions held of the system.

    Returns:
        Rows of `versions`. A version held with the same content and known no later is no news.
    """
    content = [column for column in versions.columns if column != "known_at"]
    held = _as_text(stored, content).sort_values("known_at").drop_duplicates(content, keep="first")
    joined = _as_text(versions, content).merge(
        held[[*content, "known_at"]].rename(columns={"known_at": "held_since"}), on=content, how="left"
    )
    is_known = (joined["held_since"] <= joined["known_at"]).to_numpy()
    return versions[~is_known]


def load_pull(
    engine: sa.Engine,
    batch: Batch,
    versions: pd.DataFrame,
    *,
    unit_codes: Sequence[str],
    procedures: Sequence[Procedure],
    directive_start: date,
) -> list[date]:
    """Load one pull of one system and recount the days it touches, in one transaction.

    Each day is counted as it could be known at this pull and at each later one, so that the order in which pulls are
    loaded does not matter.

    Args:
        engine: of the role etl_loader.
        batch: of the pull; versions in its account that are held already are counted as unchanged.
        versions: what the pull read; columns as core.portal_dossier_version.
        unit_codes: units for which the portal's list is complete: without dossiers they have 0.
        procedures: the catalogue.
        directive_start: first day that is measured.

    Returns:
        The days whose figures changed.

    Raises:
        RefusedBatchError: a critical check failed; the refusal itself is in the ledger.
    """
    if batch.status_code == "refused":
        with engine.begin() as connection:
            lock_part(connection, SOURCE, batch.part_code)
            write_batch(connection, batch)
        raise RefusedBatchError(f"{SOURCE} {batch.part_code} {batch.report_date}: {batch.reason}")
    changed_days: list[date] = []
    with engine.begin() as connection:
        lock_part(connection, SOURCE, batch.part_code)
        stored = stored_versions(connection, batch.part_code)
        news = new_versions(versions, stored)
        account = batch.account
        batch = replace(
            batch,
            account=RowAccount(
                read=account.read,
                loaded=len(news),
                refused=account.refused,
                duplicate=account.duplicate,
                unchanged=account.loaded - len(news),
            ),
        )
        known = versions if stored.empty else pd.concat([stored, news], ignore_index=True)
        pulls = _pulls(connection, batch)
        days = _touched_days(batch, news, pulls, directive_start)

        def load(batch_id: int) -> int:
            stamp = {"batch_id": batch_id}
            written = merge_rows(connection, facts.portal_dossier_version, news, stamp=stamp).changed
            pull = pd.DataFrame(
                [{"system_code": batch.part_code, "report_date": batch.report_date, "known_at": batch.known_at}]
            )
            written += merge_rows(connection, facts.portal_pull, pull, stamp=stamp).changed
            for day in days:
                changed = _recount(connection, batch, batch_id, known, pulls, day, unit_codes, procedures, directive_start)
                if changed:
                    changed_days.append(day)
                    written += changed
            return written

        write_batch(connection, batch, load)
    return changed_days


def _recount(
    connection: sa.Connection,
    batch: Batch,
    batch_id: int,
    known: pd.DataFrame,
    pulls: dict[date, datetime],
    day: date,
    unit_codes: Sequence[str],
    procedures: Sequence[Procedure],
    directive_start: date,
) -> int:
    """Count a day as known at each pull from this one on; the last count is the fact, each is an observation."""
    system_code = batch.part_code
    # A day cannot be counted before its own pull, and this batch changes nothing that was known before it.
    first_moment = max(pulls[day], batch.known_at)
    moments = sorted({first_moment, *(known_at for known_at in pulls.values() if known_at > first_moment)})
    changed = 0
    for known_at in moments:
        versions = _known_by(known, known_at)
        figures = to_figures(versions, day, system_code, list(unit_codes), list(procedures), directive_start)
        figures = figures.assign(figure_date=day, obs_status="A", known_at=known_at)
        changed += record_observations(connection, figures, source_code=SOURCE, batch_id=batch_id).changed
        if known_at == moments[-1]:
            daily = count_daily_dossiers(versions, day, list(procedures))
            changed += merge_rows(
                connection,
                facts.daily_portal_dossier,
                daily,
                scope={"report_date": day, "system_code": system_code},
                stamp={"batch_id": batch_id},
            ).changed
    return changed


def _touched_days(
    batch: Batch, news: pd.DataFrame, pulls: dict[date, datetime], directive_start: date
) -> list[date]:
    """Return the pulled days that the new versions touch; without any, the pull's own day."""
    if news.empty:
        return [batch.report_date]
    first = min(batch.report_date, to_local_date(news["changed_at"].min()))
    return [day for day in sorted(pulls) if day >= max(first, directive_start)]


def _known_by(versions: pd.DataFrame, known_at: datetime) -> pd.DataFrame:
    """Return what was known of each version at a moment: the telling that came last."""
    known = versions[versions["known_at"] <= pd.Timestamp(known_at)]
    return known.sort_values("known_at", kind="stable").drop_duplicates(VERSION_KEY, keep="last")


def _pulls(connection: sa.Connection, batch: Batch) -> dict[date, datetime]:
    """Return the pulled days of the system with the time each was known, this batch's among them."""
    table = facts.portal_pull
    rows = connection.execute(
        sa.select(table.c.report_date, table.c.known_at).where(table.c.system_code == batch.part_code)
    )
    return {row.report_date: row.known_at for row in rows} | {batch.report_date: batch.known_at}


def _as_text(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Make the named columns comparable: dates and numbers come from two places with two types."""
    return frame.assign(**{column: frame[column].astype("string").fillna("") for column in columns})
