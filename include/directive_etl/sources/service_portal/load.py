"""Load dossier versions, and recount every day that a new version touches."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime

import numpy as np
import pandas as pd
import sqlalchemy as sa

from directive_etl.errors import RefusedBatchError
from directive_etl.periods import to_local_date
from directive_etl.quality import RowAccount
from directive_etl.quality.results import CheckResult, describe, failed_critical
from directive_etl.registry.procedures import Procedure
from directive_etl.sources.service_portal.extract import PullResult
from directive_etl.sources.service_portal.read import ReadPages
from directive_etl.sources.service_portal.recount import Counting, count_days, record_count
from directive_etl.sources.service_portal.stored import concerned_tellings, unsettled_tellings
from directive_etl.sources.service_portal.versions import VERSION_KEY, Pull, new_versions, vanished
from directive_etl.warehouse.ledger import Batch, lock_part, write_batch
from directive_etl.warehouse.merge import merge_rows
from directive_etl.warehouse.staging import append_rows
from directive_etl.warehouse.tables import facts

SOURCE = "service_portal"


def is_first_pull(connection: sa.Connection, system_code: str, day: date) -> bool:
    """Whether no earlier day of the system was proved whole, so that dossiers open before must be fetched
    too.
    """
    return last_proven_day(connection, system_code, day) is None


def last_proven_day(connection: sa.Connection, system_code: str, day: date) -> date | None:
    """Return the last day before a day whose pull was proved whole.

    Only earlier days count, so pulling an old day again asks for the same window as the first time.
    """
    table = facts.portal_pull
    query = sa.select(sa.func.max(table.c.report_date)).where(
        table.c.system_code == system_code, table.c.report_date < day, table.c.is_proven
    )
    return connection.execute(query).scalar()


def recorded_window(
    connection: sa.Connection, system_code: str, day: date
) -> tuple[datetime, datetime] | None:
    """Return the window that an earlier pull of the day asked for, so that a rerun asks the same; None without one.

    What was known of the days before may have changed since: a backfill runs days side by side.
    """
    table = facts.portal_pull
    query = sa.select(table.c.window_from, table.c.window_to).where(
        table.c.system_code == system_code, table.c.report_date == day
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else (row.window_from, row.window_to)


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
        checks=[*checks, _whole_list_check(pull)],
        suite_name="core.portal_dossier_version",
        status_code="refused" if failed else "loaded",
        reason=describe(failed),
    )


def _whole_list_check(pull: PullResult) -> CheckResult:
    return CheckResult(
        check_code="list_proved_whole",
        severity="warning",
        column="",
        is_success=not pull.doubt,
        observed=pull.doubt,
        failed_count=int(bool(pull.doubt)),
        notes="a list that kept moving is provisional until the next one that is proved whole",
    )


def load_pull(
    engine: sa.Engine,
    batch: Batch,
    pull: PullResult,
    pages: ReadPages,
    *,
    shows_past_state: bool,
    unit_codes: Sequence[str],
    procedures: Sequence[Procedure],
    directive_start: date,
) -> list[date]:
    """Load one pull of one system and recount the days it touches, in one transaction.

    Each day is counted as it could be known at this pull and at each later one, so that the order in
    which pulls are
    loaded does not matter.

    Args:
        engine: of the role etl_loader.
        batch: of the pull; versions in its account that are held already are counted as unchanged.
        pull: what was pulled.
        pages: what was read of it.
        shows_past_state: whether a dossier that should be in the list and is not has been withdrawn.
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
        before = pulls_of(connection, batch.part_code, with_keys_after=batch.known_at)
        batch, versions = _as_known_now(batch, pages.versions.assign(is_withdrawn=False), pull, before)
        this = Pull(batch.report_date, batch.known_at, pull.window, not pull.doubt, pages.seen_keys)
        pulls = before | {this.day: this}
        later = [one for one in pulls.values() if one.known_at >= this.known_at]
        stored = concerned_tellings(
            connection, batch.part_code, versions["dossier_key"].unique(), [one.window for one in later]
        )
        news = new_versions(versions, stored)
        known = news if stored.empty else pd.concat([stored, news], ignore_index=True)
        gone = vanished(known, later if shows_past_state else [])
        known = pd.concat([known, gone], ignore_index=True) if len(gone) else known
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
        days = touched_days(this, pulls, news, gone, known, directive_start)
        others, settled = unsettled_tellings(
            connection, batch.part_code, min(days), batch.known_at, directive_start
        )
        counting = Counting(
            system_code=batch.part_code,
            tellings=known if others.empty else pd.concat([known, others], ignore_index=True),
            settled=settled,
            pulls=pulls,
            known_at=batch.known_at,
            unit_codes=unit_codes,
            procedures=procedures,
            directive_start=directive_start,
        )

        def load(batch_id: int) -> int:
            # Counting needs nothing of the warehouse: it goes on while PostgreSQL takes the tellings in.
            with ThreadPoolExecutor(1, thread_name_prefix="count") as aside:
                counts = aside.submit(count_days, counting, days)
                stamp = {"batch_id": batch_id}
                told = pd.concat([news, gone], ignore_index=True) if len(gone) else news
                written = _keep_tellings(connection, told, stored, stamp)
                written += _record_pull(connection, batch, this, pull.doubt, batch_id)
            for count in counts.result():
                changed = record_count(connection, count, source_code=SOURCE, batch_id=batch_id)
                if changed:
                    changed_days.append(count.day)
                    written += changed
            return written

        write_batch(connection, batch, load)
    return changed_days


