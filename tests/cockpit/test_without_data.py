"""The pages when there is nothing to show, or nobody to ask."""

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from directive_etl.airflow_connections import airflow_connections
from directive_etl.cockpit import cockpit_app
from directive_etl.settings import settings
from directive_etl.warehouse.engine import engine_for


def test_a_warehouse_without_a_day_is_no_error(places, warehouse: sa.Engine):
    summary = (
        TestClient(cockpit_app(lambda: None, lambda: True, airflow_connections())).get("/api/day").json()
    )

    assert summary["last_day"] is None and not summary["is_complete"]


def test_a_warehouse_that_is_away_is_said_without_its_address(places, monkeypatch: pytest.MonkeyPatch):

    monkeypatch.setenv(
        "DIRECTIVE_ETL_WAREHOUSE_URL", "postgresql+psycopg://somebody:secret@127.0.0.1:9/warehouse"
    )
    settings.cache_clear()
    engine_for.cache_clear()
    answer = TestClient(cockpit_app(lambda: None, lambda: True, airflow_connections())).get("/api/day")

    assert answer.status_code == 503
    assert "secret" not in answer.text and "127.0.0.1" not in answer.text
