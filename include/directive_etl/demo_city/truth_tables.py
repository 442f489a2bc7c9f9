"""The truth as Parquet files: one file per table, read by tests only."""

from pathlib import Path

import duckdb
import pandas as pd

# Numbers are exact: counts whole, what is rounded has 2 decimals, targets at most 4.
_PROGRESS = {
    "directive_number": "text",
    "clause_code": "text",
    "indicator_code": "text",
    "indicator_name_vi": "text",
    "indicator_name_en": "text",
    "unit_code": "text",
    "unit_name": "text",
    "unit_type": "text",
    "parent_unit_code": "text",
    "report_date": "date",
    "numerator": "decimal(20, 4)",
    "denominator": "decimal(20, 4)",
    "actual_value": "decimal(20, 2)",
    "target_value": "decimal(20, 4)",
    "is_target_assumed": "boolean",
    "progress_pct": "decimal(20, 2)",
    "status_code": "text",
    "obs_status": "text",
    "due_date": "date",
    "days_overdue": "integer",
    "is_late": "boolean",
    "revision_count": "integer",
}
SCHEMAS = {
    "observations": {
        "unit_code": "text",
        "measure_code": "text",
        "category_code": "text",
        "figure_date": "date",
        "value": "bigint",
        "known_at": "timestamptz",
        "obs_status": "text",
    },
    "progress": _PROGRESS,
    "progress_at_close": _PROGRESS,
    "unit_report_status": {
        "unit_code": "text",
        "report_date": "date",
        "is_expected": "boolean",
        "due_at": "timestamptz",
        "received_at": "timestamptz",
        "status_code": "text",
        "revision_count": "integer",
        "error_count": "integer",
        "warning_count": "integer",
    },
    "submissions": {
        "path": "text",
        "unit_code": "text",
        "report_date": "date",
        "received_at": "timestamptz",
        "kind": "text",
        "outcome": "text",
        "reason_code": "text",
    },
}


def write_truth_table(frame: pd.DataFrame, name: str, folder: Path) -> Path:
    """Write one table as `<folder>/<name>.parquet`; the same frame gives the same bytes.

    Its columns are typed as SCHEMAS says; a table that is not there has types of its own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.parquet"
    columns = (
        ", ".join(f"{column}::{kind} as {column}" for column, kind in SCHEMAS.get(name, {}).items()) or "*"
    )
    # One thread: several would write the row groups in an order of their own.
    # The type of an object column is only seen from all of its rows.
    with duckdb.connect(config={"threads": 1, "pandas_analyze_sample": max(1, len(frame))}) as connection:
        connection.register("frame", frame)
        connection.execute(
            f"copy (select {columns} from frame) to '{path}' (format parquet, compression zstd)"
        )
    return path
