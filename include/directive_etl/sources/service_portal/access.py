"""One HTTP answer from a portal: who we are, what is worth another try, and what each failure is called."""

import asyncio
import base64
import ipaddress
import logging
import ssl
import urllib.request
from collections.abc import Coroutine, Generator
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self, TypeVar

import httpx
import orjson
import stamina

from directive_etl.errors import ConfigurationError, SourceChangedError, SourceUnavailableError
from directive_etl.registry.systems import BearerLogin, PortalSystem, SessionLogin
from directive_etl.settings import SystemConnection
from directive_etl.sources.service_portal.transport import Wire

log = logging.getLogger(__name__)

_T = TypeVar("_T")

LONGEST_WAIT_SECONDS = 60.0
_MAX_REDIRECTS = 3
# An answer that only says no is short; a page of dossiers need not be read for it.
_LONGEST_REFUSAL = 4096


class BusyPortalError(SourceUnavailableError):
    """The portal asked us to come back after a time. Unit of `wait_seconds`: seconds."""

    def __init__(self, message: str, wait_seconds: float | None) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds


class EarlyAnswerError(SourceUnavailableError):
    """By the portal's clock the day is not over: to ask again within minutes would not help."""


class PortalClient(httpx.AsyncClient):
    """A client that follows a redirect only to the hosts that the connection names.

    It has an event loop of its own, so that its callers need not be asynchronous: use it in a `with`, and let `run` do
    what is. All asks of a pull share the loop: most of an ask is Python's work, for which threads wait for each other.
    """

    redirect_hosts: tuple[str, ...] = ()
    _runner: asyncio.Runner

    def __enter__(self) -> Self:
        self._runner = asyncio.Runner()
        return self

    def run(self, asks: Coroutine[Any, Any, _T]) -> _T:
        """Return what the asks come to."""
        return self._runner.run(asks)

    def __exit__(self, *_: object) -> None:
        self.run(self.aclose())
        self._runner.close()


def open_client(system: PortalSystem, connection: SystemConnection) -> PortalClient:
    """Return a client that logs in to the system and keeps to its limits; use it in a `with`.

    Logging in happens with the first ask, and again when a session has expired. Answers are asked for
    uncompressed, so that the bytes that land are the bytes that were sent.
    """
    limits = system.limits
    client = PortalClient(
        base_url=connection.base_url,
        auth=_authentication(system, connection),
        timeout=httpx.Timeout(limits.read_seconds, connect=limits.connect_seconds),
        headers={"Accept": "application/json", "Accept-Encoding": "identity"},
        transport=Wire(limits, _trust(connection), _proxy_to(httpx.URL(connection.base_url))),
    )
    client.redirect_hosts = connection.redirect_hosts
    return client


def _trust(connection: SystemConnection) -> ssl.SSLContext:
    """Return which certificates count."""
    if connection.ca_file is not None:
        return ssl.create_default_context(cafile=str(connection.ca_file))
    if httpx.URL(connection.base_url).scheme == "https" or connection.redirect_hosts:
        return httpx.create_ssl_context()
    # To read the certificates of all authorities takes longer than the asks of a small pull, and here none can be met;
    # this trusts none of them.
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _worth_another_try(error: Exception) -> bool | float:
    """Say whether to retry, or after how many seconds when the portal said so itself."""
    if isinstance(error, BusyPortalError) and error.wait_seconds is not None:
        return min(error.wait_seconds, LONGEST_WAIT_SECONDS)
    return isinstance(error, SourceUnavailableError) and not isinstance(error, EarlyAnswerError)


def _log_retry(details: stamina.instrumentation.RetryDetails) -> None:
    """One line per fault that is tried again. stamina's own line would show the arguments of the call."""
    log.warning(
        "%s; asked again in %.1f s (retry %d)", details.caused_by, details.wait_for, details.retry_num
    )


stamina.instrumentation.set_on_retry_hooks([_log_retry])

# Tries again while the source is unavailable, waiting longer each time; every other error passes at once.
while_unavailable = stamina.retry(
    on=_worth_another_try, attempts=5, timeout=300, wait_initial=0.5, wait_max=LONGEST_WAIT_SECONDS
)


