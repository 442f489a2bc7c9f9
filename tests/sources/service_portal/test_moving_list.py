"""Lists that move while they are read: whatever happens in between, the warehouse ends as the portal does."""

import base64
import os
from datetime import date, datetime, timedelta
from email.utils import format_datetime
from random import Random
from typing import Any

import orjson
import pandas as pd
import pytest
import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from directive_etl.periods import LOCAL_ZONE
from directive_etl.registry.procedures import procedures
from directive_etl.registry.systems import (
    CursorPaging,
    LinkHeaderPaging,
    NextUrlPaging,
    OffsetPaging,
    PageNumberPaging,
    PortalSystem,
    system,
)
from directive_etl.settings import SystemConnection
from directive_etl.sources.service_portal import load
from directive_etl.sources.service_portal.extract import MAX_READINGS, PullResult, open_client, pull_day
from directive_etl.sources.service_portal.read import read_pages

DAY = date(2020, 8, 18)
SCHEDULES = int(os.environ.get("DIRECTIVE_ETL_TEST_SCHEDULES", "8"))  # `make soak` runs 50
WARDS = ["31117", "31120", "31135"]
PROCEDURES = ["1.001193", "1.000656"]
PAGE_SIZE = 5
FORM = "%d/%m/%Y %H:%M:%S"

PAGINGS = {
    "page_number": PageNumberPaging(
        kind="page_number", page_parameter="page", size_parameter="size", page_size=PAGE_SIZE
    ),
    "offset": OffsetPaging(
        kind="offset", offset_parameter="offset", limit_parameter="limit", page_size=PAGE_SIZE
    ),
    "next_url": NextUrlPaging(kind="next_url", size_parameter="size", page_size=PAGE_SIZE, next_field="next"),
    "cursor": CursorPaging(
        kind="cursor",
        cursor_parameter="after",
        size_parameter="size",
        page_size=PAGE_SIZE,
        cursor_field="mark",
    ),
    "link_header": LinkHeaderPaging(kind="link_header", size_parameter="size", page_size=PAGE_SIZE),
}


def moving_system(style: str, with_total: bool) -> PortalSystem:
    """The city portal's declaration with another way of paging; a list without a total where that is
    allowed.
    """
    declared = system("city_portal")
    total = "tongSo" if with_total else None
    return declared.model_copy(
        update={
            "paging": PAGINGS[style],
            "answer": declared.answer.model_copy(update={"total_field": total}),
        }
    )


class MovingPortal:
    """Serves its dossiers; before each answer it makes as many changes as its schedule still has for it."""

    def __init__(self, seed: int, style: str, dossier_count: int = 22) -> None:
        self.random = Random(seed)
        self.style = style
        self.dossiers: dict[str, dict[str, Any]] = {}
        self.changes_left = 0
        self.answers = 0
        self.clock = datetime(2020, 8, 18, 6, tzinfo=LOCAL_ZONE)
        for _ in range(dossier_count):
            self._insert()

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{rest:path}", self._answer, methods=["GET"])])

    def change(self) -> None:
        """Insert, delete or update one dossier; an update moves it to the end of the list."""
        kind = self.random.choice(["insert", "delete", "update", "delete_and_insert"])
        if kind != "insert" and self.dossiers:
            code = self.random.choice(sorted(self.dossiers))
            dossier = self.dossiers.pop(code)
            if kind == "update":
                self._put(code, dossier)
        if kind in ("insert", "delete_and_insert"):
            self._insert()

    def _insert(self) -> None:
        code = f"D-{self.random.randrange(10**9)}"
        self._put(code, {"unit": self.random.choice(WARDS), "procedure": self.random.choice(PROCEDURES)})

    def _put(self, code: str, dossier: dict[str, Any]) -> None:
        # Shown late, many changes are stamped before others that were shown already.
        self.clock += timedelta(seconds=self.random.randrange(2, 20))
        changed_at = self.clock - timedelta(seconds=self.random.randrange(0, 3600))
        if "changed" in dossier:
            changed_at = max(changed_at, dossier["changed"] + timedelta(seconds=1))
        status = self.random.choice([2, 4, 5, 9])
        received = dossier.get("received", changed_at)
        self.dossiers[code] = dossier | {
            "received": received,
            "changed": changed_at,
            "status": status,
            "channel": self.random.choice([1, 2, 3]),
            "finished": changed_at if status == 9 else None,
        }

    def _rows(self, ask: dict[str, str]) -> list[dict[str, str]]:
        start, end = (
            datetime.strptime(ask[name], FORM).replace(tzinfo=LOCAL_ZONE)
            for name in ("capNhatTu", "capNhatDen")
        )
        inside = [(code, one) for code, one in self.dossiers.items() if start <= one["changed"] < end]
        inside.sort(key=lambda pair: (pair[1]["changed"], pair[0]))
        return [self._record(code, one) for code, one in inside]

    @staticmethod
    def _record(code: str, one: dict[str, Any]) -> dict[str, str]:
        def text(name: str) -> str:
            moment = one[name]
            return moment.strftime(FORM) if isinstance(moment, datetime) else ""

        return {
            "MaHoSo": code,
            "MaTTHC": str(one["procedure"]),
            "DonViXuLy": str(one["unit"]),
            "KenhThucHien": str(one["channel"]),
            "TrangThaiHoSo": str(one["status"]),
            "NgayCapNhat": text("changed"),
            "NgayTiepNhan": text("received"),
            "NgayHenTra": "",
            "NgayKetThucXuLy": text("finished"),
            "NgayTra": "",
        }

    async def _answer(self, request: Request) -> Response:
        if self.changes_left and self.answers:
            for _ in range(min(self.changes_left, self.random.randrange(0, 3))):
                self.change()
                self.changes_left -= 1
        self.answers += 1
        ask = dict(request.query_params)
        if "after" in ask and self.style != "cursor":
            ask = orjson.loads(base64.urlsafe_b64decode(ask["after"]))
        rows = self._rows(ask)
        after = ask.get("after")
        if self.style == "page_number":
            place = (int(ask["page"]) - 1) * PAGE_SIZE
        elif self.style == "offset":
            place = int(ask["offset"])
        else:
            place = int(after) if after else 0
        end = place + PAGE_SIZE
        following = str(end) if end < len(rows) else None
        state = base64.urlsafe_b64encode(orjson.dumps(ask | {"after": following})).decode()
        address = f"{request.url.path}?after={state}" if following else None
        content = {"tongSo": len(rows), "ketQua": rows[place:end], "next": address, "mark": following}
        day = datetime.strptime(ask["capNhatDen"], FORM).replace(tzinfo=LOCAL_ZONE)
        # Answered after the day, a second later each time.
        sent = day + timedelta(hours=5, seconds=self.answers)
        headers = {"Date": format_datetime(sent)}
        if self.style == "link_header" and address:
            headers["Link"] = f'<https://elsewhere.example/first>; rel="first", <{address}>; rel="next"'
        return Response(orjson.dumps(content), 200, headers, "application/json")


