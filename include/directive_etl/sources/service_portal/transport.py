"""The wire below the client: no faster than the system allows, and no answer that never ends."""

import threading
import time
from collections.abc import Iterator
from typing import cast

import httpx

from directive_etl.registry.systems import Limits

# Asks that may follow each other at once before the pace is kept.
BURST = 20


class Pace:
    """Lets asks through at a steady rate after a first burst; shared by all threads of a pull."""

    def __init__(self, requests_per_second: float) -> None:
        self._interval = 1 / requests_per_second
        self._free_at = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Sleep until the next ask is allowed."""
        with self._lock:
            now = time.monotonic()
            self._free_at = max(self._free_at, now - BURST * self._interval) + self._interval
            delay = self._free_at - now
        if delay > 0:
            time.sleep(delay)


class PacedTransport(httpx.BaseTransport):
    """Sends at the system's pace, and gives up on an answer that trickles past its time as a whole."""

    def __init__(self, inner: httpx.BaseTransport, limits: Limits) -> None:
        self._inner = inner
        self._pace = Pace(limits.requests_per_second)
        self._answer_seconds = limits.answer_seconds

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request when its turn has come."""
        self._pace.wait()
        ends_at = time.monotonic() + self._answer_seconds
        response = self._inner.handle_request(request)
        response.stream = _Limited(cast("httpx.SyncByteStream", response.stream), ends_at, request)
        return response

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


class _Limited(httpx.SyncByteStream):
    def __init__(self, stream: httpx.SyncByteStream, ends_at: float, request: httpx.Request) -> None:
        self._stream = stream
        self._ends_at = ends_at
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        for part in self._stream:
            if time.monotonic() > self._ends_at:
                raise httpx.ReadTimeout("the whole answer took too long", request=self._request)
            yield part

    def close(self) -> None:
        self._stream.close()
