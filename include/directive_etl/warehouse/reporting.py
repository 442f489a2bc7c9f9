"""The reporting schema: views and functions, re-created after every migration, with a comment on every column."""

from importlib import resources

import sqlalchemy as sa

from directive_etl.warehouse.tables import metadata

# In order of creation: a view may read the ones before it.
VIEWS = (
    "directive_progress_daily",
    "directive_progress_latest",
    "sms_daily",
    "sms_reach",
    "portal_daily",
    "portal_city_daily",
    "dossier_witness_daily",
    "unit_report_status_daily",
    "unit_total_daily",
    "data_freshness",
    "load_quality_daily",
)

# The functions answer with rows of directive_progress_daily, computed for another moment. One SELECT serves all three.
PROGRESS_FUNCTIONS = {
    "progress_as_of": (
        "core.progress_at('infinity', as_of, for_date)",
        "Progress of a day as the warehouse believed it at a moment (recorded_at).",
    ),
    "progress_known_at": (
        "core.progress_at(as_of, 'infinity', for_date)",
        "Progress of a day as it could be known at a moment (known_at): what came later is left out.",
    ),
}

# Columns that no table has, or that mean something else in a view. The same quantity has the same name everywhere.
_VIEW_COLUMN_COMMENTS = {
    "indicator_name_vi": "Name of the indicator in Vietnamese.",
    "indicator_name_en": "Name of the indicator in English.",
    "unit_name": "Name of the unit in Vietnamese.",
    "report_date": "Day the row is about, local time.",
    "delivered_pct": "Messages delivered out of messages sent. Unit: per cent.",
    "reach_pct": "Subscribers reached out of subscribers to reach. Unit: per cent.",
    "days_since_last_wave": "Days since the last wave of messages; NULL before the first. Unit: days.",
    "shared_dossier_count": "Dossiers that more than one system shows, each counted once. Unit: dossiers.",
    "reported_count": "What the unit reported. Unit: dossiers.",
    "difference_count": "Reported less shown by the portals. Unit: dossiers.",
    "is_within_tolerance": "FALSE when the two witnesses differ by more than the tolerance: a warning.",
    "received_at": "When the first accepted report came, by the channel's clock; NULL when none did.",
    "error_count": "Errors in the day's files, refused ones included.",
    "warning_count": "Warnings in the day's accepted files.",
    "own_value": "The unit's own total, as it reported it.",
    "children_value": "Sum of what its children reported of the same thing.",
    "reported_child_count": "Children that reported it. Unit: units.",
    "expected_child_count": "Children that owe a report for the day. Unit: units.",
    "is_consistent": "FALSE when the own total is below the sum, or is not the sum though all children reported.",
    "latest_complete_date": "Latest day for which every part of the source is in.",
    "last_loaded_at": "When its newest batch was written.",
    "expected_by": "When the next complete day should be in: 08:00 after it ends.",
    "is_stale": "TRUE when that moment has passed.",
}
# `status_code` and `batch` columns mean one thing per view.
_SPECIAL_COMMENTS = {
    (
        "dossier_witness_daily",
        "portal_count",
    ): "What the portals show of the same, all systems. Unit: dossiers.",
    ("unit_report_status_daily", "status_code"): "on_time, late, refused, missing or not_expected.",
    (
        "directive_progress_daily",
        "status_code",
    ): "achieved, on_track, behind, overdue, not_reported or not_due.",
    (
        "directive_progress_latest",
        "status_code",
    ): "achieved, on_track, behind, overdue, not_reported or not_due.",
    (
        "unit_report_status_daily",
        "revision_count",
    ): "Accepted corrections after the first report that changed a figure.",
}


def create_reporting(connection: sa.Connection) -> None:
    """Drop and create every function and view, their comments, and the rights of the two roles.

    Runs as the schema owner, after the migrations, in the caller's transaction.
    """
    _execute(connection, _text("functions/progress_at.sql"))
    _execute(connection, "drop schema if exists reporting cascade; create schema reporting")
    for view in VIEWS:
        _execute(connection, f"create view reporting.{view} as\n{_text(f'views/{view}.sql')}")
        _comment_on(connection, view)
    for function, (source, comment) in PROGRESS_FUNCTIONS.items():
        body = _text("views/directive_progress_daily.sql").replace("core.daily_progress p", f"{source} p")
        _execute(
            connection,
            f"create function reporting.{function}(as_of timestamptz, report_date date)\n"
            "returns setof reporting.directive_progress_daily\n"
            "language sql stable security definer set search_path = ''\n"
            f"as $$\n{body.replace('as_of,', f'{function}.as_of,').replace('for_date', f'{function}.report_date')}$$;\n"
            f"comment on function reporting.{function} is $c${comment}$c$",
        )
    _execute(connection, _text("rights.sql"))


def column_comment(view: str, column: str) -> str:
    """Return the comment of a column of a reporting view.

    Raises:
        KeyError: no table and no entry here explains the column.
    """
    if special := _SPECIAL_COMMENTS.get((view, column)) or _VIEW_COLUMN_COMMENTS.get(column):
        return special
    for table in metadata.sorted_tables:
        if column in table.columns and table.columns[column].comment:
            return str(table.columns[column].comment)
    raise KeyError(f"reporting.{view}.{column} has no comment: add one to warehouse/reporting.py")


def _comment_on(connection: sa.Connection, view: str) -> None:
    header = [
        line.removeprefix("-- ") for line in _text(f"views/{view}.sql").splitlines() if line.startswith("-- ")
    ]
    _execute(connection, f"comment on view reporting.{view} is $c${' '.join(header)}$c$")
    columns = sa.inspect(connection).get_columns(view, schema="reporting")
    for column in columns:
        comment = column_comment(view, column["name"])
        _execute(connection, f"comment on column reporting.{view}.{column['name']} is $c${comment}$c$")


def _text(name: str) -> str:
    return (resources.files(__package__) / name).read_text(encoding="utf-8")


def _execute(connection: sa.Connection, sql: str) -> None:
    # A `%` in the text must not be taken for a parameter.
    connection.execution_options(no_parameters=True).exec_driver_sql(sql)
