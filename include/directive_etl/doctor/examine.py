"""The examinations in order: settings first, for all others need them; one that fails stops no other."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from directive_etl.doctor.connections import AirflowConnections, examine_connections
from directive_etl.doctor.finding import Finding
from directive_etl.doctor.machine import examine_clock, examine_disk, examine_folders
from directive_etl.doctor.warehouse import examine_warehouse
from directive_etl.errors import ConfigurationError, RegistryError
from directive_etl.registry.calendar import is_working_day
from directive_etl.registry.directive import directives
from directive_etl.registry.operators import operators
from directive_etl.registry.units import units_on
from directive_etl.settings import Settings, settings

SHORTEST_KEY = 16
_REQUIRED = ("migration_url", "warehouse_url", "reader_url", "hash_key")

__all__ = ["AirflowConnections", "Finding", "examine"]


def examine(airflow: AirflowConnections) -> Sequence[Finding]:
    """Look at everything the pipeline needs; changes nothing.

    Args:
        airflow: how to look behind Airflow's connections.
    """
    try:
        known = settings()
    except ConfigurationError as error:
        return [Finding("settings", str(error), "correct the variables named; .env.example explains each")]
    examinations: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
        examine_settings,
        examine_registry,
        examine_folders,
        examine_disk,
        examine_clock,
        examine_warehouse,
        partial(examine_connections, airflow=airflow),
    )
    return [finding for examination in examinations for finding in examination(known)]


def examine_settings(known: Settings) -> Iterator[Finding]:
    """Find settings that are missing, and a key that could be guessed."""
    missing = [f"DIRECTIVE_ETL_{name.upper()}" for name in _REQUIRED if getattr(known, name) is None]
    if missing:
        yield Finding(
            "settings", f"not set: {', '.join(missing)}", "run `make up`, or set them (see .env.example)"
        )
    else:
        yield Finding("settings", "all that are required are set")
    if known.hash_key is not None and len(known.hash_key.get_secret_value()) < SHORTEST_KEY:
        yield Finding(
            "hash key",
            f"shorter than {SHORTEST_KEY} characters: phone numbers could be found by trying keys",
            "before the first load, set DIRECTIVE_ETL_HASH_KEY to the output of `openssl rand -hex 32`",
        )


def examine_registry(_: Settings) -> Iterator[Finding]:
    """Find mistakes in the declared files, and a directive whose calendar is not declared."""
    try:
        for directive in directives():
            is_working_day(directive.active_from)
            units_on(directive.active_from)
        operators()
    except (RegistryError, ConfigurationError) as error:
        yield Finding(
            "registry", str(error), "correct the file named; `directive check FILE` says every mistake"
        )
    else:
        yield Finding("registry", f"{len(directives())} directives, {len(operators())} operators, no mistake")
