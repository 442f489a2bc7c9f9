"""The ledger: one row per batch, in the same transaction as what the batch wrote."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from structlog.contextvars import bind_contextvars

from directive_etl.landing import LandedFile
from directive_etl.quality import REFUSED_COLUMNS, RowAccount
from directive_etl.quality.results import CheckResult
from directive_etl.settings import settings
from directive_etl.warehouse.staging import append_rows
from directive_etl.warehouse.tables import ops

_MAX_CONTENT = 500
_LOCK = """
select pg_advisory_xact_lock(hashtextextended(part.name, 0)) from unnest(cast(:names as text[])) as part (name)
"""
_ARE_RECORDED = """
select exists (
    select from ops.load_batch b
    where b.source_code = w.source_code and b.part_code = w.part_code and b.report_date = w.report_date
      and b.input_hash = w.input_hash and b.status_code = w.status_code and b.known_at = w.known_at
)
from unnest(
    cast(:source_codes as text[]), cast(:part_codes as text[]), cast(:report_dates as date[]),
    cast(:input_hashes as text[]), cast(:status_codes as text[]), cast(:known_ats as timestamptz[])
) with ordinality as w (source_code, part_code, report_date, input_hash, status_code, known_at, place)
order by w.place
"""
LANDED_COLUMNS = [column.name for column in ops.landed_file.columns]


@dataclass(frozen=True)
class Batch:
    """What a ledger row says, apart from what the load itself did.

    `unreadable_files` landed and are named in refused rows, but are no part of the input: asked for again, they may
    differ.
    With `rows_are_figures`, every row is one figure: those the load leaves as they were are counted as unchanged.
    """

    source_code: str
    part_code: str
    report_date: date
    known_at: datetime
    account: RowAccount
    files: Sequence[LandedFile] = ()
    unreadable_files: Sequence[LandedFile] = ()
    refused: pd.DataFrame | None = None
    checks: Sequence[CheckResult] = ()
    suite_name: str = ""
    status_code: str = "loaded"
    reason: str = ""
    error_count: int | None = None
    warning_count: int | None = None
    input_parts: Sequence[str] = field(default=())
    rows_are_figures: bool = False
    late_count: int = 0

    @property
    def input_hash(self) -> str:
        """Hash of the content of every file read, in order, and of `input_parts` where the input is no file."""
        return hash_input(self.files, self.input_parts)


def hash_input(files: Sequence[LandedFile], parts: Sequence[str] = ()) -> str:
    """Return the hash by which the ledger knows an input again: of the files' content, in order, and of the parts."""
    digest = hashlib.sha256()
    for part in (*(file.sha256 for file in files), *parts):
        digest.update(part.encode())
    return digest.hexdigest()


def lock_part(connection: sa.Connection, source_code: str, part_code: str) -> None:
    """Wait until no other transaction loads the same part of a source; the lock goes with the transaction."""
    lock_parts(connection, source_code, [part_code])


def lock_parts(connection: sa.Connection, source_code: str, part_codes: Iterable[str]) -> None:
    """Lock several parts, always in the same order, so that two transactions never wait for each other."""
    names = [f"{source_code}/{part_code}" for part_code in sorted(set(part_codes))]
    connection.execute(sa.text(_LOCK), {"names": names})


def write_batch(connection: sa.Connection, batch: Batch, load: Callable[[int], int] | None = None) -> bool:
    """Write the ledger row with its files, refused rows and checks, and what `load` writes, or nothing at all.

    A batch whose input was recorded before and whose load changes no row leaves no trace, so a rerun is not counted.

    Args:
        connection: an open transaction.
        batch: what the ledger says.
        load: is given the batch id, writes the figures, and returns how many rows it changed.

    Returns:
        Whether anything was written.
    """

    def load_it(batch_ids: Sequence[int]) -> dict[int, int]:
        (batch_id,) = batch_ids
        bind_contextvars(batch=batch_id)  # the log lines of the load carry its number
        return {batch_id: load(batch_id)} if load else {}

    savepoint = connection.begin_nested()
    (was_recorded,) = are_recorded(connection, [batch])
    (changed,) = write_batches(connection, [batch], load_it)
    if was_recorded and not changed:
        savepoint.rollback()
        bind_contextvars(batch="")
        return False
    savepoint.commit()
    return True


def write_batches(
    connection: sa.Connection, batches: Sequence[Batch], load: Callable[[Sequence[int]], Mapping[int, int]]
) -> list[int]:
    """Write the ledger rows of batches with their files, refused rows and checks, and what `load` writes.

    Args:
        connection: an open transaction that holds the lock of each batch's part.
        batches: what the ledger says of each.
        load: is given the batch ids, writes the figures, and returns by batch id how many rows it changed.

    Returns:
        How many rows each batch changed.
    """
    batch_ids = _insert_batches(connection, batches)
    changed_by_id = load(batch_ids)
    changed = [changed_by_id.get(batch_id, 0) for batch_id in batch_ids]
    numbered = list(zip(batch_ids, batches, strict=True))
    _count_unchanged(connection, numbered, changed)
    _insert_files(connection, numbered)
    _insert_refused(connection, numbered)
    _append(connection, ops.quality_result, (row for one in numbered for row in _check_rows(*one)))
    return changed


