"""Every route asks for Airflow's login, and some for the operator's role; over HTTP, with a real Airflow."""

from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest
from fastapi.routing import APIRoute

from directive_etl.airflow_connections import airflow_connections
from directive_etl.cockpit import cockpit_app

pytestmark = [pytest.mark.slow]

DAY = "2020-08-20"
VALUES = {
    "day": DAY, "directive": "2488-ubnd-kgvx", "unit": "SNV", "clause": "1a", "indicator": "staff_bluezone_pct",
    "format": "csv", "name": "2020-08-20-00000000-tra-lai.xlsx", "batch_id": "1", "page": "progress",
}  # fmt: skip
# Asked with these, every route answers the operator.
FOR_OPERATORS = {
    "/api/batches/{batch_id}/refused", "/api/returned", "/api/doctor", "/api/actions/recount",
    "/api/actions/release", "/api/actions/reopen", "/api/actions/resend",
}  # fmt: skip


def routes() -> Iterator[APIRoute]:
    """Every route of the application, those of its routers too."""
    pending = list(cockpit_app(lambda: None, lambda: True, airflow_connections()).routes)
    while pending:
        route = pending.pop()
        if isinstance(route, APIRoute):
            yield route
        else:
            pending += getattr(route, "routes", None) or getattr(
                getattr(route, "original_router", None), "routes", []
            )


def addresses() -> dict[str, str]:
    """An address that works, by path of each route."""
    found = {}
    for route in routes():
        where = route.path.replace("{name:path}", "cockpit.js")
        for name, value in VALUES.items():
            where = where.replace(f"{{{name}}}", value)
        asked = {p.name: VALUES[p.name] for p in route.dependant.query_params if p.field_info.is_required()}
        found[route.path] = f"/directive{where}?" + "&".join(
            f"{name}={quote(value)}" for name, value in asked.items()
        )
    return found


def statuses(client: httpx.Client) -> dict[str, int]:
    return {path: client.get(where).status_code for path, where in addresses().items()}


def test_the_walk_finds_every_route():
    paths = set(addresses())

    assert paths >= {"/{page}", "/static/{name:path}", "/openapi.json", "/api/me", "/api/day", *FOR_OPERATORS}
    assert len(paths) >= 28


def test_nobody_sees_anything_without_a_login(running):
    assert set(statuses(running.client(None)).values()) == {401}


def test_a_forged_or_foreign_token_is_refused(running):
    client = running.client(None)
    for token in ("nonsense", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9."):
        client.headers["Authorization"] = f"Bearer {token}"
        assert set(statuses(client).values()) <= {401, 403}


def test_a_viewer_sees_all_but_what_needs_the_operator(running):
    found = statuses(running.client("viewer"))

    assert {path for path, status in found.items() if status == 403} == FOR_OPERATORS
    assert {status for path, status in found.items() if path not in FOR_OPERATORS} == {200}


def test_an_operator_is_refused_nothing(running):
    found = statuses(running.client("admin"))

    assert found.pop("/api/returned") == 404  # the name asked for is of no file
    assert found.pop("/api/actions/release") == 409  # the batch asked for is not held
    assert set(found.values()) == {200}


def test_a_viewer_can_start_no_run_and_is_shown_no_button(running):
    viewer = running.client("viewer")
    asked = {"logical_date": None, "partition_key": DAY}

    assert viewer.post("/api/v2/dags/directive_progress/dagRuns", json=asked).status_code == 403
    assert viewer.get("/directive/api/me").json() == {"may_operate": False}


def test_the_description_of_the_endpoints_is_complete_and_behind_the_login(running):
    described = running.client("viewer").get("/directive/openapi.json").json()["paths"]

    assert set(described) == {route.path for route in routes() if route.include_in_schema}
    for path, operations in described.items():
        assert operations["get"]["description"], path
    assert running.client(None).get("/directive/docs").status_code in (401, 404, 422)


def test_nothing_of_the_application_writes():
    assert {method for route in routes() for method in route.methods} == {"GET"}


def test_the_menu_of_airflow_has_the_four_pages(running):
    plugins = running.client("viewer").get("/ui/auth/menus").status_code
    views = running.client("admin").get("/api/v2/plugins").json()["plugins"]
    entries = [
        view for plugin in views if plugin["name"] == "directive_cockpit" for view in plugin["external_views"]
    ]

    assert plugins == 200
    assert {view["url_route"] for view in entries} == {
        "directive-alerts",
        "directive-progress",
        "directive-reports",
        "directive-quality",
    }
