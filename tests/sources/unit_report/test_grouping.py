"""Reports loaded together: the warehouse holds what one by one would have given, and a bad one costs itself."""

import os
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from directive_etl import pipeline
from directive_etl.landing import LandedFile
from directive_etl.registry.directive import Directive
from directive_etl.registry.units import Unit
from directive_etl.sources.unit_report import inbox
from directive_etl.sources.unit_report.form import form_of
from directive_etl.sources.unit_report.grouping import independent_groups
from directive_etl.sources.unit_report.judged import FIGURE_COLUMNS, JudgedReport
from directive_etl.sources.unit_report.template import write_workbook

DAY = date(2020, 8, 20)
RECEIVED_AT = datetime(2020, 8, 20, 9, tzinfo=UTC)
UNITS = ("31117", "31120", "UBND-916", "UBND-917", "STTTT", "UBMTTQ")
# The wards of a district among them, of which the other one has none here.
FAMILIES = ({"31117", "UBND-916"}, {"31120", "UBND-916"})
CONTENT = (
    "select status_code, part_code, report_date, known_at, read_count, loaded_count, refused_count, unchanged_count,"
    " duplicate_count, warning_failed_count, reason from ops.load_batch order by known_at, part_code",
    "select unit_code, measure_code, category_code, figure_date, value, known_at, superseded_at is null"
    " from core.observation order by known_at, unit_code, measure_code, category_code",
    "select part_code, known_at, rule_code, measure_code, w.category_code from ops.report_warning w"
    " join ops.load_batch using (batch_id) order by known_at, part_code, warning_number",
    "select part_code, known_at, check_number, is_success, failed_count from ops.quality_result"
    " join ops.load_batch using (batch_id) order by known_at, part_code, check_number",
)


def content(engine: sa.Engine) -> list[list[tuple[object, ...]]]:
    with engine.connect() as connection:
        return [[tuple(row) for row in connection.execute(sa.text(query))] for query in CONTENT]


def fill_inbox(folder: Path, directive: Directive, unit_of: Callable[[str], Unit]) -> None:
    """Three days of a few units: equal sheets, corrections, blanks, faults, and the very same bytes again."""
    random = Random(5)
    for number in range(40):
        # Now and then several units in the same moment.
        code, day = UNITS[number * 5 % len(UNITS)], DAY - timedelta(days=random.choice((0, 0, 1, 2)))
        unit = unit_of(code)
        keys = list(form_of(directive, unit, day).addresses)
        figures: dict[object, object] = dict.fromkeys(keys, random.choice((12, 12, 30, 900)))
        if random.random() < 0.4:
            figures[random.choice(keys)] = random.choice((None, "x", 5))
        (folder / code).mkdir(exist_ok=True)
        path = folder / code / f"{number}.xlsx"
        write_workbook(path, directive, unit, day, figures)  # type: ignore[arg-type]
        os.utime(path, ((RECEIVED_AT + timedelta(minutes=number // 3)).timestamp(),) * 2)


def test_reports_loaded_together_give_what_they_give_one_by_one(
    places: Path,
    warehouse: sa.Engine,
    owner_engine: sa.Engine,
    directive: Directive,
    unit_of: Callable[[str], Unit],
    monkeypatch: pytest.MonkeyPatch,
):
    fill_inbox(places / "inbox", directive, unit_of)
    days = pipeline.answer_inbox()
    together = content(warehouse)
    with owner_engine.begin() as connection:
        connection.exec_driver_sql("truncate ops.load_batch, ops.refused_row restart identity cascade")
    with monkeypatch.context() as one_by_one:
        one_by_one.setattr(
            inbox, "independent_groups", lambda reports: [[place] for place in range(len(reports))]
        )
        assert pipeline.answer_inbox() == days
    assert content(warehouse) == together
    statuses = {str(row[0]) for row in together[0]}
    assert statuses == {"loaded", "refused", "duplicate"}
    assert {row[2] for row in together[2]} >= {"blank", "stock_falls", "stock_jumps", "same_as_before"}
    for day in (DAY, DAY - timedelta(days=1), DAY - timedelta(days=2)):
        assert pipeline.answer_inbox(again_for=day) == []
    assert content(warehouse) == together


def test_a_report_that_the_warehouse_does_not_take_costs_only_itself(
    places: Path,
    warehouse: sa.Engine,
    owner_engine: sa.Engine,
    directive: Directive,
    unit_of: Callable[[str], Unit],
):
    for number, code in enumerate(UNITS):
        unit = unit_of(code)
        (places / "inbox" / code).mkdir()
        path = places / "inbox" / code / "bc.xlsx"
        write_workbook(
            path, directive, unit, DAY, dict.fromkeys(form_of(directive, unit, DAY).addresses, 10 + number)
        )
        os.utime(path, (RECEIVED_AT.timestamp(),) * 2)
    rule = "alter table core.unit_figure {} constraint of_a_later_release {}"
    with owner_engine.begin() as connection:
        connection.exec_driver_sql(rule.format("add", "check (value <> 12)"))
    try:
        assert pipeline.answer_inbox() == [DAY]
    finally:
        with owner_engine.begin() as connection:
            connection.exec_driver_sql(rule.format("drop", ""))
    batches, observations, *_ = content(warehouse)
    outcomes = {row[1]: row[0] for row in batches}
    assert outcomes == {code: "refused" if code == UNITS[2] else "loaded" for code in UNITS}
    assert UNITS[2] not in {row[0] for row in observations}
    (back,) = (places / "outbox" / UNITS[2]).glob("*-tra-lai.xlsx")
    assert back.stat().st_size
    with warehouse.connect() as connection:
        said = connection.execute(sa.text("select reason_code, reason from ops.refused_row")).all()
    assert [row.reason_code for row in said] == ["not_stored"]
    assert "of_a_later_release" in said[0].reason
    # An engineer mends the cause, and the day is run again.
    assert pipeline.answer_inbox(again_for=DAY) == [DAY]
    assert UNITS[2] in {row[0] for row in content(warehouse)[1]}


def a_report(unit_code: str, value: int, number: int) -> JudgedReport:
    landed = LandedFile(f"{number:064x}", Path("x"), "unit_report", unit_code, DAY, "x", RECEIVED_AT, 1)
    figures = pd.DataFrame([("meeting_count", "", value)], columns=FIGURE_COLUMNS, dtype=object)
    return JudgedReport(landed, "d", DAY, figures, [], "")


@given(st.lists(st.tuples(st.sampled_from(UNITS), st.integers(0, 3)), max_size=30))
def test_no_report_is_in_a_group_with_one_it_is_compared_with_or_before_it(sent: list[tuple[str, int]]):
    reports = [a_report(code, value, number) for number, (code, value) in enumerate(sent)]
    groups = independent_groups(reports)
    assert sorted(place for group in groups for place in group) == list(range(len(sent)))
    group_of = {place: number for number, group in enumerate(groups) for place in group}
    for later in range(len(sent)):
        for earlier in range(later):
            units = {sent[earlier][0], sent[later][0]}
            if len(units) == 1 or units in FAMILIES or sent[earlier][1] == sent[later][1]:
                assert group_of[earlier] < group_of[later]
