"""Dry runs of what the pages can start: what would change, before anybody presses."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel

from directive_etl.cockpit.asked import NOTHING_TO_DECIDE, Day, Row, UnitCode
from directive_etl.cockpit.reading import read_operations
from directive_etl.errors import ConfigurationError
from directive_etl.landing.place import is_address
from directive_etl.settings import settings
from directive_etl.sources.unit_report.locks import locked_at, reopenings
from directive_etl.warehouse.decisions import held_batch
from directive_etl.warehouse.engine import loader_engine

router = APIRouter(tags=["actions"])

_DIFFERENCE = """
    with now as (select * from core.progress_at('infinity', 'infinity', :day)),
    compared as (
        select coalesce(n.indicator_code, p.indicator_code) as indicator_code,
               coalesce(n.unit_code, p.unit_code) as unit_code,
               p.status_code as status_before, n.status_code as status_after,
               p.actual_value::float8 as actual_before, n.actual_value::float8 as actual_after
        from now n
        full join (select * from core.daily_progress where report_date = :day) p
          using (directive_code, indicator_code, unit_code)
        where (n.numerator, n.denominator, n.actual_value, n.target_value, n.status_code, n.obs_status)
              is distinct from
              (p.numerator, p.denominator, p.actual_value, p.target_value, p.status_code, p.obs_status)
    )
    select *, count(*) over () as total from compared order by indicator_code, unit_code limit 50
"""


_OVERRULED = """
    select check_code, column_name, failed_count, notes from ops.quality_result
    where batch_id = :batch_id and severity = 'critical' and not is_success order by check_number
"""
_ANSWERED = """
    select b.part_code as unit_code, b.status_code, f.sha256
    from ops.load_batch b
    join ops.batch_file f using (batch_id)
    where b.source_code = 'unit_report' and b.report_date = :day and b.status_code in ('loaded', 'refused')
    order by b.part_code, b.batch_id
"""
_REFUSED_AS_LOCKED = """
    select b.batch_id, b.known_at, l.origin
    from ops.load_batch b
    join ops.batch_file f using (batch_id)
    join ops.landed_file l on l.sha256 = f.sha256 and l.source_code = b.source_code
     and l.part_code = b.part_code
    where b.source_code = 'unit_report' and b.part_code = :unit and b.report_date = :day
      and b.status_code = 'refused'
      and exists (select from ops.refused_row r where r.batch_id = b.batch_id and r.reason_code = 'locked')
    order by b.known_at
"""


class DryRun(BaseModel):
    """What a recount of a day would change; `examples` are the first of the rows."""

    changed_count: int
    examples: list[Row]


@router.get("/api/actions/recount")
def dry_run_of_recount(day: Day) -> DryRun:
    """Compute the day's progress from its observations, compare it with what is stored, and write nothing."""
    rows = read_operations(_DIFFERENCE, day=day)
    total = int(rows[0]["total"]) if rows else 0
    return DryRun(
        changed_count=total, examples=[{k: v for k, v in row.items() if k != "total"} for row in rows]
    )


class ReleaseDryRun(BaseModel):
    """What the release of a held batch would do."""

    batch_id: int
    source_code: str
    part_code: str
    report_date: str
    row_count: int
    overruled: list[Row]


class ReopenDryRun(BaseModel):
    """What reopening a unit-day would do; `files` were refused as locked and would be taken."""

    locked_at: datetime
    is_open_again: bool
    files: list[Row]


class ResendDryRun(BaseModel):
    """The answers that would be written again; `lost` are no longer in the outbox."""

    answer_count: int
    lost: list[Row]


@router.get("/api/actions/release", responses=NOTHING_TO_DECIDE)
def dry_run_of_release(batch_id: Annotated[int, Query(ge=1, le=2**63 - 1)]) -> ReleaseDryRun:
    """Say which checks a release would overrule, and how many rows would be loaded; 409 when nothing is to decide."""
    try:
        held = held_batch(loader_engine(), batch_id)
    except ConfigurationError as error:
        raise HTTPException(409, str(error)) from None
    return ReleaseDryRun(
        batch_id=held.batch_id,
        source_code=held.source_code,
        part_code=held.part_code,
        report_date=str(held.report_date),
        row_count=held.read_count,
        overruled=read_operations(_OVERRULED, batch_id=batch_id),
    )


@router.get("/api/actions/reopen")
def dry_run_of_reopening(day: Day, unit: UnitCode) -> ReopenDryRun:
    """Say from when a unit-day is locked, and which refused files a reopening would take."""
    with loader_engine().connect() as connection:
        open_until = reopenings(connection).open_until.get((unit, day), [])
    return ReopenDryRun(
        locked_at=locked_at(day),
        is_open_again=bool(open_until),
        files=read_operations(_REFUSED_AS_LOCKED, unit=unit, day=day),
    )


@router.get("/api/actions/resend")
def dry_run_of_resending(day: Day) -> ResendDryRun:
    """Count the answers to the files of a day, and name the units whose answer is no longer in the outbox.

    An outbox on the network is not looked at.
    """
    rows = read_operations(_ANSWERED, day=day)
    outbox = settings().outbox
    if is_address(outbox):
        return ResendDryRun(answer_count=len(rows), lost=[])
    answers = [path for path in Path(outbox).glob("*/*") if len(path.name) > 19]
    kept = {f"{path.parent.name}/{path.name[11:19]}" for path in answers}
    lost = [
        {"unit_code": row["unit_code"], "status_code": row["status_code"]}
        for row in rows
        if f"{row['unit_code']}/{row['sha256'][:8]}" not in kept
    ]
    return ResendDryRun(answer_count=len(rows), lost=lost[:50])
