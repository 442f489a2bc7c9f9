"""The tables of the warehouse, one module a schema. Every table and column has a comment, every constraint a name."""

from directive_etl.warehouse.tables import declared, facts, ops
from directive_etl.warehouse.tables.metadata import metadata

__all__ = ["declared", "facts", "metadata", "ops"]
