"""The passwords and keys of one clone: made at its first start, kept in one file, printed nowhere."""

import base64
import os
import secrets
from dataclasses import asdict, dataclass, field, fields

from directive_etl.local_stack.places import Places
from directive_etl.local_stack.private_files import read_json, write_private_json


def _password() -> str:
    return secrets.token_hex(24)  # letters and digits only: safe in URLs, shells and SQL


def _web_password() -> str:
    return secrets.token_hex(8)  # typed by hand


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


@dataclass(frozen=True, repr=False)  # no repr: a traceback must not show them
class Keys:
    """Every secret of the local stack. A field added here is generated at the next start."""

    postgres: str = field(default_factory=_password)
    airflow: str = field(default_factory=_password)
    etl_owner: str = field(default_factory=_password)
    etl_loader: str = field(default_factory=_password)
    reporting_reader: str = field(default_factory=_password)
    web_admin: str = field(default_factory=_web_password)
    web_viewer: str = field(default_factory=_web_password)
    airflow_fernet: str = field(default_factory=_fernet_key)
    airflow_api: str = field(default_factory=_password)
    airflow_jwt: str = field(default_factory=lambda: secrets.token_hex(64))  # HS512 wants 64 bytes or more
    hash_key: str = field(default_factory=lambda: secrets.token_hex(32))


def load_or_create(places: Places) -> Keys:
    """Return the clone's keys; those that do not exist yet are made and kept."""
    kept = read_json(places.keys_file) or {}
    known = {name.name for name in fields(Keys)}
    keys = Keys(**{name: value for name, value in kept.items() if name in known})
    if asdict(keys) != kept:
        places.local.mkdir(parents=True, exist_ok=True)
        write_private_json(places.keys_file, asdict(keys))
    return keys
