"""The narrow, typed table that one scan fills: a few integers per row, and the row itself only where it is refused.

Columns of `events`, whose rowid is the order of the rows in the files:

    file_no       USMALLINT
    reason        UTINYINT    0 for a row that can be read, else from reasons.py
    message_key   UBIGINT     hash of connection and message id; NULL for rows that are no event of a message
    submitted_us  BIGINT      submission, microseconds since 1970 UTC; NULL when the row does not tell it
    status        BIGINT      64 * (microseconds of the status, 0 when unknown) + number of the status; NULL without one
    about         UBIGINT     recipient, segments and campaign in 50, 8 and 6 bits (0 for no campaign); NULL for a
                              receipt that does not repeat the submission, unless it may make a message. Numbers stay
                              in this process and its scratch files.
    content       VARCHAR     the row as written, for refused rows
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from directive_etl.registry.campaigns import Campaign
from directive_etl.registry.operators import DelimitedLog, Operator, State
from directive_etl.sources.sms_log.fields import Fields
from directive_etl.sources.sms_log.numbers import number_stages
from directive_etl.sources.sms_log.reasons import number_of
from directive_etl.sources.sms_log.sql_text import literal, literal_list, mapping_case

CREATE_EVENTS = """
    CREATE TABLE events (
        file_no USMALLINT, reason UTINYINT, message_key UBIGINT, submitted_us BIGINT, status BIGINT, about UBIGINT,
        content VARCHAR
    )
