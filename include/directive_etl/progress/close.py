"""The close of a day, 08:00 of the next: who reported in time, what is published, who is missing."""

import hashlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
import sqlalchemy as sa

from directive_etl.periods import close_of
from directive_etl.progress.official_report import write_official_report
from directive_etl.progress.recompute import SOURCE, directives_on, expected_reports, recompute_progress
from directive_etl.quality import RowAccount
from directive_etl.registry.directive import Directive
from directive_etl.registry.obligations import owed_figures
from directive_etl.registry.units import units_on
from directive_etl.warehouse.ledger import Batch, lock_part, write_batch
from directive_etl.warehouse.merge import merge_rows
from directive_etl.warehouse.observations import record_observations
from directive_etl.warehouse.tables import ops

CLOSE_PART = "daily_close"

# What was received by the close: the first accepted report, and the figures of the accepted report that came last.
_RECEIVED = sa.text("""
    select b.part_code as unit_code,
           min(b.known_at) as first_known_at,
           (array_agg(coalesce(f.filled_count, 0) order by b.known_at desc, b.batch_id desc))[1] as filled_count
    from ops.load_batch b
    left join (
        select batch_id, count(value) as filled_count from core.unit_figure
        where directive_code = :directive_code group by batch_id
    ) f using (batch_id)
    where b.source_code = 'unit_report' and b.status_code = 'loaded'
      and b.report_date = :day and b.known_at <= :closed_at
    group by b.part_code
""")
_PUBLISHED = sa.text(
    "select * from reporting.progress_known_at(:closed_at, :day) where directive_number = :number"
)


@dataclass(frozen=True)
class Closed:
    """What the close of a day found: who had not reported, and how many progress rows were published."""

    directive_number: str
    missing_units: list[str]
    row_count: int
    report_path: Path


def close_day(engine: sa.Engine, day: date, reports: Path) -> list[Closed]:
    """Judge and publish a day as it was known at its close; a repeated close changes nothing.

    Args:
        engine: of the role etl_loader.
        day: the day to close.
        reports: folder of the official reports.

    Returns:
        One entry per directive in force.
    """
    expected = {directive.code: _record_reporting(engine, directive, day) for directive in directives_on(day)}
    recompute_progress(engine, day)
    return [
        _publish(engine, directive, day, expected[directive.code], reports)
        for directive in directives_on(day)
    ]


def reporting_figures(directive: Directive, day: date, received: pd.DataFrame) -> pd.DataFrame:
    """Return the pipeline's own figures of a day: who was expected, in time, and how complete.

    Args:
        directive: in force on the day.
        day: the day that closes.
        received: one row per unit with an accepted report by the close: unit_code, first_known_at (aware),
            filled_count (figures in the report that came last).

    Returns:
        Four rows per expected unit: unit_code, measure_code, category_code (the directive's code), value.
    """
    by_unit = {row["unit_code"]: row for row in received.to_dict("records")}
    units = {unit.unit_code: unit for unit in units_on(day)}
    rows = []
    for unit_code, due_at in _expected_units(directive, day).items():
        report = by_unit.get(unit_code)
        on_time = report is not None and report["first_known_at"] <= due_at
        for measure_code, value in (
            ("report_expected_count", 1),
            ("report_on_time_count", int(on_time)),
            ("report_figure_owed_count", len(owed_figures(directive, units[unit_code], day))),
            ("report_figure_filled_count", int(report["filled_count"]) if report else 0),
        ):
            rows.append(
                {
                    "unit_code": unit_code,
                    "measure_code": measure_code,
                    "category_code": directive.code,
                    "value": value,
                }
            )
    return pd.DataFrame(rows, columns=["unit_code", "measure_code", "category_code", "value"])


def _record_reporting(engine: sa.Engine, directive: Directive, day: date) -> list[str]:
    """Write the pipeline's own figures, and return the units that had not reported by the close."""
    closed_at = close_of(day)
    with engine.begin() as connection:
        lock_part(connection, SOURCE, CLOSE_PART)
        asked = {"directive_code": directive.code, "day": day, "closed_at": closed_at}
        rows = connection.execute(_RECEIVED, asked)
        received = pd.DataFrame(rows.fetchall(), columns=list(rows.keys()))
        figures = reporting_figures(directive, day, received)
        observations = figures.assign(figure_date=day, obs_status="A", known_at=closed_at)
        batch = Batch(
            source_code=SOURCE,
            part_code=CLOSE_PART,
            report_date=day,
            known_at=closed_at,
            account=RowAccount(read=len(figures), loaded=len(figures)),
            input_parts=[directive.code, figures.to_csv(index=False)],
            rows_are_figures=True,
        )
        write_batch(
            connection,
            batch,
            lambda batch_id: (
                record_observations(connection, observations, source_code=SOURCE, batch_id=batch_id).changed
            ),
        )
    return sorted(set(_expected_units(directive, day)) - set(received["unit_code"]))


def _publish(engine: sa.Engine, directive: Directive, day: date, missing: list[str], reports: Path) -> Closed:
    closed_at = close_of(day)
    with engine.begin() as connection:
        asked = {"closed_at": closed_at, "day": day, "number": directive.number}
        rows = connection.execute(_PUBLISHED, asked)
        progress = pd.DataFrame(rows.fetchall(), columns=list(rows.keys()), dtype=object)
        progress = progress.sort_values(["clause_code", "indicator_code", "unit_code"], ignore_index=True)
        report_path = Path(day.isoformat()) / f"{directive.code}.xlsx"
        # When a row was recorded says nothing about what was published.
        content = progress.drop(columns="recorded_at").to_csv(index=False)
        publication = pd.DataFrame(
            [
                {
                    "directive_code": directive.code,
                    "report_date": day,
                    "closed_at": closed_at,
                    "row_count": len(progress),
                    "content_hash": hashlib.sha256(content.encode()).hexdigest(),
                    "missing_units": missing,
                    "report_path": str(report_path),
                }
            ],
            dtype=object,
        )
        merge_rows(connection, ops.publication, publication)
    write_official_report(reports / report_path, directive, day, progress, missing)
    return Closed(directive.number, missing, len(progress), report_path)


def _expected_units(directive: Directive, day: date) -> dict[str, pd.Timestamp]:
    expected = expected_reports(directive, day)
    due = expected[expected["is_expected"]]
    return dict(zip(due["unit_code"], due["due_at"], strict=True))
