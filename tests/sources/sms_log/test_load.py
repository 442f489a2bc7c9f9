"""Loading counted drop days: a critical failure keeps one operator's day out, older counts never win, days revise."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
import sqlalchemy as sa

from directive_etl.errors import RefusedBatchError
from directive_etl.landing import LandedFile
from directive_etl.quality import RowAccount, refused_frame
from directive_etl.quality.suites import check_frame
from directive_etl.registry.campaigns import campaigns
from directive_etl.registry.operators import operator
from directive_etl.sources.sms_log import load
from directive_etl.sources.sms_log.count import DAILY_COLUMNS, DropDayCounts
from directive_etl.sources.sms_log.rules import RULES

DAY = date(2020, 8, 18)


def counts(drop_day: date, delivered: int, **changes: object) -> DropDayCounts:
    """Ten messages of DAY, some delivered, as counted through a drop day."""
    is_final = drop_day >= DAY + timedelta(days=3)
    row = {
        "report_date": DAY,
        "operator_code": "viettel",
        "campaign_code": "bluezone-2020",
        "message_count": 10,
        "segment_count": 12,
        "delivered_count": delivered,
        "failed_count": 0,
        "expired_count": 0,
        "rejected_count": 0,
        "pending_count": 0 if is_final else 10 - delivered,
        "unknown_count": 10 - delivered if is_final else 0,
        "recipient_count": 10,
        "delivered_recipient_count": delivered,
        "latency_p50_seconds": 2.0,
        "latency_p95_seconds": 9.0,
        "maturity": "final" if is_final else "open",
        "counted_through": drop_day,
    }
    daily = pd.DataFrame([row | changes])[DAILY_COLUMNS]
    known_at = datetime(2020, 8, 18, 17, 30, tzinfo=UTC) + (drop_day - DAY)
    return DropDayCounts(daily, refused_frame(), RowAccount(20, 20), known_at)


def load_day(engine: sa.Engine, operator_code: str, drop_day: date, counted: DropDayCounts) -> bool:
    landed = {
        drop_day: [
            LandedFile(
                f"{drop_day.day:064x}", None, "sms_log", operator_code, drop_day, "a.log", counted.known_at, 9
            )
        ]
    }
    one = operator(operator_code)
    counted = replace(counted, daily=counted.daily.assign(operator_code=operator_code))
    checks = check_frame(counted.daily, "core.daily_sms", RULES)
    batch = load.operator_batch(one, drop_day, landed, counted, checks)
    return load.load_operator_day(engine, one, batch, counted, [DAY])


def delivered(engine: sa.Engine) -> list[tuple[str, int]]:
    with engine.connect() as connection:
        rows = connection.execute(
            sa.text("select operator_code, delivered_count from core.daily_sms order by operator_code")
        )
        return [tuple(row) for row in rows]


def test_a_critical_failure_keeps_that_batch_out_and_nothing_else(warehouse: sa.Engine):
    load_day(warehouse, "mobifone", DAY, counts(DAY, 7))

    with pytest.raises(RefusedBatchError, match=r"sms_log viettel 2020-08-18.*at least one segment"):
        load_day(warehouse, "viettel", DAY, counts(DAY, 5, segment_count=3))

    assert delivered(warehouse) == [("mobifone", 7)]
    with warehouse.connect() as connection:
        batch = connection.execute(sa.text("select * from ops.load_batch where part_code = 'viettel'")).one()
        failed = connection.execute(
            sa.text("select * from ops.quality_result where not is_success and batch_id = :id"),
            {"id": batch.batch_id},
        ).all()
    assert (batch.status_code, batch.read_count, batch.refused_count) == ("refused", 20, 20)
    assert [(check.severity, check.column_name) for check in failed] == [("critical", "segment_count")]


@pytest.mark.parametrize("changes", [{"failed_count": 1}, {"pending_count": 4}, {"unknown_count": 1}])
def test_a_message_without_a_state_or_with_two_keeps_the_batch_out(
    warehouse: sa.Engine, changes: dict[str, int]
):
    with pytest.raises(
        RefusedBatchError, match=r"every_message_has_one_state on message_count failed for 1 rows"
    ):
        load_day(warehouse, "viettel", DAY, counts(DAY, 5, **changes))

    assert delivered(warehouse) == []


def test_a_warning_is_noted_and_keeps_nothing_out(warehouse: sa.Engine):
    load_day(warehouse, "viettel", DAY, counts(DAY, 5, latency_p50_seconds=400_000.0))

    assert delivered(warehouse) == [("viettel", 5)]
    with warehouse.connect() as connection:
        assert connection.execute(sa.text("select warning_failed_count from ops.load_batch")).scalar() == 1


def test_a_late_rerun_of_an_older_drop_day_never_overwrites_a_newer_count(warehouse: sa.Engine):
    load_day(warehouse, "viettel", DAY + timedelta(days=2), counts(DAY + timedelta(days=2), 9))
    load_day(warehouse, "viettel", DAY, counts(DAY, 4))

    assert delivered(warehouse) == [("viettel", 9)]


def test_receipts_that_come_later_revise_the_day_and_keep_what_was_known_before(warehouse: sa.Engine):
    for days, count in ((0, 4), (1, 4), (3, 9)):
        load_day(warehouse, "viettel", DAY + timedelta(days=days), counts(DAY + timedelta(days=days), count))

    with warehouse.connect() as connection:
        revisions = connection.execute(
            sa.text(
                "select value, obs_status, superseded_at is null from core.observation"
                " where measure_code = 'sms_delivered_count' order by known_at"
            )
        ).all()
    assert [tuple(row) for row in revisions] == [(4, "P", False), (9, "A", True)]


def test_the_same_count_again_writes_nothing(warehouse: sa.Engine):
    assert load_day(warehouse, "viettel", DAY, counts(DAY, 4))
    assert not load_day(warehouse, "viettel", DAY, counts(DAY, 4))

    with warehouse.connect() as connection:
        assert connection.execute(sa.text("select count(*) from ops.load_batch")).scalar() == 1


def test_receipts_for_final_days_stand_in_the_ledger_as_late_with_a_warning(warehouse: sa.Engine):
    load_day(warehouse, "viettel", DAY, replace(counts(DAY, 5), late_count=7))

    with warehouse.connect() as connection:
        batch = connection.execute(
            sa.text("select late_count, warning_failed_count from ops.load_batch")
        ).one()
        check = connection.execute(
            sa.text("select observed, severity from ops.quality_result where not is_success")
        ).one()
    assert tuple(batch) == (7, 1)
    assert tuple(check) == ("7 receipts", "warning")


def test_published_reach_is_stale_once_a_log_is_counted_that_it_covers(warehouse: sa.Engine):
    def publish(drop_day: date, reached: int) -> bool:
        (campaign,) = campaigns()
        return load.publish_reach(
            warehouse, ["mobifone", "viettel"], campaign, drop_day, lambda: {DAY: reached}, DAY
        )

    def stale() -> list[date]:
        with warehouse.connect() as connection:
            return load.stale_drop_days(connection, DAY)

    second = DAY + timedelta(days=1)
    load_day(warehouse, "viettel", DAY, counts(DAY, 4))
    load_day(warehouse, "viettel", second, counts(second, 4))
    assert publish(DAY, 4)
    assert publish(second, 4)
    assert stale() == []

    load_day(warehouse, "mobifone", second, counts(second, 4))
    assert stale() == [second]
    load_day(warehouse, "mobifone", DAY, counts(DAY, 4))
    assert stale() == [DAY, second]

    assert publish(DAY, 8)
    assert stale() == [second]
