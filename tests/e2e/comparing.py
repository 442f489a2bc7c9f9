"""Compare frames from two places value by value: 12.50 and 12.5 are one number, NaN and None one absence."""

from collections.abc import Sequence
from datetime import date, datetime

import pandas as pd


def shown(value: object) -> str:
    """Return a value as text that is equal for equal values, whatever their types."""
    if isinstance(value, list | tuple):
        return str(list(value))
    if value is None or pd.isna(value):  # type: ignore[call-overload]
        return "-"
    if isinstance(value, datetime):
        moment = pd.Timestamp(value)
        return str(moment.tz_convert("UTC")) if moment.tzinfo else str(moment.date())
    if isinstance(value, date):
        return str(value)
    try:
        return f"{float(value):.4f}"  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return str(value)


def differences(truth: pd.DataFrame, found: pd.DataFrame, key: Sequence[str]) -> pd.DataFrame:
    """Return every value that differs: key, column, truth, found. Columns that the truth lacks are not compared."""
    left = truth.map(shown).set_index(list(key))
    right = found[[*truth.columns]].map(shown).set_index(list(key))
    assert left.index.is_unique and right.index.is_unique
    rows = [(*_listed(name), "(row)", "there", "missing") for name in left.index.difference(right.index)]
    rows += [(*_listed(name), "(row)", "none", "there") for name in right.index.difference(left.index)]
    both = left.index.intersection(right.index)
    left, right = left.loc[both], right.loc[both]
    for column in left.columns:
        differs = left[column] != right[column]
        for name in left.index[differs]:
            rows.append((*_listed(name), column, left.at[name, column], right.at[name, column]))
    return pd.DataFrame(rows, columns=[*key, "column", "truth", "found"])


def _listed(name: object) -> tuple[object, ...]:
    return name if isinstance(name, tuple) else (name,)
