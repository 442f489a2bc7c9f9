"""The portal systems: is each one's address known, and does it answer."""

from collections.abc import Iterator

import httpx

from directive_etl.doctor.finding import Finding
from directive_etl.registry.systems import systems
from directive_etl.settings import Settings

_SECONDS = 5.0


def examine_portals(known: Settings) -> Iterator[Finding]:
    """Find systems without an address, and addresses where nothing answers."""
    for system in systems():
        subject = f"portal {system.system_code}"
        connection = known.system_connections.get(system.system_code)
        if connection is None:
            yield Finding(
                subject,
                "no address in the settings",
                f"add it to DIRECTIVE_ETL_SYSTEM_CONNECTIONS, or make the Airflow connection "
                f"directive_etl_{system.system_code}",
            )
            continue
        try:
            httpx.get(connection.base_url, timeout=_SECONDS, trust_env=False)
        except (httpx.HTTPError, httpx.InvalidURL):
            yield Finding(
                subject,
                "does not answer",
                "ask the owner of the system, or correct base_url in its connection",
            )
        else:
            yield Finding(subject, "answers")
