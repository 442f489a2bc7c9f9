"""Load accepted reports and record refused ones: one file, one transaction, one ledger row."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import pandas as pd
import sqlalchemy as sa

from directive_etl.landing import LandedFile
from directive_etl.quality import RowAccount, mask_digits, refused_frame
from directive_etl.quality.results import CheckResult
from directive_etl.sources.unit_report.check import Finding
from directive_etl.sources.unit_report.form import FigureKey
from directive_etl.warehouse.ledger import Batch, lock_part, write_batch
from directive_etl.warehouse.observations import record_observations
from directive_etl.warehouse.staging import append_rows
from directive_etl.warehouse.tables import facts, ops

SOURCE = "unit_report"
SUITE = "core.unit_figure"


@dataclass(frozen=True)
class JudgedReport:
    """A report that was read and checked.

    Attributes:
        landed: the file; its part is the unit whose inbox it came in.
        directive_code: the directive it is about.
        report_date: the day it is about.
        figures: one row per figure on the form: measure_code, category_code ('' without), value (int or None).
        findings: errors and warnings.
        refusal: why the file as a whole was refused; empty when it is accepted.
        reasons: by figure, why the unit says that it is right.
    """

    landed: LandedFile
    directive_code: str
    report_date: date
    figures: pd.DataFrame
    findings: Sequence[Finding]
    refusal: str
    reasons: Mapping[FigureKey, str] = field(default_factory=dict)

    @property
    def unit_code(self) -> str:
        """The unit whose inbox it came in."""
        return self.landed.part_code


def answered_files(connection: sa.Connection) -> pd.DataFrame:
    """Return what was answered before: unit_code, sha256, known_at (UTC) of each file, and its report_date."""
    query = (
        sa.select(
            ops.load_batch.c.part_code.label("unit_code"),
            ops.batch_file.c.sha256,
            ops.load_batch.c.known_at,
            ops.load_batch.c.report_date,
        )
        .join(ops.batch_file, ops.batch_file.c.batch_id == ops.load_batch.c.batch_id)
        .where(ops.load_batch.c.source_code == SOURCE)
    )
    frame = pd.read_sql(query, connection)
    frame["known_at"] = pd.to_datetime(frame["known_at"], utc=True)
    return frame


def previous_figures(
    connection: sa.Connection, unit_code: str, report_date: date, known_by: datetime
) -> dict[tuple[str, str], int]:
    """Return the unit's figure of the last day before one that has a value, by measure and category, as known then."""
    table = facts.observation
    figure = (table.c.measure_code, table.c.category_code, table.c.figure_date)
    known = (
        sa.select(*figure, table.c.value)
        .distinct(*figure)
        .where(
            table.c.source_code == SOURCE,
            table.c.unit_code == unit_code,
            table.c.figure_date < report_date,
            table.c.known_at <= known_by,
        )
        .order_by(*figure, table.c.known_at.desc(), table.c.recorded_at.desc())
        .subquery()
    )
    query = sa.select(known).where(known.c.value.is_not(None)).order_by(known.c.figure_date)
    return {(row.measure_code, row.category_code): row.value for row in connection.execute(query)}


def batch_of(connection: sa.Connection, unit_code: str, sha256: str, known_at: datetime) -> tuple[date, int]:
    """Return the reporting day and the number of figures of a sending that was answered before."""
    batch = ops.load_batch
    query = (
        sa.select(batch.c.report_date, batch.c.read_count)
        .join(ops.batch_file, ops.batch_file.c.batch_id == batch.c.batch_id)
        .where(
            batch.c.source_code == SOURCE,
            batch.c.part_code == unit_code,
            batch.c.known_at == known_at,
            ops.batch_file.c.sha256 == sha256,
        )
    )
    row = connection.execute(query).one()
    return row.report_date, row.read_count


