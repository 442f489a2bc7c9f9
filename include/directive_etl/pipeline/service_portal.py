"""Service portals: pull, prove, recount the days touched."""

import logging
from datetime import date

from directive_etl.errors import ConfigurationError
from directive_etl.observability import observed
from directive_etl.pipeline.held_batches import unless_overruled
from directive_etl.quality.suites import check_frame
from directive_etl.quality.usable import check_most_usable
from directive_etl.registry import procedures, systems
from directive_etl.registry.directive import first_measured_day
from directive_etl.registry.units import UnitMatch, matching_units
from directive_etl.settings import SystemConnection, settings
from directive_etl.warehouse.engine import loader_engine

log = logging.getLogger(__name__)

PORTAL_UNITS = UnitMatch(
    unit_types=("so_ban_nganh", "ban_quan_ly_kcx_kcn", "ubnd_quan_huyen", "xa_phuong"), units=()
)


@observed("service_portal", part="system_code", day="day")
def pull_portal_system(system_code: str, day: date, connection: SystemConnection | None = None) -> list[date]:
    """Pull the dossiers that changed on a day from one system, and recount every day they touch.

    Args:
        system_code: as in registry/systems.
        day: the day the pull closes.
        connection: where the system answers; None takes it from the settings.

    Returns:
        The reporting days that changed.

    Raises:
        SourceUnavailableError: the system does not answer.
        SourceChangedError: a page cannot be read however often it is asked for.
        RefusedBatchError: a critical check failed; the batch is in the ledger as refused.
    """
    from directive_etl.sources.service_portal import load
    from directive_etl.sources.service_portal.extract import open_client, pull_day
    from directive_etl.sources.service_portal.journal import resumable_pull
    from directive_etl.sources.service_portal.read import judge_pages
    from directive_etl.sources.service_portal.records import PageRecords
    from directive_etl.sources.service_portal.rules import RULES
    from directive_etl.sources.service_portal.weekday import WEEK, find_sudden_drop, received_on

    system = systems.system(system_code)
    engine = loader_engine()
    with engine.connect() as warehouse:
        proved_through = load.last_proven_day(warehouse, system_code, day)
        window = load.recorded_window(warehouse, system_code, day)
        week_before = received_on(warehouse, system_code, day - WEEK)
    with resumable_pull(settings().landing, system_code, day) as journal:
        with (
            PageRecords(system, settings().require("hash_key")) as records,
            open_client(system, connection or system_connection(system_code)) as client,
        ):
            pull = pull_day(
                client,
                system,
                day,
                settings().landing,
                first_pull=proved_through is None,
                proved_through=proved_through,
                window=window,
                journal=journal,
                on_page=records.read_ahead,
            )
            pages = judge_pages(records, pull.files, day)
        checks = check_frame(pages.versions, "core.portal_dossier_version", RULES)
        checks.append(find_sudden_drop(pages.versions, day, week_before))
        checks.append(check_most_usable(len(pages.refused), pages.read_count))
        checks = unless_overruled(load.SOURCE, system_code, day, checks)
        batch = load.pull_batch(system_code, day, pull, pages, checks)
        log.info("service_portal %s %s: %s", system_code, day, batch.account)
        return load.load_pull(
            engine,
            batch,
            pull,
            pages,
            shows_past_state=system.window.shows_past_state,
            unit_codes=[unit.unit_code for unit in matching_units(PORTAL_UNITS, day)],
            procedures=procedures.procedures(),
            directive_start=first_measured_day(),
        )


def system_connection(system_code: str) -> SystemConnection:
    """Return where a portal system answers, from the settings.

    Raises:
        ConfigurationError: the settings do not name the system.
    """
    try:
        return settings().system_connections[system_code]
    except KeyError:
        raise ConfigurationError(
            f"service_portal {system_code}: add it to DIRECTIVE_ETL_SYSTEM_CONNECTIONS, "
            f"or make the Airflow connection directive_etl_{system_code}"
        ) from None
