"""The page Reports: units x days, what a unit sent, the commonest faults, the workbooks returned."""

import re
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import FileResponse, Response

from directive_etl.cockpit.asked import (
    NO_SUCH,
    CodeFilter,
    Day,
    Days,
    Page,
    PageNumber,
    PageSize,
    Row,
    UnitCode,
    offset,
    paged,
)
from directive_etl.cockpit.export import Format, table_response
from directive_etl.cockpit.reading import read_operations
from directive_etl.settings import settings

router = APIRouter(tags=["reports"])
operator_router = APIRouter(tags=["reports"])

ReportStatus = Annotated[Literal["on_time", "late", "refused", "missing"] | None, Query()]
Order = Annotated[Literal["worst", "name"], Query()]

# One day at a time: the view then finds each day by its index, however many years the ledger holds.
_STATUS = """
    from generate_series(cast(:day as date) - cast(:days as int) + 1, cast(:day as date),
    interval '1 day') d (moment)
    cross join lateral (
        select s.* from reporting.unit_report_status_daily s where s.report_date = d.moment::date
        offset 0 -- keeps the day inside, where the planner takes it for a constant
    ) s
    join core.unit u on u.unit_code = s.unit_code
     and u.valid_from <= s.report_date and (u.valid_to is null or u.valid_to >= s.report_date)
    where (cast(:unit_type as text) is null or u.unit_type = :unit_type)
      and (cast(:district as text) is null or u.unit_code = :district or u.parent_unit_code = :district)
"""
_MATRIX = f"""
    select s.unit_code, max(u.name_vi) as unit_name, max(u.unit_type) as unit_type, count(*) over () as total,
           json_object_agg(s.report_date, json_build_object(
               'status_code', s.status_code, 'received_at', s.received_at, 'due_at', s.due_at,
               'revision_count', s.revision_count, 'error_count', s.error_count, 'warning_count',
                s.warning_count
           )) as days
    {_STATUS}
    group by s.unit_code
    having bool_or(s.is_expected)
       and (cast(:status as text) is null or bool_or(s.status_code = :status and s.report_date = :day))
    order by case when :by = 'worst' then
                 - count(*) filter (where s.status_code = 'missing') * 3 - count(*)
                  filter (where s.status_code = 'refused') * 2
                 - count(*) filter (where s.status_code = 'late') end,
             max(u.name_vi), s.unit_code
    limit :limit offset :offset
"""
_EXPORT = f"""
    select s.unit_code, u.name_vi as unit_name, u.unit_type, s.report_date, s.is_expected, s.due_at,
           s.received_at,
           s.status_code, s.revision_count, s.error_count, s.warning_count
    {_STATUS}
    order by s.unit_code, s.report_date
"""
_SENT = """
    select b.batch_id, b.status_code, b.known_at, b.read_count, b.loaded_count, b.refused_count,
           b.unchanged_count,
           b.critical_failed_count as error_count, b.warning_failed_count as warning_count, b.reason,
           f.sha256, f.origin, f.size_bytes
    from ops.load_batch b
    left join ops.batch_file using (batch_id)
    left join lateral (
        select l.sha256, l.origin, l.size_bytes from ops.landed_file l
        where l.sha256 = batch_file.sha256 and l.source_code = b.source_code
        and l.part_code = b.part_code limit 1
    ) f on true
    where b.source_code = 'unit_report' and b.part_code = :unit and b.report_date = :day
    order by b.known_at, b.batch_id
"""
_FAULTS = """
    select r.reason_code, count(*) as fault_count, count(distinct b.part_code) as unit_count,
           count(*) over () as total
    from ops.load_batch b
    join ops.refused_row r using (batch_id)
    where b.source_code = 'unit_report'
    and b.report_date between cast(:day as date) - cast(:days as int) + 1 and :day
    group by r.reason_code
    order by fault_count desc, r.reason_code
    limit :limit offset :offset
"""
_RETURNED = re.compile(
    r"\d{4}-\d{2}-\d{2}-[0-9a-f]{8}-(?:tra-lai|bien-nhan|da-nhan-\d{8}-\d{6})\.(?:xlsx|txt)"
)


@router.get("/api/reports")
def report_matrix(
    day: Day,
    days: Days = 14,
    unit_type: CodeFilter = None,
    district: CodeFilter = None,
    status: ReportStatus = None,
    order: Order = "worst",
    page: PageNumber = 1,
    page_size: PageSize = 25,
) -> Page:
    """Return for each unit of a page what became of its report on each day; `status` is of the last day."""
    rows = read_operations(
        _MATRIX,
        day=day,
        days=days,
        unit_type=unit_type,
        district=district,
        status=status,
        by=order,
        **offset(page, page_size),
    )
    return paged(rows, page, page_size)


@router.get("/api/reports/sent")
def sent_by_unit(unit: UnitCode, day: Day) -> list[Row]:
    """Return every file a unit sent for a day, what became of it, and the name of our answer."""
    rows = read_operations(_SENT, unit=unit, day=day)
    outbox = Path(settings().outbox)  # answers in an outbox on the network are read there, not here
    folder = outbox / unit
    answers = (
        sorted(path.name for path in folder.glob("*")) if folder.is_dir() and folder.parent == outbox else []
    )
    for row in rows:
        start = str(row["sha256"])[:8]
        found = [name for name in answers if _RETURNED.fullmatch(name) and name[11:19] == start]
        row["answers"] = [
            name for name in found if ("da-nhan" in name) == (row["status_code"] == "duplicate")
        ]
    return rows


@router.get("/api/reports/faults")
def commonest_faults(day: Day, days: Days = 14, page: PageNumber = 1, page_size: PageSize = 10) -> Page:
    """Count the faults of reports by reason, the commonest first."""
    return paged(read_operations(_FAULTS, day=day, days=days, **offset(page, page_size)), page, page_size)


@router.get("/api/reports/export")
def export_reports(
    day: Day, format: Format, days: Days = 14, unit_type: CodeFilter = None, district: CodeFilter = None
) -> Response:
    """Return the matrix as a table, one row per unit and day, as CSV or XLSX."""
    rows = read_operations(_EXPORT, day=day, days=days, unit_type=unit_type, district=district)
    return table_response(rows, f"reports-{day}", format)


@operator_router.get("/api/returned", responses=NO_SUCH)
def returned_file(unit: UnitCode, name: Annotated[str, Query(pattern=f"^{_RETURNED.pattern}$")]) -> Response:
    """Return our answer to a unit as it lies in the outbox: it may hold what the unit typed."""
    path = Path(settings().outbox) / unit / name
    if unit in (".", "..") or not path.is_file() or path.is_symlink():
        raise HTTPException(404, "no such answer")
    return FileResponse(path, filename=f"{unit}-{name}")
