"""Failures injected into the real pipeline: each is one alert with its cause, cured by what the alert offers.

A step is run as its DAG's task runs it, and the outcome is told as Airflow's callbacks tell it; what cures is the
DAG that the alert names, or the correction of a setting, a connection or a machine, which a test can only make.
No cure needs a shell.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tests.alerts.city_portal import PASSWORD, USER, CityPortal
from tests.alerts.conftest import DAY
from tests.alerts.sinks import Sinks
from tests.channels.conftest import SftpServer, connect_sftp

from directive_etl import pipeline
from directive_etl.airflow_connections import connected_place
from directive_etl.alerts import Affected, AlertBook, tell_failure, tell_overdue_close, tell_success
from directive_etl.errors import SourceUnavailableError
from directive_etl.settings import SystemConnection, settings
from directive_etl.warehouse.engine import loader_engine
from directive_etl.warehouse.schema import alembic_config

VIETTEL = Affected("sms_log", "count_operator", "viettel", str(DAY))
WHOLE = Affected("sms_log", "every_file_whole", "", str(DAY))
PORTAL = Affected("service_portal", "pull_system", "city_portal", str(DAY))
INBOX = Affected("unit_report", "answer_inbox", "", "")
PROGRESS = Affected("directive_progress", "recompute", "", str(DAY))
CLOSE = Affected("daily_close", "close", "", str(DAY))
STEPS: dict[str, Callable[[str, date], object]] = {
    "sms_log": lambda part, day: count_logs(part, day),
    "service_portal": pipeline.pull_portal_system,
    "unit_report": lambda part, day: pipeline.answer_inbox(connect=connected_place),
    "directive_progress": lambda part, day: pipeline.recompute_day(day),
    "daily_close": lambda part, day: pipeline.close(day),
    "migrate_warehouse": lambda part, day: pipeline.migrate_warehouse(),
}


def count_logs(part: str, day: date) -> None:
    """An operator's task; without one the task that comes after all of them."""
    pipeline.count_sms_operator(part or VIETTEL.part, day, connected_place)
    if not part:
        pipeline.require_whole_files(day)


@dataclass
class World:
    """What a failure is injected into."""

    told: Sinks
    places: Path
    set_up: Callable[..., None]
    drop_log: Callable[..., Path]
    portal: CityPortal
    as_owner: Callable[[str], None]
    closed_port: int
    owner_engine: sa.Engine
    warehouse_url: str
    sftp: SftpServer
    serve_tls: Callable[[object], tuple[str, Path]]
    environment: pytest.MonkeyPatch

    def run(self, task: Affected) -> None:
        """Run a task's step, and tell how it ended."""
        try:
            STEPS[task.dag_id](task.part, DAY)
        except Exception as error:  # noqa: BLE001 - as Airflow does
            tell_failure(task, error)
        else:
            tell_success(task)

    def press(self, cause: str, task: Affected) -> None:
        """Start what the alert's button starts; where that is another DAG, then run the day again."""
        (alert,) = [
            alert for alert in AlertBook(settings().alerts).open_alerts() if alert.cause_code == cause
        ]
        if alert.dag_id in STEPS and alert.dag_id != task.dag_id:
            STEPS[alert.dag_id](task.part, DAY)
        self.run(task)


@pytest.fixture
def world(
    told, places, set_up, drop_log, portal, as_owner, closed_port, owner_engine, sftp, serve_tls, monkeypatch
) -> World:
    url = settings().require("warehouse_url")
    return World(
        told,
        places,
        set_up,
        drop_log,
        portal,
        as_owner,
        closed_port,
        owner_engine,
        url,
        sftp,
        serve_tls,
        monkeypatch,
    )


Change = Callable[[World], object]


@dataclass(frozen=True)
class Failure:
    """Something that goes wrong, and what makes it right: by hand (`mended`), then by the button of the alert."""

    cause: str
    task: Affected
    inject: Change
    mended: Change


def other_password(world: World) -> None:
    url = sa.make_url(settings().require("warehouse_url")).set(password="another")
    world.set_up(warehouse_url=url.render_as_string(hide_password=False))


def other_database(world: World) -> None:
    url = sa.make_url(settings().require("warehouse_url")).set(database="nowhere")
    world.set_up(warehouse_url=url.render_as_string(hide_password=False))


def no_server(world: World) -> None:
    url = sa.make_url(settings().require("warehouse_url")).set(port=world.closed_port)
    world.set_up(warehouse_url=url.render_as_string(hide_password=False))


def right_url(world: World) -> None:
    world.set_up(warehouse_url=world.warehouse_url)


def older_schema(world: World) -> None:
    with world.owner_engine.begin() as connection:
        config = alembic_config(connection)
        parent = ScriptDirectory.from_config(config).get_revision("0090").down_revision
        command.downgrade(config, str(parent))


def as_itself(change: str) -> None:
    with loader_engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("set default_transaction_read_only = off")
        connection.exec_driver_sql(f"alter role etl_loader {change}")


