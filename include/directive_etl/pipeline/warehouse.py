"""The warehouse and the landing zone: the newest schema, retention."""

import logging
from datetime import timedelta

from directive_etl.settings import settings
from directive_etl.warehouse.engine import loader_engine
from directive_etl.warehouse.ledger import newest_batch_day

log = logging.getLogger(__name__)


def care_for_storage() -> int:
    """Delete landed files about persons past their retention; returns how many days of a part were deleted."""
    from directive_etl.landing.retention import PERSONAL_SOURCES, delete_days_before

    with loader_engine().connect() as connection:
        newest = newest_batch_day(connection)
    if newest is None:
        return 0
    first_kept = newest - timedelta(days=settings().landing_retention_days)
    landing = settings().landing
    deleted = {source: delete_days_before(landing / source, first_kept) for source in PERSONAL_SOURCES}
    log.info("warehouse_care: landed days before %s deleted: %s", first_kept, deleted)
    return sum(deleted.values())


def migrate_warehouse() -> None:
    """Bring the warehouse to the schema of this code, grant the rights, load the registry.

    Raises:
        ConfigurationError: the owner of the schema is not in the settings.
    """
    from directive_etl.warehouse.engine import engine_for
    from directive_etl.warehouse.schema import migrate

    migrate(engine_for("migration_url"))
    log.info("the warehouse is at the newest schema")
