"""The demo city's portals: who may ask, what is shown of which day, and the faults they were told to have."""

import asyncio
import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import orjson
import pytest

from directive_etl.demo_city.portal_server import SYSTEM_CODES, build_app, connections
from directive_etl.local_stack import ports

SOURCE = str(Path(__file__).parents[2] / "include")
CITY_WINDOW = {
    "capNhatTu": "19/08/2020 00:00:00",
    "capNhatDen": "21/08/2020 00:00:00",
    "offset": "0",
    "limit": "100",
}
NATIONAL_WINDOW = {"TuNgay": "20200819000000", "DenNgay": "20200821000000", "page": "1", "size": "100"}


def a_version(code: str, changed_at: str, **changes: object) -> dict[str, object]:
    return {
        "dossier_code": code,
        "procedure_code": "1.001193",
        "unit_code": "31117",
        "channel": 2,
        "received_at": "2020-08-19T08:00:00+07:00",
        "due_at": None,
        "finished_at": None,
        "returned_at": None,
        "status": 4,
        "changed_at": changed_at,
        "applicant_name": "Nguyễn Thị Thử",
        "applicant_phone": "0909000001",
        "applicant_address": "1 Đường Thử",
    } | changes


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """A demo folder whose three portals show the same five versions of four dossiers."""
    versions = [
        a_version("before", "2020-08-18T23:59:59+07:00"),
        a_version("changed twice", "2020-08-19T08:00:00+07:00"),
        a_version("once", "2020-08-20T08:00:00+07:00"),
        a_version(
            "changed twice", "2020-08-20T09:00:00+07:00", status=9, finished_at="2020-08-20T09:00:00+07:00"
        ),
        a_version("after", "2020-08-21T00:00:00+07:00"),
    ]
    (tmp_path / "portal").mkdir()
    for code in SYSTEM_CODES:
        lines = "".join(json.dumps(version) + "\n" for version in versions)
        (tmp_path / "portal" / f"{code}.jsonl").write_text(lines, encoding="utf-8")
    return tmp_path


Client = Callable[..., httpx.Response]


def open_portals(demo: Path) -> Client:
    """The portals of a demo folder; call with a method, a path and what httpx takes."""
    app = build_app(demo)

    async def ask(method: str, path: str, **given: object) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://portals") as client:
            return await client.request(method, path, **given)

    return lambda method, path, **given: asyncio.run(ask(method, path, **given))


@pytest.fixture
def client(demo: Path) -> Client:
    return open_portals(demo)


def password(demo: Path, system_code: str) -> str:
    return connections(demo, "")[system_code]["password"]


def ask_city(client: Client, demo: Path, **changes: str):
    account = ("directive", password(demo, "city_portal"))
    return client("GET", "/city_portal/api/ho-so", params=CITY_WINDOW | changes, auth=account)


def log_in(client: Client, demo: Path) -> str:
    names = {"username": "directive", "password": password(demo, "national_portal")}
    answer = client("POST", "/national_portal/mapi/login", json=names).json()
    assert answer["error_code"] == "0"
    return answer["session"]


def test_a_list_shows_each_dossiers_last_version_inside_the_window(client, demo):
    records = ask_city(client, demo).json()["ketQua"]
    assert [(record["MaHoSo"], record["TrangThaiHoSo"]) for record in records] == [
        ("once", "4"),
        ("changed twice", "9"),
    ]


def test_a_version_is_hidden_until_it_is_visible(client, demo):
    late = a_version("late", "2020-08-20T10:00:00+07:00", visible_from="2020-08-21T10:00:00+07:00")
    with (demo / "portal" / "city_portal.jsonl").open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(late) + "\n")
    first = ask_city(client, demo).json()["ketQua"]
    second = ask_city(client, demo, capNhatDen="22/08/2020 00:00:00").json()["ketQua"]
    assert "late" not in [record["MaHoSo"] for record in first]
    assert "late" in [record["MaHoSo"] for record in second]


def test_an_answer_is_sent_at_five_in_the_next_morning(client, demo):
    assert ask_city(client, demo).headers["Date"] == "Thu, 20 Aug 2020 22:00:00 GMT"


def test_each_system_writes_dates_in_its_own_form(client, demo):
    session = log_in(client, demo)
    national = client("POST", "/national_portal/mapi/g", json=NATIONAL_WINDOW | {"session": session}).json()
    window = {
        "changed_from": "2020-08-19T00:00:00+0700",
        "changed_to": "2020-08-21T00:00:00+0700",
        "page_size": "100",
    }
    token = {"Authorization": f"Bearer {password(demo, 'one_stop')}"}
    one_stop = client("GET", "/one_stop/v1/dossiers", params=window, headers=token).json()
    records = [national["data"][1], ask_city(client, demo).json()["ketQua"][1], one_stop["data"]["items"][1]]
    assert [record["NgayKetThucXuLy"] for record in records] == [
        "20200820090000",
        "20/08/2020 09:00:00",
        "2020-08-20T09:00:00+07:00",
    ]
    assert [record["TrangThaiHoSo"] for record in records] == ["9", "9", "DA_CO_KET_QUA"]
    assert all(record["NgayHenTra"] == "" for record in records)


