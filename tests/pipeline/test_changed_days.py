"""A day whose figures changed is told to its progress, whatever becomes of the task that loaded them."""

from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import sqlalchemy as sa

from directive_etl import pipeline
from directive_etl.quality import RowAccount
from directive_etl.warehouse.changed_days import claim_days, claimed_notes, settle
from directive_etl.warehouse.ledger import Batch, write_batch
from directive_etl.warehouse.observations import record_observations

DAY = date(2020, 8, 20)


def load_figure(engine: sa.Engine, value: int) -> bool:
    """Load one figure, as a task does that dies before it can tell which day changed."""
    known_at = datetime(2020, 8, 20, 10, value, tzinfo=UTC)
    figure = pd.DataFrame(
        {
            "unit_code": ["STTTT"],
            "measure_code": ["support_session_count"],
            "category_code": [""],
            "figure_date": [DAY],
            "value": [value],
            "obs_status": ["A"],
            "known_at": [known_at],
        }
    )
    batch = Batch(
        source_code="unit_report",
        part_code="STTTT",
        report_date=DAY,
        known_at=known_at,
        account=RowAccount(read=1, loaded=1),
        input_parts=[str(value)],
    )
    with engine.begin() as connection:
        return write_batch(
            connection,
            batch,
            lambda batch_id: (
                record_observations(connection, figure, source_code="unit_report", batch_id=batch_id).changed
            ),
        )


def test_the_day_of_a_task_that_died_after_its_load_is_published_by_the_next_try(
    places: Path, warehouse: sa.Engine
):
    assert load_figure(warehouse, 1)

    assert pipeline.affected_days("sms_log", "a run") == []
    assert pipeline.affected_days("unit_report", "a run") == [DAY]
    assert pipeline.affected_days("unit_report", "a run") == [DAY]  # its next try, when this one dies
    assert pipeline.recompute_day(DAY) > 0
    assert pipeline.affected_days("unit_report", "a run") == []


def test_a_day_is_published_by_one_run(places: Path, warehouse: sa.Engine):
    load_figure(warehouse, 1)

    assert pipeline.affected_days("unit_report", "a run") == [DAY]
    assert pipeline.affected_days("unit_report", "another run") == []


def test_a_change_that_comes_while_the_day_is_recomputed_is_not_forgotten(warehouse: sa.Engine):
    load_figure(warehouse, 1)
    with warehouse.begin() as connection:
        claim_days(connection, "unit_report", "a run")
        before = claimed_notes(connection, DAY)
    load_figure(warehouse, 2)

    with warehouse.begin() as connection:
        settle(connection, before)

    with warehouse.begin() as connection:
        assert claim_days(connection, "unit_report", "another run") == [DAY]


def test_a_day_that_nobody_has_published_is_not_settled_by_the_recount_for_another(
    places: Path, warehouse: sa.Engine
):
    load_figure(warehouse, 1)

    pipeline.recompute_day(DAY)

    assert pipeline.affected_days("unit_report", "a run") == [DAY]


def test_a_load_that_changes_nothing_asks_for_nothing(places: Path, warehouse: sa.Engine):
    load_figure(warehouse, 1)
    pipeline.affected_days("unit_report", "a run")
    pipeline.recompute_day(DAY)

    assert not load_figure(warehouse, 1)

    assert pipeline.affected_days("unit_report", "a run") == []
