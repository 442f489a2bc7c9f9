"""Where alerts go, and the parts that fail: an empty warehouse, folders, an operator's log, a portal."""

import json
import os
import socket
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
import stamina
from tests.alerts.city_portal import PASSWORD, USER, CityPortal
from tests.alerts.sinks import Sinks, sinks
from tests.channels.conftest import sftp, sftp_server
from tests.sources.service_portal.conftest import serve_tls

from directive_etl.periods import close_of
from directive_etl.settings import settings
from directive_etl.warehouse.engine import engine_for

__all__ = ["serve_tls", "sftp", "sftp_server"]
DAY = date(2020, 8, 20)


@pytest.fixture(scope="module")
def listening() -> Iterator[Sinks]:
    with sinks() as found:
        yield found


@pytest.fixture
def told(listening: Sinks, places: Path, monkeypatch: pytest.MonkeyPatch) -> Sinks:
    """The sinks, empty, as the targets of this process; the book of alerts is empty too."""
    for name, value in listening.settings().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DIRECTIVE_ETL_ALERTS", str(places / "alerts"))
    listening.mails.clear()
    listening.posts.clear()
    listening.raw.clear()
    settings.cache_clear()
    return listening


@pytest.fixture
def set_up(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Change settings, as whoever runs the workers would."""

    def change(**values: str | None) -> None:
        for name, value in values.items():
            variable = f"DIRECTIVE_ETL_{name.upper()}"
            if value is None:
                monkeypatch.delenv(variable, raising=False)
            else:
                monkeypatch.setenv(variable, value)
        settings.cache_clear()
        engine_for.cache_clear()

    return change


@pytest.fixture
def drop_log(places: Path) -> Callable[..., Path]:
    """Drop a log of viettel for the day: lines of messages, and others that nobody can read."""

    def drop(good: int = 3, bad: int = 0, day: date = DAY, name: str = "access.log") -> Path:
        lines = [
            f"{day} 08:00:{n:02d} Sent SMS [SMSC:VT-01] [SVC:x] [ACT:] [BINF:] [FID:{n}] [META:?smpp?] "
            f"[from:BLUEZONE] [to:8498{n:07d}] [flags:-1:0:-1:-1:31] [msg:2:hi] [udh:0:]"
            for n in range(good)
        ] + [f"line {n} that nobody can read" for n in range(bad)]
        path = places / "drop" / "sms" / "viettel" / str(day) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n")
        moment = close_of(day).timestamp() - 3600 + good
        os.utime(path, (moment, moment))
        return path

    return drop


@pytest.fixture
def portal(set_up: Callable[..., None]) -> Iterator[CityPortal]:
    """The city's portal, reachable; asked again without waiting."""
    portal = CityPortal(DAY)
    connection = {"base_url": portal.url, "username": USER, "password": PASSWORD}
    set_up(system_connections=json.dumps({"city_portal": connection}))
    with stamina.set_testing(True, attempts=2, cap=True):
        yield portal
    portal.close()


@pytest.fixture
def as_owner(owner_engine: sa.Engine, warehouse: sa.Engine) -> Iterator[Callable[[str], None]]:
    """Change the warehouse behind the pipeline's back."""

    def run(sql: str) -> None:
        with owner_engine.begin() as connection:
            connection.exec_driver_sql(sql)

    yield run


@pytest.fixture
def closed_port() -> Iterator[int]:
    """Taken, so that nobody else gets it, and not listened at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield int(taken.getsockname()[1])
