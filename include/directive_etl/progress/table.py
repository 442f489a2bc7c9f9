"""The city's progress per clause as text, for the terminal."""

from datetime import date

import pandas as pd
import sqlalchemy as sa

# The city's own row, and how many of the units below it have each status.
_TABLE = sa.text("""
    with day as (
        select coalesce(cast(:day as date), max(report_date)) as report_date from reporting.directive_progress_daily
    )
    select p.report_date, p.clause_code, p.indicator_code, p.actual_value, p.target_value, p.is_target_assumed,
           max(p.status_code) filter (where p.parent_unit_code is null) as status_code,
           count(*) filter (where u.status_code = 'achieved') as achieved,
           count(*) filter (where u.status_code = 'on_track') as on_track,
           count(*) filter (where u.status_code in ('behind', 'overdue')) as behind,
           count(*) filter (where u.status_code = 'not_reported') as not_reported
    from reporting.directive_progress_daily p
    join day using (report_date)
    left join reporting.directive_progress_daily u
           on u.report_date = p.report_date and u.directive_number = p.directive_number
          and u.indicator_code = p.indicator_code and u.parent_unit_code is not null
    where p.parent_unit_code is null
    group by p.report_date, p.clause_code, p.indicator_code, p.actual_value, p.target_value, p.is_target_assumed
""")
_HEADER = ("clause", "indicator", "city", "target", "status", "achieved", "on track", "behind", "silent")


def city_progress_table(engine: sa.Engine, day: date | None = None) -> str:
    """Return a table of the city's value per indicator, with how many units have each status.

    Args:
        engine: of any role that may read `reporting`.
        day: the reporting day; None takes the newest.
    """
    with engine.connect() as connection:
        rows = pd.read_sql(_TABLE, connection, params={"day": day})
    if rows.empty:
        return "no progress yet" if day is None else f"no progress for {day}"
    lines = [_HEADER]
    for row in rows.sort_values(["clause_code", "indicator_code"]).itertuples():
        mark = "*" if row.is_target_assumed else ""
        lines.append(
            (
                str(row.clause_code),
                str(row.indicator_code),
                _number(row.actual_value),
                _number(row.target_value) + mark,
                str(row.status_code),
                str(row.achieved),
                str(row.on_track),
                str(row.behind),
                str(row.not_reported),
            )
        )
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADER))]
    body = (
        "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
    first_row = rows.iloc[0]
    return f"Progress of the city on {first_row['report_date']} (* target assumed)\n" + "\n".join(body)


def _number(value: object) -> str:
    return "-" if pd.isna(value) else f"{float(value):g}"  # type: ignore[arg-type, call-overload]