def _as_known_now(
    batch: Batch, versions: pd.DataFrame, pull: PullResult, before: Mapping[date, Pull]
) -> tuple[Batch, pd.DataFrame]:
    """A list that is again as it was before another one is news of today, although its bytes landed
    earlier.
    """
    held = before.get(batch.report_date)
    if held is None or not batch.known_at < held.known_at < pull.answered_at:
        return batch, versions
    return replace(batch, known_at=pull.answered_at), versions.assign(
        known_at=pd.Timestamp(pull.answered_at).tz_convert("UTC")
    )


def _keep_tellings(
    connection: sa.Connection, told: pd.DataFrame, stored: pd.DataFrame, stamp: Mapping[str, int]
) -> int:
    """Write tellings; nearly all are new and go in by COPY, in the order of their key, which the index likes."""
    key = [*VERSION_KEY, "known_at"]
    held = stored.loc[stored["known_at"].isin(told["known_at"]), key]
    is_held = np.zeros(len(told), dtype=bool)
    if len(held):  # as when a pull is loaded again
        is_held = pd.MultiIndex.from_frame(told[key]).isin(pd.MultiIndex.from_frame(held))
    fresh, repeated = told[~is_held], told[is_held]
    append_rows(connection, facts.portal_dossier_version, fresh.sort_values(key).assign(**stamp))
    if repeated.empty:
        return len(fresh)
    return len(fresh) + merge_rows(connection, facts.portal_dossier_version, repeated, stamp=stamp).changed


def _record_pull(connection: sa.Connection, batch: Batch, this: Pull, doubt: str, batch_id: int) -> int:
    row = {
        "system_code": batch.part_code,
        "report_date": this.day,
        "known_at": this.known_at,
        "window_from": this.window[0],
        "window_to": this.window[1],
        "is_proven": this.is_proven,
        "doubt": doubt,
        "seen_keys": np.sort(np.asarray(this.seen_keys, dtype="<i8")).tobytes(),
    }
    frame = pd.DataFrame([row])
    return merge_rows(connection, facts.portal_pull, frame, stamp={"batch_id": batch_id}).changed


def pulls_of(connection: sa.Connection, system_code: str, with_keys_after: datetime) -> dict[date, Pull]:
    """Return the pulls of a system by day; those known from a moment on with the dossiers they saw."""
    table = facts.portal_pull
    keys = sa.case((table.c.known_at >= with_keys_after, table.c.seen_keys), else_=b"")
    rows = connection.execute(sa.select(table, keys.label("keys")).where(table.c.system_code == system_code))
    return {
        row.report_date: Pull(
            row.report_date,
            row.known_at,
            (row.window_from, row.window_to),
            row.is_proven,
            np.frombuffer(row.keys, dtype="<i8"),
        )
        for row in rows
    }


def touched_days(
    this: Pull,
    pulls: Mapping[date, Pull],
    news: pd.DataFrame,
    gone: pd.DataFrame,
    known: pd.DataFrame,
    directive_start: date,
) -> list[date]:
    """Return the pulled days that a pull touches: by its news, by what vanished, by what it proves after all.

    A dossier that vanishes, or comes back, touches every day since its first change.
    """
    first = this.day
    if this.is_proven:
        proven = [day for day, pull in pulls.items() if pull.is_proven and day < this.day]
        first = min([day for day in pulls if not proven or day > max(proven)])
        first = min(first, this.day)
    if len(news):
        first = min(first, to_local_date(news["changed_at"].min()))
    withdrawn = known.loc[known["is_withdrawn"].to_numpy(dtype=bool), "dossier_key"]
    back = news.loc[news["dossier_key"].isin(withdrawn), "dossier_key"]
    whole = {*gone["dossier_key"], *back}
    if whole:
        first = min(first, to_local_date(known.loc[known["dossier_key"].isin(whole), "changed_at"].min()))
    if first == this.day and not len(news) and not whole:
        return [this.day]
    return [day for day in sorted(pulls) if day >= max(first, directive_start)]