def connection_of(world: World, **changes: str) -> None:
    whole = {"base_url": world.portal.url, "username": USER, "password": PASSWORD, **changes}
    world.set_up(system_connections=json.dumps({"city_portal": whole}))


def unreachable(world: World) -> None:
    connection_of(world, base_url=f"http://127.0.0.1:{world.closed_port}")


def misbehave(how: str) -> Change:
    return lambda world: setattr(world.portal, "behaviour", how)


def file_for_folder(world: World) -> None:
    (world.places / "landing").rmdir()
    (world.places / "landing").write_text("no folder")


def folder_again(world: World) -> None:
    (world.places / "landing").unlink()
    (world.places / "landing").mkdir()


def inbox_on_sftp(world: World, port: int | None = None) -> None:
    """The connection is made as whoever makes it on Airflow's page does; tasks see both alike."""
    (world.sftp.folder / "inbox").mkdir(exist_ok=True)
    connect_sftp(world.environment, world.sftp, {"host_key": world.sftp.host_key}, port)
    world.set_up(inbox="sftp://city_sftp@/inbox")


def inbox_without_connection(world: World) -> None:
    inbox_on_sftp(world)
    world.environment.delenv("AIRFLOW_CONN_CITY_SFTP")


def own_certificate(world: World, trusted: bool = False) -> None:
    """The portal moves to a host that signed its own certificate."""

    async def answer(request: Request) -> Response:
        async with httpx.AsyncClient(trust_env=False, base_url=world.portal.url) as client:
            asked = f"{request.url.path}?{request.url.query}"
            got = await client.get(asked, headers={"Authorization": request.headers["Authorization"]})
        return Response(got.content, got.status_code, {"Date": got.headers["Date"]}, "application/json")

    address, certificate = world.serve_tls(Starlette(routes=[Route("/{rest:path}", answer)]))
    connection_of(world, base_url=address, **({"ca_file": str(certificate)} if trusted else {}))


def unfinished_file(world: World) -> Path:
    """Of the day before, so that it is over its limit."""
    world.drop_log()
    return world.drop_log(day=DAY - timedelta(days=1), name="access2.log.part")


def finished_file(world: World) -> None:
    unfinished = unfinished_file(world)
    unfinished.rename(unfinished.with_suffix(""))


def nothing(world: World) -> None:
    """The button alone cures it."""


FAILURES = [
    Failure("log_missing", VIETTEL, nothing, lambda w: w.drop_log()),
    Failure("batch_held", VIETTEL, lambda w: w.drop_log(good=3, bad=40), lambda w: w.drop_log(good=50)),
    Failure(
        "memory_short",
        VIETTEL,
        lambda w: (w.drop_log(), w.set_up(duckdb_memory_limit="1MB")),
        lambda w: w.set_up(duckdb_memory_limit="256MB"),
    ),
    Failure(
        "setting_missing",
        VIETTEL,
        lambda w: (w.drop_log(), w.set_up(hash_key=None)),
        lambda w: w.set_up(hash_key="a key that is used in tests only"),
    ),
    Failure(
        "folder_missing",
        VIETTEL,
        lambda w: (w.drop_log(), file_for_folder(w)),
        folder_again,
    ),
    Failure(
        "portal_away",
        PORTAL,
        unreachable,
        connection_of,
    ),
    Failure("portal_login", PORTAL, lambda w: connection_of(w, password="another"), connection_of),
    Failure("portal_unknown", PORTAL, lambda w: w.set_up(system_connections="{}"), connection_of),
    Failure("portal_redirect", PORTAL, misbehave("redirects"), misbehave("well")),
    Failure("source_changed", PORTAL, misbehave("garbage"), misbehave("well")),
    Failure("warehouse_password", PROGRESS, other_password, right_url),
    Failure("warehouse_not_found", PROGRESS, other_database, right_url),
    Failure("warehouse_away", INBOX, no_server, right_url),
    Failure(
        "warehouse_busy",
        PROGRESS,
        lambda w: (w.as_owner("alter database warehouse connection limit 0"), w.set_up()),
        lambda w: w.as_owner("alter database warehouse connection limit -1"),
    ),
    Failure(
        "warehouse_read_only",
        PROGRESS,
        lambda w: (as_itself("set default_transaction_read_only = on"), w.set_up()),
        lambda w: (as_itself("reset default_transaction_read_only"), w.set_up()),
    ),
    Failure("portal_certificate", PORTAL, own_certificate, lambda w: own_certificate(w, trusted=True)),
    Failure("place_away", INBOX, lambda w: inbox_on_sftp(w, w.closed_port), inbox_on_sftp),
    Failure("connection_wrong", INBOX, inbox_without_connection, inbox_on_sftp),
    Failure("file_unfinished", WHOLE, unfinished_file, finished_file),
    Failure("migration_missing", PORTAL, older_schema, nothing),
    Failure(
        "warehouse_rights",
        PROGRESS,
        lambda w: w.as_owner("revoke insert, update on core.daily_progress from etl_loader"),
        nothing,
    ),
    Failure(
        "registry_not_loaded",
        VIETTEL,
        lambda w: (w.drop_log(), w.as_owner("delete from core.operator where operator_code = 'viettel'")),
        nothing,
    ),
    Failure("close_overdue", CLOSE, lambda w: tell_overdue_close(str(DAY)), nothing),
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.cause)
def test_a_failure_is_one_alert_with_its_cause_and_is_cured_without_a_shell(failure: Failure, world: World):
    failure.inject(world)
    try:
        if failure.cause != "close_overdue":
            world.run(failure.task)
            world.run(failure.task)  # tried again: still one alert
        (post,), (mail,) = list(world.told.posts), list(world.told.mails)
        assert world.told.kinds() == [("alert", failure.cause)]
        assert failure.cause.replace("_", " ") in mail["Subject"]
        assert post["owner"] and post["means"] and post["action"] and post["runbook"].endswith(failure.cause)
        assert post["action"] in mail.get_content().replace("\n", " ")
    finally:
        failure.mended(world)

    world.press(failure.cause, failure.task)

    assert world.told.kinds() == [("alert", failure.cause), ("recovery", failure.cause)]
    assert "recovered" in world.told.mails[-1]["Subject"]
    assert AlertBook(settings().alerts).open_alerts() == []


