"""Who is told: a real mail server and a real webhook on loopback, which keep what they get."""

import email
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller

from directive_etl.local_stack import ports


@dataclass
class Sinks:
    """What was received, and where it is received."""

    smtp_url: str = ""
    webhook_url: str = ""
    mails: list[EmailMessage] = field(default_factory=list)
    posts: list[dict[str, Any]] = field(default_factory=list)
    raw: list[tuple[str, bytes]] = field(default_factory=list)

    def settings(self) -> dict[str, str]:
        return {
            "DIRECTIVE_ETL_ALERT_SMTP_URL": self.smtp_url,
            "DIRECTIVE_ETL_ALERT_WEBHOOK_URL": f"{self.webhook_url}/alerts",
            "DIRECTIVE_ETL_ALERT_MAIL_TO": json.dumps(["on-call@example.org"]),
            "DIRECTIVE_ETL_PUBLIC_URL": "http://airflow.example.org",
        }

    def kinds(self) -> list[tuple[str, str]]:
        return [(post["kind"], post.get("cause", "")) for post in self.posts]

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:  # noqa: N802 - of aiosmtpd
        self.mails.append(email.message_from_bytes(envelope.content, policy=default))
        return "250 OK"


@contextmanager
def sinks() -> Iterator[Sinks]:
    """Listen until the end of the block."""
    found = Sinks()

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.raw.append((self.path, body))
            if self.path == "/alerts":
                found.posts.append(json.loads(body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    hook = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=hook.serve_forever, args=(0.02,), daemon=True).start()
    port = ports.find_free()
    mail = Controller(found, hostname="127.0.0.1", port=port, ready_timeout=120)
    mail.start()
    found.smtp_url = f"smtp://127.0.0.1:{port}"
    found.webhook_url = f"http://127.0.0.1:{hook.server_port}"
    try:
        yield found
    finally:
        mail.stop()
        hook.shutdown()
        hook.server_close()
