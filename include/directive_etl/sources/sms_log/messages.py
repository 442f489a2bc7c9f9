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
# A gateway may log a receipt a moment before the submission that it answers.
_EARLY_RECEIPT_US = 60_000_000
_EPOCH = date(1970, 1, 1)


def create_messages(
    connection: duckdb.DuckDBPyConnection, operator: Operator, days: Sequence[date], final_through: date
) -> None:
    """Create `messages`, one row per message, from `events`.

    Columns: message_key; day DATE, NULL when it is none of the days; submitted_us; final_status (as in events; NULL
    without a final receipt); recipient, segments, campaign_no; is_closing, of the first day after `final_through`;
    is_closed, of a day that is final; is_waiting, receipts without a submission; is_doubtful, when some of its events
    may have the same time: copies of each other, or final receipts whose order in the files decides. It is a view of
    the narrower table `message_state`: ten million events make millions of messages.

    Also `placed`, the events under the key of their message, with their place in the files, and `doubtful`, those of
    the doubtful messages.

    Args:
        connection: with `events`.
        operator: whose they are.
        days: that messages are counted for.
        final_through: the last day that awaits no more receipts.
    """
    connection.execute(f"CREATE TABLE message_state AS {_states_sql(operator, days, 'events')}")
    connection.execute(f"CREATE VIEW messages AS {_messages_sql(final_through)}")
    placed = "SELECT message_key, submitted_us, status, file_no, place FROM events"
    if _resolve_repeated_ids(connection):
        connection.execute("DELETE FROM message_state WHERE is_repeated")
        connection.execute(f"INSERT INTO message_state {_states_sql(operator, days, 'resolved')}")
        placed = (
            f"{placed} ANTI JOIN repeated USING (message_key) "
            "UNION ALL SELECT message_key, submitted_us, status, file_no, place FROM resolved"
        )
    connection.execute(f"CREATE VIEW placed AS {placed}")
    connection.execute(f"CREATE TABLE doubtful AS FROM placed WHERE {_is_of('is_doubtful')}")
    # Two final receipts within the same second: the later line wins.
    connection.execute(
        f"""
        UPDATE message_state SET final_status = latest.status
        FROM (
            SELECT message_key, max_by(status, (status >> 6, place)) AS status
            FROM doubtful WHERE (status & 63) >= {Statuses.of(operator).first_final}
            GROUP BY message_key
        ) AS latest
        WHERE is_doubtful AND message_state.message_key = latest.message_key
            AND message_state.final_status <> latest.status
        """
    )


def _resolve_repeated_ids(connection: duckdb.DuckDBPyConnection) -> bool:
    """Make several messages of ids that were given to several, since gateways count anew after a restart.

    An event that tells its submission is of that one; a receipt that does not, of the newest submission before it, or
    of the first. Creates `repeated`, the keys, and `resolved`, their events with keys of their own.

    Returns:
        Whether there were any.
    """
    connection.execute("CREATE TABLE repeated AS SELECT message_key FROM message_state WHERE is_repeated")
    if not _count(connection, "FROM repeated"):
        return False
    connection.execute(
        f"""
        CREATE TABLE resolved AS
        WITH reused AS (
            SELECT message_key, submitted_us, status, about, file_no, place,
                coalesce(submitted_us, nullif(status >> 6, 0) + {_EARLY_RECEIPT_US}) AS seen_us
            FROM events SEMI JOIN repeated USING (message_key)
        ), submissions AS (
            SELECT DISTINCT message_key, submitted_us AS began_us FROM reused WHERE submitted_us IS NOT NULL
        ), first_submissions AS (
            SELECT message_key, min(began_us) AS first_us, max(began_us) AS last_us
            FROM submissions GROUP BY message_key
        )
        SELECT hash(message_key, CASE WHEN seen_us IS NULL THEN last_us ELSE coalesce(began_us, first_us) END)
                AS message_key,
            reused.submitted_us, status, about, file_no, place
        FROM reused
        JOIN first_submissions USING (message_key)
        ASOF LEFT JOIN submissions ON reused.message_key = submissions.message_key AND seen_us >= began_us
        """
    )
    return True


