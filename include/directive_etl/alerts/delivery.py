"""Send a message to every target: mail over SMTP, JSON to a webhook."""

import logging
import smtplib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx

from directive_etl.settings import Settings

log = logging.getLogger(__name__)
_SECONDS = 10.0


@dataclass(frozen=True)
class Message:
    """What is told.

    Attributes:
        subject: one line.
        text: the mail's body.
        facts: what the webhook gets besides the text, ready for JSON.
    """

    subject: str
    text: str
    facts: Mapping[str, Any]


def deliver(message: Message, known: Settings, mail_to: Sequence[str]) -> int:
    """Send a message to the targets that are set; one that fails keeps no other from being told.

    Returns:
        How many targets took it.
    """
    targets: list[tuple[str, Callable[[], None]]] = []
    if known.alert_smtp_url is not None and mail_to:
        url = known.alert_smtp_url.get_secret_value()
        targets.append(("mail", lambda: _mail(message, url, known.alert_mail_from, mail_to)))
    if known.alert_webhook_url is not None:
        hook = known.alert_webhook_url.get_secret_value()
        targets.append(("webhook", lambda: _post(message, hook)))
    reached = 0
    for name, send in targets:
        try:
            send()
            reached += 1
        except (OSError, smtplib.SMTPException, httpx.HTTPError, httpx.InvalidURL) as error:
            # The address may hold a password or token: only the kind of error is said.
            log.error("alert %r: %s was not reached (%s)", message.subject, name, type(error).__name__)
    return reached


def _mail(message: Message, url: str, sender: str, mail_to: Sequence[str]) -> None:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = message.subject, sender, ", ".join(mail_to)
    mail.set_content(message.text)
    address = urlsplit(url)
    kind = smtplib.SMTP_SSL if address.scheme == "smtps" else smtplib.SMTP
    with kind(address.hostname or "localhost", address.port or 0, timeout=_SECONDS) as server:
        if address.scheme == "smtp+starttls":
            server.starttls()
        if address.username:
            server.login(unquote(address.username), unquote(address.password or ""))
        server.send_message(mail)


def _post(message: Message, url: str) -> None:
    body = {"text": f"{message.subject}\n\n{message.text}", "subject": message.subject, **message.facts}
    httpx.post(url, json=body, timeout=_SECONDS, trust_env=False).raise_for_status()
