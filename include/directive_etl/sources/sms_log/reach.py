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
                SELECT keyed_hash(recipient::VARCHAR, key_block) AS recipient_hash
                FROM recipients, hash_key
                WHERE campaign_no = {campaign_no} AND day = DATE '{day}' AND is_delivered
                ORDER BY recipient_hash
            """
            write_parquet(connection, select, target)


def count_reached(
    root: Path, campaign_code: str, days: Sequence[date], counted_through: date, first_day: date
) -> dict[date, int]:
    """Count the distinct subscribers that a campaign reached up to each of some days, over all operators.

    Args:
        root: folder of the reach store.
        campaign_code: the campaign.
        days: last days counted, by submission.
        counted_through: only what was known through this drop day.
        first_day: first day counted.

    Returns:
        Subscribers by day; 0 when nothing is stored.
    """
    newest: dict[tuple[date, str], tuple[date, Path]] = {}
    for day in days_between(first_day, max(days, default=date.min)):
        for path in (root / campaign_code / day.isoformat()).glob("[!.]*@*.parquet"):
            operator_code, _, through = path.stem.rpartition("@")
            counted = date.fromisoformat(through)
            if counted <= counted_through and counted > newest.get((day, operator_code), (date.min, path))[0]:
                newest[day, operator_code] = (counted, path)
    if not newest:
        return dict.fromkeys(days, 0)
    in_order = sorted(newest.items())
    with duckdb.connect(":memory:", config={"memory_limit": "512MB"}) as connection:
        connection.execute("SET enable_progress_bar = false")
        # The files are in order of day, so the first that knows a subscriber tells since when it is reached.
        new_counts = connection.execute(
            """
            SELECT first_file, count(*)
            FROM (SELECT min(file_index) AS first_file FROM read_parquet($1) GROUP BY recipient_hash)
            GROUP BY first_file
            """,
            [[str(path) for _, (_, path) in in_order]],
        ).fetchall()
    reached_on = [(in_order[first_file][0][0], count) for first_file, count in new_counts]
    return {day: sum(count for since, count in reached_on if since <= day) for day in days}
