"""Load the registry into the `core` tables: what is declared in files is what the warehouse joins with."""

from collections.abc import Iterable
from typing import Any

import pandas as pd
import sqlalchemy as sa

from directive_etl.registry import calendar, campaigns, operators, procedures, systems, units
from directive_etl.registry.directive import Clause, Directive, Indicator, directives
from directive_etl.registry.units import UnitMatch
from directive_etl.warehouse.merge import merge_rows
from directive_etl.warehouse.tables import declared


def sync_declared(connection: sa.Connection) -> None:
    """Make the declared tables equal the registry, in the caller's transaction; unchanged rows are not written.

    Raises:
        RegistryError: a declared file is wrong.
    """
    rows: dict[sa.Table, list[dict[str, Any]]] = {
        declared.unit: [_fields(unit) for unit in units.units()],
        declared.unit_succession: [_fields(row) for row in units.successions()],
        declared.calendar_day: [_fields(day) for year in _years() for day in calendar.calendar_days(year)],
        declared.operator: [_fields(operator) for operator in operators.operators()],
        declared.portal_system: [_fields(system) for system in systems.systems()],
        declared.campaign: [_fields(campaign) for campaign in campaigns.campaigns()],
        declared.procedure: [_fields(procedure) for procedure in procedures.procedures()],
    }
    for directive in directives():
        for table, found in _directive_rows(directive).items():
            rows.setdefault(table, []).extend(found)
    for table, found in rows.items():
        columns = [column.name for column in table.columns]
        merge_rows(connection, table, pd.DataFrame(found, columns=columns, dtype=object), scope={})
    # Autovacuum never looks at a table of a few dozen rows, and without statistics of these tables
    # core.progress_at was planned so badly that it took ten times as long.
    connection.exec_driver_sql(f"analyze {', '.join(table.fullname for table in rows)}")


def _years() -> Iterable[int]:
    """From the year of the first directive to the last declared calendar."""
    return calendar.declared_years()


def _fields(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in type(row).model_fields}


def _directive_rows(directive: Directive) -> dict[sa.Table, list[dict[str, Any]]]:
    code = {"directive_code": directive.code}
    clause_places = enumerate(directive.clauses, start=1)
    indicators = list(directive.indicators)
    return {
        declared.directive: [
            code
            | {
                "directive_number": directive.number,
                "title_vi": directive.title_vi,
                "title_en": directive.title_en,
                "issued_on": directive.issued_on,
                "active_from": directive.active_from,
                "active_to": directive.active_to,
            }
        ],
        declared.measure: [
            code
            | {
                "measure_code": measure.code,
                "name_vi": measure.name_vi,
                "name_en": measure.name_en,
                "source_code": measure.source,
                "kind": measure.kind,
            }
            for measure in directive.measures
        ],
        declared.dossier_witness: [
            code
            | {
                "measure_code": witness.measure,
                "portal_count": witness.portal_count,
                "tolerance_pct": witness.tolerance_pct,
                "tolerance_count": witness.tolerance_count,
            }
            for witness in directive.witnesses
        ],
        declared.clause: [code | _clause_row(clause, place) for place, clause in clause_places],
        declared.indicator: [
            code | _indicator_row(directive, clause, indicator, place)
            for place, (clause, indicator) in enumerate(indicators, start=1)
        ],
        declared.indicator_target: [
            code
            | {
                "indicator_code": indicator.code,
                "target_number": number,
                "target_value": target.value,
                "valid_from": target.valid_from,
                "valid_to": target.valid_to,
                "due_date": target.due_date,
                "unit_types": list(target.unit_types) if target.unit_types else None,
                "is_assumed": target.assumed,
                "source": target.source,
                "note": target.note,
            }
            for _, indicator in indicators
            for number, target in enumerate(indicator.targets, start=1)
        ],
    }


def _clause_row(clause: Clause, place: int) -> dict[str, Any]:
    return {
        "clause_code": clause.code,
        "position": place,
        "text_vi": clause.text_vi,
        "text_en": clause.text_en,
        "obligation": clause.obligation,
    }


def _indicator_row(directive: Directive, clause: Clause, indicator: Indicator, place: int) -> dict[str, Any]:
    measured_at: UnitMatch = indicator.measured_at or indicator.responsible
    denominator = indicator.denominator
    return {
        "indicator_code": indicator.code,
        "clause_code": clause.code,
        "position": place,
        "name_vi": indicator.name_vi,
        "name_en": indicator.name_en,
        "calculation": indicator.calculation,
        "kind": indicator.kind,
        "direction": indicator.direction,
        "source_code": directive.measure(indicator.numerator.measure).source,
        "numerator_measure": indicator.numerator.measure,
        "numerator_categories": _array(indicator.numerator.categories),
        "denominator_measure": denominator.measure if denominator else None,
        "denominator_categories": _array(denominator.categories) if denominator else None,
        "responsible_unit_types": list(indicator.responsible.unit_types),
        "responsible_units": list(indicator.responsible.units),
        "measured_unit_types": list(measured_at.unit_types),
        "measured_units": list(measured_at.units),
    }


def _array(codes: Iterable[str] | None) -> list[str] | None:
    return list(codes) if codes else None