def test_every_value_of_the_national_portal_is_a_string(client, demo):
    ask = NATIONAL_WINDOW | {"session": log_in(client, demo)}
    answer = client("POST", "/national_portal/mapi/g", json=ask).json()
    assert (answer["total"], answer["page"]) == ("2", "1")
    assert all(isinstance(value, str) for name, value in answer["data"][0].items() if name != "TaiLieuNop")


def test_the_one_stop_pages_chain_to_the_end(client, demo):
    token = {"Authorization": f"Bearer {password(demo, 'one_stop')}"}
    window = {
        "changed_from": "2020-08-01T00:00:00+0700",
        "changed_to": "2020-09-01T00:00:00+0700",
        "page_size": "3",
    }
    first = client("GET", "/one_stop/v1/dossiers", params=window, headers=token).json()
    second = client("GET", first["next"], headers=token).json()
    assert [len(page["data"]["items"]) for page in (first, second)] == [3, 1]
    assert second["next"] is None


@pytest.mark.parametrize("secret", ["", "wrong"])
def test_without_the_password_nothing_is_shown(secret, client):
    assert (
        client("GET", "/city_portal/api/ho-so", params=CITY_WINDOW, auth=("directive", secret)).status_code
        == 401
    )
    assert (
        client("GET", "/one_stop/v1/dossiers", headers={"Authorization": f"Bearer {secret}"}).status_code
        == 401
    )
    names = {"username": "directive", "password": secret}
    assert client("POST", "/national_portal/mapi/login", json=names).json() == {
        "session": "",
        "error_code": "-1",
    }
    ask = NATIONAL_WINDOW | {"session": secret}
    assert client("POST", "/national_portal/mapi/g", json=ask).json() == {"error_code": "-1"}


def test_passwords_are_made_once_and_kept_private(demo):
    first = connections(demo, "http://127.0.0.1:9999/")
    assert connections(demo, "http://127.0.0.1:9999") == first
    assert first["one_stop"]["base_url"] == "http://127.0.0.1:9999/one_stop"
    assert len({entry["password"] for entry in first.values()}) == 3
    assert stat.S_IMODE((demo / "portal" / "accounts.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(("kind", "status"), [("http_500", 500), ("http_503", 503), ("http_429", 429)])
def test_a_fault_comes_as_often_as_planned_and_no_more(kind, status, demo):
    plan = [{"system_code": "city_portal", "day": "2020-08-20", "page": 1, "kind": kind, "times": 2}]
    (demo / "portal" / "faults.json").write_text(json.dumps(plan))
    client = open_portals(demo)
    other_day = {"capNhatDen": "20/08/2020 00:00:00"}
    assert ask_city(client, demo, **other_day).status_code == 200
    assert [ask_city(client, demo).status_code for _ in range(3)] == [status, status, 200]


def test_a_page_can_be_cut_off(demo):
    plan = [{"system_code": "city_portal", "day": "2020-08-20", "page": 1, "kind": "truncated", "times": 1}]
    (demo / "portal" / "faults.json").write_text(json.dumps(plan))
    client = open_portals(demo)
    cut, whole = ask_city(client, demo).content, ask_city(client, demo).content
    assert whole.startswith(cut)
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(cut)


def test_a_page_can_repeat_the_one_before(demo):
    plan = [
        {"system_code": "city_portal", "day": "2020-08-20", "page": 2, "kind": "duplicate_page", "times": 1}
    ]
    (demo / "portal" / "faults.json").write_text(json.dumps(plan))
    client = open_portals(demo)
    pages = [ask_city(client, demo, limit="1", offset=offset).json() for offset in ("0", "1", "1")]
    assert [page["ketQua"][0]["MaHoSo"] for page in pages] == ["once", "once", "changed twice"]


def test_a_plan_with_an_unknown_fault_is_not_served(demo):
    plan = [{"system_code": "city_portal", "day": "2020-08-20", "page": 2, "kind": "on fire", "times": 1}]
    (demo / "portal" / "faults.json").write_text(json.dumps(plan))
    with pytest.raises(ValueError, match="on fire"):
        build_app(demo)


def test_the_server_runs_in_simulated_time(demo):
    port = ports.find_free()
    program = (
        "import sys; from pathlib import Path; from directive_etl.demo_city.portal_server import serve; "
    )
    program += "serve(Path(sys.argv[1]), '127.0.0.1', int(sys.argv[2]))"
    server = subprocess.Popen(
        [sys.executable, "-c", program, str(demo), str(port)], env=os.environ | {"PYTHONPATH": SOURCE}
    )
    account = ("directive", password(demo, "city_portal"))
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                url = f"http://127.0.0.1:{port}/city_portal/api/ho-so"
                answer = httpx.get(url, params=CITY_WINDOW, auth=account, trust_env=False)
                break
            except httpx.ConnectError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
    finally:
        server.terminate()
        server.wait(timeout=60)
    assert answer.headers.get_list("Date") == ["Thu, 20 Aug 2020 22:00:00 GMT"]
    assert len(answer.json()["ketQua"]) == 2
