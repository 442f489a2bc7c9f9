"""Pulling a day: each way of paging and login over real HTTP, and each fault a portal can have."""

import json
from datetime import datetime
from pathlib import Path

import orjson
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from directive_etl.errors import ConfigurationError, SourceChangedError, SourceUnavailableError
from directive_etl.periods import LOCAL_ZONE
from directive_etl.registry.systems import system
from directive_etl.settings import SystemConnection
from directive_etl.sources.service_portal.access import PortalClient, open_client
from directive_etl.sources.service_portal.extract import pull_day

SYSTEMS = ["national_portal", "city_portal", "one_stop"]


def codes_in(files) -> list[str]:
    """The dossier codes in landed pages, in order."""
    codes = []
    for file in files:
        answer = orjson.loads(file.path.read_bytes())
        records = answer.get("ketQua") or answer.get("data")
        records = records["items"] if isinstance(records, dict) else records
        codes += [record["MaHoSo"] for record in records or []]
    return codes


def fault(system_code: str, kind: str, page: int = 2, times: int = 1) -> dict[str, object]:
    return {"system_code": system_code, "day": "2020-08-20", "page": page, "kind": kind, "times": times}


@pytest.mark.parametrize("system_code", SYSTEMS)
def test_every_page_of_a_day_lands_in_order(system_code, open_portal, a_version, day, tmp_path):
    versions = [a_version() for _ in range(35)]
    client, declared = open_portal(system_code, versions)
    pulled = pull_day(client, declared, day, tmp_path, first_pull=False)
    assert codes_in(pulled.files) == [version["dossier_code"] for version in versions]
    assert len(pulled.files) == 4
    assert pulled.refused.empty


