"""The page Progress: clauses x units of a day, the indicators of a cell, an indicator's trend."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response

from directive_etl.cockpit.asked import (
    Code,
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

router = APIRouter(tags=["progress"])

StatusFilter = Annotated[
    Literal["achieved", "on_track", "behind", "overdue", "not_reported", "not_due"] | None, Query()
]
Order = Annotated[Literal["worst", "name"], Query()]

_FILTER = """
    p.report_date = :day
    and p.directive_number = (select d.directive_number from core.directive d
     where d.directive_code = :directive)
    and (cast(:unit_type as text) is null or p.unit_type = :unit_type)
    and (cast(:district as text) is null or p.unit_code = :district or p.parent_unit_code = :district)
"""
# Where a filter on a status is set, a unit is shown when any of its indicators has it.
_UNITS = f"""
    select p.unit_code, max(p.unit_name) as unit_name, max(p.unit_type) as unit_type,
           count(*) over () as total
    from reporting.directive_progress_daily p
    where {_FILTER}
    group by p.unit_code
    having cast(:status as text) is null or bool_or(p.status_code = :status)
    order by case when :by = 'worst' then
                 - count(*) filter (where p.status_code in ('overdue', 'behind', 'not_reported')) end,
             max(p.unit_name) collate "C", p.unit_code
    limit :limit offset :offset
"""
_CELLS = """
    select p.unit_code, p.clause_code, p.status_code, count(*) as indicator_count
    from reporting.directive_progress_daily p
    where p.report_date = :day and p.unit_code = any(:units)
      and p.directive_number = (select d.directive_number from core.directive d
       where d.directive_code = :directive)
    group by p.unit_code, p.clause_code, p.status_code
"""
_CLAUSES = """
    select clause_code, text_vi, text_en, obligation from core.clause
           where directive_code = :directive order by position
"""
_INDICATORS = """
    select p.indicator_code, p.indicator_name_vi, p.indicator_name_en, p.numerator::float8,
           p.denominator::float8,
           p.actual_value::float8, p.target_value::float8, p.is_target_assumed, p.progress_pct::float8,
            p.status_code,
           p.obs_status, p.due_date, p.days_overdue, p.is_late, p.revision_count, i.direction, i.calculation,
            i.source_code
    from reporting.directive_progress_daily p
    join core.indicator i on i.indicator_code = p.indicator_code and i.directive_code = :directive
    where p.report_date = :day and p.unit_code = :unit and p.clause_code = :clause
      and p.directive_number = (select d.directive_number from core.directive d
       where d.directive_code = :directive)
    order by i.position
"""
_TREND = """
    select p.report_date, p.actual_value::float8, p.target_value::float8, p.status_code
    from core.daily_progress p
    where p.directive_code = :directive and p.indicator_code = :indicator and p.unit_code = :unit
      and p.report_date between cast(:day as date) - cast(:days as int) + 1 and :day
    order by p.report_date
"""
_EXPORT = f"""
    select p.directive_number, p.clause_code, p.indicator_code, p.indicator_name_vi, p.indicator_name_en,
           p.unit_code,
           p.unit_name, p.unit_type, p.parent_unit_code, p.report_date, p.numerator, p.denominator,
            p.actual_value,
           p.target_value, p.is_target_assumed, p.progress_pct, p.status_code, p.obs_status, p.due_date,
           p.days_overdue, p.is_late, p.revision_count
    from reporting.directive_progress_daily p
    where {_FILTER} and (cast(:status as text) is null or p.status_code = :status)
    order by p.unit_code, p.clause_code, p.indicator_code
"""


class HeatMap(Page):
    """Units of one page with their cells; a cell counts a clause's indicators by status."""

    clauses: list[Row]


@router.get("/api/progress")
def heat_map(
    day: Day,
    directive: Code,
    unit_type: CodeFilter = None,
    district: CodeFilter = None,
    status: StatusFilter = None,
    order: Order = "worst",
    page: PageNumber = 1,
    page_size: PageSize = 25,
) -> HeatMap:
    """Count, for each unit of a page, the indicators of each clause by status."""
    asked = {"day": day, "directive": directive}
    rows = read_operations(
        _UNITS,
        **asked,
        unit_type=unit_type,
        district=district,
        status=status,
        by=order,
        **offset(page, page_size),
    )
    shown = paged(rows, page, page_size)
    cells: dict[str, dict[str, dict[str, int]]] = {unit["unit_code"]: {} for unit in shown.items}
    for row in read_operations(_CELLS, **asked, units=list(cells)):
        cells[row["unit_code"]].setdefault(row["clause_code"], {})[row["status_code"]] = row[
            "indicator_count"
        ]
    for unit in shown.items:
        unit["cells"] = cells[unit["unit_code"]]
    return HeatMap(**shown.model_dump(), clauses=read_operations(_CLAUSES, directive=directive))


@router.get("/api/progress/indicators")
def indicators_of_cell(day: Day, directive: Code, unit: UnitCode, clause: Code) -> list[Row]:
    """Return every indicator of a clause for a unit and day, with target and status."""
    return read_operations(_INDICATORS, day=day, directive=directive, unit=unit, clause=clause)


@router.get("/api/progress/trend")
def trend(day: Day, directive: Code, unit: UnitCode, indicator: Code, days: Days = 31) -> list[Row]:
    """Return an indicator's values against its targets, for the days up to one."""
    return read_operations(_TREND, day=day, directive=directive, unit=unit, indicator=indicator, days=days)


@router.get("/api/progress/export")
def export_progress(
    day: Day,
    directive: Code,
    format: Format,
    unit_type: CodeFilter = None,
    district: CodeFilter = None,
    status: StatusFilter = None,
) -> Response:
    """Return every indicator of the units and day shown, as CSV or XLSX."""
    rows = read_operations(
        _EXPORT, day=day, directive=directive, unit_type=unit_type, district=district, status=status
    )
    return table_response(rows, f"progress-{day}", format)
