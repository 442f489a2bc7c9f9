"""Load counted drop days into the warehouse, and publish reach over all operators."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

import pandas as pd
import sqlalchemy as sa

from directive_etl.errors import RefusedBatchError
from directive_etl.landing import LandedFile
from directive_etl.periods import days_between
from directive_etl.quality import RowAccount
from directive_etl.quality.results import CheckResult, describe, failed_critical
from directive_etl.registry.campaigns import Campaign
from directive_etl.registry.operators import Operator
from directive_etl.sources.sms_log.count import STATE_COLUMNS, DropDayCounts
from directive_etl.warehouse.ledger import Batch, hash_input, lock_part, lock_parts, write_batch
from directive_etl.warehouse.merge import merge_rows
from directive_etl.warehouse.observations import record_observations
from directive_etl.warehouse.tables import facts, ops

SOURCE = "sms_log"
REACH_SOURCE = "pipeline"
REACH_PART = "sms_reach"
RESPONSIBLE_UNIT = "STTTT"
NO_CAMPAIGN = "-"


def input_hash(landed: Mapping[date, Sequence[LandedFile]]) -> str:
    """Return the hash by which the ledger knows these files."""
    return hash_input(_in_order(landed))


def recorded_inputs(connection: sa.Connection, operator: Operator, drop_day: date) -> dict[date, str]:
    """Return the input hash of each counted drop day that shares a folder with this one."""
    table = ops.load_batch
    window = timedelta(days=operator.window_days)
    query = (
        sa.select(table.c.report_date, table.c.input_hash)
        .distinct(table.c.report_date)
        .where(
            table.c.source_code == SOURCE,
            table.c.part_code == operator.operator_code,
            table.c.report_date.between(drop_day - window, drop_day + window),
        )
        .order_by(table.c.report_date, table.c.batch_id.desc())
    )
    return {row.report_date: row.input_hash for row in connection.execute(query)}


def operator_batch(
    operator: Operator,
    drop_day: date,
    landed: Mapping[date, Sequence[LandedFile]],
    counts: DropDayCounts,
    checks: Sequence[CheckResult],
) -> Batch:
    """Describe what was counted as a ledger row; a failed critical check makes it a refused batch."""
    checks = [*checks, check_states(counts.daily), find_late_receipts(counts)]
    failed = failed_critical(checks)
    account = counts.account
    if failed:
        account = RowAccount(read=account.read, loaded=0, refused=account.read)
    return Batch(
        source_code=SOURCE,
        part_code=operator.operator_code,
        report_date=drop_day,
        known_at=counts.known_at,
        account=account,
        files=_in_order(landed),
        refused=counts.refused,
        checks=checks,
        suite_name="core.daily_sms",
        status_code="refused" if failed else "loaded",
        reason=describe(failed),
        late_count=0 if failed else counts.late_count,
    )


def check_states(daily: pd.DataFrame) -> CheckResult:
    """Check that the states of the messages add up to the messages; critical: some would be lost, or told twice.

    Args:
        daily: as counted.
    """
    wrong_count = int((daily[STATE_COLUMNS].sum(axis=1) != daily["message_count"]).sum())
    return CheckResult(
        check_code="every_message_has_one_state",
        severity="critical",
        column="message_count",
        is_success=wrong_count == 0,
        observed=f"{wrong_count} of {len(daily)} rows do not add up",
        failed_count=wrong_count,
        notes="delivered, failed, expired, rejected, pending and unknown messages are all there are",
    )


def find_late_receipts(counts: DropDayCounts) -> CheckResult:
    """Check that no receipt came for a day that is final; it is a warning, since such a receipt changes nothing."""
    return CheckResult(
        check_code="no_late_receipts",
        severity="warning",
        column="",
        is_success=counts.late_count == 0,
        observed=f"{counts.late_count} receipts",
        failed_count=counts.late_count,
        notes="receipts for days that are final change nothing; when they are many, window_days is too short",
    )


def load_operator_day(
    engine: sa.Engine, operator: Operator, batch: Batch, counts: DropDayCounts, dropped_days: Sequence[date]
) -> bool:
    """Load one operator's counts of a drop day and of the open days before it, in one transaction.

    Args:
        engine: of the role etl_loader.
        operator: whose logs they are.
        batch: from `operator_batch`.
        counts: of the same drop day.
        dropped_days: days in the window for which the operator dropped files: a day without messages is 0, not absent.

    Returns:
        Whether anything changed.

    Raises:
        RefusedBatchError: a critical check failed; the refusal itself is in the ledger.
    """
    with engine.begin() as connection:
        lock_part(connection, SOURCE, batch.part_code)
        if batch.status_code == "refused":
            write_batch(connection, batch)
        else:
            figures = _operator_figures(operator, batch, counts, dropped_days)

            def load(batch_id: int) -> int:
                merged = merge_rows(
                    connection,
                    facts.daily_sms,
                    counts.daily,
                    stamp={"batch_id": batch_id},
                    newest_by="counted_through",
                    ignoring=["counted_through"],
                )
                return (
                    merged.changed
                    + record_observations(connection, figures, source_code=SOURCE, batch_id=batch_id).changed
                )

            return write_batch(connection, batch, load)
    raise RefusedBatchError(f"{SOURCE} {batch.part_code} {batch.report_date}: {batch.reason}")


def _in_order(landed: Mapping[date, Sequence[LandedFile]]) -> list[LandedFile]:
    return [file for _, files in sorted(landed.items()) for file in files]


def _operator_figures(
    operator: Operator, batch: Batch, counts: DropDayCounts, dropped_days: Sequence[date]
) -> pd.DataFrame:
    """One row per dropped day and measure: the operator's messages of all campaigns."""
    campaign_rows = counts.daily[counts.daily["campaign_code"] != NO_CAMPAIGN]
    sums = campaign_rows.groupby("report_date")[["message_count", "delivered_count"]].sum()
    rows = []
    for day in dropped_days:
        is_final = batch.report_date >= day + timedelta(days=operator.window_days)
        for measure_code, column in (
            ("sms_message_count", "message_count"),
            ("sms_delivered_count", "delivered_count"),
        ):
            value = int(sums[column].get(day, 0))
            rows.append(_figure(measure_code, batch.part_code, day, value, is_final, batch.known_at))
    return pd.DataFrame(rows)


