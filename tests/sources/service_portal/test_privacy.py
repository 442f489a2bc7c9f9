"""Nothing about an applicant leaves the landing zone: neither what has its field nor what slipped into another."""

import json
import logging
from datetime import date

import pytest
import sqlalchemy as sa

from directive_etl import pipeline
from directive_etl.demo_city.portal_server import connections
from directive_etl.registry.systems import system
from directive_etl.settings import SystemConnection
from directive_etl.sources.service_portal.try_out import iter_trial

DAY = date(2020, 8, 20)
NAME, ADDRESS = "Trần Thị Canary", "9 Đường Hoàng Yến"
PHONE, EMAIL = "0909 873 412", "canary@nowhere.example"
SECRETS = ("Canary", "Hoàng Yến", "873 412", "873412", "873.412", "nowhere.example", "H13-200820")


@pytest.fixture
def planted(a_version) -> list[dict[str, object]]:
    """One sound dossier, and one more for each field that holds a name, a number, an address or an e-mail instead."""
    about = {
        "applicant_name": NAME,
        "applicant_phone": PHONE,
        "applicant_address": ADDRESS,
        "applicant_email": EMAIL,
    }
    versions = [a_version(**about)]
    for field in ("unit_code", "procedure_code"):
        versions += [a_version(**about | {field: secret}) for secret in (NAME, PHONE, ADDRESS, EMAIL)]
    return versions


def dump(warehouse: sa.Engine) -> str:
    """Every row of every table and view, as text."""
    tables = """
        select quote_ident(table_schema) || '.' || quote_ident(table_name) from information_schema.tables
        where table_schema in ('core', 'ops', 'reporting')"""
    with warehouse.connect() as connection:
        names = connection.execute(sa.text(tables)).scalars().all()
        return "\n".join(
            str(row)
            for name in names
            for row in connection.execute(sa.text(f"select t::text from {name} t")).scalars()
        )


def test_no_applicant_is_in_the_warehouse_or_the_logs(
    open_portal, planted, places, warehouse, owner_engine, caplog
):
    caplog.set_level(logging.DEBUG)
    faults = [
        {"system_code": "city_portal", "day": "2020-08-20", "page": 1, "kind": "truncated", "times": 1},
        {"system_code": "city_portal", "day": "2020-08-20", "page": 1, "kind": "http_503", "times": 1},
    ]
    client, _ = open_portal("city_portal", planted, faults)
    account = connections(places / "demo", "")["city_portal"]
    connection = SystemConnection.model_validate(account | {"base_url": str(client.base_url)})
    pipeline.pull_portal_system("city_portal", DAY, connection)
    shown = "\n".join(iter_trial(system("city_portal"), connection, DAY, "a key"))

    held = dump(owner_engine)
    logged = "\n".join(record.getMessage() for record in caplog.records)
    landed = b"".join(
        path.read_bytes() for path in (places / "landing").rglob("*") if path.is_file()
    ).decode()
    assert held.count("unknown_unit") == 4
    assert held.count("unknown_procedure") == 4
    assert "kept as" in logged  # the page that was cut off
    for secret in SECRETS:
        assert secret not in held
        assert secret not in logged
        assert secret not in shown
    # The hunt can find: where it may be, it is.
    assert all(
        secret in json.dumps(landed, ensure_ascii=False) for secret in ("Canary", "873 412", "H13-200820")
    )
