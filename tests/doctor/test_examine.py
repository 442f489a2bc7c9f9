"""The doctor finds each planted fault, says nothing else is wrong because of it, and names a cure."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from directive_etl.__main__ import main
from directive_etl.airflow_connections import airflow_connections
from directive_etl.doctor import examine
from directive_etl.doctor.connections import examine_connections
from directive_etl.doctor.machine import examine_disk, judge_clock
from directive_etl.registry.systems import systems
from directive_etl.settings import settings

KEY = "a key that is used in tests only"


@pytest.fixture
def plant(places: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, str]]:
    """Set what is given, and return the subjects found faulty with what was said and the cure."""
    for folder in ("landing", "drop"):
        (places / folder).chmod(0o700)

    def examine_with(**changed: str | None) -> dict[str, str]:
        for name, value in changed.items():
            variable = f"DIRECTIVE_ETL_{name.upper()}"
            monkeypatch.delenv(variable) if value is None else monkeypatch.setenv(variable, value)
        settings.cache_clear()
        return {
            finding.subject: f"{finding.said}: {finding.cure}"
            for finding in examine(airflow_connections())
            if not finding.is_well and not finding.subject.startswith(("portal ", "connections"))
        }

    return examine_with


@pytest.fixture
def as_owner(owner_engine: sa.Engine) -> Iterator[Callable[[str, str], None]]:
    """Run SQL as the schema owner, and what takes it back at the end."""
    back: list[str] = []

    def run(sql: str, undo: str) -> None:
        with owner_engine.begin() as connection:
            connection.exec_driver_sql(sql)
        back.append(undo)

    yield run
    with owner_engine.begin() as connection:
        for sql in back:
            connection.exec_driver_sql(sql)


def other(url: str, **parts: object) -> str:
    return sa.make_url(url).set(**parts).render_as_string(hide_password=False)


def test_a_sound_system_has_no_fault(plant):
    assert plant() == {}


def test_a_value_that_cannot_be_read(plant):
    assert "DIRECTIVE_ETL_LAST_DAY" in plant(last_day="tomorrow")["settings"]


def test_a_setting_that_is_missing(plant):
    found = plant(reader_url=None)

    assert list(found) == ["settings"] and "DIRECTIVE_ETL_READER_URL" in found["settings"]


def test_a_key_that_could_be_guessed(plant):
    assert list(plant(hash_key="secret")) == ["hash key"]


def test_a_wrong_password_is_named_and_not_shown(plant, warehouse_settings):
    url = other(warehouse_settings["DIRECTIVE_ETL_WAREHOUSE_URL"], password="wrong-one")
    found = plant(warehouse_url=url)

    assert list(found) == ["warehouse as etl_loader"]
    assert "password is refused" in found["warehouse as etl_loader"] and "wrong-one" not in str(found)


def test_a_server_that_is_away(plant, warehouse_settings):
    found = plant(warehouse_url=other(warehouse_settings["DIRECTIVE_ETL_WAREHOUSE_URL"], port=9))

    assert list(found) == ["warehouse as etl_loader"] and "no answer" in found["warehouse as etl_loader"]


def test_a_database_that_is_not_there(plant, warehouse_settings):
    found = plant(warehouse_url=other(warehouse_settings["DIRECTIVE_ETL_WAREHOUSE_URL"], database="nowhere"))

    assert "no such database" in found["warehouse as etl_loader"]


def test_an_address_that_is_none(plant):
    assert "cannot be read" in plant(reader_url="reporting tool")["warehouse as reporting_reader"]


def test_a_migration_that_is_missing(plant, as_owner, owner_engine):
    with owner_engine.connect() as connection:
        table, number = connection.execute(
            sa.text(
                "select n.nspname || '.alembic_version', null from pg_class c "
                "join pg_namespace n on n.oid = c.relnamespace where c.relname = 'alembic_version'"
            )
        ).one()
        number = connection.execute(sa.text(f"select version_num from {table}")).scalar_one()
    as_owner(f"update {table} set version_num = 'older'", f"update {table} set version_num = '{number}'")
    found = plant()

    assert list(found) == ["migrations"] and "python -m directive_etl migrate" in found["migrations"]


def test_a_view_that_is_missing(plant, as_owner):
    as_owner(
        "alter view reporting.sms_daily rename to sms_daily_away",
        "alter view reporting.sms_daily_away rename to sms_daily",
    )

    assert "sms_daily" in plant()["reporting views"]


def test_a_loader_that_may_not_write(plant, as_owner):
    as_owner(
        "revoke insert on core.observation from etl_loader", "grant insert on core.observation to etl_loader"
    )

    assert list(plant()) == ["rights of etl_loader"]


def test_a_reader_that_sees_too_much(plant, warehouse_settings):
    found = plant(reader_url=warehouse_settings["DIRECTIVE_ETL_WAREHOUSE_URL"])

    assert list(found) == ["rights of reporting_reader"]


def test_a_folder_that_is_missing(plant, places: Path):
    (places / "inbox").rmdir()

    assert list(plant()) == ["folder inbox"]


def test_a_folder_that_cannot_be_written(plant):
    assert "cannot be written" in plant(outbox="/proc")["folder outbox"]


def test_a_landing_zone_that_is_open_to_others(plant, places: Path):
    (places / "landing").chmod(0o755)
    found = plant()

    assert list(found) == ["folder landing"] and "chmod o=" in found["folder landing"]


def test_a_full_disk(plant):
    plant()
    (found,) = examine_disk(settings(), least_free_bytes=1 << 62)

    assert not found.is_well and "WAREHOUSE_CARE" in found.cure.upper()


def test_a_clock_that_differs():
    now = datetime.now(UTC)

    assert next(judge_clock(now, now + timedelta(seconds=5))).is_well
    assert "NTP" in next(judge_clock(now, now - timedelta(hours=7))).cure


def test_a_portal_without_an_address_and_one_that_does_not_answer(plant):
    first, *_ = systems()
    connection = {"base_url": "http://127.0.0.1:9", "username": "etl", "password": "of tests"}
    plant(system_connections=json.dumps({first.system_code: connection}))
    found = examine_connections(settings(), airflow_connections(), seconds=120)
    said = {one.subject: one.said for one in found if one.subject.startswith("portal ")}

    assert said.pop(f"portal {first.system_code}") == "does not answer"
    assert set(said.values()) == {"nobody said where it answers"}


def test_the_command_prints_the_cure_and_ends_with_status_1(plant, places: Path, capsys):
    (places / "inbox").rmdir()
    plant()

    assert main(["doctor"]) == 1
    assert "FAULT folder inbox" in (said := capsys.readouterr().out) and "cure: make it" in said
