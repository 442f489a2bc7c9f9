"""The declared portal systems: each file reads, and each kind of mistake is told with its place."""

from pathlib import Path

import pytest

from directive_etl.errors import RegistryError
from directive_etl.registry.systems import SYSTEMS_FOLDER, load_system, system, systems


def test_three_systems_page_and_log_in_in_three_ways():
    found = {declared.system_code: (declared.login.kind, declared.paging.kind) for declared in systems()}
    assert found == {
        "city_portal": ("basic", "offset"),
        "national_portal": ("session", "page_number"),
        "one_stop": ("bearer", "next_url"),
    }


@pytest.mark.parametrize("declared", systems(), ids=lambda declared: declared.system_code)
def test_every_national_status_and_channel_can_be_said(declared):
    assert set(declared.status_map.values()) == set(range(1, 11))
    assert set(declared.channel_map.values()) == {1, 2, 3}


def test_no_field_about_an_applicant_is_declared():
    names = {name for declared in systems() for name in declared.fields.model_dump().values()}
    assert not names & {"ChuHoSo", "SoDienThoai", "DiaChiChuHoSo", "Email", "MaDoiTuong"}


def test_a_system_that_is_not_declared_is_named():
    with pytest.raises(RegistryError, match="portal system 'elsewhere' is not declared"):
        system("elsewhere")


@pytest.mark.parametrize(
    ("code", "old", "new", "message"),
    [
        ("one_stop", "kind: next_url", "kind: by_feel", "paging: "),
        ("one_stop", "DA_CO_KET_QUA: 9", "DA_CO_KET_QUA: 11", "DA_CO_KET_QUA: found 11, expected 10"),
        ("one_stop", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S%Z", "a date format with %Y, %m, %d"),
        ("one_stop", "received_at: NgayTiepNhan", "", "fields.received_at: found nothing, expected a value"),
        ("one_stop", "system_code: one_stop", "system_code: two_stops", "'one_stop', the name of the file"),
        ("one_stop", "method: GET", "method: POST", "expected 'GET', since next_url gives addresses"),
        ("one_stop", "requests_per_second: 20", "requests_per_second: 0", "limits.requests_per_second"),
        ("city_portal", "total_field: tongSo", "", "answer.total_field: found nothing"),
        ("city_portal", "page_size: 500", "page_size: 0", "page_size"),
        ("national_portal", "method: POST", "method: GET", "expected 'POST', since the login is by session"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(code, old, new, message, tmp_path: Path):
    text = (SYSTEMS_FOLDER / f"{code}.yaml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / f"{code}.yaml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(RegistryError) as caught:
        load_system(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