@pytest.mark.parametrize("system_code", SYSTEMS)
@pytest.mark.parametrize("count", [0, 9, 10, 11, 20])
def test_a_list_ends_where_it_ends(system_code, count, open_portal, a_version, day, tmp_path):
    versions = [a_version() for _ in range(count)]
    client, declared = open_portal(system_code, versions)
    pulled = pull_day(client, declared, day, tmp_path, first_pull=False)
    assert len(codes_in(pulled.files)) == count
    assert len(pulled.files) == max(1, -(-count // 10))


@pytest.mark.parametrize("system_code", SYSTEMS)
def test_the_portal_says_when_a_page_became_known(system_code, open_portal, a_version, day, tmp_path):
    client, declared = open_portal(system_code, [a_version()])
    [file] = pull_day(client, declared, day, tmp_path, first_pull=False).files
    assert file.known_at == datetime(2020, 8, 21, 5, 0, tzinfo=LOCAL_ZONE)


@pytest.mark.parametrize("system_code", SYSTEMS)
def test_pulling_again_lands_nothing_new(system_code, open_portal, a_version, day, tmp_path):
    client, declared = open_portal(system_code, [a_version() for _ in range(25)])
    first = pull_day(client, declared, day, tmp_path, first_pull=False)
    before = sorted(tmp_path.rglob("*"))
    second = pull_day(client, declared, day, tmp_path, first_pull=False)
    assert second.files == first.files
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("first_pull", "expected"), [(False, ["overlap", "day"]), (True, ["old", "overlap", "day"])]
)
def test_the_first_pull_reaches_further_back(first_pull, expected, open_portal, a_version, day, tmp_path):
    times = {"old": "2020-07-15T08:00:00+07:00", "overlap": "2020-08-18T00:00:00+07:00"}
    times |= {"day": "2020-08-20T23:59:59+07:00", "next day": "2020-08-21T00:00:00+07:00"}
    client, declared = open_portal(
        "city_portal", [a_version(dossier_code=k, changed_at=v) for k, v in times.items()]
    )
    pulled = pull_day(client, declared, day, tmp_path, first_pull)
    assert codes_in(pulled.files) == expected


@pytest.mark.parametrize("system_code", SYSTEMS)
@pytest.mark.parametrize("kind", ["http_500", "http_503", "http_429"])
def test_a_failing_portal_is_asked_again(system_code, kind, open_portal, a_version, day, tmp_path):
    client, declared = open_portal(
        system_code, [a_version() for _ in range(25)], [fault(system_code, kind, times=2)]
    )
    pulled = pull_day(client, declared, day, tmp_path, first_pull=False)
    assert len(codes_in(pulled.files)) == 25
    assert pulled.refused.empty


def test_a_portal_that_stays_down_is_unavailable(open_portal, a_version, day, tmp_path):
    faults = [fault("city_portal", "http_503", page=1, times=99)]
    client, declared = open_portal("city_portal", [a_version()], faults)
    with pytest.raises(
        SourceUnavailableError, match="service_portal city_portal 2020-08-20 page 1: the portal answered 503"
    ):
        pull_day(client, declared, day, tmp_path, first_pull=False)


def test_nobody_listening_is_unavailable(day, tmp_path):
    declared = system("city_portal")
    with (
        open_client(declared, SystemConnection(base_url="http://127.0.0.1:9")) as client,
        pytest.raises(SourceUnavailableError, match="no answer"),
    ):
        pull_day(client, declared, day, tmp_path, first_pull=False)


@pytest.mark.parametrize("system_code", SYSTEMS)
def test_a_page_cut_off_is_kept_named_and_asked_again(system_code, open_portal, a_version, day, tmp_path):
    faults = [fault(system_code, "truncated")]
    client, declared = open_portal(system_code, [a_version() for _ in range(25)], faults)
    pulled = pull_day(client, declared, day, tmp_path, first_pull=False)
    assert len(codes_in(pulled.files)) == 25
    assert pulled.refused[["place", "reason_code"]].to_numpy().tolist() == [["page 2", "unreadable_page"]]
    [kept] = pulled.unreadable
    assert kept.path.read_bytes() and kept.sha256 == pulled.refused["sha256"][0]


def test_a_page_that_stays_unreadable_stops_the_pull_after_three_asks(open_portal, a_version, day, tmp_path):
    faults = [fault("one_stop", "truncated", times=3)]
    client, declared = open_portal("one_stop", [a_version() for _ in range(25)], faults)
    with pytest.raises(SourceChangedError, match="page 2: unreadable in 3 asks"):
        pull_day(client, declared, day, tmp_path, first_pull=False)
    assert len(codes_in(pull_day(client, declared, day, tmp_path, first_pull=False).files)) == 25


@pytest.mark.parametrize("system_code", SYSTEMS)
def test_a_list_that_moved_is_read_again(system_code, open_portal, a_version, day, tmp_path):
    faults = [fault(system_code, "duplicate_page", times=2)]
    client, declared = open_portal(system_code, [a_version() for _ in range(35)], faults)
    pulled = pull_day(client, declared, day, tmp_path, first_pull=False)
    codes = codes_in(pulled.files)
    assert len(codes) == len(set(codes)) == 35


@pytest.mark.parametrize("system_code", SYSTEMS)
def test_a_list_that_never_proves_itself_whole_is_not_taken(
    system_code, open_portal, a_version, day, tmp_path
):
    faults = [fault(system_code, "duplicate_page", times=99)]
    client, declared = open_portal(system_code, [a_version() for _ in range(35)], faults)
    with pytest.raises(SourceChangedError, match="the same in 3 readings"):
        pull_day(client, declared, day, tmp_path, first_pull=False)


@pytest.mark.parametrize("page", [1, 2])
def test_a_session_that_expires_is_renewed(page, open_portal, a_version, day, tmp_path):
    faults = [fault("national_portal", "session_expired", page)]
    client, declared = open_portal("national_portal", [a_version() for _ in range(25)], faults)
    assert len(codes_in(pull_day(client, declared, day, tmp_path, first_pull=False).files)) == 25


@pytest.mark.parametrize("system_code", SYSTEMS)
def test_a_wrong_password_is_for_the_engineer(system_code, open_portal, a_version, day, tmp_path):
    client, declared = open_portal(system_code, [a_version()])
    wrong = SystemConnection(base_url=str(client.base_url), username="directive", password="wrong-secret")
    with open_client(declared, wrong) as stranger, pytest.raises(ConfigurationError) as caught:
        pull_day(stranger, declared, day, tmp_path, first_pull=False)
    assert "wrong-secret" not in str(caught.value)


@pytest.mark.parametrize("system_code", SYSTEMS)
def test_no_secret_lands(system_code, open_portal, a_version, day, tmp_path):
    client, declared = open_portal(system_code, [a_version() for _ in range(25)])
    pull_day(client, declared, day, tmp_path / "landing", first_pull=False)
    secrets = json.loads((tmp_path / "demo" / "portal" / "accounts.json").read_text()).values()
    landed = b"".join(path.read_bytes() for path in (tmp_path / "landing").rglob("*") if path.is_file())
    assert not any(secret.encode() in landed for secret in secrets)
    assert b'"session"' not in landed


@pytest.mark.parametrize("system_code", SYSTEMS)
def test_no_secret_is_logged(system_code, open_portal, a_version, day, tmp_path, caplog, capsys):
    caplog.set_level("DEBUG")
    client, declared = open_portal(system_code, [a_version()], [fault(system_code, "http_503", page=1)])
    pull_day(client, declared, day, tmp_path / "landing", first_pull=False)
    secrets = json.loads((tmp_path / "demo" / "portal" / "accounts.json").read_text()).values()
    logged = caplog.text + capsys.readouterr().out
    assert "page 1: the portal answered 503; ask its owner; asked again in" in logged
    assert not any(secret in logged for secret in (*secrets, "0909", "Nguyễn"))


def answering(
    serve_app, answers: list[Response | dict[str, object]], system_code: str = "one_stop"
) -> PortalClient:
    """A portal that gives these answers one after the other."""
    waiting = iter(answers)

    async def answer(request: Request) -> Response:
        given = next(waiting)
        if isinstance(given, Response):
            return given
        return JSONResponse(given, headers={"Date": "Thu, 20 Aug 2020 22:00:00 GMT"})

    address = serve_app(Starlette(routes=[Route("/{rest:path}", answer, methods=["GET", "POST"])]))
    return open_client(system(system_code), SystemConnection(base_url=address, password="token"))


def one_stop_page(following: str | None, *codes: str) -> dict[str, object]:
    return {"data": {"items": [{"MaHoSo": code} for code in codes]}, "next": following}


def test_the_token_does_not_follow_a_link_to_another_host(serve_app, day, tmp_path):
    client = answering(serve_app, [one_stop_page("http://127.0.0.2:80/next", "a")])
    with client, pytest.raises(SourceChangedError, match="another host"):
        pull_day(client, system("one_stop"), day, tmp_path, first_pull=False)


def test_pages_that_lead_in_a_circle_end(serve_app, day, tmp_path):
    client = answering(serve_app, [one_stop_page("/a?page=2", "a"), one_stop_page("/a?page=2", "b")])
    with client, pytest.raises(SourceChangedError, match="page 3: the pages lead in a circle"):
        pull_day(client, system("one_stop"), day, tmp_path, first_pull=False)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"data": {}, "next": None}, "no field 'data.items'"),
        ({"data": {"items": "none"}, "next": None}, "data.items is no list"),
        ({"data": {"items": []}}, "no field 'next'"),
        (JSONResponse({"data": {"items": []}, "next": None}), "no usable Date header"),
        (Response(status_code=404), "answered 404"),
        (Response(status_code=302, headers={"Location": "/login"}), "answered 302"),
    ],
)
def test_an_answer_of_another_form_is_for_the_source_owner(answer, message, serve_app, day, tmp_path):
    client = answering(serve_app, [answer])
    with client, pytest.raises(SourceChangedError, match=message):
        pull_day(client, system("one_stop"), day, tmp_path, first_pull=False)


