"""core.progress_at against the independent computation of the demo city, on random figures."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from directive_etl.demo_city.truth import progress_of
from directive_etl.periods import close_of, day_end, days_between
from directive_etl.progress.recompute import recompute_progress
from directive_etl.quality import RowAccount
from directive_etl.registry.directive import directives
from directive_etl.registry.obligations import owed_figures
from directive_etl.registry.units import matching_units, units_on
from directive_etl.warehouse.ledger import Batch, write_batch
from directive_etl.warehouse.observations import record_observations

DAYS = days_between(date(2020, 8, 20), date(2020, 8, 24))  # Thursday to Monday, a weekend among them
COMPARED = [
    "indicator_code",
    "unit_code",
    "numerator",
    "denominator",
    "actual_value",
    "target_value",
    "is_target_assumed",
    "progress_pct",
    "status_code",
    "obs_status",
    "due_date",
    "days_overdue",
    "is_late",
    "revision_count",
]


def random_revisions(random: np.random.Generator, day: date) -> pd.DataFrame:
    """Figures of about half the units, with gaps, zeros, corrections, withdrawals and late arrivals."""
    [directive] = directives()
    keys: list[tuple[str, str, str, str]] = []
    for unit in units_on(day):
        for owed in owed_figures(directive, unit, day):
            keys.append((unit.unit_code, owed.measure.code, owed.category_code or "", "unit_report"))
    for _, indicator in directive.indicators:
        for figure_sum in filter(None, (indicator.numerator, indicator.denominator)):
            source = directive.measure(figure_sum.measure).source
            if source != "unit_report":
                categories = [directive.code] if source == "pipeline" else ["x", "y"]
                for unit in matching_units(indicator.contributors, day):
                    keys.extend(
                        (unit.unit_code, figure_sum.measure, category, source) for category in categories
                    )
    chosen_units = {key[0] for key in keys if random.random() < 0.5}
    rows = []
    for unit_code, measure_code, category_code, source in sorted(set(keys)):
        if unit_code not in chosen_units or random.random() < 0.1:
            continue
        known_at = datetime.combine(day, datetime.min.time(), UTC) + timedelta(
            hours=float(random.integers(5, 20))
        )
        for turn in range(random.choice([1, 1, 1, 2, 3])):
            # Only a figure that was there can be withdrawn.
            value = (
                None if turn and random.random() < 0.2 else int(random.choice([0, 1, 3, 50, 90, 100, 1000]))
            )
            status = "M" if value is None else str(random.choice(["A", "A", "P"]))
            rows.append((unit_code, measure_code, category_code, day, value, status, known_at, source))
            known_at += timedelta(hours=float(random.integers(1, 30)))
    columns = [
        "unit_code",
        "measure_code",
        "category_code",
        "figure_date",
        "value",
        "obs_status",
        "known_at",
        "source",
    ]
    return pd.DataFrame(rows, columns=columns).astype({"value": object})


def record(engine: sa.Engine, revisions: pd.DataFrame) -> None:
    """Record each revision, one batch per row of a figure's history, in the order given."""
    key = ["unit_code", "measure_code", "category_code", "figure_date"]
    turn = revisions.groupby(key).cumcount()
    for (_, source), frame in revisions.groupby([turn, "source"]):
        batch = Batch(
            source_code=source,
            part_code="test",
            report_date=DAYS[0],
            known_at=frame["known_at"].max(),
            account=RowAccount(len(frame), len(frame)),
            input_parts=[frame.to_csv()],
        )
        with engine.begin() as connection:
            write_batch(
                connection,
                batch,
                lambda batch_id, frame=frame, source=source: (
                    record_observations(
                        connection,
                        frame.drop(columns="source"),
                        source_code=source,
                        batch_id=batch_id,
                        keep_confirmations=True,
                    ).changed
                ),
            )


