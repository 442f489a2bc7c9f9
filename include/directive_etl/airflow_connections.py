"""Airflow's connections as ours: where a portal answers, a place on the network, the mailbox."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from airflow.sdk import BaseHook, ObjectStoragePath
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.sdk.io import attach

from directive_etl.errors import ConfigurationError, SourceUnavailableError
from directive_etl.settings import SystemConnection

if TYPE_CHECKING:
    import imaplib

    from fsspec import AbstractFileSystem

    from directive_etl.landing.place import Place


def portal_connection(system_code: str) -> SystemConnection | None:
    """Return the Airflow connection `directive_etl_<system_code>`, or None to use the settings."""
    try:
        found = BaseHook.get_connection(f"directive_etl_{system_code}")
    except AirflowNotFoundException:
        return None
    scheme = found.schema or "https"
    address = f"{scheme}://{found.host}" + (f":{found.port}" if found.port else "")
    return SystemConnection.model_validate(
        {
            "base_url": address + str(found.extra_dejson.get("path", "")),
            "username": found.login or "",
            "password": found.password or "",
            "redirect_hosts": found.extra_dejson.get("redirect_hosts", ()),
            "ca_file": found.extra_dejson.get("ca_file"),
        }
    )


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
        with reaching(address):
            if scheme == "sftp":
                # Before the path, which would else connect by itself, to any server.
                attach("sftp", connection_id).fs = _sftp(address, connection_id)
            path = ObjectStoragePath(address)
            return RemotePlace(path.fs, path.path, address)
    except AirflowNotFoundException:
        raise _unknown_connection(address, connection_id) from None


def _sftp(address: str, connection_id: str) -> "AbstractFileSystem":
    """Connect to an SFTP server whose host key is known: Airflow's own file system would accept any."""
    import asyncssh
    from airflow.providers.sftp.fs.sftp import get_fs

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
    return get_fs(connection_id, options)


@contextmanager
def connected_mailbox(address: str) -> Iterator["imaplib.IMAP4"]:
    """Sign in to `imap://CONNECTION@/FOLDER` by an Airflow connection, and out again.

    Raises:
        ConfigurationError: the address names no connection, or one that does not exist.
        SourceUnavailableError: the mail server cannot be reached, or turns us away.
    """
    import imaplib

    from airflow.providers.imap.hooks.imap import ImapHook

    connection_id = urlsplit(address).username
    if not connection_id:
        raise ConfigurationError(f"{address}: write imap://CONNECTION@/FOLDER")
    try:
        hook = ImapHook(connection_id).get_conn()
    except AirflowNotFoundException:
        raise _unknown_connection(address, connection_id) from None
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
        f"{address}: there is no Airflow connection {connection_id}; a run by hand does not see those of Airflow's "
        f"pages, so give it as AIRFLOW_CONN_{connection_id.upper()}"
    )
