"""Alembic's environment: the connection is handed over by warehouse/schema.py."""

from alembic import context

from directive_etl.warehouse.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_schemas=True,
    include_name=lambda name, kind, _parents: kind != "schema" or name in {"core", "ops"},
    version_table_schema="ops",
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
