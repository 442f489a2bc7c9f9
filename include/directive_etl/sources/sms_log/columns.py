"""Rows with named columns, whatever file they come from, as a fields relation."""

from collections.abc import Mapping

from directive_etl.registry.log_formats import Columns
from directive_etl.sources.sms_log.sql_text import literal

_STATUS_JOINT = "/"


def column_fields(columns: Columns, values: Mapping[str, str], source: str, file_no: str) -> str:
    """Return the SELECT of a fields relation, with the columns themselves.

    Args:
        columns: what the operator declares.
        values: expression of each named column in `source`, text; times may be timestamps. NULL for an empty value.
        source: what to select from.
        file_no: expression of the file's number.
    """
    names = columns.names

    def part(name: str, missing: str = "NULL::VARCHAR") -> str:
        return values[names[name][0]] if name in names else missing

    # Without a status in the row, its receipt may have one.
    status = (
        f" || {literal(_STATUS_JOINT)} || ".join(f"coalesce({values[name]}, '')" for name in names["status"])
        if "status" in names
        else "''"
    )
    return f"""
        SELECT {file_no} AS file_no, 0 AS fault, true AS is_event,
            {part("connection")} AS connection, {part("message_id")} AS message_id,
            {part("sender")} AS sender, {part("service")} AS service,
            {part("recipient")} AS recipient, {part("submitted_at")} AS submitted_at,
            {part("done_at")} AS done_at, {status} AS status, {part("receipt")} AS receipt,
            {part("segments", "1")} AS segments, *
        FROM {source}
    """


def shown_columns(columns: Columns, values: Mapping[str, str]) -> str:
    """Return the expression of what a refused row is shown as: the named columns but the receipt, which has a text."""
    shown = [name for name in columns.all_names if name != columns.receipt]
    parts = [f"{literal(f'{name}=')} || coalesce({values[name]}::VARCHAR, '')" for name in shown]
    if columns.receipt:
        parts.append("'receipt status=' || coalesce(status, '')")
    return f"concat_ws(', ', {', '.join(parts)})"


def missing_columns(columns: Columns, found: tuple[str, ...]) -> str:
    """Return what is wrong with the columns found; nothing when all declared ones stand there once."""
    missing = [name for name in columns.all_names if name not in found]
    twice = [name for name in columns.all_names if found.count(name) > 1]
    return "; ".join(
        f"{what}: {', '.join(names)}"
        for what, names in (("missing columns", missing), ("columns that stand twice", twice))
        if names
    )
