"""A portal system: is it known where it answers and as whom we log in, and does it answer."""

from collections.abc import Callable

import httpx

from directive_etl.doctor.finding import Finding
from directive_etl.errors import ConfigurationError
from directive_etl.registry.systems import BearerLogin, PortalSystem
from directive_etl.settings import Settings, SystemConnection
from directive_etl.sources.service_portal.access import open_client


def look_at_portal(
    system: PortalSystem,
    known: Settings,
    find_connection: Callable[[str], SystemConnection | None],
    seconds: float,
) -> Callable[[], Finding]:
    """Return what looks at a system: by Airflow's connection, or else by the settings, as the pipeline does."""
    code = system.system_code
    subject, page = f"portal {code}", f"the connection directive_etl_{code} in Airflow (Admin, Connections)"

    def look() -> Finding:
        try:
            connection = find_connection(code) or known.system_connections.get(code)
        except ConfigurationError as error:
            return Finding(subject, str(error), f"correct {page}")
        if connection is None:
            return Finding(
                subject,
                "nobody said where it answers",
                f"make {page}, or add it to DIRECTIVE_ETL_SYSTEM_CONNECTIONS",
            )
        if missing := _missing(system, connection):
            return Finding(
                subject, f"its connection gives no {' and no '.join(missing)}", f"add it to {page}"
            )
        try:
            with open_client(system, connection) as client:
                # Whatever it says, it says something; what it says to a login is for the pull.
                client.run(client.get("", auth=None, timeout=seconds))
                return Finding(subject, "answers")
        except OSError as error:  # of the file with the certificate
            return Finding(subject, f"its ca_file cannot be read: {error}", f"correct ca_file in {page}")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                cure = (
                    f"ask the owner of the system; if the certificate is right, give it as ca_file in {page}"
                )
                return Finding(subject, "its certificate is not trusted", cure)
            return Finding(
                subject, "does not answer", f"ask the owner of the system, or correct the address in {page}"
            )

    return look


def _missing(system: PortalSystem, connection: SystemConnection) -> list[str]:
    """Name what the login of a system needs and the connection does not give."""
    needed = {"password": connection.password.get_secret_value()}
    if not isinstance(system.login, BearerLogin):  # whose token is the password
        needed["login"] = connection.username
    return sorted(name for name, value in needed.items() if not value)
