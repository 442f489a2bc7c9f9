"""The ledger: one row per batch, in the same transaction as what the batch wrote."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

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
    name = f"{source_code}/{part_code}"
    connection.execute(sa.text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})


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
    savepoint = connection.begin_nested()
    was_recorded = _is_recorded(connection, batch)
    batch_id = _insert_batch(connection, batch)
    bind_contextvars(batch=batch_id)  # the log lines of the load carry its number
    changed = load(batch_id) if load else 0
    if was_recorded and not changed:
        savepoint.rollback()
        bind_contextvars(batch="")
        return False
    if batch.rows_are_figures and load:
        _count_unchanged(connection, batch, batch_id, changed)
    _insert_details(connection, batch, batch_id)
    savepoint.commit()
    return True


def newest_batch_day(connection: sa.Connection) -> date | None:
    """Return the latest reporting day in the ledger, or None while it is empty."""
    return connection.execute(sa.select(sa.func.max(ops.load_batch.c.report_date))).scalar()


def _is_recorded(connection: sa.Connection, batch: Batch) -> bool:
    table = ops.load_batch
    query = sa.select(sa.literal(True)).where(
        table.c.source_code == batch.source_code,
        table.c.part_code == batch.part_code,
        table.c.report_date == batch.report_date,
        table.c.input_hash == batch.input_hash,
        table.c.status_code == batch.status_code,
        table.c.known_at == batch.known_at,
    )
    return connection.execute(query.limit(1)).scalar() is not None


def _insert_batch(connection: sa.Connection, batch: Batch) -> int:
    failed = [check for check in batch.checks if not check.is_success]
    critical = sum(check.severity == "critical" for check in failed)
    row = {
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
        "critical_failed_count": critical if batch.error_count is None else batch.error_count,
        "warning_failed_count": len(failed) - critical
        if batch.warning_count is None
        else batch.warning_count,
        "reason": batch.reason,
        "code_version": settings().code_version,
    }
    inserted = sa.insert(ops.load_batch).values(row).returning(ops.load_batch.c.batch_id)
    batch_id: int = connection.execute(inserted).scalar_one()
    return batch_id


def _count_unchanged(connection: sa.Connection, batch: Batch, batch_id: int, changed: int) -> None:
    loaded = min(changed, batch.account.loaded)
    connection.execute(
        sa.update(ops.load_batch)
        .where(ops.load_batch.c.batch_id == batch_id)
        .values(loaded_count=loaded, unchanged_count=batch.account.unchanged + batch.account.loaded - loaded)
    )


def _insert_details(connection: sa.Connection, batch: Batch, batch_id: int) -> None:
    if files := [*batch.files, *batch.unreadable_files]:
        rows = {file.sha256: {name: getattr(file, name) for name in LANDED_COLUMNS} for file in files}
        connection.execute(insert(ops.landed_file).on_conflict_do_nothing(), list(rows.values()))
        connection.execute(
            sa.insert(ops.batch_file), [{"batch_id": batch_id, "sha256": sha256} for sha256 in rows]
        )
    if batch.refused is not None and not batch.refused.empty:
        refused = batch.refused[REFUSED_COLUMNS].assign(batch_id=batch_id)
        refused["content"] = (
            refused["content"].astype(str).str.replace("\x00", "\N{SYMBOL FOR NULL}").str[:_MAX_CONTENT]
        )
        append_rows(connection, ops.refused_row, refused)
    if batch.checks:
        connection.execute(
            sa.insert(ops.quality_result),
            [
                {
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
                    "details": dict(check.details),
                }
                for number, check in enumerate(batch.checks)
            ],
        )
