"""The page Quality: what became of every row read, which checks failed, what is stale."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response

from directive_etl.cockpit.asked import Day, Days, Page, PageNumber, PageSize, Row, offset, paged
from directive_etl.cockpit.export import Format, table_response
from directive_etl.cockpit.reading import read_operations, read_reporting

router = APIRouter(tags=["quality"])

_ROWS = """
    select source_code, report_date, read_count, loaded_count, refused_count, duplicate_count,
           unchanged_count,
           critical_failed_count, warning_failed_count, count(*) over () as total
    from reporting.load_quality_daily
    where report_date between cast(:day as date) - cast(:days as int) + 1 and :day
    order by report_date desc, source_code
    limit :limit offset :offset
"""
_REFUSED_BY_DAY = """
    select source_code, report_date, refused_count
    from reporting.load_quality_daily
    where report_date between cast(:day as date) - cast(:days as int) + 1 and :day
    order by report_date, source_code
"""
_FRESHNESS = """
    select source_code, latest_complete_date, last_loaded_at, expected_by, is_stale
    from reporting.data_freshness order by source_code
"""
_CHECKS = """
    with failed as (
        select b.source_code, q.suite_name, q.check_code, q.column_name, q.severity, b.report_date,
               b.batch_id,
               q.failed_count, q.observed, q.notes
        from ops.load_batch b
        join ops.quality_result q using (batch_id)
        where b.report_date between cast(:day as date) - cast(:days as int) + 1 and :day and not q.is_success
    )
    select source_code, suite_name, check_code, column_name, severity, max(notes) as notes,
           count(distinct batch_id) as batch_count, sum(failed_count) as failed_count,
            max(batch_id) as last_batch_id,
           max(report_date) as last_date, count(*) over () as total,
           (select json_object_agg(t.report_date, t.batches) from (
               select f.report_date, count(*) as batches from failed f
               where (f.source_code, f.suite_name, f.check_code, f.column_name, f.severity)
                   = (failed.source_code, failed.suite_name, failed.check_code, failed.column_name,
                    failed.severity)
               group by f.report_date
           ) t) as trend
    from failed
    group by source_code, suite_name, check_code, column_name, severity
    order by severity, batch_count desc, suite_name, check_code, column_name
    limit :limit offset :offset
"""
_BATCHES = """
    select batch_id, source_code, part_code, report_date, status_code, known_at, recorded_at, read_count,
           loaded_count,
           refused_count, duplicate_count, unchanged_count, critical_failed_count, warning_failed_count,
            reason,
           count(*) over () as total
    from ops.load_batch
    where report_date = :day and (cast(:source as text) is null or source_code = :source)
      and (not :only_faults or refused_count > 0 or critical_failed_count > 0 or warning_failed_count > 0)
    order by (status_code = 'refused') desc, refused_count desc, batch_id
    limit :limit offset :offset
"""

Source = Annotated[Literal["sms_log", "service_portal", "unit_report", "pipeline"] | None, Query()]


@router.get("/api/quality")
def rows_by_source(day: Day, days: Days = 14, page: PageNumber = 1, page_size: PageSize = 20) -> Page:
    """Return, for each source and day, what became of the rows read, and the failed checks."""
    return paged(read_reporting(_ROWS, day=day, days=days, **offset(page, page_size)), page, page_size)


@router.get("/api/quality/trend")
def refused_by_day(day: Day, days: Days = 14) -> list[Row]:
    """Return the rows refused for each source and day, in order of days."""
    return read_reporting(_REFUSED_BY_DAY, day=day, days=days)


@router.get("/api/quality/freshness")
def freshness() -> list[Row]:
    """Return each source's latest complete day, and whether the next is overdue now."""
    return read_reporting(_FRESHNESS)


@router.get("/api/quality/checks")
def failed_checks(day: Day, days: Days = 14, page: PageNumber = 1, page_size: PageSize = 20) -> Page:
    """Return the checks that failed, critical first, with how many batches a day failed them."""
    return paged(read_operations(_CHECKS, day=day, days=days, **offset(page, page_size)), page, page_size)


@router.get("/api/quality/batches")
def batches_of_day(
    day: Day, source: Source = None, only_faults: bool = False, page: PageNumber = 1, page_size: PageSize = 20
) -> Page:
    """Return the batches about a day, refused ones first."""
    rows = read_operations(
        _BATCHES, day=day, source=source, only_faults=only_faults, **offset(page, page_size)
    )
    return paged(rows, page, page_size)


@router.get("/api/quality/export")
def export_quality(day: Day, format: Format, days: Days = 14) -> Response:
    """Return rows by source and day as CSV or XLSX."""
    rows = paged(read_reporting(_ROWS, day=day, days=days, limit=None, offset=0), 1, 1).items
    return table_response(rows, f"quality-{day}", format)
