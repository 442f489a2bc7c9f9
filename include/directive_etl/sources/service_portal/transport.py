"""The wire below the client: no faster than the system allows, and no answer that never ends."""

import asyncio
import ssl
import time

import aiohttp
import httpx
import yarl

from directive_etl.registry.systems import Limits

# Asks that may follow each other at once before the pace is kept.
BURST = 20

# A Link header holds the address of the next page, with whatever the portal puts into it.
_LONGEST_HEADER = 1 << 16

# What aiohttp says, and the same in httpx's words, which all above the wire speak; the first that fits.
_IN_OTHER_WORDS: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout),
    (TimeoutError, httpx.ReadTimeout),
    (aiohttp.ClientConnectorError, httpx.ConnectError),
    (aiohttp.ClientOSError, httpx.ReadError),
    (aiohttp.ClientError, httpx.RemoteProtocolError),
)


class Pace:
    """Lets asks through at a steady rate after a first burst; shared by all asks of a pull."""

    def __init__(self, requests_per_second: float) -> None:
        self._interval = 1 / requests_per_second
        self._free_at = 0.0

    async def wait(self) -> None:
        """Sleep until the next ask is allowed."""
        now = time.monotonic()
        self._free_at = max(self._free_at, now - BURST * self._interval) + self._interval
        if self._free_at > now:
            await asyncio.sleep(self._free_at - now)


class Wire(httpx.AsyncBaseTransport):
    """aiohttp's connections below httpx's client: aiohttp parses in C what httpx's own transport parses in Python.

    An answer comes whole, or not at all when it trickles past its time.
    """

    def __init__(self, limits: Limits, verify: ssl.SSLContext, proxy: str | None) -> None:
        self._limits = limits
        self._verify = verify
        self._proxy = proxy
        self._pace = Pace(limits.requests_per_second)
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request when its turn has come."""
        await self._pace.wait()
        seconds = request.extensions["timeout"]
        try:
            async with (
                asyncio.timeout(self._limits.answer_seconds),
                self._opened().request(
                    request.method,
                    yarl.URL(str(request.url), encoded=True),
                    headers=request.headers.multi_items(),
                    data=await request.aread() or None,
                    allow_redirects=False,
                    proxy=self._proxy,
                    timeout=aiohttp.ClientTimeout(sock_connect=seconds["connect"], sock_read=seconds["read"]),
                ) as answer,
            ):
                content = await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            [said, *_] = [other for one, other in _IN_OTHER_WORDS if isinstance(error, one)]
            raise said(str(error) or "the whole answer took too long", request=request) from error
        return httpx.Response(answer.status, headers=answer.raw_headers, content=content)

    def _opened(self) -> aiohttp.ClientSession:
        """Return the session; it belongs to the loop that it is made in."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._limits.connections, ssl=self._verify),
                # Cookies and encodings are the client's.
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                max_field_size=_LONGEST_HEADER,
                skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent"),
            )
        return self._session

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
