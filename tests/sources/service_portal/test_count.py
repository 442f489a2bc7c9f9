"""Counting: the definitions one by one, and all of them against a plain count of one dossier at a time."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from directive_etl.periods import day_end
from directive_etl.registry.procedures import Procedure
from directive_etl.sources.service_portal.count import (
    COUNTS,
    GRAIN,
    MEASURES,
    count_daily_dossiers,
    to_figures,
)
from directive_etl.sources.service_portal.dossiers import Dossiers, State
from directive_etl.sources.service_portal.read import VERSION_COLUMNS

DAY = date(2020, 8, 20)
START = date(2020, 8, 18)
UNITS = ["STTTT", "UBND-916", "31117"]


def a_procedure(
    code: str, level: int, valid_from: date = date(2015, 1, 1), valid_to: date | None = None
) -> Procedure:
    return Procedure(
        procedure_code=code, name_vi="Thủ tục", service_level=level, valid_from=valid_from, valid_to=valid_to,
        unit_types=("so_ban_nganh",), status="assumed", source=None,
    )  # fmt: skip


PROCEDURES = [
    a_procedure("1.000001", 2),
    a_procedure("1.000002", 4),
    a_procedure("1.000003", 2, valid_to=date(2020, 8, 19)),
    a_procedure("1.000003", 3, valid_from=date(2020, 8, 20)),
]


def at(day: int, hour: int = 9) -> datetime:
    """A moment on a local day of August 2020, in UTC."""
    return datetime(2020, 8, 1, tzinfo=UTC) + timedelta(days=day - 1, hours=hour - 7)


def a_version(key: int = 1, **changes: object) -> dict[str, object]:
    return {
        "system_code": "one_stop",
        "dossier_key": key,
        "changed_at": at(20),
        "known_at": at(21, 5),
        "unit_code": "STTTT",
        "procedure_code": "1.000002",
        "channel_code": 2,
        "status_code": 4,
        "source_status": "DANG_THU_LY",
        "received_date": DAY,
        "due_date": date(2020, 8, 25),
        "finished_date": None,
        "returned_date": None,
        "is_withdrawn": False,
    } | changes


def frame(versions: list[dict[str, object]]) -> pd.DataFrame:
    """Versions with the types that read_pages gives them."""
    columns = [*VERSION_COLUMNS, "is_withdrawn"]
    versions_frame = pd.DataFrame(versions, columns=columns).astype({"dossier_key": "int64"})
    times = {
        name: pd.to_datetime(versions_frame[name], utc=True).astype("datetime64[us, UTC]")
        for name in ("changed_at", "known_at")
    }
    dates = {name: versions_frame[name].astype(object) for name in VERSION_COLUMNS if name.endswith("_date")}
    return versions_frame.assign(**times, **dates)


def state_of(versions: list[dict[str, object]], day: date = DAY) -> State:
    """How the dossiers of the one system stood at the end of the day."""
    return Dossiers("one_stop", frame(versions)).known_by(at(31)).at_end(day)


def counted(*versions: dict[str, object], day: date = DAY) -> dict[str, int]:
    """The counts that are not zero, over all units and procedures."""
    totals = count_daily_dossiers(state_of(list(versions), day), PROCEDURES)[COUNTS].sum()
    return {name.removesuffix("_count"): int(value) for name, value in totals.items() if value}


@pytest.mark.parametrize(("channel", "name"), [(1, "in_person"), (2, "online"), (3, "post")])
def test_a_dossier_received_today_counts_by_channel(channel, name):
    assert counted(a_version(channel_code=channel)) == {"received": 1, f"received_{name}": 1, "in_process": 1}


@pytest.mark.parametrize(
    ("due", "name"),
    [
        (date(2020, 8, 21), "processed_early"),
        (date(2020, 8, 20), "processed_on_time"),
        (None, "processed_on_time"),
        (date(2020, 8, 19), "processed_late"),
    ],
)
@pytest.mark.parametrize("status", [3, 7, 8, 9, 10])
def test_a_dossier_closed_today_is_early_on_time_or_late(due, name, status):
    version = a_version(status_code=status, received_date=date(2020, 8, 3), due_date=due, finished_date=DAY)
    assert counted(version) == {"carried_over": 1, "processed": 1, name: 1}


def test_a_dossier_closed_earlier_is_in_no_count():
    assert (
        counted(a_version(status_code=9, received_date=date(2020, 8, 3), finished_date=date(2020, 8, 19)))
        == {}
    )


@pytest.mark.parametrize("status", [5, 6])
def test_a_dossier_that_waits_for_the_citizen_is_paused_and_never_overdue(status):
    version = a_version(status_code=status, received_date=date(2020, 8, 3), due_date=date(2020, 8, 4))
    assert counted(version) == {"carried_over": 1, "paused": 1}


@pytest.mark.parametrize(("due", "is_overdue"), [(date(2020, 8, 19), True), (DAY, False), (None, False)])
def test_a_dossier_is_overdue_from_the_day_after_its_due_date(due, is_overdue):
    counts = counted(a_version(received_date=date(2020, 8, 3), due_date=due))
    assert ("in_process_overdue" in counts) == is_overdue


def test_a_result_may_be_returned_after_the_dossier_was_closed():
    version = a_version(
        status_code=10, received_date=date(2020, 8, 3), finished_date=date(2020, 8, 18), returned_date=DAY
    )
    assert counted(version) == {"returned": 1}


def test_a_newly_registered_dossier_is_not_yet_received():
    assert counted(a_version(status_code=1, received_date=None)) == {}


def test_the_last_version_before_the_end_of_the_day_is_its_state():
    versions = [
        a_version(changed_at=at(20, 9)),
        a_version(changed_at=at(20, 23), status_code=5),
        a_version(changed_at=at(21, 0), status_code=9, finished_date=date(2020, 8, 21)),
    ]
    assert counted(*versions) == {"received": 1, "received_online": 1, "paused": 1}


def test_of_one_change_the_content_known_last_holds():
    versions = [a_version(known_at=at(22, 5), status_code=5), a_version(known_at=at(21, 5))]
    assert counted(*versions) == {"received": 1, "received_online": 1, "paused": 1}


def test_a_dossier_counts_for_the_unit_that_has_it_at_the_end_of_the_day():
    state = state_of([a_version(changed_at=at(19)), a_version(unit_code="UBND-916")])
    assert count_daily_dossiers(state, PROCEDURES)["unit_code"].tolist() == ["UBND-916"]


def test_the_service_level_is_that_of_the_day():
    versions = [a_version(procedure_code="1.000003", received_date=date(2020, 8, 19), changed_at=at(19))]
    levels = [
        count_daily_dossiers(state_of(versions, date(2020, 8, n)), PROCEDURES)["service_level"].tolist()
        for n in (19, 20)
    ]
    assert levels == [[2], [3]]


def test_only_levels_3_and_4_are_eligible():
    versions = [a_version(n, procedure_code=f"1.00000{n}", channel_code=n) for n in (1, 2, 3)]
    figures = to_figures(state_of(versions), ["STTTT"], PROCEDURES, START).set_index("measure_code")["value"]
    assert figures["eligible_received_count"] == 2
    assert figures["eligible_received_online_count"] == 1


def test_figures_to_date_begin_with_the_directive():
    closed = {"status_code": 10, "received_date": date(2020, 8, 3), "changed_at": at(20)}
    versions = [
        a_version(1, **closed, finished_date=date(2020, 8, 17), returned_date=DAY),
        a_version(2, **closed, finished_date=date(2020, 8, 18), returned_date=date(2020, 8, 19)),
        a_version(3, **closed | {"status_code": 9}, finished_date=DAY),
    ]
    figures = to_figures(state_of(versions), ["STTTT"], PROCEDURES, START).set_index("measure_code")["value"]
    assert (figures["processed_to_date_count"], figures["returned_to_date_count"]) == (2, 1)


def test_every_unit_has_every_figure_and_no_other_unit_any():
    versions = [a_version(1), a_version(2, unit_code="elsewhere")]
    figures = to_figures(state_of(versions), UNITS, PROCEDURES, START)
    assert figures[["unit_code", "measure_code"]].to_numpy().tolist() == [
        [unit, measure] for unit in sorted(UNITS) for measure in sorted(MEASURES)
    ]
    assert figures.loc[figures["value"] > 0, "unit_code"].unique().tolist() == ["STTTT"]
    assert set(figures["category_code"]) == {"one_stop"}


def test_settled_dossiers_count_to_date_where_their_unit_has_figures():
    settled = pd.DataFrame(
        [["STTTT", 5, 3], ["elsewhere", 7, 7]],
        columns=["unit_code", "processed_to_date_count", "returned_to_date_count"],
    )
    figures = to_figures(state_of([a_version()]), UNITS, PROCEDURES, START, settled)
    to_date = figures[figures["measure_code"].str.contains("to_date") & (figures["value"] > 0)]
    assert to_date[["unit_code", "measure_code", "value"]].to_numpy().tolist() == [
        ["STTTT", "processed_to_date_count", 5],
        ["STTTT", "returned_to_date_count", 3],
    ]


def test_no_versions_make_no_counts_and_figures_of_zero():
    assert count_daily_dossiers(state_of([]), PROCEDURES).columns.tolist() == GRAIN + COUNTS
    assert not to_figures(state_of([]), UNITS, PROCEDURES, START)["value"].any()


# A plain count, one dossier at a time, to compare with.

LAST = date(2020, 8, 24)
days = st.dates(date(2020, 8, 15), LAST)


@st.composite
def dossier_versions(draw: st.DrawFn) -> list[dict[str, object]]:
    """Up to 12 dossiers in up to 4 versions; a closed one was finished on or after the day of receipt."""
    versions = []
    for key in range(draw(st.integers(0, 12))):
        procedure = draw(st.sampled_from(["1.000001", "1.000002", "1.000003"]))
        received, channel = draw(days), draw(st.integers(1, 3))
        due = draw(st.none() | days)
        for number in range(draw(st.integers(1, 4))):
            status = draw(st.integers(1, 10))
            finished = draw(st.dates(received, LAST)) if status in (3, 7, 8, 9, 10) else None
            moment = at(15, draw(st.integers(0, 10 * 24 - 1)))
            versions.append(
                a_version(
                    key,
                    procedure_code=procedure,
                    channel_code=channel,
                    unit_code=draw(st.sampled_from(UNITS)),
                    changed_at=moment + timedelta(seconds=number),
                    status_code=status,
                    received_date=None if status == 1 else received,
                    due_date=due,
                    finished_date=finished,
                    returned_date=draw(st.none() | days) if status == 10 else None,
                )
            )
    # One draw for the order: hypothesis draws as often as there are versions to permute them.
    Random(draw(st.integers(0, 2**32))).shuffle(versions)
    return versions


def plain_state(versions: list[dict[str, object]], day: date) -> list[dict[str, object]]:
    last: dict[object, dict[str, object]] = {}
    for version in sorted(versions, key=lambda version: version["changed_at"]):
        if version["changed_at"] < day_end(day) and version["status_code"] != 1:
            last[version["dossier_key"]] = version
    return list(last.values())


def plain_counts(dossier: dict[str, object], day: date) -> set[str]:
    received, due, finished = dossier["received_date"], dossier["due_date"], dossier["finished_date"]
    closed = finished if dossier["status_code"] in (3, 7, 8, 9, 10) else None
    counts = set()
    if received == day:
        counts |= {
            "received_count",
            {1: "received_in_person_count", 2: "received_online_count", 3: "received_post_count"}[
                dossier["channel_code"]
            ],
        }
    if received < day and not (closed and closed < day):
        counts.add("carried_over_count")
    if closed == day:
        when = "on_time" if due is None or finished == due else "early" if finished < due else "late"
        counts |= {"processed_count", f"processed_{when}_count"}
    if received <= day and not (closed and closed <= day):
        if dossier["status_code"] in (5, 6):
            counts.add("paused_count")
        else:
            counts.add("in_process_count")
            if due is not None and due < day:
                counts.add("in_process_overdue_count")
    if dossier["returned_date"] == day:
        counts.add("returned_count")
    return counts


@settings(max_examples=75, deadline=None)
@given(versions=dossier_versions(), day=days)
def test_counts_equal_a_plain_count(versions, day):
    expected: dict[tuple[object, ...], dict[str, int]] = {}
    for dossier in plain_state(versions, day):
        level = next(
            p.service_level
            for p in PROCEDURES
            if p.procedure_code == dossier["procedure_code"] and p.is_in_force(day)
        )
        key = (day, dossier["system_code"], dossier["unit_code"], dossier["procedure_code"], level)
        for name in plain_counts(dossier, day):
            row = expected.setdefault(key, dict.fromkeys(COUNTS, 0))
            row[name] += 1
    counts = count_daily_dossiers(state_of(versions, day), PROCEDURES)
    found = {
        tuple(row[name] for name in GRAIN): {name: row[name] for name in COUNTS}
        for row in counts.to_dict("records")
    }
    assert found == expected


@settings(max_examples=75, deadline=None)
@given(versions=dossier_versions(), day=days)
def test_every_dossier_is_somewhere(versions, day):
    counts = count_daily_dossiers(state_of(versions, day), PROCEDURES)
    by_channel = (
        counts["received_online_count"] + counts["received_in_person_count"] + counts["received_post_count"]
    )
    by_time = (
        counts["processed_early_count"] + counts["processed_on_time_count"] + counts["processed_late_count"]
    )
    there = counts["processed_count"] + counts["in_process_count"] + counts["paused_count"]
    assert (by_channel == counts["received_count"]).all()
    assert (by_time == counts["processed_count"]).all()
    assert (counts["carried_over_count"] + counts["received_count"] == there).all()


@settings(max_examples=75, deadline=None)
@given(versions=dossier_versions(), day=days)
def test_figures_equal_a_plain_count(versions, day):
    expected = {(unit, measure): 0 for unit in UNITS for measure in MEASURES}
    for dossier in plain_state(versions, day):
        counts, unit = plain_counts(dossier, day), dossier["unit_code"]
        is_eligible = dossier["procedure_code"] == "1.000002" or (
            dossier["procedure_code"] == "1.000003" and day >= DAY
        )
        closed = dossier["finished_date"] if dossier["status_code"] in (3, 7, 8, 9, 10) else None
        to_date = closed is not None and START <= closed <= day
        expected[unit, "eligible_received_count"] += "received_count" in counts and is_eligible
        expected[unit, "eligible_received_online_count"] += "received_online_count" in counts and is_eligible
        expected[unit, "processed_count"] += "processed_count" in counts
        expected[unit, "processed_in_time_count"] += bool(
            counts & {"processed_early_count", "processed_on_time_count"}
        )
        expected[unit, "processed_to_date_count"] += to_date
        expected[unit, "returned_to_date_count"] += (
            to_date and dossier["returned_date"] is not None and dossier["returned_date"] <= day
        )
        expected[unit, "in_process_overdue_count"] += "in_process_overdue_count" in counts
    figures = to_figures(state_of(versions, day), UNITS, PROCEDURES, START)
    found = {(row.unit_code, row.measure_code): row.value for row in figures.itertuples()}
    assert found == expected
