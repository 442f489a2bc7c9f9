"""Load accepted reports and record refused ones: one file, one ledger row, and nothing of a file by halves.

Reports of different units are loaded together, since a transaction and its statements cost far more than a
report. When the warehouse does not take one of them, the group is halved until that one stands alone.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd
import psycopg
import sqlalchemy as sa

from directive_etl.landing import LandedFile
from directive_etl.quality import RowAccount, mask_digits, refused_frame
from directive_etl.sources.unit_report.check import Finding, not_stored_finding
from directive_etl.sources.unit_report.history import SOURCE
from directive_etl.sources.unit_report.judged import JudgedReport, refusal_of
from directive_etl.warehouse.ledger import (
    Batch,
    are_recorded,
    lock_part,
    lock_parts,
    write_batch,
    write_batches,
)
from directive_etl.warehouse.observations import has_news, record_batches
from directive_etl.warehouse.staging import append_rows
from directive_etl.warehouse.tables import facts, ops

log = logging.getLogger(__name__)

SUITE = "core.unit_figure"

# What the database says about rows, not about itself; COPY speaks through the driver alone.
_REFUSALS = (sa.exc.IntegrityError, sa.exc.DataError, psycopg.IntegrityError, psycopg.DataError)


def load_reports(engine: sa.Engine, reports: Sequence[JudgedReport]) -> list[tuple[JudgedReport, bool]]:
    """Load accepted reports and record why others were refused; one that cannot be stored costs only itself.

    Args:
        engine: of the role etl_loader.
        reports: read and judged, each of another unit.

    Returns:
        Each report, refused by now if the warehouse did not take it, and whether anything was written: not
        when the same file was recorded before and changes nothing.
    """
    if not reports:
        return []
    try:
        return list(zip(reports, _load_together(engine, reports), strict=True))
    except _REFUSALS as error:
        if len(reports) == 1:
            return [_record_as_refused(engine, reports[0], error)]
    half = len(reports) // 2
    return load_reports(engine, reports[:half]) + load_reports(engine, reports[half:])


def _load_together(engine: sa.Engine, reports: Sequence[JudgedReport]) -> list[bool]:
    with engine.begin() as connection:
        lock_parts(connection, SOURCE, (one.unit_code for one in reports))
        batches = [_batch(one) for one in reports]
        together = list(zip(reports, batches, are_recorded(connection, batches), strict=True))
        if new := [(one, batch) for one, batch, was_recorded in together if not was_recorded]:
            written = [one for one, _ in new]
            write_batches(
                connection, [batch for _, batch in new], lambda ids: _load_figures(connection, written, ids)
            )
        again = [one for one, _, was_recorded in together if was_recorded and not one.refusal]
        if not again or not has_news(connection, _figures(again, [0] * len(again))):
            return [not was_recorded for *_, was_recorded in together]
        return [
            not was_recorded or _write_again(connection, one, batch) for one, batch, was_recorded in together
        ]


def _record_as_refused(
    engine: sa.Engine, report: JudgedReport, error: sa.exc.DBAPIError | psycopg.Error
) -> tuple[JudgedReport, bool]:
    """Refuse a report for what the database says about it, of which only names are told: the rest may be personal."""
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    if report.refusal or not isinstance(cause, psycopg.Error):
        raise error
    found = cause.diag.constraint_name or type(cause).__name__
    log.error("unit_report %s %s: not stored: %s", report.unit_code, report.report_date, found)
    findings = [not_stored_finding(found)]
    refused = replace(report, findings=findings, refusal=refusal_of(findings))
    (is_written,) = _load_together(engine, [refused])
    return refused, is_written


def _write_again(connection: sa.Connection, report: JudgedReport, batch: Batch) -> bool:
    """Write a report that was recorded before, unless it changes nothing."""
    if report.refusal:
        return False
    return write_batch(connection, batch, lambda id_: _load_figures(connection, [report], [id_]).get(id_, 0))


def _load_figures(
    connection: sa.Connection, reports: Sequence[JudgedReport], batch_ids: Sequence[int]
) -> Mapping[int, int]:
    """Load the figures of the accepted reports, and keep their warnings and what tells a copy."""
    accepted = [(one, id_) for one, id_ in zip(reports, batch_ids, strict=True) if not one.refusal]
    if not accepted:
        return {}
    figures = _figures([one for one, _ in accepted], [id_ for _, id_ in accepted])
    changed = record_batches(connection, figures, source_code=SOURCE, keep_confirmations=True)
    append_rows(connection, facts.unit_figure, figures.assign(report_date=figures["figure_date"]))
    kept = [
        {
            "batch_id": batch_id,
            "unit_code": one.unit_code,
            "report_date": one.report_date,
            "known_at": one.landed.known_at,
            "figures_hash": one.figures_hash,
        }
        for one, batch_id in accepted
    ]
    append_rows(connection, ops.accepted_report, pd.DataFrame(kept))
    if warnings := [row for one, batch_id in accepted for row in _warning_rows(one, batch_id)]:
        append_rows(connection, ops.report_warning, pd.DataFrame(warnings))
    return changed


def _figures(reports: Sequence[JudgedReport], batch_ids: Sequence[int]) -> pd.DataFrame:
    """Return the reports' figures as observations, each with the batch, the unit, the day and the directive."""
    frame = pd.concat([one.figures for one in reports], ignore_index=True)
    sizes = [len(one.figures) for one in reports]

    def repeated(values: Sequence[Any]) -> pd.Series:
        repetitions = zip(values, sizes, strict=True)
        return pd.Series([value for value, size in repetitions for _ in range(size)], dtype=object)

    return frame.assign(
        batch_id=repeated(batch_ids),
        unit_code=repeated([one.unit_code for one in reports]),
        figure_date=repeated([one.report_date for one in reports]),
        directive_code=repeated([one.directive_code for one in reports]),
        known_at=repeated([one.landed.known_at for one in reports]),
        obs_status=frame["value"].isna().map({True: "M", False: "A"}),
    )


