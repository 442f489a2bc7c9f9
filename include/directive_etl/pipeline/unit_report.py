"""Unit reports: take mail, answer the inbox, deliver the answers, reopen a locked day."""

import imaplib
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta
from pathlib import Path

from directive_etl.errors import ConfigurationError
from directive_etl.landing.deliver import deliver_files
from directive_etl.landing.place import Connect, is_address, no_connection, open_place
from directive_etl.observability import observed
from directive_etl.periods import day_end
from directive_etl.registry.directive import directives
from directive_etl.settings import settings
from directive_etl.warehouse.engine import loader_engine
from directive_etl.warehouse.left_files import record_left

log = logging.getLogger(__name__)

# Signs in to a mailbox by its address, and out again.
OpenMailbox = Callable[[str], AbstractContextManager[imaplib.IMAP4]]


def take_mail(open_mailbox: OpenMailbox = no_connection) -> list[date]:
    """Land the reports that came by e-mail since the last time; `answer_inbox` reads and answers them.

    Args:
        open_mailbox: signs in to the mailbox.

    Returns:
        No day, for it changes none.

    Raises:
        ConfigurationError: nothing says whom to believe about a sender.
        SourceUnavailableError: the mailbox cannot be reached.
    """
    from directive_etl.sources.unit_report.mailbox import LEFT_SOURCE, Senders, land_mail

    places = settings()
    if not places.mailbox_authserv_id:
        raise ConfigurationError(
            "DIRECTIVE_ETL_MAILBOX_AUTHSERV_ID is not set: name the mail server whose Authentication-Results are "
            "believed, or `*` where nobody but declared senders can send (docs/channels.md)"
        )
    senders = Senders(places.mailbox_senders, places.mailbox_authserv_id)
    with open_mailbox(places.mailbox) as client:
        left = land_mail(client, places.mailbox, places.landing, senders)
    record_left(loader_engine(), LEFT_SOURCE, left)
    return []


@observed("unit_report", day="again_for")
def answer_inbox(again_for: date | None = None, connect: Connect = no_connection) -> list[date]:
    """Land, read, check, load or refuse each new file of the inbox alone, and answer the unit that sent it.

    Args:
        again_for: also go once more through the files already answered for this day.
        connect: opens an inbox that is on the network.

    Returns:
        The reporting days that changed.

    Raises:
        SourceUnavailableError: the inbox cannot be reached.
    """
    from directive_etl.sources.unit_report.arrivals import SOURCE, take_inbox
    from directive_etl.sources.unit_report.inbox import Inbox
    from directive_etl.sources.unit_report.mailbox import iter_mailed

    places = settings()
    limit = timedelta(days=places.unfinished_limit_days)
    inbox = open_place(places.inbox, connect)
    arrived, left = take_inbox(inbox, places.landing, places.settle_seconds, limit)
    record_left(loader_engine(), SOURCE, left)
    arrived = sorted([*arrived, *iter_mailed(places.landing)], key=lambda file: file.known_at)
    outbox = _staged_answers() if is_address(places.outbox) else Path(places.outbox)
    return Inbox(loader_engine(), arrived, outbox, directives()).process(again_for)


def deliver_answers(connect: Connect = no_connection) -> list[date]:
    """Hand the answers over to an outbox on the network; what cannot be handed over stays for the next time.

    Args:
        connect: opens the outbox.

    Returns:
        No day, for it changes none.

    Raises:
        SourceUnavailableError: the outbox cannot be reached.
    """
    count = deliver_files(_staged_answers(), open_place(settings().outbox, connect))
    log.info("unit_report: %d answers handed over", count)
    return []


def _staged_answers() -> Path:
    """Return the folder in which answers for an outbox on the network wait: they hold what units typed."""
    return settings().landing / "outbox"


def reopen_report(unit_code: str, day: date, reason: str, open_until: date | None = None) -> None:
    """Let a unit correct a locked day again, up to the end of a day if one is given.

    Raises:
        ConfigurationError: no such unit owes a report on the day, or there is no reason.
    """
    from directive_etl.sources.unit_report.locks import reopen

    reopen(loader_engine(), unit_code, day, reason, day_end(open_until) if open_until else None)
