"""The pages Alerts, Progress, Reports and Quality in Airflow's menu, with Airflow's own login and rights."""

from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.plugins_manager import AirflowPlugin

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import Receive, Scope, Send

PREFIX = "/directive"
PAGES = {
    "alerts": "Alerts · Cảnh báo",
    "progress": "Progress · Tiến độ",
    "reports": "Reports · Nộp báo cáo",
    "quality": "Quality · Chất lượng",
}


async def cockpit(scope: "Scope", receive: "Receive", send: "Send") -> None:
    """Answer a request of the pages.

    Every process of Airflow loads the plugin, each task's too, and only the API server is ever asked: the application
    is built at the first request, or it would be a quarter of what a short task costs.
    """
    await _application()(scope, receive, send)


@cache
def _application() -> "FastAPI":
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag

    from directive_etl.airflow_connections import airflow_connections
    from directive_etl.cockpit import cockpit_app

    def is_operator(user: GetUserDep) -> bool:
        """Operators are who may see Airflow's connections: the role Op of its simple and of its FAB login."""
        return get_auth_manager().is_authorized_connection(method="GET", user=user)

    # Whoever may see the DAG that computes progress sees the pages.
    may_see = requires_access_dag("GET", param_dag_id="directive_progress")
    return cockpit_app(may_see, is_operator, airflow_connections())


def menu_entry(page: str, name: str) -> dict[str, str]:
    return {
        "name": name,
        "href": f"{PREFIX}/{page}",
        "url_route": f"directive-{page}",
        "destination": "nav",
        "icon": f"{PREFIX}/static/icon.svg",
        "icon_dark_mode": f"{PREFIX}/static/icon-dark.svg",
    }


class DirectiveCockpit(AirflowPlugin):
    """What Airflow registers."""

    name = "directive_cockpit"
    fastapi_apps: ClassVar[list[dict[str, Any]]] = [
        {"name": "Directive cockpit", "url_prefix": PREFIX, "app": cockpit}
    ]
    external_views: ClassVar[list[dict[str, str]]] = [menu_entry(page, name) for page, name in PAGES.items()]
