"""Airflow's connections as ours: where a portal answers, a place on the network, the mailbox."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from airflow.sdk import BaseHook, ObjectStoragePath
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.sdk.io import attach, get_fs
from pydantic import ValidationError

from directive_etl.errors import ConfigurationError, SourceUnavailableError
from directive_etl.settings import SystemConnection

if TYPE_CHECKING:
    import imaplib

    from fsspec import AbstractFileSystem

    from directive_etl.doctor import AirflowConnections
    from directive_etl.landing.place import Place

# What tells Airflow that a process may read its database; the API server and `airflow connections` set it themselves.
_CONTEXT = "_AIRFLOW_PROCESS_CONTEXT"


def airflow_connections() -> "AirflowConnections":
    """Return what the doctor looks through."""
    from directive_etl.doctor import AirflowConnections

    return AirflowConnections(
        are_those_of_pages_seen, import_hooks, portal_connection, connected_place, connected_mailbox
    )


@contextmanager
def with_those_of_pages() -> Iterator[None]:
    """Let a command typed by hand see the connections of Airflow's pages, too; never for a task."""
    before = os.environ.get(_CONTEXT)
    os.environ[_CONTEXT] = "server"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_CONTEXT]
        else:
            os.environ[_CONTEXT] = before


def are_those_of_pages_seen() -> bool:
    """Say whether this process can ask Airflow's database, where the connections of its pages are."""
    from airflow.secrets.metastore import MetastoreBackend
    from sqlalchemy.exc import SQLAlchemyError

    if os.environ.get(_CONTEXT) != "server":
        return False
    try:
        MetastoreBackend().get_connection("directive_etl")  # any name: it must only answer
    except SQLAlchemyError:
        return False
    return True


def import_hooks() -> None:
    """Import what connects to places and mailboxes, which takes seconds the first time."""
    import airflow.providers.amazon.aws.fs.s3
    import airflow.providers.imap.hooks.imap
    import airflow.providers.sftp.fs.sftp  # noqa: F401


def portal_connection(system_code: str) -> SystemConnection | None:
    """Return the Airflow connection `directive_etl_<system_code>`, or None to use the settings.

    Raises:
        ConfigurationError: the connection gives no host, or its extra cannot be read.
    """
    connection_id = f"directive_etl_{system_code}"
    try:
        found = BaseHook.get_connection(connection_id)
    except AirflowNotFoundException:
        return None
    where = f"service_portal {system_code}: the Airflow connection {connection_id}"
    if not found.host:
        raise ConfigurationError(f"{where} gives no host")
    scheme = found.schema or "https"
    address = f"{scheme}://{found.host}" + (f":{found.port}" if found.port else "")
    extra = found.extra_dejson
    try:
        return SystemConnection.model_validate(
            {
                "base_url": address + str(extra.get("path", "")),
                "username": found.login or "",
                "password": found.password or "",
                "redirect_hosts": extra.get("redirect_hosts", ()),
                "ca_file": extra.get("ca_file"),
            }
        )
    except ValidationError as error:
        faults = "; ".join(f"{fault['loc'][0]}: {fault['msg']}" for fault in error.errors())
        raise ConfigurationError(f"{where} cannot be read: {faults}") from None


