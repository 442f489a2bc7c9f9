"""Dry runs of what the pages can start: what would change, before anybody presses."""

from fastapi import APIRouter
from pydantic import BaseModel

from directive_etl.cockpit.asked import Day, Row
from directive_etl.cockpit.reading import read_operations

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