"""

_RANKED_STATES: tuple[State, ...] = ("pending", "failed", "expired", "rejected", "delivered")
# What `about` is unpacked with.
RECIPIENT = "(about >> 14)"
SEGMENTS = "((about >> 6) & 255)"
CAMPAIGN_NO = "(about & 63)"
MOST_CAMPAIGNS = 63

_EARLIEST_YEAR_US = 946_684_800_000_000  # 2000-01-01


@dataclass(frozen=True)
class Statuses:
    """The statuses of an operator as small numbers, those that mean the same state next to each other.

    Attributes:
        numbers: number of each status as written.
        ranges: first and last number of each state; absent states have none.
    """

    numbers: dict[str, int]
    ranges: dict[State, tuple[int, int]]

    @classmethod
    def of(cls, operator: Operator) -> "Statuses":
        """Number the statuses of an operator."""
        numbers: dict[str, int] = {}
        ranges: dict[State, tuple[int, int]] = {}
        for state in _RANKED_STATES:
            written = sorted(text for text, meaning in operator.log.status_map.items() if meaning == state)
            if written:
                ranges[state] = (len(numbers), len(numbers) + len(written) - 1)
                numbers |= {text: n for n, text in enumerate(written, start=len(numbers))}
        return cls(numbers, ranges)

    @property
    def first_final(self) -> int:
        """Number from which on a status is final."""
        return self.ranges["pending"][1] + 1 if "pending" in self.ranges else 0

    def is_state(self, state: State, number: str) -> str:
        """Return the condition that a status number means the state."""
        if state not in self.ranges:
            return "false"
        first, last = self.ranges[state]
        return f"({number} BETWEEN {first} AND {last})"


def typed_events(fields: Fields, operator: Operator, campaigns: Sequence[Campaign], latest_us: int) -> str:
    """Return the SELECT that turns fields into rows of `events`.

    Each stage is a projection of its own: inlined into one, every expression would be evaluated several times.

    Args:
        fields: from a reader.
        operator: whose they are.
        campaigns: in the order that decides to which of them a message belongs.
        latest_us: times after it are impossible. Unit: microseconds since 1970 UTC.
    """
    statuses = Statuses.of(operator)
    log = operator.log
    has_done_at = not isinstance(log, DelimitedLog) or log.columns.done_at is not None
    key = "hash(connection, message_id)" if _has_connection(operator) else "hash(message_id)"
    others_are_ignored = operator.connections and operator.other_connections == "ignore"
    is_event = f"(is_event AND ({_is_ours(operator)}))" if others_are_ignored else "is_event"

    # The submission's word counts; a gateway may write the number in another way in a receipt.
    tells_all = " AND submitted_us IS NOT NULL" if operator.lone_receipts == "wait" else ""

    def possible(moment: str) -> str:
        return f"{moment} BETWEEN {_EARLIEST_YEAR_US} AND {latest_us}"

    typed = f"""
        SELECT * EXCLUDE (is_event), {is_event} AS is_event, {key} AS message_key,
            {_to_microseconds("submitted_at", operator)} AS submitted_us,
            {_to_microseconds("done_at", operator)} AS done_us,
            {mapping_case("status", statuses.numbers, "BIGINT")} AS status_no,
            TRY_CAST(segments AS UTINYINT)::UBIGINT AS segment_count,
            {_campaign_case(campaigns)} AS campaign_no
        FROM ({fields.sql})
    """
    return f"""
        SELECT file_no, reason,
            CASE WHEN is_event AND reason = 0 THEN message_key END,
            CASE WHEN reason = 0 THEN submitted_us END,
            CASE WHEN reason = 0 AND status_no IS NOT NULL THEN coalesce(done_us, 0) * 64 + status_no END,
            CASE WHEN is_event AND reason = 0{tells_all}
                THEN (recipient_number << 14) | (segment_count << 6) | campaign_no END,
            CASE WHEN reason <> 0 THEN {fields.content} END
        FROM (
            SELECT *, (CASE
                WHEN fault <> 0 THEN fault
                WHEN NOT is_event THEN 0
                WHEN coalesce(message_id, '') = '' THEN {number_of("missing_id")}
                WHEN NOT ({_is_ours(operator)}) THEN {number_of("unknown_connection")}
                WHEN submitted_at IS NOT NULL AND NOT coalesce({possible("submitted_us")}, false)
                    OR done_at IS NOT NULL AND NOT coalesce({possible("done_us")}, false)
                    OR submitted_at IS NULL AND done_at IS NULL THEN {number_of("bad_time")}
                WHEN status IS NOT NULL AND status_no IS NULL THEN {number_of("unknown_status")}
                WHEN {str(has_done_at).lower()} AND status_no >= {statuses.first_final} AND done_us IS NULL
                    THEN {number_of("missing_time")}
                WHEN recipient_number IS NULL THEN {number_of("bad_number")}
                WHEN coalesce(segment_count, 0) = 0 THEN {number_of("bad_segments")}
                ELSE 0 END)::UTINYINT AS reason
            FROM ({number_stages(typed, operator.number_plan == "international")})
        )
    """


def _has_connection(operator: Operator) -> bool:
    return not isinstance(operator.log, DelimitedLog) or operator.log.columns.connection is not None


def _is_ours(operator: Operator) -> str:
    """Return the condition that a row's connection is one of the operator's."""
    return f"connection IN {literal_list(operator.connections)}" if operator.connections else "true"


def _to_microseconds(column: str, operator: Operator) -> str:
    """Return the expression for a time as written, in the zone of the log, as microseconds since 1970 UTC."""
    parsed = f"try_strptime({column}, {literal(operator.log.time_format)})"
    offset = operator.fixed_offset()
    if offset is None:
        return f"epoch_us(timezone({literal(operator.time_zone)}, {parsed}))"
    return f"(epoch_us({parsed}) - {offset // timedelta(microseconds=1)})"


def _campaign_case(campaigns: Sequence[Campaign]) -> str:
    branches = "".join(
        f" WHEN {' OR '.join(f'{match.field} = {literal(match.value)}' for match in campaign.matches)} THEN {number}"
        for number, campaign in enumerate(campaigns, start=1)
    )
    return f"(CASE{branches} ELSE 0 END)::UBIGINT" if branches else "0::UBIGINT"