async def send(client: PortalClient, request: httpx.Request, where: str) -> httpx.Response:
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
    response = await _follow(client, await _send_once(client, request, where), where)
    code = response.status_code
    if code == httpx.codes.OK:
        return response
    if code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise ConfigurationError(
            f"{where}: login not accepted ({code}); check the connection's user and password"
        )
    if code == httpx.codes.TOO_MANY_REQUESTS or code >= 500:
        raise BusyPortalError(f"{where}: the portal answered {code}; ask its owner", _wait_seconds(response))
    if response.is_redirect:
        host = response.request.url.join(response.headers.get("Location", "")).host
        raise SourceChangedError(
            f"{where}: the portal answered {code}, a redirect to {host!r}, which was refused; "
            "name the host in the connection's redirect_hosts if it is right"
        )
    raise SourceChangedError(f"{where}: the portal answered {code}; its interface has changed, ask its owner")


async def _send_once(client: PortalClient, request: httpx.Request, where: str) -> httpx.Response:
    try:
        return await client.send(request)
    except (httpx.TransportError, httpx.DecodingError) as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise ConfigurationError(
                f"{where}: the certificate of {request.url.host!r} is not trusted; "
                "ask the portal's owner, or give it as the connection's ca_file"
            ) from error
        raise SourceUnavailableError(
            f"{where}: no answer ({type(error).__name__}); ask the portal's owner"
        ) from error


async def _follow(client: PortalClient, response: httpx.Response, where: str) -> httpx.Response:
    """Follow redirects to the hosts that the connection names; every other one is left for `send` to
    refuse.
    """
    for _ in range(_MAX_REDIRECTS):
        following = response.next_request
        if following is None or following.url.host not in client.redirect_hosts:
            break
        log.warning("%s: redirected to %s, as the connection allows", where, following.url.host)
        response = await _send_once(client, following, where)
    return response


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


def _proxy_to(url: httpx.URL) -> str | None:
    """Return the environment's proxy for an address; none ever stands between us and a server on this
    machine.
    """
    if _is_loopback(url.host) or urllib.request.proxy_bypass(url.host):
        return None
    return urllib.request.getproxies().get(url.scheme)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _authentication(system: PortalSystem, connection: SystemConnection) -> httpx.Auth:
    if isinstance(system.login, SessionLogin):
        return _SessionAuth(system.system_code, system.login, connection)
    if isinstance(system.login, BearerLogin):
        return _AgainOnce(f"Bearer {connection.password.get_secret_value()}")
    pair = f"{connection.username}:{connection.password.get_secret_value()}"
    return _AgainOnce(f"Basic {base64.b64encode(pair.encode()).decode()}")


class _AgainOnce(httpx.Auth):
    """A login that goes with every ask; one that is refused in the middle of a pull is offered once more."""

    def __init__(self, authorization: str) -> None:
        self._authorization = authorization

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = self._authorization
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED:
            log.warning("%s: login refused (401); offered once more", request.url.host)
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
            yield from self._log_in(request, None)
        used = self._session
        response = yield self._signed(request)
        if self._has_expired(response):
            log.warning("service_portal %s: the session has expired; logging in again", self._system_code)
            yield from self._log_in(request, used)
            yield self._signed(request)

    def _log_in(
        self, asked: httpx.Request, expired: str | None
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Get a session, unless another ask has got a new one meanwhile; it may take as long as the ask may."""
        if self._session != expired:
            return
        where = f"service_portal {self._system_code} login"
        url = httpx.URL(self._connection.base_url.rstrip("/") + "/" + self._login.login_path.lstrip("/"))
        names = {
            self._login.username_field: self._connection.username,
            self._login.password_field: self._connection.password.get_secret_value(),
        }
        response = yield httpx.Request("POST", url, json=names, extensions=asked.extensions)
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS or response.status_code >= 500:
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
        if response.status_code == httpx.codes.UNAUTHORIZED:
            return True
        if len(response.content) > _LONGEST_REFUSAL:
            return False
        return str(_json_object(response.content).get(self._login.error_field)) in self._login.expired_codes


def _json_object(content: bytes) -> dict[str, Any]:
    """Read a small answer that should be a JSON object; anything else is an empty one."""
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
