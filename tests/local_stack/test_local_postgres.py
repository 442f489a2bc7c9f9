"""The embedded PostgreSQL: who may do what, and what survives a kill."""

import os
import signal
import socket
import subprocess
import time

import psycopg
import pytest

from directive_etl.local_stack import keys, ports, postgres, settings_file
from directive_etl.local_stack.errors import StackError
from directive_etl.local_stack.places import Places


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    with postgres.throwaway(folder):
        yield Places(root=Places.of_clone().root, local=folder / ".local")


def connect(places, setting, database="warehouse"):
    url = settings_file.environment(places)[setting].replace("postgresql+psycopg", "postgresql")
    return psycopg.connect(url.removesuffix("warehouse") + database, autocommit=True, connect_timeout=5)


def kill_server(places):
    server = postgres.postmaster(places)
    os.kill(server.pid, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while postgres.postmaster(places) is not None and time.monotonic() < deadline:
        time.sleep(0.01)  # it lives until the kernel gets to it
    return server.pid


def test_the_three_addresses_reach_the_warehouse_as_their_roles(places):
    users = []
    for setting in ("DIRECTIVE_ETL_MIGRATION_URL", "DIRECTIVE_ETL_WAREHOUSE_URL", "DIRECTIVE_ETL_READER_URL"):
        with connect(places, setting) as connection:
            users.append(connection.execute("select current_user").fetchone()[0])
    assert users == ["etl_owner", "etl_loader", "reporting_reader"]


@pytest.mark.parametrize("database", ["airflow", "postgres", "template1"])
@pytest.mark.parametrize("setting", ["DIRECTIVE_ETL_WAREHOUSE_URL", "DIRECTIVE_ETL_READER_URL"])
def test_the_roles_of_the_warehouse_enter_no_other_database(places, setting, database):
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        connect(places, setting, database)


@pytest.mark.parametrize(
    "sql", ["create temporary table t (a int)", "create schema s", "create table public.t ()"]
)
def test_the_reader_may_create_nothing(places, sql):
    with (
        connect(places, "DIRECTIVE_ETL_READER_URL") as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(sql)


def test_the_loader_may_load_through_temporary_tables(places):
    with connect(places, "DIRECTIVE_ETL_WAREHOUSE_URL") as connection:
        connection.execute("create temporary table staging (a int)")


def test_nobody_enters_without_a_password(places):
    port = ports.remembered(places, "postgres")
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres", password="")


def test_the_server_listens_on_the_loopback_interface_only(places):
    assert postgres.query(places, "postgres", "show listen_addresses") == "127.0.0.1"
    assert postgres.query(places, "postgres", "show unix_socket_directories") == ""


def test_the_log_names_neither_the_row_nor_the_statement_of_an_error(places):
    with connect(places, "DIRECTIVE_ETL_WAREHOUSE_URL") as connection:
        connection.execute("create temporary table person (number text unique)")
        connection.execute("insert into person values ('84900000001')")
        with pytest.raises(psycopg.errors.UniqueViolation, match="84900000001"):
            connection.execute("insert into person values ('84900000001')")
    log = (places.pgdata / "server.log").read_text(encoding="utf-8")
    assert "duplicate key" in log
    assert "84900000001" not in log


def test_start_leaves_a_running_server_alone(places):
    before = postgres.postmaster(places).pid
    postgres.start(places)
    assert postgres.postmaster(places).pid == before


def test_after_kill_9_the_next_start_has_all_that_was_committed(places):
    with connect(places, "DIRECTIVE_ETL_MIGRATION_URL") as connection:
        connection.execute("create table public.kept as select 42 as answer")
    kill_server(places)
    postgres.start(places)
    with connect(places, "DIRECTIVE_ETL_MIGRATION_URL") as connection:
        assert connection.execute("select answer from public.kept").fetchone() == (42,)


def test_a_stale_postmaster_pid_that_names_a_stranger_does_not_hinder_the_start(places):
    owner = places.pgdata.stat()
    ids = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    pid_file = places.pgdata / "postmaster.pid"
    content = pid_file.read_text(encoding="utf-8")
    killed = kill_server(places)
    # A living process of the same user: PostgreSQL by itself would say "lock file already exists".
    with subprocess.Popen(["sleep", "60"], cwd="/", **ids) as stranger:
        pid_file.write_text(content.replace(str(killed), str(stranger.pid), 1), encoding="utf-8")
        assert postgres.postmaster(places) is None
        postgres.start(places)
        assert stranger.poll() is None
        stranger.kill()
    assert postgres.postmaster(places) is not None


def test_a_taken_port_is_replaced_at_the_next_start(places):
    postgres.stop(places)
    taken = ports.remembered(places, "postgres")
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", taken))
        stranger.listen()
        assert postgres.start(places) != taken
    with connect(places, "DIRECTIVE_ETL_READER_URL") as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_an_initdb_that_was_killed_half_way_is_made_anew(tmp_path):
    half = Places(root=tmp_path, local=tmp_path / ".local")
    half.create()
    (half.local / "pgdata.unfinished").mkdir()
    (half.local / "pgdata.unfinished" / "PG_VERSION").write_text("18\n", encoding="utf-8")
    try:
        postgres.start(half, durable=False)
        assert postgres.query(half, "warehouse", "select 1") == "1"
    finally:
        postgres.remove(half)


def test_the_data_of_another_clone_are_not_followed(places, tmp_path):
    copy = Places(root=tmp_path, local=tmp_path / ".local")
    copy.create()
    copy.pgdata.symlink_to(places.pgdata.resolve())  # what `cp -a` of a clone brings along
    for command in (postgres.start, postgres.stop, postgres.remove):
        with pytest.raises(StackError, match="another clone"):
            command(copy)
    assert postgres.postmaster(places) is not None


def test_no_password_is_in_an_error_of_psql(places):
    with pytest.raises(StackError) as caught:
        postgres.query(places, "warehouse", "select nonsense")
    assert keys.load_or_create(places).postgres not in str(caught.value)


def test_a_throwaway_server_leaves_nothing_behind(tmp_path):
    with postgres.throwaway(tmp_path):
        places = Places(root=tmp_path, local=tmp_path / ".local")
        data = places.pgdata.resolve()
    assert postgres.postmaster(places) is None
    assert not data.exists()
