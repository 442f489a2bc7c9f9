"""Read from the ledger what a step has just written."""

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from directive_etl.warehouse.engine import loader_engine

_NEWEST = sa.text("select coalesce(max(batch_id), 0) from ops.load_batch")
_AFTER = sa.text("""
    select b.batch_id, b.source_code, b.part_code, b.report_date, b.status_code, b.known_at, b.recorded_at,
           b.read_count, b.loaded_count, b.refused_count, b.duplicate_count, b.unchanged_count,
           coalesce((
               select array_agg(distinct l.source_code || '/' || l.part_code || '/' || l.report_date || '/' || l.sha256)
               from ops.batch_file f
               join ops.landed_file l on l.sha256 = f.sha256 and l.source_code = b.source_code
                and l.part_code = b.part_code
               where f.batch_id = b.batch_id
           ), '{}') as files
    from ops.load_batch b
    where b.batch_id > :first and b.source_code = :source and (:part = '' or b.part_code = :part)
    order by b.batch_id
""")


@dataclass(frozen=True)
class LoadedBatch:
    """A row of the ledger; `files` are its landed files as paths below the landing zone."""

    batch_id: int
    source_code: str
    part_code: str
    report_date: date
    status_code: str
    known_at: datetime
    recorded_at: datetime
    read_count: int
    loaded_count: int
    refused_count: int
    duplicate_count: int
    unchanged_count: int
    files: list[str]


def newest_batch_id() -> int:
    """Return the number of the newest batch, 0 before the first."""
    with loader_engine().connect() as connection:
        return int(connection.execute(_NEWEST).scalar_one())


def batches_after(first: int, source: str, part: str) -> list[LoadedBatch]:
    """Return the batches of a source, and of one part if it is named, that are newer than a number."""
    with loader_engine().connect() as connection:
        rows = connection.execute(_AFTER, {"first": first, "source": source, "part": part})
        return [LoadedBatch(**row) for row in rows.mappings()]