def are_recorded(connection: sa.Connection, batches: Sequence[Batch]) -> list[bool]:
    """Say of each batch whether the same input with the same outcome is in the ledger."""
    asked = {
        "source_codes": [batch.source_code for batch in batches],
        "part_codes": [batch.part_code for batch in batches],
        "report_dates": [batch.report_date for batch in batches],
        "input_hashes": [batch.input_hash for batch in batches],
        "status_codes": [batch.status_code for batch in batches],
        "known_ats": [batch.known_at for batch in batches],
    }
    return list(connection.execute(sa.text(_ARE_RECORDED), asked).scalars())


def newest_batch_day(connection: sa.Connection) -> date | None:
    """Return the latest reporting day in the ledger, or None while it is empty."""
    return connection.execute(sa.select(sa.func.max(ops.load_batch.c.report_date))).scalar()


def _insert_batches(connection: sa.Connection, batches: Sequence[Batch]) -> list[int]:
    inserted = sa.insert(ops.load_batch).returning(ops.load_batch.c.batch_id, sort_by_parameter_order=True)
    return list(connection.execute(inserted, [_ledger_row(batch) for batch in batches]).scalars())


def _ledger_row(batch: Batch) -> dict[str, Any]:
    failed = [check for check in batch.checks if not check.is_success]
    critical = sum(check.severity == "critical" for check in failed)
    return {
        "source_code": batch.source_code,
        "part_code": batch.part_code,
        "report_date": batch.report_date,
        "status_code": batch.status_code,
        "input_hash": batch.input_hash,
        "known_at": batch.known_at,
        "read_count": batch.account.read,
        "loaded_count": batch.account.loaded,
        "refused_count": batch.account.refused,
        "duplicate_count": batch.account.duplicate,
        "unchanged_count": batch.account.unchanged,
        "late_count": batch.late_count,
        "critical_failed_count": critical if batch.error_count is None else batch.error_count,
        "warning_failed_count": len(failed) - critical
        if batch.warning_count is None
        else batch.warning_count,
        "reason": batch.reason,
        "code_version": settings().code_version,
    }


def _count_unchanged(
    connection: sa.Connection, numbered: Sequence[tuple[int, Batch]], changed: Sequence[int]
) -> None:
    """Say of figures that left the warehouse as it was that they are unchanged."""
    for (batch_id, batch), count in zip(numbered, changed, strict=True):
        unchanged = batch.account.loaded - count
        if batch.rows_are_figures and unchanged > 0:
            table = ops.load_batch
            connection.execute(
                sa.update(table)
                .where(table.c.batch_id == batch_id)
                .values(loaded_count=count, unchanged_count=batch.account.unchanged + unchanged)
            )


def _insert_files(connection: sa.Connection, numbered: Sequence[tuple[int, Batch]]) -> None:
    read = {
        (batch_id, file.sha256): file
        for batch_id, batch in numbered
        for file in (*batch.files, *batch.unreadable_files)
    }
    if not read:
        return
    rows = [{name: getattr(file, name) for name in LANDED_COLUMNS} for file in read.values()]
    connection.execute(insert(ops.landed_file).on_conflict_do_nothing(), rows)
    _append(
        connection, ops.batch_file, ({"batch_id": batch_id, "sha256": sha256} for batch_id, sha256 in read)
    )


def _insert_refused(connection: sa.Connection, numbered: Sequence[tuple[int, Batch]]) -> None:
    frames = [
        batch.refused[REFUSED_COLUMNS].assign(batch_id=batch_id)
        for batch_id, batch in numbered
        if batch.refused is not None and not batch.refused.empty
    ]
    if frames:
        refused = pd.concat(frames, ignore_index=True)
        content = refused["content"].astype(str).str.replace("\x00", "\N{SYMBOL FOR NULL}")
        append_rows(connection, ops.refused_row, refused.assign(content=content.str[:_MAX_CONTENT]))


def _check_rows(batch_id: int, batch: Batch) -> Iterator[dict[str, Any]]:
    for number, check in enumerate(batch.checks):
        yield {
            "batch_id": batch_id,
            "check_number": number,
            "suite_name": batch.suite_name,
            "check_code": check.check_code,
            "column_name": check.column,
            "severity": check.severity,
            "is_success": check.is_success,
            "failed_count": check.failed_count,
            "observed": check.observed,
            "notes": check.notes,
            "details": _as_json(check.details),
        }


def _append(connection: sa.Connection, target: sa.Table, rows: Iterable[dict[str, Any]]) -> None:
    if listed := list(rows):
        append_rows(connection, target, pd.DataFrame(listed))


def _as_json(details: Mapping[str, Any]) -> str:
    """As text, since COPY takes no mappings; jsonb cannot hold a NUL."""
    return json.dumps(details, ensure_ascii=False).replace("\\u0000", "\N{SYMBOL FOR NULL}")