def connected_place(address: str) -> "Place":
    """Open `sftp://CONNECTION@/folder` or `s3://CONNECTION@bucket/prefix` by an Airflow connection.

    By hand, without a running task, Airflow finds connections in `AIRFLOW_CONN_<ID>` and in its secrets backends.

    Raises:
        ConfigurationError: the address names no connection or one that does not exist, or an SFTP connection does
            not say which host key to expect.
        SourceUnavailableError: the other side cannot be reached.
    """
    from directive_etl.landing.remote_place import RemotePlace, reaching

    scheme, connection_id = urlsplit(address).scheme, urlsplit(address).username
    if scheme not in ("sftp", "s3") or not connection_id:
        raise ConfigurationError(
            f"{address}: write sftp://CONNECTION@/folder or s3://CONNECTION@bucket/prefix"
        )
    try:
        # Without a connection, Airflow would take an account of the machine for S3.
        BaseHook.get_connection(connection_id)
        with reaching(address):
            # Connected anew: Airflow keeps what it connected once, also when the connection was corrected since. And
            # before the path is made, which would else connect to any SFTP server.
            fs = _sftp(address, connection_id) if scheme == "sftp" else get_fs(scheme, connection_id)
            type(fs).clear_instance_cache()  # else fsspec keeps every one for good
            attach(scheme, connection_id).fs = fs
            return RemotePlace(fs, ObjectStoragePath(address).path, address)
    except AirflowNotFoundException:
        raise _unknown_connection(address, connection_id) from None


def _sftp(address: str, connection_id: str) -> "AbstractFileSystem":
    """Connect to an SFTP server whose host key is known: Airflow's own file system would accept any."""
    import asyncssh
    from airflow.providers.sftp.fs.sftp import get_fs as connect

    asyncssh.set_log_level("WARNING")  # it logs the names of files, which may hold phone numbers
    connection = BaseHook.get_connection(connection_id)
    extra = connection.extra_dejson
    if not connection.host or not connection.login:
        raise ConfigurationError(f"{address}: the connection must give host and login")
    host_key, is_unchecked = extra.get("host_key"), str(extra.get("no_host_key_check", "")).lower() == "true"
    if not host_key and not is_unchecked:
        raise ConfigurationError(
            f"{address}: the connection must give the server's public key as `host_key` in its extra, "
            "as `ssh-keyscan` shows it without the host name"
        )
    known_hosts = None
    if host_key:
        try:
            key = asyncssh.import_public_key(host_key).export_public_key().decode()
        except asyncssh.KeyImportError as error:
            raise ConfigurationError(f"{address}: `host_key` of the connection: {error}") from None
        known_hosts = asyncssh.import_known_hosts(f"* {key}")
    # Names that are no text come as surrogates instead of failing the whole listing.
    options = {"known_hosts": known_hosts, "sftp_client_kwargs": {"path_errors": "surrogateescape"}}
    return connect(connection_id, options)


@contextmanager
def connected_mailbox(address: str) -> Iterator["imaplib.IMAP4"]:
    """Sign in to `imap://CONNECTION@/FOLDER` by an Airflow connection, and out again.

    Raises:
        ConfigurationError: the address names no connection, one that does not exist, or one that is not complete.
        SourceUnavailableError: the mail server cannot be reached, or turns us away.
    """
    import imaplib

    from airflow.providers.imap.hooks.imap import ImapHook

    connection_id = urlsplit(address).username
    if not connection_id:
        raise ConfigurationError(f"{address}: write imap://CONNECTION@/FOLDER")
    try:
        connection = BaseHook.get_connection(connection_id)
    except AirflowNotFoundException:
        raise _unknown_connection(address, connection_id) from None
    # Airflow's hook would ask this machine for what has no host, and pass without a login.
    if not (connection.host and connection.login and connection.password):
        raise ConfigurationError(f"{address}: the connection must give host, login and password")
    try:
        hook = ImapHook(connection_id).get_conn()
    except (imaplib.IMAP4.error, OSError) as error:
        raise SourceUnavailableError(
            f"{address}: cannot sign in: {error}; ask its owner, or correct the connection"
        ) from error
    client = hook.mail_client
    try:
        yield client
    finally:
        with suppress(imaplib.IMAP4.error, OSError):
            client.logout()


def _unknown_connection(address: str, connection_id: str) -> ConfigurationError:
    return ConfigurationError(
        f"{address}: there is no Airflow connection {connection_id}; make it in Airflow (Admin, Connections), "
        f"or for a run by hand give it as AIRFLOW_CONN_{connection_id.upper()}"
    )
