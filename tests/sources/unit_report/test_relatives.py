"""A district's own total beside the sum of its wards, and a ward's figure beside the district's total."""

import os
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from directive_etl import pipeline
from directive_etl.periods import LOCAL_ZONE
from directive_etl.registry.directive import Directive
from directive_etl.registry.units import Unit
from directive_etl.sources.unit_report.check import check_report
from directive_etl.sources.unit_report.form import FigureKey, form_of
from directive_etl.sources.unit_report.read import ReadReport
from directive_etl.sources.unit_report.relatives import Relatives, children_of
from directive_etl.sources.unit_report.template import write_workbook
from directive_etl.warehouse.observations import record_observations
from directive_etl.warehouse.tables import ops

DAY = date(2020, 8, 20)
NOON = datetime(2020, 8, 20, 12, tzinfo=LOCAL_ZONE)
DISTRICT = "UBND-916"
WARDS = [unit.unit_code for unit in children_of(DISTRICT, DAY)]
RESIDENTS: FigureKey = ("resident_count", None)
KEY = ("resident_count", "")
BATCH = {
    "source_code": "unit_report",
    "part_code": DISTRICT,
    "report_date": DAY,
    "status_code": "loaded",
    "input_hash": "0" * 64,
    "known_at": NOON,
    "read_count": 3,
    "loaded_count": 3,
    "refused_count": 0,
    "duplicate_count": 0,
    "unchanged_count": 0,
    "critical_failed_count": 0,
    "warning_failed_count": 0,
    "code_version": "test",
}


@pytest.mark.parametrize(
    ("reported", "total", "warned"),
    [
        (len(WARDS), 10 * len(WARDS), False),
        (len(WARDS), 10 * len(WARDS) + 1, True),
        (len(WARDS), 10 * len(WARDS) - 1, True),
        # While a ward is missing the total may be more, never less.
        (len(WARDS) - 1, 10 * len(WARDS), False),
        (len(WARDS) - 1, 10 * len(WARDS) - 11, True),
        (0, 1, False),
    ],
)
def test_a_district_is_warned_when_its_total_does_not_fit_its_wards(
    reported: int,
    total: int,
    warned: bool,
    write_report: Callable[..., Path],
    read_one: Callable[[Path], ReadReport],
    directive: Directive,
    received_at: datetime,
):
    figures = {RESIDENTS: total, ("resident_bluezone_count", None): 0, ("resident_ncovi_count", None): 0}
    report = read_one(write_report(DISTRICT, figures))
    relatives = Relatives(children={code: {KEY: 10} for code in WARDS[:reported]})
    findings = check_report(report, directive, DISTRICT, received_at, {}, relatives=relatives)
    assert [(one.severity, one.code, one.key) for one in findings] == (
        [("warning", "unlike_children", RESIDENTS)] if warned else []
    )
    if warned:
        assert f"tổng {10 * reported} của {reported}/{len(WARDS)} đơn vị trực thuộc" in findings[0].message_vi
        assert findings[0].address == report.figures[RESIDENTS].address


@pytest.mark.parametrize(("own", "warned"), [(1000, False), (1001, True)])
def test_a_ward_is_warned_when_it_has_more_than_its_whole_district(
    own: int,
    warned: bool,
    write_report: Callable[..., Path],
    read_one: Callable[[Path], ReadReport],
    directive: Directive,
    received_at: datetime,
):
    report = read_one(write_report("31117", {RESIDENTS: own}))
    relatives = Relatives(parent={KEY: 1000})
    findings = check_report(report, directive, "31117", received_at, {}, relatives=relatives)
    assert [(one.code, one.key) for one in findings] == ([("above_parent", RESIDENTS)] if warned else [])
    if warned:
        assert "lớn hơn 1000 mà đơn vị cấp trên báo cáo" in findings[0].message_vi


def test_reports_are_compared_with_what_had_come_before_them_by_the_channels_clock(
    places: Path, warehouse: sa.Engine, directive: Directive, unit_of: Callable[[str], Unit]
):
    def send(code: str, value: int, minutes: int) -> None:
        keys = form_of(directive, unit_of(code), DAY).addresses
        (places / "inbox" / code).mkdir(exist_ok=True)
        path = places / "inbox" / code / f"{minutes}.xlsx"
        sizes = {key: value if key[0] == "resident_count" else 0 for key in keys}
        write_workbook(
            path,
            directive,
            unit_of(code),
            DAY,
            sizes | {("meeting_count", None): 1} if code == DISTRICT else sizes,
        )
        os.utime(path, ((NOON + timedelta(minutes=minutes)).timestamp(),) * 2)

    for number, code in enumerate(WARDS):
        send(code, 10, number)
    # All wards but the last had come; it is alone in saying more, and is corrected at the end.
    send(WARDS[-1], 500, 60)
    send(DISTRICT, 10 * len(WARDS), 50)
    send(DISTRICT, 10 * len(WARDS) + 1, 70)
    send(WARDS[-1], 11, 80)
    send(DISTRICT, 10 * len(WARDS) + 1, 90)
    pipeline.answer_inbox()
    query = """
        select part_code, known_at, rule_code from ops.report_warning join ops.load_batch using (batch_id)
        where rule_code in ('unlike_children', 'above_parent') order by known_at
    """
    with warehouse.connect() as connection:
        found = connection.execute(sa.text(query)).all()
    assert [(row.part_code, (row.known_at - NOON).total_seconds() / 60, row.rule_code) for row in found] == [
        (WARDS[-1], 60, "above_parent"),
        (DISTRICT, 70, "unlike_children"),
    ]


@pytest.mark.parametrize(
    ("own", "ward", "expected", "is_consistent"),
    [(20, 10, 2, True), (21, 10, 2, False), (19, 10, 2, False), (21, 10, 3, True), (19, 10, 3, False)],
)
def test_the_office_sees_a_districts_total_beside_its_wards_in_whatever_order_they_came(
    own: int, ward: int, expected: int, is_consistent: bool, warehouse: sa.Engine, reader: sa.Engine
):
    told = [(DISTRICT, own), (WARDS[0], ward), (WARDS[1], ward)]
    with warehouse.begin() as connection:
        batch_id = connection.execute(
            sa.insert(ops.load_batch).values(BATCH).returning(ops.load_batch.c.batch_id)
        ).scalar_one()
        frame = pd.DataFrame(told, columns=["unit_code", "value"]).assign(
            measure_code="resident_count", category_code="", figure_date=DAY, obs_status="A", known_at=NOON
        )
        record_observations(connection, frame, source_code="unit_report", batch_id=batch_id)
        for code in WARDS[:expected]:
            row = {"unit_code": code, "report_date": DAY, "is_expected": True, "due_at": NOON}
            connection.execute(sa.insert(ops.expected_report).values(directive_code="2488-ubnd-kgvx", **row))
    with reader.connect() as connection:
        (row,) = connection.execute(sa.text("select * from reporting.unit_total_daily")).all()
    assert (row.unit_code, row.own_value, row.children_value) == (DISTRICT, own, 2 * ward)
    assert (row.reported_child_count, row.expected_child_count) == (2, expected)
    assert row.is_consistent is is_consistent