def publish_reach(
    engine: sa.Engine,
    operator_codes: Iterable[str],
    campaign: Campaign,
    drop_day: date,
    count_reached: Callable[[], dict[date, int]],
    final_through: date,
) -> bool:
    """Publish a campaign's reach as counted through one drop day, for each open day it changes.

    Args:
        engine: of the role etl_loader.
        operator_codes: of all operators.
        campaign: the campaign.
        drop_day: last drop day counted in.
        count_reached: gives, by report date, the distinct subscribers reached to date. Unit: subscribers.
        final_through: days up to it await no more receipts.

    Returns:
        Whether anything changed.
    """
    with engine.begin() as connection:
        # An operator's count is in the store before it is in the ledger: with the locks, one that the store did not yet
        # have here gets a later number in the ledger, by which `stale_drop_days` finds it.
        lock_parts(connection, SOURCE, operator_codes)
        lock_part(connection, REACH_SOURCE, REACH_PART)
        reached = count_reached()
        known_at = _known_at(connection, drop_day)
        waves = _wave_days(connection, campaign)
        rows = []
        for day, count in reached.items():
            for measure_code, value in (
                ("sms_reached_subscriber_count", count),
                ("sms_subscriber_count", campaign.subscriber_count),
                ("sms_wave_count", int(day in waves)),
            ):
                rows.append(
                    _figure(measure_code, campaign.campaign_code, day, value, day <= final_through, known_at)
                )
        figures = pd.DataFrame(rows)
        facts_frame = pd.DataFrame(
            {
                "campaign_code": campaign.campaign_code,
                "report_date": list(reached),
                "counted_through": drop_day,
                "reached_subscriber_count": list(reached.values()),
            }
        )
        batch = Batch(
            source_code=REACH_SOURCE,
            part_code=REACH_PART,
            report_date=drop_day,
            known_at=known_at,
            account=RowAccount(read=len(figures), loaded=len(figures)),
            input_parts=[campaign.campaign_code, *(f"{day}={count}" for day, count in reached.items())],
            rows_are_figures=True,
        )

        def load(batch_id: int) -> int:
            merged = merge_rows(
                connection,
                facts.sms_reach,
                facts_frame,
                stamp={"batch_id": batch_id},
                newest_by="counted_through",
                ignoring=["counted_through"],
            )
            return (
                merged.changed
                + record_observations(connection, figures, source_code=SOURCE, batch_id=batch_id).changed
            )

        return write_batch(connection, batch, load)


def stale_drop_days(connection: sa.Connection, first: date) -> list[date]:
    """Return the drop days from `first` on whose published reach is older than a count of logs that it covers."""
    reach, counted = ops.load_batch.alias(), ops.load_batch.alias()
    newest_count = (
        sa.select(sa.func.max(counted.c.batch_id))
        .where(counted.c.source_code == SOURCE, counted.c.report_date <= reach.c.report_date)
        .scalar_subquery()
    )
    query = (
        sa.select(reach.c.report_date)
        .where(
            reach.c.source_code == REACH_SOURCE,
            reach.c.part_code == REACH_PART,
            reach.c.report_date >= first,
        )
        .group_by(reach.c.report_date)
        .having(sa.func.max(reach.c.batch_id) < newest_count)
        .order_by(reach.c.report_date)
    )
    return list(connection.execute(query).scalars())


def open_days(drop_day: date, window_days: int, first_day: date) -> list[date]:
    """Return the days whose receipts may still change with a drop day: itself and the window before it."""
    return days_between(max(first_day, drop_day - timedelta(days=window_days)), drop_day)


def _figure(
    measure_code: str, category_code: str, day: date, value: int, is_final: bool, known_at: datetime
) -> dict[str, object]:
    return {
        "unit_code": RESPONSIBLE_UNIT,
        "measure_code": measure_code,
        "category_code": category_code,
        "figure_date": day,
        "value": value,
        "obs_status": "A" if is_final else "P",
        "known_at": known_at,
    }


def _known_at(connection: sa.Connection, drop_day: date) -> datetime:
    """When the newest log up to a drop day reached us, over all operators."""
    table = ops.load_batch
    query = sa.select(sa.func.max(table.c.known_at)).where(
        table.c.source_code == SOURCE, table.c.status_code == "loaded", table.c.report_date <= drop_day
    )
    known_at: datetime = connection.execute(query).scalar_one()
    return known_at


def _wave_days(connection: sa.Connection, campaign: Campaign) -> set[date]:
    table = facts.daily_sms
    query = (
        sa.select(table.c.report_date)
        .where(table.c.campaign_code == campaign.campaign_code)
        .group_by(table.c.report_date)
        .having(sa.func.sum(table.c.message_count) >= campaign.wave_min_messages)
    )
    return set(connection.execute(query).scalars())
