"""Read the warehouse for a page: read-only transactions with a time limit."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from directive_etl.warehouse.engine import engine_for, loader_engine

# A page that takes longer helps nobody, and must not keep the loads waiting.
_LIMIT = sa.text("set local statement_timeout = '10s'")


def read_reporting(sql: str, **values: Any) -> list[dict[str, Any]]:
    """Return the rows of a query on the schema reporting, read as reporting_reader."""
    return _read(engine_for("reader_url"), sql, values)


def read_operations(sql: str, **values: Any) -> list[dict[str, Any]]:
    """Return the rows of a query that also needs core or ops, read as etl_loader but changing nothing."""
    return _read(loader_engine(), sql, values)


def _read(engine: sa.Engine, sql: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    with engine.connect().execution_options(postgresql_readonly=True) as connection:
        connection.execute(_LIMIT)
        return [dict(row) for row in connection.execute(sa.text(sql), values).mappings()]
