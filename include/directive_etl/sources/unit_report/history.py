"""What the warehouse knew when a report came: the answers before, the unit's figures before, equal sheets.

Everything is asked for many reports at once. A report is compared with what had come before it, by the
channel's clock; of two that came in the same moment, the one of the unit with the lower code came first.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import pandas as pd
import sqlalchemy as sa

from directive_etl.landing import LandedFile
from directive_etl.sources.unit_report.judged import JudgedReport
from directive_etl.sources.unit_report.relatives import Relatives, parent_of, relatives_of
from directive_etl.warehouse.tables import ops

SOURCE = "unit_report"

# The last day before with a value: a figure that was withdrawn by then does not count.
_PREVIOUS = """
select w.place, w.measure_code, w.category_code, before.value
from unnest(
    cast(:places as int[]), cast(:unit_codes as text[]), cast(:report_dates as date[]),
    cast(:known_ats as timestamptz[]), cast(:measure_codes as text[]), cast(:category_codes as text[])
) as w (place, unit_code, report_date, known_at, measure_code, category_code)
cross join lateral (
    select o.value
    from core.observation o
    where o.source_code = :source_code and o.unit_code = w.unit_code and o.measure_code = w.measure_code
      and o.category_code = w.category_code and o.figure_date < w.report_date and o.known_at <= w.known_at
      and o.value is not null
      and not exists (
          select from core.observation l
          where l.figure_date = o.figure_date and l.unit_code = o.unit_code and l.measure_code = o.measure_code
            and l.category_code = o.category_code and l.known_at <= w.known_at
            and (l.known_at, l.recorded_at, l.observation_id) > (o.known_at, o.recorded_at, o.observation_id)
      )
    order by o.figure_date desc
    limit 1
) before
"""
_RELATIVES = """
select w.place, w.relative_code, o.measure_code, o.category_code, o.value
from unnest(
    cast(:places as int[]), cast(:unit_codes as text[]), cast(:relative_codes as text[]),
    cast(:report_dates as date[]), cast(:known_ats as timestamptz[])
) as w (place, unit_code, relative_code, report_date, known_at)
cross join lateral (
    select distinct on (o.measure_code, o.category_code) o.measure_code, o.category_code, o.value
    from core.observation o
    where o.source_code = :source_code and o.figure_date = w.report_date and o.unit_code = w.relative_code
      and (o.known_at, o.unit_code) < (w.known_at, w.unit_code)
    order by o.measure_code, o.category_code, o.known_at desc, o.recorded_at desc, o.observation_id desc
) o
where o.value is not null
"""
_TWINS = """
select exists (
    select from ops.accepted_report a
    where a.report_date = w.report_date and a.figures_hash = w.figures_hash and a.unit_code <> w.unit_code
      and (a.known_at, a.unit_code) < (w.known_at, w.unit_code)
)
from unnest(
    cast(:unit_codes as text[]), cast(:report_dates as date[]), cast(:known_ats as timestamptz[]),
    cast(:hashes as text[])
) with ordinality as w (unit_code, report_date, known_at, figures_hash, place)
order by w.place
"""
_LEDGER_NUMBERS = """
select (
    select max(b.batch_id)
    from ops.load_batch b
    join ops.batch_file f using (batch_id)
    where b.source_code = :source_code and b.part_code = w.unit_code and b.known_at = w.known_at
      and f.sha256 = w.sha256
)
from unnest(cast(:unit_codes as text[]), cast(:known_ats as timestamptz[]), cast(:hashes as text[]))
    with ordinality as w (unit_code, known_at, sha256, place)