def _states_sql(operator: Operator, days: Sequence[date], events: str) -> str:
    """Return the SELECT of `message_state` from a table of events; is_repeated tells that it is several messages."""
    first_final = Statuses.of(operator).first_final
    seen_us, first_receipt = "submitted_us", "NULL"
    if operator.lone_receipts == "message":
        seen_us, first_receipt = (
            "coalesce(submitted_us, first_receipt_us)",
            "min(status >> 6) FILTER (status >= 64)",
        )
    first_us, end_us = (to_microseconds(moment) for moment in (day_start(days[0]), day_end(days[-1])))
    offset_us = _local_offset(days[-1]) // timedelta(microseconds=1)
    return f"""
        SELECT message_key, submitted_us, final_status, about,
            CASE WHEN {seen_us} >= {first_us} AND {seen_us} < {end_us} AND about IS NOT NULL
                THEN DATE '{_EPOCH}' + (({seen_us} + {offset_us}) // {_DAY_US})::INTEGER END AS day,
            bit_count(event_bits) < event_count AS is_doubtful,
            coalesce(last_submitted_us > submitted_us, false) AS is_repeated
        FROM (
            SELECT message_key,
                min(submitted_us) AS submitted_us,
                max(submitted_us) AS last_submitted_us,
                {first_receipt} AS first_receipt_us,
                max(CASE WHEN (status & 63) >= {first_final} THEN status END) AS final_status,
                count(*) AS event_count,
                -- One of 64 bits for each time: as many bits as events, and no two of them are of the same time.
                bit_or(1::UBIGINT << (hash(submitted_us, status >> 6) & 63)) AS event_bits,
                min(about) AS about
            FROM {events}
            GROUP BY message_key
        )
    """


def _messages_sql(final_through: date) -> str:
    """Return the SELECT of `messages` from `message_state`."""
    closing_day = final_through + timedelta(days=1)
    final_us, closing_us = (to_microseconds(end(closing_day)) for end in (day_start, day_end))
    return f"""
        SELECT message_key, day, submitted_us, final_status, {RECIPIENT} AS recipient,
            {SEGMENTS}::UTINYINT AS segments, {CAMPAIGN_NO}::UTINYINT AS campaign_no,
            is_doubtful, submitted_us IS NULL AS is_waiting,
            coalesce(submitted_us < {final_us}, false) AS is_closed,
            coalesce(submitted_us >= {final_us} AND submitted_us < {closing_us}, false) AS is_closing
        FROM message_state
    """


def count_late(
    connection: duckdb.DuckDBPyConnection, operator: Operator, first_file_no: int, closed_ids: str | None
) -> int:
    """Count the final receipts in files from `first_file_no` on whose message is of a day that is final.

    Args:
        connection: with `placed` and `messages`.
        operator: whose they are.
        first_file_no: the first file that is told of.
        closed_ids: a SELECT of message_key of final days whose folders are not among the files.
    """
    late = f"file_no >= {first_file_no} AND (status & 63) >= {Statuses.of(operator).first_final}"
    count = 0
    if _count(connection, "FROM messages WHERE is_closed"):
        count += _count(connection, f"FROM placed WHERE {late} AND {_is_of('is_closed')}")
    if closed_ids is not None:
        # Only receipts whose message is in none of the folders; there are few.
        count += _count(
            connection,
            f"""
            FROM placed
            WHERE {late} AND {_is_of("is_waiting")} AND message_key IN ({closed_ids})
            """,
        )
    return count


def _is_of(kind: str) -> str:
    """Return the condition that an event is of one of the messages of a kind."""
    return f"message_key IN (SELECT message_key FROM messages WHERE {kind})"


def _count(connection: duckdb.DuckDBPyConnection, source: str) -> int:
    return int(connection.execute(f"SELECT count(*) {source}").fetchall()[0][0])


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
