"""Count what an operator's drop folders say about each day that is still open: one scan, one set of SQL.

Working data, numbers among it, stays in memory or in scratch files inside the landing zone, and goes with the process.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import pandas as pd

from directive_etl.errors import RegistryError, SourceUnavailableError
from directive_etl.landing import LandedFile
from directive_etl.periods import day_end, days_between
from directive_etl.quality import RowAccount
from directive_etl.registry.campaigns import Campaign
from directive_etl.registry.operators import Operator
from directive_etl.sources.sms_log.closed_ids import (
    are_needed,
    closed_ids_root,
    closed_ids_sql,
    write_closed_ids,
)
from directive_etl.sources.sms_log.events import MOST_CAMPAIGNS
from directive_etl.sources.sms_log.messages import (
    count_late,
    count_repeated,
    create_messages,
    create_recipients,
    daily_figures_sql,
    to_microseconds,
)
from directive_etl.sources.sms_log.reach import write_reached
from directive_etl.sources.sms_log.refused import refused_rows
from directive_etl.sources.sms_log.scan import Scanner
from directive_etl.sources.sms_log.workspace import workspace

NO_CAMPAIGN = "-"
# A gateway's clock may be ahead, and a log may be cut after midnight; a time beyond that is a misread date.
_CLOCK_TOLERANCE = timedelta(days=1)

STATE_COLUMNS = [
    "delivered_count",
    "failed_count",
    "expired_count",
    "rejected_count",
    "pending_count",
    "unknown_count",
]
DAILY_COLUMNS = [
    "report_date",
    "operator_code",
    "campaign_code",
    "message_count",
    "segment_count",
    *STATE_COLUMNS,
    "recipient_count",
    "delivered_recipient_count",
    "latency_p50_seconds",
    "latency_p95_seconds",
    "maturity",
    "counted_through",
]


@dataclass(frozen=True)
class DropDayCounts:
    """What the folders of a drop day and of the window before it say.

    Attributes:
        daily: DAILY_COLUMNS, sorted: one row per reporting day of the window that has a folder, or messages, and
            campaign. Every declared campaign has a row, with zeros where nothing was sent; `-` has one where there
            are messages of no campaign. Dates are date; counts int64; latencies float64 seconds, NaN when nothing
            was delivered.
        refused: REFUSED_COLUMNS, the rows of the drop day's folder that could not be read, by file and line.
        account: what became of the rows of the drop day's folder.
        known_at: when the last of the files became known.
        late_count: final receipts in the drop day's folder for messages of days that are final; they change nothing.
    """

    daily: pd.DataFrame
    refused: pd.DataFrame
    account: RowAccount
    known_at: datetime
    late_count: int = 0


def count_drop_day(
    files: Mapping[date, Sequence[LandedFile]],
    operator: Operator,
    campaigns: Sequence[Campaign],
    drop_day: date,
    *,
    hash_key: str,
    memory_limit: str,
    reach_root: Path,
    most_bytes: int = 1 << 35,
) -> DropDayCounts:
    """Count the messages of the days whose receipts the folder of `drop_day` may still hold.

    Also writes, for each campaign and day, who was reached (reach.py), and the ids of the day that becomes final
    (closed_ids.py).

    Args:
        files: landed files by folder day, of `drop_day` and the operator's window before it; others are not read.
        operator: whose logs they are.
        campaigns: told apart by; the first that matches a message has it.
        drop_day: the last folder counted.
        hash_key: secret of the keyed hash that stands for a number.
        memory_limit: of DuckDB, such as `512MB`; beyond it data goes to scratch files.
        reach_root: folder of the reach store.
        most_bytes: a file that unpacks to more is refused.

    Raises:
        SourceUnavailableError: no file of the drop day itself.
        RegistryError: more campaigns are declared than can be told apart.
    """
    window = days_between(drop_day - timedelta(days=operator.window_days), drop_day)
    if len(campaigns) > MOST_CAMPAIGNS:
        raise RegistryError(
            f"registry/campaigns: {len(campaigns)} campaigns, at most {MOST_CAMPAIGNS} can be counted"
        )
    if not files.get(drop_day):
        raise SourceUnavailableError(
            f"sms_log {operator.operator_code} {drop_day}: no log has landed for the day"
        )
    by_day = [sorted(files.get(day, ()), key=lambda file: (file.known_at, file.sha256)) for day in window]
    ordered = [file for day_files in by_day for file in day_files]
    first_of_drop_day = len(ordered) - len(by_day[-1])
    dropped_days = [day for day in window if files.get(day)]
    days = [day for day in window if day >= dropped_days[0]]
    latest = to_microseconds(day_end(drop_day) + _CLOCK_TOLERANCE)
    input_bytes = sum(file.size_bytes for file in ordered)
    with workspace(ordered[0].path.parents[2], memory_limit, hash_key, input_bytes) as (connection, scratch):
        scanned = Scanner(connection, operator, campaigns, latest, scratch, most_bytes).scan(ordered)
        read_count = sum(file.read_count for file in scanned[first_of_drop_day:])
        with ThreadPoolExecutor(max_workers=1) as pool:
            # Masking is Python's work, and making messages is DuckDB's.
            refusing = pool.submit(refused_rows, connection.cursor(), scanned, operator, first_of_drop_day)
            create_messages(connection, operator, days, window[0] - timedelta(days=1))
            refused = refusing.result()
        repeated = count_repeated(connection, first_of_drop_day)
        closed_ids = None
        if are_needed(operator):
            write_closed_ids(connection, closed_ids_root(reach_root), operator, window[0])
            closed_ids = closed_ids_sql(closed_ids_root(reach_root), operator, window[0])
        late = count_late(connection, operator, first_of_drop_day, closed_ids)
        create_recipients(connection, operator)
        figures = connection.execute(daily_figures_sql(operator)).df()
        daily = _to_daily(figures, operator, campaigns, drop_day, dropped_days)
        reported_days = sorted(set(daily["report_date"]))
        write_reached(connection, reach_root, operator, campaigns, reported_days, drop_day)
    account = RowAccount(
        read=read_count,
        loaded=read_count - len(refused) - repeated,
        refused=len(refused),
        duplicate=repeated,
    )
    return DropDayCounts(daily, refused, account, max(file.known_at for file in ordered), late)


def _to_daily(
    figures: pd.DataFrame,
    operator: Operator,
    campaigns: Sequence[Campaign],
    drop_day: date,
    dropped_days: Sequence[date],
) -> pd.DataFrame:
    """Name days and campaigns, add the zeros, and say which days are final."""
    codes = [NO_CAMPAIGN, *(campaign.campaign_code for campaign in campaigns)]
    counted = figures.assign(
        report_date=pd.to_datetime(figures["day"]).dt.date,
        campaign_code=figures["campaign_no"].map(dict(enumerate(codes))),
    )
    owed = pd.DataFrame(
        [(day, code) for day in dropped_days for code in codes[1:]], columns=["report_date", "campaign_code"]
    )
    daily = counted.merge(owed, on=["report_date", "campaign_code"], how="outer")
    counts = [name for name in figures.columns if name.endswith("_count")]
    daily[counts] = daily[counts].fillna(0).astype("int64")
    is_final = (
        daily["report_date"]
        .map(lambda day: drop_day >= day + timedelta(days=operator.window_days))
        .astype(bool)
    )
    daily["operator_code"] = operator.operator_code
    daily["pending_count"] = daily["without_state_count"].where(~is_final, 0)
    daily["unknown_count"] = daily["without_state_count"].where(is_final, 0)
    for share in ("p50", "p95"):
        daily[f"latency_{share}_seconds"] = daily[f"latency_{share}_us"].astype("float64") / 1e6
    daily["maturity"] = is_final.map({True: "final", False: "open"})
    daily["counted_through"] = drop_day
    return daily.sort_values(["report_date", "campaign_code"], ignore_index=True)[DAILY_COLUMNS]
