"""Three days of a portal, faults included, pulled over HTTP into a real warehouse that must equal them."""

from collections import Counter
from datetime import date, datetime, timedelta
from random import Random

import pandas as pd
import pytest
import sqlalchemy as sa

from directive_etl import pipeline
from directive_etl.demo_city.portal_server import connections
from directive_etl.periods import LOCAL_ZONE, day_end, days_between, to_local_date
from directive_etl.settings import SystemConnection

DAYS = days_between(date(2020, 8, 18), date(2020, 8, 20))
WARDS = ["31117", "31120", "31135"]
CLOSED = (9, 10)


@pytest.fixture
def city(a_version) -> list[dict[str, object]]:
    """Dossiers from before the directive and after, each in steps hours apart: received, worked on, ended."""
    random = Random(20200818)
    versions = []
    for _ in range(120):
        moment = datetime(2020, 8, 12, 7, tzinfo=LOCAL_ZONE) + timedelta(minutes=random.randrange(8 * 1440))
        dossier = a_version(unit_code=random.choice(WARDS), channel=random.choice([1, 2, 3]), status=2)
        dossier |= {"received_at": moment.isoformat(), "due_at": (moment + timedelta(days=2)).isoformat()}
        for status in (2, random.choice([4, 5]), random.choice([4, 6, 9]), 10):
            if status in CLOSED and dossier["finished_at"] is None:
                dossier |= {"finished_at": moment.isoformat()}
            if status == 10:
                dossier |= {"returned_at": moment.isoformat()}
            dossier = dossier | {"status": status, "changed_at": moment.isoformat()}
            versions.append(dossier)
            moment += timedelta(minutes=random.randrange(1, 3000))
    return versions


def states_on(versions: list[dict[str, object]], day: date) -> list[dict[str, object]]:
    """The last version of each dossier before the end of the day."""
    shown = [
        version for version in versions if datetime.fromisoformat(str(version["changed_at"])) < day_end(day)
    ]
    shown.sort(key=lambda version: str(version["changed_at"]))
    return list({version["dossier_code"]: version for version in shown}.values())


def local_day(version: dict[str, object], name: str) -> date | None:
    return to_local_date(datetime.fromisoformat(str(version[name]))) if version[name] else None


def expected_counts(versions: list[dict[str, object]], day: date) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = {ward: Counter() for ward in WARDS}
    for version in states_on(versions, day):
        count = counts[str(version["unit_code"])]
        received, due = local_day(version, "received_at"), local_day(version, "due_at")
        finished = local_day(version, "finished_at") if version["status"] in CLOSED else None
        count["received_count"] += received == day
        count["carried_over_count"] += received < day and not (finished and finished < day)
        count["processed_count"] += finished == day
        count["processed_late_count"] += finished == day and finished > due
        is_open = finished is None
        count["paused_count"] += is_open and version["status"] in (5, 6)
        count["in_process_count"] += is_open and version["status"] in (2, 4)
        count["in_process_overdue_count"] += is_open and version["status"] in (2, 4) and due < day
        count["returned_count"] += local_day(version, "returned_at") == day
    return counts


def rows_of(engine: sa.Engine) -> dict[str, int]:
    """How many rows each table of facts and of the ledger has."""
    tables = [
        "core.portal_dossier_version",
        "core.daily_portal_dossier",
        "core.observation",
        "ops.load_batch",
        "ops.refused_row",
    ]
    with engine.connect() as connection:
        return {
            table: connection.execute(sa.text(f"select count(*) from {table}")).scalar_one()
            for table in tables
        }


def test_the_warehouse_holds_what_the_portal_showed(open_portal, city, places, warehouse):
    faults = [
        {"system_code": "one_stop", "day": "2020-08-18", "page": 1, "kind": "truncated", "times": 1},
        {"system_code": "one_stop", "day": "2020-08-19", "page": 1, "kind": "http_503", "times": 2},
    ]
    client, declared = open_portal("one_stop", city, faults)
    account = connections(places / "demo", "")[declared.system_code]
    connection = SystemConnection.model_validate(account | {"base_url": str(client.base_url)})
    for day in DAYS:
        pipeline.pull_portal_system("one_stop", day, connection)

    with warehouse.connect() as reader:
        daily = pd.read_sql(sa.text("select * from core.daily_portal_dossier"), reader)
        figures = pd.read_sql(sa.text("select * from core.observation where superseded_at is null"), reader)
        refused = pd.read_sql(sa.text("select place, reason_code, content from ops.refused_row"), reader)
    for day in DAYS:
        for ward, expected in expected_counts(city, day).items():
            rows = daily[(daily["report_date"] == day) & (daily["unit_code"] == ward)]
            assert {name: int(rows[name].sum()) for name in expected} == expected, (day, ward)
            processed = figures.query(
                "figure_date == @day and unit_code == @ward and measure_code == 'processed_count'"
            )
            assert processed["value"].tolist() == [expected["processed_count"]]
    assert refused.to_numpy().tolist() == [["page 1", "unreadable_page", refused["content"][0]]]

    # No foreign key holds this (docs/decisions/0006).
    orphans = """
        select count(*) from core.portal_dossier_version v
        where not exists (select from ops.load_batch b where b.batch_id = v.batch_id)"""
    with warehouse.connect() as reader:
        assert reader.execute(sa.text(orphans)).scalar_one() == 0

    before = rows_of(warehouse)
    for day in reversed(DAYS):
        assert pipeline.pull_portal_system("one_stop", day, connection) == []
    assert rows_of(warehouse) == before


COUNTS = [
    "received_count",
    "carried_over_count",
    "processed_count",
    "processed_late_count",
    "in_process_count",
    "in_process_overdue_count",
    "paused_count",
    "returned_count",
]


def test_a_dossier_in_two_systems_is_counted_in_each_and_once_in_the_city(
    open_portal, city, places, warehouse
):
    """The counters show 80 of the 120 dossiers, the city portal 70, so 30 stand in both, in the same
    state.
    """
    codes = sorted({str(version["dossier_code"]) for version in city})
    shown = {"one_stop": set(codes[:80]), "city_portal": set(codes[50:])}
    for system_code, known in shown.items():
        here = [version for version in city if version["dossier_code"] in known]
        client, _ = open_portal(system_code, here)
        account = connections(places / "demo", "")[system_code]
        connection = SystemConnection.model_validate(account | {"base_url": str(client.base_url)})
        for day in DAYS:
            pipeline.pull_portal_system(system_code, day, connection)
    with warehouse.connect() as reader:
        total = pd.read_sql(sa.text("select * from reporting.portal_city_daily"), reader).set_index(
            "report_date"
        )
        each = pd.read_sql(sa.text("select * from core.daily_portal_dossier"), reader)
    for day in DAYS:
        expected: Counter[str] = sum(expected_counts(city, day).values(), Counter())
        assert {name: int(total.at[day, name]) for name in COUNTS} == {
            name: expected[name] for name in COUNTS
        }
        apart = [
            sum(expected_counts([v for v in city if v["dossier_code"] in known], day).values(), Counter())
            for known in shown.values()
        ]
        rows = each[each["report_date"] == day]
        assert int(rows["received_count"].sum()) == sum(counts["received_count"] for counts in apart)
    assert total["shared_dossier_count"].max() == 30