def pull_and_load(
    client: Any, declared: PortalSystem, warehouse: sa.Engine, landing: Any, day: date = DAY
) -> PullResult:
    """The steps of the pipeline, without the declared suite, which has its own tests."""
    with warehouse.connect() as connection:
        proved = load.last_proven_day(connection, declared.system_code, day)
    pull = pull_day(client, declared, day, landing, first_pull=proved is None, proved_through=proved)
    pages = read_pages(pull.files, declared, hash_key="a key", day=day)
    load.load_pull(
        warehouse,
        load.pull_batch(declared.system_code, day, pull, pages, []),
        pull,
        pages,
        shows_past_state=declared.window.shows_past_state,
        unit_codes=WARDS,
        procedures=procedures(),
        directive_start=DAY,
    )
    return pull


def counts_of_portal(portal: MovingPortal) -> dict[tuple[str, str], tuple[int, ...]]:
    """Received, processed, in process, paused per unit and procedure, of the dossiers there are."""
    counts: dict[tuple[str, str], list[int]] = {}
    for one in portal.dossiers.values():
        row = counts.setdefault((one["unit"], one["procedure"]), [0, 0, 0, 0])
        row[0] += 1
        row[{9: 1, 2: 2, 4: 2, 5: 3}[one["status"]]] += 1
    return {key: tuple(row) for key, row in counts.items()}


def counts_of_warehouse(warehouse: sa.Engine, day: date = DAY) -> dict[tuple[str, str], tuple[int, ...]]:
    query = sa.text("""
        select unit_code, procedure_code, received_count, processed_count, in_process_count, paused_count
        from core.daily_portal_dossier where report_date = :day""")
    with warehouse.connect() as connection:
        return {(row[0], row[1]): tuple(row[2:]) for row in connection.execute(query, {"day": day})}


def figures_of(warehouse: sa.Engine, day: date = DAY) -> pd.DataFrame:
    query = sa.text("""
        select measure_code, sum(value) as value, min(obs_status) as obs_status from core.observation
        where figure_date = :day and superseded_at is null group by measure_code""")
    with warehouse.connect() as connection:
        return pd.read_sql(query, connection, params={"day": day}).set_index("measure_code")


