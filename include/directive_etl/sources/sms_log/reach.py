"""The reach store: keyed hashes of the subscribers reached, one Parquet file per campaign, day, operator and count.

    <root>/<campaign_code>/<report_date>/<operator_code>@<counted_through>.parquet    recipient_hash BIGINT, sorted

A later count of a day stands beside the earlier one, so reach can be told as it was counted through any drop day.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb

from directive_etl.periods import days_between
from directive_etl.registry.campaigns import Campaign
from directive_etl.registry.operators import Operator
from directive_etl.sources.sms_log.parquet_files import write_parquet


def write_reached(
    connection: duckdb.DuckDBPyConnection,
    root: Path,
    operator: Operator,
    campaigns: Sequence[Campaign],
    days: Sequence[date],
    counted_through: date,
) -> None:
    """Write who was reached by each campaign on each day, from the table `recipients`.

    A file appears whole or not at all, and the same subscribers give the same bytes.
    """
    for campaign_no, campaign in enumerate(campaigns, start=1):
        for day in days:
            folder = root / campaign.campaign_code / day.isoformat()
            folder.mkdir(parents=True, exist_ok=True)
            target = folder / f"{operator.operator_code}@{counted_through.isoformat()}.parquet"
            select = f"""
                SELECT keyed_hash(recipient::VARCHAR, inner_key, outer_key) AS recipient_hash
                FROM recipients, hash_keys
                WHERE campaign_no = {campaign_no} AND day = DATE '{day}' AND is_delivered
                ORDER BY recipient_hash
            """
            write_parquet(connection, select, target)


def count_reached(
    root: Path, campaign_code: str, report_date: date, counted_through: date, first_day: date
) -> int:
    """Count the distinct subscribers that a campaign reached, over all operators.

    Args:
        root: folder of the reach store.
        campaign_code: the campaign.
        report_date: last day counted, by submission.
        counted_through: only what was known through this drop day.
        first_day: first day counted.

    Returns:
        Subscribers; 0 when nothing is stored.
    """
    newest: dict[tuple[date, str], tuple[date, Path]] = {}
    for day in days_between(first_day, report_date):
        for path in (root / campaign_code / day.isoformat()).glob("[!.]*@*.parquet"):
            operator_code, _, through = path.stem.rpartition("@")
            counted = date.fromisoformat(through)
            if counted <= counted_through and counted > newest.get((day, operator_code), (date.min, path))[0]:
                newest[day, operator_code] = (counted, path)
    if not newest:
        return 0
    paths = sorted(str(path) for _, path in newest.values())
    with duckdb.connect(":memory:", config={"memory_limit": "512MB"}) as connection:
        connection.execute("SET enable_progress_bar = false")
        row = connection.execute(
            "SELECT count(DISTINCT recipient_hash) FROM read_parquet($1)", [paths]
        ).fetchone()
    return int(row[0]) if row else 0