def _warning_rows(report: JudgedReport, batch_id: int) -> Iterator[dict[str, Any]]:
    for number, finding in enumerate(report.findings):
        yield {
            "batch_id": batch_id,
            "warning_number": number,
            "rule_code": finding.code,
            "measure_code": finding.key[0] if finding.key else "",
            "category_code": (finding.key[1] if finding.key else None) or "",
            "place": _place(finding) if finding.address else "",
            "message": finding.message_en,
            "reason": _reason_of(report, finding),
        }


def _reason_of(report: JudgedReport, finding: Finding) -> str | None:
    reason = report.reasons.get(finding.key) if finding.key else None
    return mask_digits(reason) if reason else None


def record_duplicate(engine: sa.Engine, landed: LandedFile, report_date: date, figure_count: int) -> bool:
    """Record that a unit sent the very same bytes again; nothing is loaded.

    Returns:
        Whether this sending was news.
    """
    batch = Batch(
        source_code=SOURCE,
        part_code=landed.part_code,
        report_date=report_date,
        known_at=landed.known_at,
        account=RowAccount(read=figure_count, loaded=0, duplicate=figure_count),
        files=[landed],
        status_code="duplicate",
    )
    with engine.begin() as connection:
        lock_part(connection, SOURCE, landed.part_code)
        return write_batch(connection, batch)


def _batch(report: JudgedReport) -> Batch:
    figure_count = len(report.figures) if not report.refusal else max(len(report.figures), 1)
    errors = [finding for finding in report.findings if finding.severity == "error"]
    warnings = [finding for finding in report.findings if finding.severity == "warning"]
    is_refused = bool(report.refusal)
    return Batch(
        source_code=SOURCE,
        part_code=report.unit_code,
        report_date=report.report_date,
        known_at=report.landed.known_at,
        account=RowAccount(
            read=figure_count,
            loaded=0 if is_refused else figure_count,
            refused=figure_count if is_refused else 0,
        ),
        files=[report.landed],
        refused=refused_frame(_refused_row(report, finding) for finding in errors) if errors else None,
        checks=() if is_refused else report.checks,
        suite_name=SUITE,
        status_code="refused" if is_refused else "loaded",
        reason=report.refusal,
        error_count=len(errors),
        warning_count=len(warnings),
        rows_are_figures=True,
    )


def _refused_row(report: JudgedReport, finding: Finding) -> dict[str, str]:
    place = _place(finding) if finding.address else "the whole file"
    return {
        "sha256": report.landed.sha256,
        "place": place,
        "reason_code": finding.code,
        "reason": finding.message_en,
        "content": mask_digits(finding.found),
    }


def _place(finding: Finding) -> str:
    # A sheet may be named by the clerk.
    return f"sheet '{mask_digits(finding.sheet)}' cell {finding.address}"
