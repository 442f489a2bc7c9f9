"""The embedded PostgreSQL: the wheel's programs, a data folder of our own, loopback TCP with passwords."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from directive_etl.local_stack import keys, ports, postgres_user, processes, settings_file
from directive_etl.local_stack.errors import StackError
from directive_etl.local_stack.places import Places
from directive_etl.local_stack.postgres_user import ServerUser

DATABASES_SQL = Path(__file__).with_name("databases.sql")
ATTEMPTS = 3  # another program may take the port between our look and the server's start
LEFTOVER_SECONDS = 10.0

CONFIGURATION = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # socket paths are limited to about 100 bytes; a clone's may be longer
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Refused rows hold phone numbers: neither statements nor the details of an error go into the log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
# For a developer's machine. synchronous_commit stays on: what was committed survives kill -9.
DURABLE = {
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
}
# For a test's server, which is thrown away: safe against the kill of a process, not of the machine.
NOT_DURABLE = {
    "shared_buffers": "64MB",
    "work_mem": "16MB",
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum_naptime": "10min",
}


def start(places: Places, *, durable: bool = True) -> int:
    """Start the server unless it runs, make sure of its databases and roles, and return its port.

    Args:
        places: of the clone.
        durable: False leaves out fsync, for tests. Counts when the data folder is made.

    Raises:
        StackError: the server does not start; the message has the end of its log.
    """
    places.create()
    postgres_user.refuge(places)  # refuses a link that came with a copied clone
    if postmaster(places) is None:
        user = postgres_user.server_user(places.pgdata)
        if not (places.pgdata / "PG_VERSION").exists():
            _create_cluster(places, user, durable)
        else:
            _clear_leftovers(places)
        _start_server(places, user)
    _make_databases(places)
    return ports.remembered(places, "postgres")


def stop(places: Places) -> None:
    """Stop the server if it runs: open transactions are rolled back, what was committed stays.

    Raises:
        StackError: it does not stop, or it is another clone's.
    """
    postgres_user.refuge(places)
    if postmaster(places) is None:
        _clear_leftovers(places)
        return
    for mode in ("fast", "immediate"):  # immediate loses nothing either, the next start recovers
        with suppress(StackError):
            _run(places, "pg_ctl", "stop", "-D", _data(places), "-m", mode, "-t", "15")
        if postmaster(places) is None:
            _clear_leftovers(places)
            return
    raise StackError(f"PostgreSQL does not stop: {_log_tail(places)}")


def remove(places: Places) -> None:
    """Stop the server and delete its data, wherever they are."""
    stop(places)
    if (refuge := postgres_user.refuge(places)) is not None:
        shutil.rmtree(refuge, ignore_errors=True)
        places.pgdata.unlink()
    elif places.pgdata.exists():
        shutil.rmtree(places.pgdata)


@contextmanager
def throwaway(folder: Path) -> Iterator[dict[str, str]]:
    """Run a server for tests in an empty folder and delete it afterwards.

    Args:
        folder: where its files go; one server per folder.

    Yields:
        The settings of `settings_file.environment`, with the three DIRECTIVE_ETL_*_URL of this server.
    """
    places = Places(root=Places.of_clone().root, local=folder.resolve() / ".local")
    try:
        start(places, durable=False)
        yield settings_file.environment(places)
    finally:
        remove(places)


def query(places: Places, database: str, sql: str) -> str:
    """Return psql's unaligned answer to a query that the superuser asks.

    Raises:
        StackError: it failed.
    """
    return _psql(places, "-d", database, "-Atc", sql)


def dump(places: Places, database: str, path: Path) -> None:
    """Write the whole content of a database as SQL.

    Raises:
        StackError: it failed.
    """
    _client(places, "pg_dump", "--dbname", database, "--file", str(path))


def postmaster(places: Places) -> psutil.Process | None:
    """Return the running server of this data folder, or None.

    `postmaster.pid` outlives a kill -9, and its number may belong to any other process by then.
    """
    try:
        pid = int((places.pgdata / "postmaster.pid").read_text(encoding="utf-8").split()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return None
    return next((process for process in _server_processes(places) if process.pid == pid), None)


def _server_processes(places: Places) -> list[psutil.Process]:
    """Return the living server processes of this data folder: PostgreSQL works in it."""
    data = str(places.pgdata.resolve())
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.name() == "postgres" and process.cwd() == data and processes.is_alive(process):
                found.append(process)
    return found


def _clear_leftovers(places: Places) -> None:
    """Wait for the children of a killed server, then remove its stale postmaster.pid.

    PostgreSQL would refuse the file when its number belongs to another process of the same user. Without
    any server process in the folder it is safe to remove it.
    """
    deadline = time.monotonic() + LEFTOVER_SECONDS
    while leftovers := _server_processes(places):
        if time.monotonic() > deadline:
            for process in leftovers:
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGKILL)
        time.sleep(0.1)
    (places.pgdata / "postmaster.pid").unlink(missing_ok=True)


def _create_cluster(places: Places, user: ServerUser, durable: bool) -> None:
    final = postgres_user.data_folder(places, user)
    # An initdb that was killed half-way must not look like a cluster at the next start.
    folder = final.with_name(f"{final.name}.unfinished")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    user.give(folder)
    options = CONFIGURATION | (DURABLE if durable else NOT_DURABLE)
    # initdb reads the password from a file that its user can open; a pipe of root's it cannot.
    handle, name = tempfile.mkstemp(dir=folder.parent)
    password_file = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(keys.load_or_create(places).postgres)
        user.give(password_file)
        _run(
            places,
            "initdb",
            *("-D", str(folder), "-U", "postgres", f"--pwfile={password_file}", "--auth=scram-sha-256"),
            # The builtin locale sorts the same on every machine.
            *("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
            *(f"--set={name}={value}" for name, value in options.items()),
            *(() if durable else ("--no-sync",)),
        )
    finally:
        password_file.unlink(missing_ok=True)
    folder.rename(final)


def _start_server(places: Places, user: ServerUser) -> None:
    for attempt in range(ATTEMPTS):
        port = ports.free_and_remembered(places, "postgres")
        try:
            _run(
                places,
                "pg_ctl",
                *("start", "-D", _data(places), "-l", str(places.pgdata.resolve() / "server.log")),
                *("-w", "-t", "60", "-o", f"-p {port}"),
            )
        except StackError as error:
            if attempt + 1 < ATTEMPTS and not ports.is_free(port):
                continue
            raise StackError(f"PostgreSQL does not start: {_log_tail(places)}") from error
        return


def _make_databases(places: Places) -> None:
    secret = keys.load_or_create(places)
    passwords = {
        "AIRFLOW_PASSWORD": secret.airflow,
        "ETL_OWNER_PASSWORD": secret.etl_owner,
        "ETL_LOADER_PASSWORD": secret.etl_loader,
        "REPORTING_READER_PASSWORD": secret.reporting_reader,
    }
    _psql(places, "-d", "postgres", "-qf", str(DATABASES_SQL), env=passwords)


def _psql(places: Places, *arguments: str, env: Mapping[str, str] | None = None) -> str:
    return _client(places, "psql", "-X", *arguments, env=env)


def _client(places: Places, program: str, *arguments: str, env: Mapping[str, str] | None = None) -> str:
    """Run one of PostgreSQL's own clients as superuser of the server."""
    secret = keys.load_or_create(places)
    address = {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(ports.remembered(places, "postgres")),
        "PGUSER": "postgres",
        "PGPASSWORD": secret.postgres,  # through the environment: an argument is seen by everybody
    }
    caller = ServerUser()  # a client needs no other user, and reads and writes our files
    return _run(places, program, *arguments, user=caller, env=address | dict(env or {}))


def _run(
    places: Places,
    program: str,
    *arguments: str,
    user: ServerUser | None = None,
    env: Mapping[str, str] | None = None,
) -> str:
    user = user or postgres_user.server_user(places.pgdata)
    command = [str(postgres_user.programs(places, user) / program), *arguments]
    done = subprocess.run(
        command,
        cwd="/",  # the caller's folder may be closed to the user
        env={"PATH": os.defpath, "LC_ALL": "C", **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        **user.popen(),
    )
    if done.returncode != 0:
        raise StackError(f"{program} failed ({done.returncode}): {done.stderr.strip()[-1000:]}")
    return done.stdout.strip()


def _data(places: Places) -> str:
    return str(places.pgdata.resolve())  # the user may not be able to follow the link in `.local`


def _log_tail(places: Places, lines: int = 10) -> str:
    with suppress(OSError):
        text = (places.pgdata / "server.log").read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])
    return "(no log)"
