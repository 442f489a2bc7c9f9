"""`.local/env`: the one place where every child process and every command finds the stack's settings.

Lines are `KEY=value`, written so that python-dotenv (pydantic-settings) and a shell read them alike.
"""

import json
import re
import subprocess
from collections.abc import Mapping

from directive_etl.local_stack import airflow_settings, keys, ports
from directive_etl.local_stack.errors import StackError
from directive_etl.local_stack.places import Places
from directive_etl.local_stack.private_files import read_json, write_private, write_private_json

_NEEDS_NO_QUOTES = re.compile(r"[A-Za-z0-9_./:@,+=%-]*")
_NAME = re.compile(r"[A-Z][A-Z0-9_]*")


def warehouse_url(role: str, password: str, port: int) -> str:
    """Return the SQLAlchemy URL of the local warehouse for a role."""
    return f"postgresql+psycopg://{role}:{password}@127.0.0.1:{port}/warehouse"


def environment(places: Places) -> dict[str, str]:
    """Return every setting of the clone's stack, those added with `add_settings` last.

    Keys and ports that do not exist yet are made, so this can be asked before the first start.
    """
    secret = keys.load_or_create(places)
    port = ports.remembered(places, "postgres")
    settings = {
        "DIRECTIVE_ETL_MIGRATION_URL": warehouse_url("etl_owner", secret.etl_owner, port),
        "DIRECTIVE_ETL_WAREHOUSE_URL": warehouse_url("etl_loader", secret.etl_loader, port),
        "DIRECTIVE_ETL_READER_URL": warehouse_url("reporting_reader", secret.reporting_reader, port),
        "DIRECTIVE_ETL_LANDING": str(places.landing),
        "DIRECTIVE_ETL_DROP": str(places.drop),
        "DIRECTIVE_ETL_INBOX": str(places.inbox),
        "DIRECTIVE_ETL_OUTBOX": str(places.outbox),
        "DIRECTIVE_ETL_REPORTS": str(places.reports),
        "DIRECTIVE_ETL_ALERTS": str(places.local / "alerts"),
        "DIRECTIVE_ETL_PUBLIC_URL": airflow_settings.web_address(ports.remembered(places, "web")),
        "DIRECTIVE_ETL_HASH_KEY": secret.hash_key,
        "PYTHONPATH": str(places.root / "include"),
    }
    if (version := code_version(places)) is not None:
        settings["DIRECTIVE_ETL_CODE_VERSION"] = version
    settings |= airflow_settings.of(places, secret, ports.remembered(places, "web"), port)
    return settings | added_settings(places)


def code_version(places: Places) -> str | None:
    """Return the commit of the clone, marked when files differ from it; None where git cannot say.

    It is a setting of every process, so `up` after a new commit restarts what still runs the old code.
    """
    command = ["git", "-C", str(places.root), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return answer.stdout.strip() or None


def added_settings(places: Places) -> dict[str, str]:
    """Return the settings added with `add_settings`."""
    return read_json(places.extra_settings_file) or {}


def add_settings(places: Places, settings: Mapping[str, str]) -> None:
    """Keep further settings for this clone; they survive `down` and win over the stack's own.

    They reach a process at its next start: `up` restarts a running part whose settings have changed.

    Raises:
        StackError: a name or a value that a line of `.local/env` cannot carry.
    """
    for name, value in settings.items():
        _line(name, value)
    places.local.mkdir(parents=True, exist_ok=True)
    write_private_json(places.extra_settings_file, added_settings(places) | dict(settings))


def write_env(places: Places) -> None:
    """Write `.local/env`, mode 0600."""
    lines = [_line(name, value) for name, value in sorted(environment(places).items())]
    header = "# Written by `make up`: changes are lost. It holds passwords: do not copy or commit it.\n"
    write_private(places.env_file, header + "".join(lines))


def _line(name: str, value: str) -> str:
    if not _NAME.fullmatch(name):
        raise StackError(f"{name!r} is not a name for a setting: capital letters, digits and _ only")
    if _NEEDS_NO_QUOTES.fullmatch(value):
        return f"{name}={value}\n"
    # Inside single quotes a shell takes everything as it stands; dotenv would take a backslash before ' or \.
    if "'" in value or "\\" in value or "\n" in value:
        raise StackError(f"{name}: a setting may hold no single quote, backslash or line break")
    return f"{name}='{value}'\n"


def json_setting(content: object) -> str:
    """Return `content` as JSON that a line of `.local/env` can carry.

    Raises:
        StackError: it holds a character that no line can carry.
    """
    text = json.dumps(content, ensure_ascii=False, sort_keys=True)
    _line("JSON", text)
    return text
