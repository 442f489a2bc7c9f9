"""Reader of JSON Lines: one object a line, read as text, so that a bad one is refused alone, with its place."""

from collections.abc import Sequence

from directive_etl.registry.log_formats import JsonLinesLog
from directive_etl.sources.sms_log.columns import column_fields, shown_columns
from directive_etl.sources.sms_log.fields import Fields, file_no_sql, read_lines_call
from directive_etl.sources.sms_log.reasons import number_of
from directive_etl.sources.sms_log.sql_text import literal
from directive_etl.sources.sms_log.text_files import TextFile


def json_fields(files: Sequence[TextFile], log: JsonLinesLog) -> Fields:
    """Read JSON Lines.

    Args:
        files: numbered in a row.
        log: how the operator writes them.
    """
    names = log.columns.all_names
    paths = ", ".join(literal(_path(name)) for name in names)
    values = {name: f"nullif(found[{place}], '')" for place, name in enumerate(names, start=1)}
    lines = f"""(
        SELECT file_number, object IS NULL AS is_none, json_extract_string(object, [{paths}]) AS found, line
        FROM (
            SELECT file_number, line,
                CASE WHEN json_valid(line) AND starts_with(ltrim(line), '{{') THEN line END AS object
            FROM (
                SELECT {file_no_sql(files)} AS file_number, ltrim(line, '\ufeff') AS line
                FROM {read_lines_call(files, log.encoding)} WHERE line IS NOT NULL
            )
        )
    )"""
    sql = f"""
        SELECT * REPLACE (CASE WHEN is_none THEN {number_of("wrong_layout")} ELSE 0 END AS fault)
        FROM ({column_fields(log.columns, values, lines, "file_number")})
    """
    return Fields(sql, f"CASE WHEN is_none THEN line ELSE {shown_columns(log.columns, values)} END")


def _path(name: str) -> str:
    """Return the JSON path of a column: as declared, or the key itself with whatever it holds."""
    return name if name.startswith("$.") else '$."' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