@pytest.mark.parametrize("style", PAGINGS)
def test_the_warehouse_ends_as_the_portal_after_every_schedule(style, serve_app, warehouse, tmp_path):
    """Fifty schedules one after the other on one portal; each changes it under one pull, which must
    settle.
    """
    portal = MovingPortal(2488, style)
    declared = moving_system(style, with_total=style in ("page_number", "offset"))
    moved = 0
    with open_client(declared, SystemConnection(base_url=serve_app(portal.app()))) as client:
        for schedule in range(SCHEDULES):
            portal.random.seed(f"{style} {schedule}")
            portal.changes_left, asked = portal.random.randrange(1, 9), portal.answers
            pull = pull_and_load(client, declared, warehouse, tmp_path)
            while portal.changes_left or pull.doubt:
                pull = pull_and_load(client, declared, warehouse, tmp_path)
            assert counts_of_warehouse(warehouse) == counts_of_portal(portal), schedule
            moved += portal.answers - asked > 2 * (len(portal.dossiers) // PAGE_SIZE + 1)
    assert moved > SCHEDULES // 2  # most schedules moved the list under the reader's feet


def test_what_is_gone_is_marked_and_can_come_back(serve_app, warehouse, tmp_path):
    portal = MovingPortal(1, "offset", dossier_count=12)
    declared = moving_system("offset", with_total=True)
    with open_client(declared, SystemConnection(base_url=serve_app(portal.app()))) as client:
        pull_and_load(client, declared, warehouse, tmp_path)
        before = counts_of_warehouse(warehouse)
        code = sorted(portal.dossiers)[0]
        gone = portal.dossiers.pop(code)
        pull_and_load(client, declared, warehouse, tmp_path)
        without = counts_of_warehouse(warehouse)
        assert without == counts_of_portal(portal) != before
        with warehouse.connect() as connection:
            marks = "select count(*) filter (where is_withdrawn), count(*) from core.portal_dossier_version"
            assert tuple(connection.execute(sa.text(marks)).one()) == (1, 13)
        portal.dossiers[code] = gone
        pull_and_load(client, declared, warehouse, tmp_path)
        assert counts_of_warehouse(warehouse) == before
        pull_and_load(client, declared, warehouse, tmp_path)
        with warehouse.connect() as connection:
            assert tuple(connection.execute(sa.text(marks)).one()) == (1, 14)
        # Every revision stays readable.
        history = (
            "select count(distinct known_at) from core.observation where measure_code = 'processed_count'"
        )
        with warehouse.connect() as connection:
            assert connection.execute(sa.text(history)).scalar_one() >= 1


def test_a_refused_record_is_not_taken_for_withdrawn(serve_app, warehouse, tmp_path):
    portal = MovingPortal(2, "offset", dossier_count=12)
    declared = moving_system("offset", with_total=True)
    with open_client(declared, SystemConnection(base_url=serve_app(portal.app()))) as client:
        pull_and_load(client, declared, warehouse, tmp_path)
        before = counts_of_warehouse(warehouse)
        portal.dossiers[sorted(portal.dossiers)[0]]["unit"] = "00000"
        pull_and_load(client, declared, warehouse, tmp_path)
        assert counts_of_warehouse(warehouse) == before


def test_a_list_that_never_rests_is_provisional_until_one_is_proved(serve_app, warehouse, tmp_path):
    portal = MovingPortal(3, "offset", dossier_count=40)
    declared = moving_system("offset", with_total=True)
    with open_client(declared, SystemConnection(base_url=serve_app(portal.app()))) as client:
        portal.changes_left = 10_000
        pull = pull_and_load(client, declared, warehouse, tmp_path)
        assert pull.doubt
        assert set(figures_of(warehouse)["obs_status"]) == {"P"}
        with warehouse.connect() as connection:
            said = (
                "select is_success, observed from ops.quality_result where check_code = 'list_proved_whole'"
            )
            assert tuple(connection.execute(sa.text(said)).one()) == (False, pull.doubt)
        # The pull of the next day reaches back behind the day in doubt, and settles it.
        portal.changes_left = 0
        pull = pull_and_load(client, declared, warehouse, tmp_path, DAY + timedelta(days=1))
        assert not pull.doubt
        assert set(figures_of(warehouse)["obs_status"]) == {"A"}
        assert counts_of_warehouse(warehouse) == counts_of_portal(portal)
    assert MAX_READINGS == 6


def test_where_a_list_shows_only_the_present_absence_proves_nothing(serve_app, warehouse, tmp_path):
    portal = MovingPortal(4, "offset", dossier_count=12)
    declared = moving_system("offset", with_total=True)
    present = declared.model_copy(
        update={"window": declared.window.model_copy(update={"shows_past_state": False})}
    )
    with open_client(present, SystemConnection(base_url=serve_app(portal.app()))) as client:
        pull_and_load(client, present, warehouse, tmp_path)
        before = counts_of_warehouse(warehouse)
        portal.dossiers.pop(sorted(portal.dossiers)[0])
        pull_and_load(client, present, warehouse, tmp_path)
        assert counts_of_warehouse(warehouse) == before