def test_a_day_that_is_not_over_at_the_portal_is_not_pulled(serve_app, day, tmp_path):
    early = JSONResponse(one_stop_page(None, "a"), headers={"Date": "Thu, 20 Aug 2020 16:59:59 GMT"})
    client = answering(serve_app, [early])
    with client, pytest.raises(SourceUnavailableError, match="the day is not over"):
        pull_day(client, system("one_stop"), day, tmp_path, first_pull=False)


def test_a_list_that_differs_each_time_is_taken_as_far_as_seen_and_in_doubt(serve_app, day, tmp_path):
    readings = [{"tongSo": 3, "ketQua": [{"MaHoSo": code}] * 3} for code in "abcdef"]
    client = answering(serve_app, readings, "city_portal")
    with client:
        pulled = pull_day(client, system("city_portal"), day, tmp_path, first_pull=False)
    assert pulled.doubt == "the portal counts 3 dossiers and sent 1 distinct ones"
    assert set(codes_in(pulled.files)) == set("abcdef")


def test_a_page_shorter_than_asked_for_does_not_end_the_list(serve_app, day, tmp_path):
    async def answer(request: Request) -> Response:
        page = {"tongSo": 3, "ketQua": [{"MaHoSo": "abc"[int(request.query_params["offset"])]}]}
        return JSONResponse(page, headers={"Date": "Thu, 20 Aug 2020 22:00:00 GMT"})

    address = serve_app(Starlette(routes=[Route("/{rest:path}", answer)]))
    with open_client(system("city_portal"), SystemConnection(base_url=address)) as client:
        pulled = pull_day(client, system("city_portal"), day, tmp_path, first_pull=False)
    assert codes_in(pulled.files) == ["a", "b", "c"]
    assert not pulled.doubt


def test_the_same_answer_to_two_asks_is_one_file(serve_app, tmp_path: Path, day):
    client = answering(serve_app, [one_stop_page(None, "a")] * 2)
    with client:
        first = pull_day(client, system("one_stop"), day, tmp_path, first_pull=False)
        second = pull_day(client, system("one_stop"), day, tmp_path, first_pull=False)
    assert first.files == second.files
