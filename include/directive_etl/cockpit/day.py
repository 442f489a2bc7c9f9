"""The day at a glance: is it complete, what was refused, who has not reported, what is stale."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from directive_etl.cockpit.asked import Day, Row
from directive_etl.cockpit.reading import read_operations, read_reporting

router = APIRouter(tags=["day"])

_BOUNDS = "select min(report_date) as first_day, max(report_date) as last_day from core.daily_progress"
_DIRECTIVES = """
    select directive_code, directive_number, title_vi, title_en from core.directive
    where active_from <= :day and (active_to is null or active_to >= :day) order by issued_on, directive_code
"""
_CLOSED = """
    select max(closed_at) as closed_at, coalesce(max(cardinality(missing_units)), 0) as missing_count
    from ops.publication where report_date = :day
"""
_PARTS = """
    with owed (source_code, part_code) as (
        select 'sms_log', operator_code from core.operator
        union all select 'service_portal', system_code from core.portal_system
    ),
    arrived as (
        select source_code, part_code,
               bool_or(status_code = 'loaded') as is_loaded, bool_or(status_code = 'refused') as is_refused
        from ops.load_batch
        where report_date = :day and source_code in ('sms_log', 'service_portal')
        group by source_code, part_code
    )
    select o.source_code, count(*) as part_count, count(*) filter (where a.is_loaded) as loaded_part_count,
           coalesce(array_agg(o.part_code order by o.part_code) filter (where a.is_loaded is not true),
            '{}') as missing_parts
    from owed o left join arrived a using (source_code, part_code)
    group by o.source_code order by o.source_code
"""
_REPORTS = """
    select status_code, count(*) as unit_count from reporting.unit_report_status_daily
    where report_date = :day group by status_code
"""
_QUALITY = """
    select source_code, read_count, loaded_count, refused_count, duplicate_count, unchanged_count,
           critical_failed_count, warning_failed_count
    from reporting.load_quality_daily where report_date = :day order by source_code
"""
# By which rule rows and files of the day were refused: the batch's refused rows, and the checks that failed.
_RULES = """
    select b.source_code, r.reason_code as rule_code, count(*) as row_count, count(distinct b.part_code) as part_count
    from ops.load_batch b
    join ops.refused_row r using (batch_id)
    where b.report_date = :day
    group by b.source_code, r.reason_code
    order by row_count desc, rule_code limit 6
"""
_SILENT = """
    select s.unit_code, u.name_vi as unit_name, s.status_code
    from reporting.unit_report_status_daily s
    join core.unit u on u.unit_code = s.unit_code
     and u.valid_from <= s.report_date and (u.valid_to is null or u.valid_to >= s.report_date)
    where s.report_date = :day and s.status_code in ('missing', 'refused')
    order by s.status_code desc, u.name_vi collate "C" limit 200
"""
_STATUSES = """
    select status_code, count(*) as row_count from core.daily_progress where report_date = :day
           group by status_code
"""
_CHOICES = """
    select unit_code, name_vi as unit_name, unit_type from core.unit
    where valid_from <= :day and (valid_to is null or valid_to >= :day)
"""


class DaySummary(BaseModel):
    """What an engineer wants to know of a day first."""

    day: date | None
    first_day: date | None
    last_day: date | None
    is_complete: bool
    is_closed: bool
    missing_count: int
    sources: list[Row]
    reports: dict[str, int]
    quality: list[Row]
    statuses: dict[str, int]
    rules: list[Row]
    silent: list[Row]
    directives: list[Row]
    unit_types: list[str]
    districts: list[Row]


@router.get("/api/day")
def day_summary(day: Annotated[Day | None, Query()] = None) -> DaySummary:
    """Say of a day (the newest by default) whether every source is in, what was refused, who is silent."""
    bounds = read_operations(_BOUNDS)[0]
    asked = day or bounds["last_day"]
    closed = read_operations(_CLOSED, day=asked)[0]
    parts = read_operations(_PARTS, day=asked)
    units = read_operations(_CHOICES, day=asked)
    all_in = all(row["loaded_part_count"] == row["part_count"] for row in parts)
    return DaySummary(
        day=asked,
        **bounds,
        is_complete=all_in and closed["closed_at"] is not None,
        is_closed=closed["closed_at"] is not None,
        missing_count=closed["missing_count"],
        sources=parts,
        reports={row["status_code"]: row["unit_count"] for row in read_reporting(_REPORTS, day=asked)},
        quality=read_reporting(_QUALITY, day=asked),
        statuses={row["status_code"]: row["row_count"] for row in read_operations(_STATUSES, day=asked)},
        rules=read_operations(_RULES, day=asked),
        silent=read_operations(_SILENT, day=asked),
        directives=read_operations(_DIRECTIVES, day=asked),
        unit_types=sorted({row["unit_type"] for row in units}),
        districts=sorted(
            (row for row in units if row["unit_type"] == "ubnd_quan_huyen"),
            key=lambda row: str(row["unit_name"]),
        ),
    )
