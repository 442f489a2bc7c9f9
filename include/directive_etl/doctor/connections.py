"""What lies behind Airflow's connections: is each one there and complete, does the other side answer.

Nothing here knows Airflow: whoever does hands over an `AirflowConnections`.
"""

import imaplib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from urllib.parse import urlsplit

from directive_etl.doctor.finding import Finding
from directive_etl.doctor.portals import look_at_portal
from directive_etl.errors import ConfigurationError, SourceUnavailableError
from directive_etl.landing.place import Connect, is_address
from directive_etl.registry.systems import systems
from directive_etl.settings import Settings, SystemConnection
from directive_etl.sources.unit_report.mailbox import open_folder

SECONDS = 10.0
_PLACES = ("drop", "inbox", "outbox")
_PAGE = "in Airflow (Admin, Connections)"


@dataclass(frozen=True)
class AirflowConnections:
    """What the doctor asks of Airflow's connections.

    Attributes:
        are_those_of_pages_seen: whether this process sees connections that are kept on Airflow's pages.
        prepare: imports what connects to places and mailboxes; takes seconds the first time.
        portal: where a system answers; None when there is no connection for it.
        place: opens `sftp://...` or `s3://...`.
        mailbox: signs in to `imap://...`, and out again.
    """

    are_those_of_pages_seen: Callable[[], bool]
    prepare: Callable[[], None]
    portal: Callable[[str], SystemConnection | None]
    place: Connect
    mailbox: Callable[[str], AbstractContextManager[imaplib.IMAP4]]


def examine_connections(
    known: Settings, airflow: AirflowConnections, seconds: float = SECONDS
) -> Iterator[Finding]:
    """Find connections that are missing or not complete, and other sides that do not answer in time.

    Everything is asked at once, so one that hangs costs `seconds`, and so do all.
    """
    if not airflow.are_those_of_pages_seen():
        yield Finding(
            "connections",
            "Airflow's database does not answer here: connections kept on Airflow's pages are not seen",
            'load Airflow\'s settings first (the local stack: `eval "$(make -s env)"`), or see the page Alerts',
        )
    addresses = {name: getattr(known, name) for name in _PLACES if is_address(getattr(known, name))}
    if addresses or known.mailbox:
        airflow.prepare()  # before looking at the watch: it says nothing about the other side
    looks: dict[str, Callable[[], Finding]] = {
        f"place {name}": _look_at_place(name, address, airflow.place) for name, address in addresses.items()
    }
    if known.mailbox:
        looks["mailbox"] = _look_at_mailbox(known, airflow)
    for system in systems():
        looks[f"portal {system.system_code}"] = look_at_portal(system, known, airflow.portal, seconds)
    asked = {subject: _start(subject, look) for subject, look in looks.items()}
    deadline = time.monotonic() + seconds
    for subject, answer in asked.items():
        try:
            yield answer.result(max(0.0, deadline - time.monotonic()))
        except TimeoutError:
            yield Finding(
                subject,
                f"no answer within {seconds:.0f} seconds",
                f"ask its owner, or correct host and port of the connection {_PAGE}",
            )


def _start(subject: str, look: Callable[[], Finding]) -> "Future[Finding]":
    """Look in a thread of its own, which is left alone when it hangs."""
    future: Future[Finding] = Future()

    def run() -> None:
        try:
            future.set_result(look())
        except Exception as error:  # noqa: BLE001 - a library's own, of what no one foresaw; the others are looked at
            said = f"its connection cannot be used ({type(error).__name__})"  # the text may hold a secret
            future.set_result(Finding(subject, said, f"correct the connection {_PAGE}; docs/channels.md"))

    threading.Thread(target=run, daemon=True).start()
    return future


def _look_at_place(name: str, address: str, open_place: Connect) -> Callable[[], Finding]:
    def look() -> Finding:
        subject, variable = f"place {name}", f"DIRECTIVE_ETL_{name.upper()}"
        try:
            found = open_place(address).look()
            if found is None and urlsplit(address).scheme == "s3":
                # A store knows no empty folders: what can be missing is the bucket.
                found = open_place(f"s3://{urlsplit(address).netloc}").look()
        except ConfigurationError as error:
            return Finding(subject, str(error), f"make or complete the connection {_PAGE}; docs/channels.md")
        except (SourceUnavailableError, PermissionError) as error:
            cure = f"ask the owner of the place, or correct the connection {_PAGE}, or {variable}"
            return Finding(subject, str(error), cure)
        if found is None and name != "outbox":  # which is made with the first answer
            return Finding(subject, f"{address} is not there", f"have it made, or correct {variable}")
        return Finding(subject, f"{address} answers")

    return look


def _look_at_mailbox(known: Settings, airflow: AirflowConnections) -> Callable[[], Finding]:
    def look() -> Finding:
        try:
            with airflow.mailbox(known.mailbox) as client:
                open_folder(client, known.mailbox)
        except ConfigurationError as error:
            return Finding(
                "mailbox", str(error), f"make or complete the connection {_PAGE}; docs/channels.md"
            )
        except SourceUnavailableError as error:
            cure = f"ask its owner, or correct the connection {_PAGE}, or DIRECTIVE_ETL_MAILBOX"
            return Finding("mailbox", str(error), cure)
        if not known.mailbox_authserv_id:
            return Finding(
                "mailbox",
                "it answers, but nobody said whose word about a sender is believed",
                "set DIRECTIVE_ETL_MAILBOX_AUTHSERV_ID; docs/channels.md explains it",
            )
        return Finding("mailbox", f"{known.mailbox} answers")

    return look
