"""From an indicator to the figures behind it, to their batch, to its files and refused rows."""

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel

from directive_etl.cockpit.asked import (
    NO_SUCH,
    Code,
    Day,
    Number,
    Page,
    PageNumber,
    PageSize,
    Row,
    UnitCode,
    offset,
    paged,
)
from directive_etl.cockpit.reading import read_operations

router = APIRouter(tags=["tracing"])
operator_router = APIRouter(tags=["tracing"])

# The inputs of a row are the figures of the contributors at or below its unit (docs/progress.md), not those
# that a parent reports about itself for comparison.
_FIGURES = """
    with recursive below (unit_code) as (
        select cast(:unit as text)
        union
        select u.unit_code from core.unit u join below b on u.parent_unit_code = b.unit_code
        where u.valid_from <= :day and (u.valid_to is null or u.valid_to >= :day)
    ),
    asked as (
        select numerator_measure as measure_code, numerator_categories as categories, 'numerator' as part,
               measured_unit_types, measured_units
        from core.indicator where directive_code = :directive and indicator_code = :indicator
        union all
        select denominator_measure, denominator_categories, 'denominator', measured_unit_types, measured_units
        from core.indicator where directive_code = :directive and indicator_code = :indicator
          and denominator_measure is not null
    )
    select a.part, o.unit_code, u.name_vi as unit_name, o.measure_code, m.name_vi as measure_name_vi,
           m.name_en as measure_name_en, o.category_code, o.value, o.obs_status, o.known_at, o.recorded_at,
            o.batch_id,
           b.source_code, b.part_code, count(*) over () as total
    from asked a
    join core.observation o on o.figure_date = :day and o.measure_code = a.measure_code
     and o.superseded_at is null
     and (a.categories is null or o.category_code = any(a.categories))
    join below using (unit_code)
    join ops.load_batch b on b.batch_id = o.batch_id
    left join core.measure m on m.directive_code = :directive and m.measure_code = o.measure_code
    join core.unit u on u.unit_code = o.unit_code
     and u.valid_from <= :day and (u.valid_to is null or u.valid_to >= :day)
     and (u.unit_type = any(a.measured_unit_types) or u.unit_code = any(a.measured_units))
    order by o.unit_code, a.part desc, o.category_code, o.measure_code
    limit :limit offset :offset
"""
_BATCH = "select * from ops.load_batch where batch_id = :batch_id"
_FILES = """
    select l.sha256, l.origin, l.known_at, l.size_bytes, l.source_code, l.part_code, l.report_date
    from ops.batch_file f
    join ops.load_batch b using (batch_id)
    join ops.landed_file l on l.sha256 = f.sha256 and l.source_code = b.source_code
     and l.part_code = b.part_code
    where f.batch_id = :batch_id
    order by l.known_at, l.origin limit 200
"""
_CHECKS = """
    select check_number, suite_name, check_code, column_name, severity, is_success, failed_count, observed,
           notes
    from ops.quality_result where batch_id = :batch_id order by is_success, severity, check_number
"""
_VALIDATION = """
    select suite_name, check_code, column_name, severity, is_success, failed_count, observed, notes, details
    from ops.quality_result where batch_id = :batch_id order by check_number
"""
_REASONS = """
    select reason_code, count(*) as refused_count from ops.refused_row
    where batch_id = :batch_id group by reason_code order by refused_count desc, reason_code
"""
_REFUSED = """
    select r.refused_row_id, r.sha256, r.place, r.reason_code, r.reason, r.content, count(*) over () as total
    from ops.refused_row r where r.batch_id = :batch_id
    order by r.refused_row_id limit :limit offset :offset
"""


class BatchDetail(BaseModel):
    """A ledger row with its files, its checks, and its refused rows counted by reason."""

    batch: Row
    files: list[Row]
    checks: list[Row]
    reasons: list[Row]


class Validation(BaseModel):
    """A validation run as Great Expectations would give it."""

    success: bool
    suite_name: str
    results: list[Row]
    statistics: dict[str, int]
    meta: Row


@router.get("/api/figures")
def figures_behind(
    day: Day, directive: Code, unit: UnitCode, indicator: Code, page: PageNumber = 1, page_size: PageSize = 50
) -> Page:
    """Return the current figures that make an indicator's value, with the batch that wrote each."""
    rows = read_operations(
        _FIGURES, day=day, directive=directive, unit=unit, indicator=indicator, **offset(page, page_size)
    )
    return paged(rows, page, page_size)


@router.get("/api/batches/{batch_id}", responses=NO_SUCH)
def batch_detail(batch_id: Number) -> BatchDetail:
    """Return what a batch read, from which files, what it refused by reason, and what its checks found."""
    found = read_operations(_BATCH, batch_id=batch_id)
    if not found:
        raise HTTPException(404, "no such batch")
    return BatchDetail(
        batch=found[0],
        files=read_operations(_FILES, batch_id=batch_id),
        checks=read_operations(_CHECKS, batch_id=batch_id),
        reasons=read_operations(_REASONS, batch_id=batch_id),
    )


@router.get("/api/batches/{batch_id}/validation", responses=NO_SUCH)
def validation_run(batch_id: Number) -> Validation:
    """Return the batch's validation run in the shape of Great Expectations' results, offending values masked."""
    found = read_operations(_BATCH, batch_id=batch_id)
    if not found:
        raise HTTPException(404, "no such batch")
    results = read_operations(_VALIDATION, batch_id=batch_id)
    failed = [row for row in results if not row["is_success"]]
    return Validation(
        success=not any(row["severity"] == "critical" for row in failed),
        suite_name=results[0]["suite_name"] if results else "",
        results=[_as_result(row) for row in results],
        statistics={
            "evaluated_expectations": len(results),
            "successful_expectations": len(results) - len(failed),
            "unsuccessful_expectations": len(failed),
        },
        meta={
            name: found[0][name]
            for name in ("batch_id", "source_code", "part_code", "report_date", "status_code", "code_version")
        },
    )


def _as_result(row: Row) -> Row:
    """A check of our own has no result of Great Expectations: it is told in the same shape."""
    details: Row = row["details"] or {
        "success": row["is_success"],
        "expectation_config": {"type": row["check_code"], "kwargs": {"column": row["column_name"]}},
        "result": {"observed_value": row["observed"], "unexpected_count": row["failed_count"]},
    }
    config = {**details["expectation_config"], "severity": row["severity"], "notes": row["notes"]}
    return {**details, "expectation_config": config}


@operator_router.get("/api/batches/{batch_id}/refused")
def refused_rows(batch_id: Number, page: PageNumber = 1, page_size: PageSize = 20) -> Page:
    """Return the refused rows of a batch with place and reason; long numbers were masked when written."""
    return paged(read_operations(_REFUSED, batch_id=batch_id, **offset(page, page_size)), page, page_size)
