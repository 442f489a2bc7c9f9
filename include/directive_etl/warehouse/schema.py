"""Bring the warehouse to the newest schema: migrations, then functions and views, then what is declared."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from directive_etl.warehouse.declared import sync_declared
from directive_etl.warehouse.reporting import create_reporting

_MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(engine: sa.Engine) -> None:
    """Upgrade the schema, re-create the reporting schema, and load the registry; safe to run at every start.

    Args:
        engine: connects as the owner of the schemas.

    Raises:
        RegistryError: a declared file is wrong; the schema is upgraded all the same.
    """
    with engine.begin() as connection:
        # Two stacks may start at once on one warehouse.
        connection.execute(sa.text("select pg_advisory_xact_lock(hashtext('directive_etl.migrate'))"))
        for schema in ("core", "ops"):
            connection.exec_driver_sql(f"create schema if not exists {schema}")
        command.upgrade(alembic_config(connection), "head")
        create_reporting(connection)
    with engine.begin() as connection:
        sync_declared(connection)


def alembic_config(connection: sa.Connection) -> Config:
    """Return the Alembic configuration that runs the migrations of this package on a connection."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    return config
