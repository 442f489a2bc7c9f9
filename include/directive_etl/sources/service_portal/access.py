"""One HTTP answer from a portal: who we are, what is worth another try, and what each failure is called."""

import ipaddress
from collections.abc import Generator
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import orjson
import stamina

from directive_etl.errors import ConfigurationError, SourceChangedError, SourceUnavailableError
from directive_etl.registry.systems import BearerLogin, PortalSystem, SessionLogin
from directive_etl.settings import SystemConnection

TIMEOUT = httpx.Timeout(60, connect=10)
LONGEST_WAIT_SECONDS = 60.0


class BusyPortalError(SourceUnavailableError):
    """The portal asked us to come back after a time. Unit of `wait_seconds`: seconds."""

    def __init__(self, message: str, wait_seconds: float | None) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds


def open_client(system: PortalSystem, connection: SystemConnection) -> httpx.Client:
    """Return a client that logs in to the system; the caller closes it.

    Logging in happens with the first ask, and again when a session has expired. Answers are asked for
    uncompressed, so that the bytes that land are the bytes that were sent.
    """
    return httpx.Client(
        base_url=connection.base_url,
        auth=_authentication(system, connection),
        timeout=TIMEOUT,
        headers={"Accept": "application/json", "Accept-Encoding": "identity"},
        # A proxy of the environment never reaches a server on this machine.
        trust_env=not _is_loopback(httpx.URL(connection.base_url).host),
    )


def _worth_another_try(error: Exception) -> bool | float:
    """Say whether to retry, or after how many seconds when the portal said so itself."""
    if isinstance(error, BusyPortalError) and error.wait_seconds is not None:
        return min(error.wait_seconds, LONGEST_WAIT_SECONDS)
    return isinstance(error, SourceUnavailableError)


# Tries again while the source is unavailable, waiting longer each time; every other error passes at once.
while_unavailable = stamina.retry(
    on=_worth_another_try, attempts=5, timeout=300, wait_initial=0.5, wait_max=LONGEST_WAIT_SECONDS
)


def send(client: httpx.Client, request: httpx.Request, where: str) -> httpx.Response:
    """Send a request once and return its answer, which has status 200.

    Args:
        client: from `open_client`.
        request: what to ask.
        where: source, system, day and page, for the errors.

    Raises:
        SourceUnavailableError: no answer, a 5xx or a 429.
        ConfigurationError: the portal does not accept our login.
        SourceChangedError: any other status.
    """
    try:
        response = client.send(request)
    except httpx.TransportError as error:
        raise SourceUnavailableError(
            f"{where}: no answer ({type(error).__name__}); ask the portal's owner"
        ) from error
    code = response.status_code
    if code == httpx.codes.OK:
        return response
    if code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise ConfigurationError(
            f"{where}: login not accepted ({code}); check the connection's user and password"
        )
    if code == httpx.codes.TOO_MANY_REQUESTS or code >= 500:
        raise BusyPortalError(f"{where}: the portal answered {code}; ask its owner", _wait_seconds(response))
    raise SourceChangedError(f"{where}: the portal answered {code}; its interface has changed, ask its owner")


def sent_at(response: httpx.Response, where: str) -> datetime:
    """Return the aware time at which the portal says it answered.

    Raises:
        SourceChangedError: no Date header, or one that is no date. Our own clock must not stand in for it.
    """
    try:
        moment = parsedate_to_datetime(response.headers.get("Date", ""))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise SourceChangedError(f"{where}: no usable Date header, so it cannot be said when this was known")
    return moment


def _wait_seconds(response: httpx.Response) -> float | None:
    """Read Retry-After, in seconds or as a date; a date is compared with the portal's own clock."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        later, now = parsedate_to_datetime(text), parsedate_to_datetime(response.headers.get("Date", ""))
        return max(0.0, (later - now).total_seconds())
    except (ValueError, TypeError):
        return None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _authentication(system: PortalSystem, connection: SystemConnection) -> httpx.Auth:
    if isinstance(system.login, SessionLogin):
        return _SessionAuth(system.system_code, system.login, connection)
    if isinstance(system.login, BearerLogin):
        return _BearerAuth(connection.password.get_secret_value())
    return httpx.BasicAuth(connection.username, connection.password.get_secret_value())


class _BearerAuth(httpx.Auth):
    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


class _SessionAuth(httpx.Auth):
    """Puts a session into the JSON body of each request, and gets a new one when it has expired."""

    requires_response_body = True

    def __init__(self, system_code: str, login: SessionLogin, connection: SystemConnection) -> None:
        self._system_code = system_code
        self._login = login
        self._connection = connection
        self._session: str | None = None

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if self._session is None:
            yield from self._log_in()
        response = yield self._signed(request)
        if self._has_expired(response):
            yield from self._log_in()
            yield self._signed(request)

    def _log_in(self) -> Generator[httpx.Request, httpx.Response, None]:
        where = f"service_portal {self._system_code} login"
        url = httpx.URL(self._connection.base_url.rstrip("/") + "/" + self._login.login_path.lstrip("/"))
        names = {
            self._login.username_field: self._connection.username,
            self._login.password_field: self._connection.password.get_secret_value(),
        }
        response = yield httpx.Request("POST", url, json=names)
        if response.status_code >= 500:
            raise BusyPortalError(
                f"{where}: the portal answered {response.status_code}", _wait_seconds(response)
            )
        answer = _json_object(response.content)
        accepted = str(answer.get(self._login.error_field)) in self._login.accepted_codes
        session = answer.get(self._login.session_field)
        if not accepted or not isinstance(session, str) or not session:
            raise ConfigurationError(f"{where}: not accepted; check the connection's user and password")
        self._session = session

    def _signed(self, request: httpx.Request) -> httpx.Request:
        body = orjson.loads(request.content) | {self._login.session_field: self._session}
        headers = {key: value for key, value in request.headers.items() if key.lower() != "content-length"}
        return httpx.Request(
            request.method, request.url, json=body, headers=headers, extensions=request.extensions
        )

    def _has_expired(self, response: httpx.Response) -> bool:
        return str(_json_object(response.content).get(self._login.error_field)) in self._login.expired_codes


def _json_object(content: bytes) -> dict[str, Any]:
    """Read a small answer that should be a JSON object; anything else is an empty one."""
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