order by w.place
"""


def answered_files(connection: sa.Connection) -> pd.DataFrame:
    """Return what was answered before: unit_code, sha256, known_at (UTC) of each file, and its report_date."""
    query = (
        sa.select(
            ops.load_batch.c.part_code.label("unit_code"),
            ops.batch_file.c.sha256,
            ops.load_batch.c.known_at,
            ops.load_batch.c.report_date,
        )
        .join(ops.batch_file, ops.batch_file.c.batch_id == ops.load_batch.c.batch_id)
        .where(ops.load_batch.c.source_code == SOURCE)
    )
    frame = pd.read_sql(query, connection)
    frame["known_at"] = pd.to_datetime(frame["known_at"], utc=True)
    return frame


def previous_figures(
    connection: sa.Connection, reports: Sequence[JudgedReport]
) -> list[dict[tuple[str, str], int]]:
    """Return, for each report, its unit's figures of the last day before with a value, as known when it came.

    They are by measure and category; those the report does not give are left out.
    """
    found: list[dict[tuple[str, str], int]] = [{} for _ in reports]
    wanted = [
        (place, one.unit_code, one.report_date, one.landed.known_at, measure, category)
        for place, one in enumerate(reports)
        for measure, category in zip(one.figures["measure_code"], one.figures["category_code"], strict=True)
    ]
    names = ("places", "unit_codes", "report_dates", "known_ats", "measure_codes", "category_codes")
    for row in connection.execute(sa.text(_PREVIOUS), _columns(names, wanted)):
        found[row.place][row.measure_code, row.category_code] = row.value
    return found


def figures_of_relatives(connection: sa.Connection, reports: Sequence[JudgedReport]) -> list[Relatives]:
    """Return, for each report, what its unit's parent and children had reported for the day when it came."""
    found: list[dict[str, dict[tuple[str, str], int]]] = [defaultdict(dict) for _ in reports]
    wanted = [
        (place, one.unit_code, relative, one.report_date, one.landed.known_at)
        for place, one in enumerate(reports)
        for relative in relatives_of(one.unit_code, one.report_date)
    ]
    names = ("places", "unit_codes", "relative_codes", "report_dates", "known_ats")
    for row in connection.execute(sa.text(_RELATIVES), _columns(names, wanted)):
        found[row.place][row.relative_code][row.measure_code, row.category_code] = row.value
    parents = (parent_of(one.unit_code, one.report_date) or "" for one in reports)
    return [
        Relatives(parent=figures.pop(parent, {}), children=figures)
        for parent, figures in zip(parents, found, strict=True)
    ]


def have_twins(connection: sa.Connection, reports: Sequence[JudgedReport]) -> list[bool]:
    """Say of each report whether another unit had sent the very same figures for the day before it came."""
    wanted = [(one.unit_code, one.report_date, one.landed.known_at, one.figures_hash) for one in reports]
    names = ("unit_codes", "report_dates", "known_ats", "hashes")
    return list(connection.execute(sa.text(_TWINS), _columns(names, wanted)).scalars())


def ledger_numbers(connection: sa.Connection, files: Sequence[LandedFile]) -> list[int | None]:
    """Return the ledger row of each sending; None when it left none."""
    wanted = [(file.part_code, file.known_at, file.sha256) for file in files]
    asked = _columns(("unit_codes", "known_ats", "hashes"), wanted)
    return list(connection.execute(sa.text(_LEDGER_NUMBERS), asked).scalars())


def batch_of(connection: sa.Connection, unit_code: str, sha256: str, known_at: datetime) -> tuple[date, int]:
    """Return the reporting day and the number of figures of a sending that was answered before."""
    batch = ops.load_batch
    query = (
        sa.select(batch.c.report_date, batch.c.read_count)
        .join(ops.batch_file, ops.batch_file.c.batch_id == batch.c.batch_id)
        .where(
            batch.c.source_code == SOURCE,
            batch.c.part_code == unit_code,
            batch.c.known_at == known_at,
            ops.batch_file.c.sha256 == sha256,
        )
    )
    row = connection.execute(query).one()
    return row.report_date, row.read_count


def _columns(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> dict[str, Any]:
    """Turn rows into one list per name, as unnest takes them; the source comes along."""
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return {
        "source_code": SOURCE,
        **{name: list(column) for name, column in zip(names, columns, strict=True)},
    }
