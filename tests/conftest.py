"""A real PostgreSQL for every test that asks for one: migrated once a session, emptied before each test."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import settings as hypothesis_settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# Read before any settings are: tests must not see the developer's own stack.
os.environ["DIRECTIVE_ETL_HASH_KEY"] = "a key that is used in tests only"
# Files that tests write are whole.
os.environ["DIRECTIVE_ETL_SETTLE_SECONDS"] = "0"

# The cases that hypothesis makes up are the same in every run, and none is judged by the time it takes: what passes
# here passes on a busy machine too. `make soak` looks for new cases.
hypothesis_settings.load_profile("ci")


class ByWhatIsShared(LoadScopeScheduling):
    """One worker runs all tests of a file, and all of the cockpit, where one Airflow serves every file."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        return "tests/cockpit" if file.startswith("tests/cockpit/") else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByWhatIsShared:
    """Distribute by what is costly to set up (xdist's own groups do nothing under pytest 9.2: it renames tests)."""
    return ByWhatIsShared(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the longest files, so that no worker is left with one at the end."""
    items.sort(key=lambda item: (not item.get_closest_marker("e2e"), not item.get_closest_marker("slow")))


@pytest.fixture(scope="session")
def warehouse_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Settings of a migrated warehouse on a throwaway server."""
    from directive_etl.local_stack import postgres
    from directive_etl.warehouse.schema import migrate

    with postgres.throwaway(tmp_path_factory.mktemp("postgres")) as settings:
        migrate(sa.create_engine(settings["DIRECTIVE_ETL_MIGRATION_URL"]))
        yield settings


@pytest.fixture(scope="session")
def owner_engine(warehouse_settings: dict[str, str]) -> sa.Engine:
    return sa.create_engine(warehouse_settings["DIRECTIVE_ETL_MIGRATION_URL"])


@pytest.fixture
def warehouse(warehouse_settings: dict[str, str], owner_engine: sa.Engine) -> sa.Engine:
    """The warehouse without facts, as the role etl_loader sees it."""
    from directive_etl.warehouse.tables import facts, ops

    emptied = [
        table.fullname
        for module in (facts, ops)
        for table in vars(module).values()
        if isinstance(table, sa.Table)
    ]
    with owner_engine.begin() as connection:
        connection.exec_driver_sql(f"truncate {', '.join(emptied)} restart identity cascade")
    return sa.create_engine(warehouse_settings["DIRECTIVE_ETL_WAREHOUSE_URL"])


@pytest.fixture
def reader(warehouse_settings: dict[str, str], warehouse: sa.Engine) -> sa.Engine:
    """The same warehouse as the role reporting_reader sees it."""
    return sa.create_engine(warehouse_settings["DIRECTIVE_ETL_READER_URL"])


@pytest.fixture
def places(
    tmp_path: Path, warehouse_settings: dict[str, str], warehouse: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """Empty folders and an empty warehouse as the settings of this process; returns the folder above them."""
    from directive_etl.settings import settings
    from directive_etl.warehouse.engine import engine_for

    for name, value in warehouse_settings.items():
        if name.startswith("DIRECTIVE_ETL_") and name.endswith("_URL"):
            monkeypatch.setenv(name, value)
    for folder in ("landing", "drop", "inbox", "outbox", "reports"):
        (tmp_path / folder).mkdir()
        monkeypatch.setenv(f"DIRECTIVE_ETL_{folder.upper()}", str(tmp_path / folder))
    monkeypatch.chdir(tmp_path)
    settings.cache_clear()
    engine_for.cache_clear()
    yield tmp_path
    settings.cache_clear()
    engine_for.cache_clear()
