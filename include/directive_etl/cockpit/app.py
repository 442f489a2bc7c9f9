"""The application behind the pages: every route asks for the right to see, some for the right to operate."""

from collections.abc import Callable
from importlib import resources
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Path, Request
from fastapi.responses import JSONResponse, Response

from directive_etl.cockpit import actions, alerts, day, progress, quality, reports, tracing
from directive_etl.cockpit.asked import REFUSED
from directive_etl.doctor import AirflowConnections
from directive_etl.errors import ConfigurationError

_MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}
# Nothing of another host, no script inside a page: a value that became markup could do nothing.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
# The folder is part of the package; no other name is ever looked up.
_ASSETS = {
    "".join(parts): resources.files(__package__).joinpath("static", *parts)
    for parts in (
        ("page.html",), ("cockpit.css",), ("cockpit.js",), ("progress.js",), ("reports.js",), ("quality.js",),
        ("alerts.js",), ("validation.js",), ("drill.js",), ("elements.js",), ("texts.js",), ("chart.js",),
        ("actions.js",), ("todo.js",), ("icon.svg",),
        ("icon-dark.svg",), ("vendor/", "uPlot.js"), ("vendor/", "uPlot.css"),
    )
}  # fmt: skip


def cockpit_app(
    may_see: Callable[..., Any], is_operator: Callable[..., bool], airflow: AirflowConnections
) -> FastAPI:
    """Return the application.

    Args:
        may_see: a FastAPI dependency that refuses with 401 or 403 whoever may not see the pages.
        is_operator: a FastAPI dependency that says whether the caller may see refused rows and returned
            workbooks, and start runs.
        airflow: Airflow's connections, for the doctor.
    """

    def must_operate(may_operate: Annotated[bool, Depends(is_operator)]) -> None:
        if not may_operate:
            raise HTTPException(403, "this needs the operator role")

    app = FastAPI(
        title="Directive progress: the engineers' cockpit",
        version="1",
        docs_url=None,  # its page would load scripts from another host
        redoc_url=None,
        openapi_url=None,  # served below, behind the login
        dependencies=[Depends(may_see)],
        responses=REFUSED,
    )
    app.state.airflow = airflow
    for router in (
        day.router, progress.router, reports.router, quality.router, tracing.router, alerts.router,
    ):  # fmt: skip
        app.include_router(router)
    for router in (tracing.operator_router, reports.operator_router, alerts.operator_router, actions.router):
        app.include_router(router, dependencies=[Depends(must_operate)])

    @app.get("/api/me", tags=["rights"])
    def me(may_operate: Annotated[bool, Depends(is_operator)]) -> dict[str, bool]:
        """Say what the caller may do, so that a page shows no button that would be refused."""
        return {"may_operate": may_operate}

    @app.get("/openapi.json", include_in_schema=False)
    def openapi() -> dict[str, Any]:
        return app.openapi()

    app.include_router(_pages)

    @app.middleware("http")
    async def add_headers(request: Request, call_next: Callable[..., Any]) -> Response:
        response: Response = await call_next(request)
        response.headers.update(_HEADERS)
        return response

    @app.exception_handler(sa.exc.OperationalError)
    @app.exception_handler(ConfigurationError)
    def warehouse_is_away(request: Request, error: Exception) -> JSONResponse:
        # The text of a driver's error names hosts and users; the log of the server has it.
        said = (
            str(error) if isinstance(error, ConfigurationError) else "the warehouse does not answer in time"
        )
        return JSONResponse({"detail": said}, status_code=503)

    return app


_pages = APIRouter(include_in_schema=False)


@_pages.get("/{page}")
def page(
    page: Annotated[Literal["alerts", "progress", "reports", "quality", "validation"], Path()],
) -> Response:
    """Return the page; its script reads from the address which one it is."""
    return _asset("page.html")


@_pages.get("/static/{name:path}")
def asset(name: str) -> Response:
    """Return a file of the pages: scripts, styles, icons."""
    return _asset(name)


def _asset(name: str) -> Response:
    if name not in _ASSETS:
        raise HTTPException(404, "no such file")
    return Response(_ASSETS[name].read_bytes(), media_type=_MEDIA_TYPES[name[name.rindex(".") :]])