def as_text(frame: pd.DataFrame) -> list[str]:
    """Rows as comparable text: 12.50 and 12.5 are one number, NaN and None are one absence."""

    def show(value: object) -> str:
        if value is None or pd.isna(value):
            return "-"
        if isinstance(value, bool | np.bool_):
            return str(bool(value))
        try:
            return f"{float(value):.4f}"
        except (TypeError, ValueError):
            return str(value)

    return sorted(" ".join(show(value) for value in row) for row in frame[COMPARED].itertuples(index=False))


def assert_same(engine: sa.Engine, truth: pd.DataFrame, query: str, **parameters: object) -> None:
    with engine.connect() as connection:
        rows = connection.execute(sa.text(query), parameters)
        found = pd.DataFrame(rows.fetchall(), columns=list(rows.keys()), dtype=object)
    assert as_text(found) == as_text(truth)


@pytest.mark.parametrize("seed", range(3))
def test_progress_equals_the_rules_of_the_rule_book_computed_independently(warehouse: sa.Engine, seed: int):
    random = np.random.default_rng(seed)
    revisions = pd.concat([random_revisions(random, day) for day in DAYS], ignore_index=True)
    record(warehouse, revisions)

    for day in DAYS:
        recompute_progress(warehouse, day)
        query = "select * from reporting.directive_progress_daily where report_date = :day"
        assert_same(warehouse, progress_of(revisions, day), query, day=day)


def test_progress_known_at_leaves_out_what_came_later(warehouse: sa.Engine, owner_engine: sa.Engine):
    random = np.random.default_rng(11)
    revisions = pd.concat([random_revisions(random, day) for day in DAYS[:3]], ignore_index=True)
    record(warehouse, revisions)

    for day in DAYS[:3]:
        recompute_progress(warehouse, day)
        for moment in (day_end(day), close_of(day)):
            query = "select * from reporting.progress_known_at(:moment, :day)"
            assert_same(owner_engine, progress_of(revisions, day, moment), query, moment=moment, day=day)


def test_the_order_in_which_revisions_arrive_does_not_matter(warehouse: sa.Engine, owner_engine: sa.Engine):
    random = np.random.default_rng(5)
    revisions = random_revisions(random, DAYS[0])
    record(warehouse, revisions.sample(frac=1, random_state=3))

    recompute_progress(warehouse, DAYS[0])

    truth = progress_of(revisions, DAYS[0])
    assert_same(warehouse, truth, "select * from reporting.directive_progress_daily")
    at_close = progress_of(revisions, DAYS[0], close_of(DAYS[0]))
    query = "select * from reporting.progress_known_at(:moment, :day)"
    assert_same(owner_engine, at_close, query, moment=close_of(DAYS[0]), day=DAYS[0])


def test_progress_as_of_gives_what_the_warehouse_believed_before_a_correction(
    warehouse: sa.Engine, owner_engine: sa.Engine
):
    random = np.random.default_rng(7)
    revisions = random_revisions(random, DAYS[0])
    first = revisions.drop_duplicates(["unit_code", "measure_code", "category_code"], keep="first")
    record(warehouse, first)
    recompute_progress(warehouse, DAYS[0])
    with warehouse.connect() as connection:
        before_corrections = connection.execute(sa.text("select clock_timestamp()")).scalar_one()
    record(warehouse, revisions.drop(first.index))
    recompute_progress(warehouse, DAYS[0])

    query = "select * from reporting.progress_as_of(:moment, :day)"
    assert_same(owner_engine, progress_of(first, DAYS[0]), query, moment=before_corrections, day=DAYS[0])


def test_recording_the_same_figures_again_adds_no_revision(warehouse: sa.Engine):
    revisions = random_revisions(np.random.default_rng(1), DAYS[0])
    record(warehouse, revisions)
    count = sa.text("select count(*) from core.observation")
    with warehouse.connect() as connection:
        before = connection.execute(count).scalar()

    record(warehouse, revisions)
    assert recompute_progress(warehouse, DAYS[0]) > 0
    assert recompute_progress(warehouse, DAYS[0]) == 0

    with warehouse.connect() as connection:
        assert connection.execute(count).scalar() == before