def test_a_held_batch_is_released_with_a_reason_and_stays_released(world: World, warehouse: sa.Engine):
    world.drop_log(good=3, bad=40)
    world.run(VIETTEL)
    ((batch_id, reason),) = held(warehouse)
    assert world.told.kinds() == [("alert", "batch_held")] and "more than half" in reason

    pipeline.decide_batch(batch_id, "released", "the operator says that only headings are broken", "admin")
    world.run(VIETTEL)

    assert world.told.kinds()[1:] == [("recovery", "batch_held")]
    with warehouse.connect() as connection:
        loaded = connection.execute(
            sa.text(
                "select status_code, warning_failed_count from ops.load_batch order by batch_id desc limit 1"
            )
        ).one()
        notes = connection.execute(
            sa.text(
                "select notes from ops.quality_result where severity = 'warning' and notes like '%overruled%'"
            )
        ).scalars()
        assert loaded == ("loaded", 1)
        assert ["overruled by admin" in note for note in notes] == [True]
    world.run(VIETTEL)
    assert held(warehouse) == [(batch_id, reason)]  # no new one: what was approved needs no second approval


def test_a_rejected_batch_stays_out_and_is_asked_about_no_more(world: World, warehouse: sa.Engine):
    world.drop_log(good=3, bad=40)
    world.run(VIETTEL)
    ((batch_id, _),) = held(warehouse)

    pipeline.decide_batch(batch_id, "rejected", "ask the owner", "admin")
    world.run(VIETTEL)

    with pytest.raises(Exception, match="it was rejected before"):
        pipeline.describe_held_batch(batch_id)
    with warehouse.connect() as connection:
        assert connection.execute(sa.text("select count(*) from core.daily_sms")).scalar() == 0


def held(engine: sa.Engine) -> list[tuple[int, str]]:
    with engine.connect() as connection:
        query = "select batch_id, reason from ops.load_batch where status_code = 'refused' order by batch_id"
        return [tuple(row) for row in connection.execute(sa.text(query))]


def test_one_cause_that_hits_many_tasks_is_one_alert(world: World):
    no_server(world)
    for task in (INBOX, PROGRESS, VIETTEL, PORTAL, CLOSE):
        world.drop_log()
        world.run(task)
    assert world.told.kinds() == [("alert", "warehouse_away")]
    right_url(world)

    world.run(PROGRESS)

    assert world.told.kinds()[1:] == [("recovery", "warehouse_away")]


def test_a_part_that_fails_on_several_days_recovers_when_all_are_cured(world: World):
    days = ["2020-08-20", "2020-08-21"]
    for day in days:
        tell_failure(Affected("sms_log", "count_operator", "viettel", day), missing(day))
    assert world.told.kinds() == [("alert", "log_missing")]

    tell_success(Affected("sms_log", "count_operator", "viettel", days[0]))
    assert world.told.kinds() == [("alert", "log_missing")]
    tell_success(Affected("sms_log", "count_operator", "viettel", days[1]))
    assert world.told.kinds()[1:] == [("recovery", "log_missing")]


def missing(day: str) -> Exception:
    with pytest.raises(SourceUnavailableError) as raised:
        pipeline.count_sms_operator("viettel", date.fromisoformat(day))
    return raised.value


def test_a_portal_connection_from_airflow_wins_over_the_settings(world: World):
    world.set_up(system_connections="{}")
    given = SystemConnection(base_url=world.portal.url, username=USER, password=PASSWORD)

    assert pipeline.load_released("service_portal", "city_portal", DAY, given)
