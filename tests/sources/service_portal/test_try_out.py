"""Trying a new system's file: two pages, each field as it would be read, nothing about an applicant."""

import json
from datetime import date

import pytest

from directive_etl.__main__ import main
from directive_etl.demo_city.portal_server import connections
from directive_etl.registry.systems import SYSTEMS_FOLDER
from directive_etl.settings import settings


@pytest.fixture
def declared_file(tmp_path, open_portal, a_version, monkeypatch):
    """A fourth system: the city portal's file under another name, with pages of 10, at a portal of 25
    dossiers.
    """
    versions = [a_version() for _ in range(25)]
    versions[3] |= {"status": 77}
    client, _ = open_portal("city_portal", versions)
    account = connections(tmp_path / "demo", "")["city_portal"] | {"base_url": str(client.base_url)}
    monkeypatch.setenv("DIRECTIVE_ETL_SYSTEM_CONNECTIONS", json.dumps({"fourth": account}))
    monkeypatch.chdir(tmp_path)
    settings.cache_clear()
    text = (SYSTEMS_FOLDER / "city_portal.yaml").read_text(encoding="utf-8")
    path = tmp_path / "fourth.yaml"
    path.write_text(
        text.replace("system_code: city_portal", "system_code: fourth").replace(
            "page_size: 500", "page_size: 10"
        )
    )
    yield path
    settings.cache_clear()


def test_two_pages_show_how_each_field_would_be_read(declared_file, capsys, day: date):
    assert main(["system", "check", str(declared_file), "--day", str(day)]) == 0
    said = capsys.readouterr().out
    assert "page 2: 10 records, total 25" in said
    assert "page 3" not in said
    assert "20/08/2020 08:00:01 -> 2020-08-20" in said
    assert "77 -> CANNOT BE READ" in said
    assert "19 would be loaded, 1 refused" in said
    assert "TrangThaiHoSo is not in the status_map" in said
    assert "always empty" in said, said
    assert not any(secret in said for secret in ("0909", "Nguyễn", "Đường"))


def test_a_field_that_is_not_there_is_seen_at_once(declared_file, capsys, day: date):
    declared_file.write_text(declared_file.read_text().replace("KenhThucHien", "Kenh"))
    assert main(["system", "check", str(declared_file), "--day", str(day)]) == 0
    said = capsys.readouterr().out
    assert "19 x Kenh is empty" in said
