"""Connections to the warehouse, one engine a process and role."""

from functools import cache

import sqlalchemy as sa

from directive_etl.settings import settings


@cache
def engine_for(setting: str) -> sa.Engine:
    """Return the engine of one role: `warehouse_url` (loader), `migration_url` (owner) or `reader_url`.

    Raises:
        ConfigurationError: the setting is missing.
    """
    return sa.create_engine(settings().require(setting), pool_pre_ping=True, pool_size=2)


def loader_engine() -> sa.Engine:
    """Return the engine of the role etl_loader, which writes facts."""
    return engine_for("warehouse_url")
