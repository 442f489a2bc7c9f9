"""Recompute one day's progress from the observations, and only that day."""

from datetime import date

import pandas as pd
import sqlalchemy as sa

from directive_etl.registry.directive import Directive, directives
from directive_etl.registry.obligations import expected_report
from directive_etl.registry.units import units_on
from directive_etl.warehouse.ledger import lock_part
from directive_etl.warehouse.merge import merge_rows
from directive_etl.warehouse.observations import OWN_SOURCE
from directive_etl.warehouse.tables import facts, ops

SOURCE = OWN_SOURCE
_PROGRESS = sa.text("select * from core.progress_at('infinity', 'infinity', :day)")


def recompute_progress(engine: sa.Engine, day: date) -> int:
    """Make core.daily_progress say, for one day, what its observations say now.

    Args:
        engine: of the role etl_loader.
        day: the reporting day.

    Returns:
        How many progress rows changed; a day whose observations did not change has none.
    """
    with engine.begin() as connection:
        lock_part(connection, SOURCE, f"progress {day}")
        for directive in directives_on(day):
            expected = expected_reports(directive, day)
            merge_rows(
                connection,
                ops.expected_report,
                expected,
                scope={"directive_code": directive.code, "report_date": day},
            )
        rows = connection.execute(_PROGRESS, {"day": day})
        frame = pd.DataFrame(rows.fetchall(), columns=list(rows.keys()), dtype=object)
        return merge_rows(connection, facts.daily_progress, frame, scope={"report_date": day}).changed


def directives_on(day: date) -> list[Directive]:
    """Return the directives in force on a day."""
    return [directive for directive in directives() if directive.is_active(day)]


def expected_reports(directive: Directive, day: date) -> pd.DataFrame:
    """Return one row per unit that the directive's reporting rules name: is a report expected, and by when.

    Columns as ops.expected_report; due_at is aware, NaT when none is expected.
    """
    named = {unit_type for rule in directive.reporting for unit_type in rule.unit_types}
    rows = [
        {
            "directive_code": directive.code,
            "unit_code": unit.unit_code,
            "report_date": day,
            "due_at": expected_report(directive, unit, day),
        }
        for unit in units_on(day)
        if unit.unit_type in named
    ]
    frame = pd.DataFrame(rows, columns=["directive_code", "unit_code", "report_date", "due_at"], dtype=object)
    return frame.assign(is_expected=frame["due_at"].notna())
