"""From events to messages to daily figures, in SQL that is the same for every format.

A message is a submission; its state is that of its last final receipt, by time and then by place in the files. Minimum
and maximum do not mind copies of an event, nor the order in which files are read.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import duckdb

from directive_etl.periods import LOCAL_ZONE, day_end, day_start
from directive_etl.registry.operators import Operator
from directive_etl.sources.sms_log.events import CAMPAIGN_NO, RECIPIENT, SEGMENTS, Statuses

_DAY_US = 86_400_000_000
_EPOCH = date(1970, 1, 1)


def create_messages(connection: duckdb.DuckDBPyConnection, operator: Operator, days: Sequence[date]) -> None:
    """Create `messages`, one row per message, from `events`.

    Columns: day DATE, NULL when it is none of the days; submitted_us; final_status (as in events; NULL without a final
    receipt); recipient, segments, campaign_no; doubtful_key, the message_key when some of its events may have the same
    time: copies of each other, or final receipts whose order in the files decides.
    """
    first_final = Statuses.of(operator).first_final
    seen_us = "submitted_us"
    if operator.lone_receipts == "message":
        seen_us = "coalesce(submitted_us, first_receipt_us)"
    first_receipt = (
        "min(status >> 6) FILTER (status >= 64)" if operator.lone_receipts == "message" else "NULL"
    )
    first_us, end_us = (to_microseconds(moment) for moment in (day_start(days[0]), day_end(days[-1])))
    offset_us = _local_offset(days[-1]) // timedelta(microseconds=1)
    connection.execute(
        f"""
        CREATE TABLE messages AS
        SELECT submitted_us, final_status,
            {RECIPIENT} AS recipient, {SEGMENTS} AS segments, {CAMPAIGN_NO} AS campaign_no,
            CASE WHEN bit_count(event_bits) < event_count THEN message_key END AS doubtful_key,
            CASE WHEN {seen_us} >= {first_us} AND {seen_us} < {end_us}
                THEN DATE '{_EPOCH}' + (({seen_us} + {offset_us}) // {_DAY_US})::INTEGER END AS day
        FROM (
            SELECT message_key,
                min(submitted_us) AS submitted_us,
                {first_receipt} AS first_receipt_us,
                max(CASE WHEN (status & 63) >= {first_final} THEN status END) AS final_status,
                count(*) AS event_count,
                -- One of 64 bits for each time: as many bits as events, and no two of them are of the same time.
                bit_or(1::UBIGINT << (hash(submitted_us, status >> 6) & 63)::INTEGER) AS event_bits,
                min(about) AS about
            FROM events
            WHERE message_key IS NOT NULL
            GROUP BY message_key
        )
        """
    )
    connection.execute(
        "CREATE TABLE doubtful AS SELECT message_key, submitted_us, status, file_no, events.rowid AS place "
        "FROM events SEMI JOIN messages ON events.message_key = doubtful_key"
    )
    # Two final receipts within the same second: the later line wins.
    connection.execute(
        f"""
        UPDATE messages SET final_status = latest.status
        FROM (
            SELECT message_key, max_by(status, (status >> 6, place)) AS status
            FROM doubtful WHERE (status & 63) >= {first_final}
            GROUP BY message_key
        ) AS latest
        WHERE doubtful_key = latest.message_key AND messages.final_status <> latest.status
        """
    )


def count_repeated(connection: duckdb.DuckDBPyConnection, first_file_no: int) -> int:
    """Count the events of files from `first_file_no` on that are exact copies: of each other, or of earlier files'."""
    rows, new = connection.execute(
        f"""
        SELECT coalesce(sum(copies), 0), count(*) FILTER (first_file_no >= {first_file_no})
        FROM (
            SELECT min(file_no) AS first_file_no, count(*) FILTER (file_no >= {first_file_no}) AS copies
            FROM doubtful
            GROUP BY message_key, submitted_us, status
        )
        """
    ).fetchall()[0]
    return int(rows) - int(new)


def daily_figures_sql(operator: Operator) -> str:
    """Return the SELECT of one row per day and campaign_no from `messages` and `recipients`.

    Latencies are percentiles by nearest rank, the smallest value with a cumulative share of at least p, in
    microseconds.
    """
    statuses = Statuses.of(operator)
    number = "(final_status & 63)"

    def count(state: str) -> str:
        condition = statuses.is_state(state, number)  # type: ignore[arg-type]
        return f"count(*) FILTER ({condition}) AS {state}_count"

    return f"""
        WITH counted AS (
            SELECT day, campaign_no, count(*) AS message_count, sum(segments) AS segment_count,
                {count("delivered")}, {count("failed")}, {count("expired")}, {count("rejected")},
                count(*) FILTER (final_status IS NULL) AS without_state_count
            FROM messages WHERE day IS NOT NULL GROUP BY ALL
        ), reached AS (
            SELECT day, campaign_no, count(*) AS recipient_count,
                count(*) FILTER (is_delivered) AS delivered_recipient_count
            FROM recipients GROUP BY ALL
        ), latency AS (
            SELECT day, campaign_no, (final_status >> 6) - submitted_us AS waited_us, count(*) AS weight
            FROM messages
            WHERE {statuses.is_state("delivered", number)} AND final_status >= 64 AND submitted_us IS NOT NULL
                AND day IS NOT NULL
            GROUP BY ALL
        ), ranked AS (
            SELECT day, campaign_no, waited_us,
                sum(weight) OVER (PARTITION BY day, campaign_no ORDER BY waited_us) AS cumulative,
                sum(weight) OVER (PARTITION BY day, campaign_no) AS total
            FROM latency
        ), percentiles AS (
            SELECT day, campaign_no,
                min(waited_us) FILTER (cumulative * 100 >= total * 50) AS latency_p50_us,
                min(waited_us) FILTER (cumulative * 100 >= total * 95) AS latency_p95_us
            FROM ranked GROUP BY ALL
        )
        SELECT * FROM counted JOIN reached USING (day, campaign_no) LEFT JOIN percentiles USING (day, campaign_no)
        ORDER BY day, campaign_no
    """


def create_recipients(connection: duckdb.DuckDBPyConnection, operator: Operator) -> None:
    """Create `recipients`, one row per day, campaign_no and recipient, with is_delivered, from `messages`."""
    is_delivered = Statuses.of(operator).is_state("delivered", "(final_status & 63)")
    connection.execute(
        f"""
        CREATE TABLE recipients AS
        SELECT day, campaign_no, recipient, bool_or(coalesce({is_delivered}, false)) AS is_delivered
        FROM messages WHERE day IS NOT NULL GROUP BY ALL
        """
    )


def to_microseconds(moment: datetime) -> int:
    """Return an aware moment as microseconds since 1970 UTC."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _local_offset(day: date) -> timedelta:
    offset = day_start(day).astimezone(LOCAL_ZONE).utcoffset()
    return offset if offset is not None else timedelta(0)