def load_report(engine: sa.Engine, report: JudgedReport, checks: Sequence[CheckResult]) -> bool:
    """Load one accepted report, or record why it was refused, in one transaction.

    Args:
        engine: of the role etl_loader.
        report: read and judged.
        checks: what the suite found on the batch of reports it came with.

    Returns:
        Whether anything was written: not when the same file was recorded before and changes nothing.
    """
    with engine.begin() as connection:
        lock_part(connection, SOURCE, report.unit_code)
        if report.refusal:
            return write_batch(connection, _batch(report, checks))
        figures = report.figures.assign(category_code=report.figures["category_code"].fillna(""))
        observations = figures.assign(
            unit_code=report.unit_code,
            figure_date=report.report_date,
            obs_status=figures["value"].isna().map({True: "M", False: "A"}),
            known_at=report.landed.known_at,
        )

        def load(batch_id: int) -> int:
            changed = record_observations(
                connection, observations, source_code=SOURCE, batch_id=batch_id, keep_confirmations=True
            ).changed
            rows = figures.assign(
                unit_code=report.unit_code,
                report_date=report.report_date,
                directive_code=report.directive_code,
                batch_id=batch_id,
            )
            append_rows(connection, facts.unit_figure, rows)
            _keep_apart(connection, report, batch_id)
            return changed

        return write_batch(connection, _batch(report, checks), load)


def _keep_apart(connection: sa.Connection, report: JudgedReport, batch_id: int) -> None:
    """Write what is kept of an accepted report beside its figures: its warnings, and what tells a copy."""
    row = {
        "batch_id": batch_id,
        "unit_code": report.unit_code,
        "report_date": report.report_date,
        "known_at": report.landed.known_at,
        "figures_hash": figures_hash(report.figures),
    }
    connection.execute(sa.insert(ops.accepted_report).values(row))
    warnings = [
        {
            "batch_id": batch_id,
            "warning_number": number,
            "rule_code": finding.code,
            "measure_code": finding.key[0] if finding.key else "",
            "category_code": (finding.key[1] if finding.key else None) or "",
            "place": _place(finding) if finding.address else "",
            "message": finding.message_en,
            "reason": _reason_of(report, finding),
        }
        for number, finding in enumerate(report.findings)
    ]
    if warnings:
        connection.execute(sa.insert(ops.report_warning), warnings)


def _reason_of(report: JudgedReport, finding: Finding) -> str | None:
    reason = report.reasons.get(finding.key) if finding.key else None
    return mask_digits(reason) if reason else None


def figures_hash(figures: pd.DataFrame) -> str:
    """Return a hash that is equal for equal figures, whose-ever they are."""
    columns = (figures["measure_code"], figures["category_code"].fillna(""), figures["value"])
    lines = sorted(f"{measure}/{category}={value}" for measure, category, value in zip(*columns, strict=True))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def has_twin(connection: sa.Connection, report: JudgedReport) -> bool:
    """Say whether another unit had sent the very same figures for the day, as known when this one came."""
    table = ops.accepted_report
    query = sa.select(sa.literal(True)).where(
        table.c.report_date == report.report_date,
        table.c.figures_hash == figures_hash(report.figures),
        table.c.unit_code != report.unit_code,
        table.c.known_at <= report.landed.known_at,
    )
    return connection.execute(query.limit(1)).scalar() is not None


def ledger_number(connection: sa.Connection, landed: LandedFile) -> int | None:
    """Return the ledger row of one sending; None when it left none."""
    batch = ops.load_batch
    query = (
        sa.select(sa.func.max(batch.c.batch_id))
        .join(ops.batch_file, ops.batch_file.c.batch_id == batch.c.batch_id)
        .where(
            batch.c.source_code == SOURCE,
            batch.c.part_code == landed.part_code,
            batch.c.known_at == landed.known_at,
            ops.batch_file.c.sha256 == landed.sha256,
        )
    )
    return connection.execute(query).scalar()


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


def _batch(report: JudgedReport, checks: Sequence[CheckResult]) -> Batch:
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
        refused=refused_frame(_refused_row(report, finding) for finding in errors),
        checks=() if is_refused else checks,
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
