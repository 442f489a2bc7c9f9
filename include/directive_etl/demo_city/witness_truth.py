"""What is true of the two witnesses: what units reported of their dossiers beside what the portals show."""

from fractions import Fraction

import pandas as pd

from directive_etl.registry.directive import directives
from directive_etl.registry.units import units_on

WITNESS_COLUMNS = [
    "unit_code",
    "unit_name",
    "report_date",
    "measure_code",
    "reported_count",
    "portal_count",
    "difference_count",
    "tolerance_count",
    "is_within_tolerance",
]


def true_witnesses(observations: pd.DataFrame, portal_daily: pd.DataFrame) -> pd.DataFrame:
    """Return reporting.dossier_witness_daily, one row per unit and day that has a reported figure.

    Args:
        observations: every revision of every figure of all sources.
        portal_daily: dossiers.true_portal_daily; its days are those that were pulled.
    """
    days = set(portal_daily["report_date"])
    shown = portal_daily.groupby(["unit_code", "report_date"]).sum(numeric_only=True)
    rows = []
    for witness in (one for directive in directives() for one in directive.witnesses):
        told = observations[observations["measure_code"] == witness.measure].sort_values(
            "known_at", kind="stable"
        )
        last = told.drop_duplicates(["unit_code", "figure_date"], keep="last").dropna(subset=["value"])
        counts = shown[witness.portal_count].to_dict()
        for unit_code, day, value in last[["unit_code", "figure_date", "value"]].to_numpy().tolist():
            if day not in days:
                continue
            portal, reported = int(counts.get((unit_code, day), 0)), int(value)
            share = Fraction(witness.tolerance_pct) * portal / 100
            tolerance = max(witness.tolerance_count, -(-share.numerator // share.denominator))
            [name] = [unit.name_vi for unit in units_on(day) if unit.unit_code == unit_code]
            difference = reported - portal
            figures = (reported, portal, difference, tolerance, abs(difference) <= tolerance)
            rows.append((unit_code, name, day, witness.measure, *figures))
    return pd.DataFrame(rows, columns=WITNESS_COLUMNS)
