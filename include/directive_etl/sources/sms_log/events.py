"""The narrow, typed rows that one scan gives: a few integers each, and the row itself only where it is refused.

Their columns, which event_files.py keeps in the order of the rows in the files:

    file_no       USMALLINT
    reason        UTINYINT    0 for an event of a message, else why it is none, from reasons.py; of such a row, the
                              columns below but the last mean nothing
    message_key   UBIGINT     hash of connection and message id
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
from directive_etl.registry.log_formats import ColumnLog, KannelLog, Log, State
from directive_etl.registry.operators import Operator, fixed_offset
from directive_etl.sources.sms_log.fields import Fields, Written
from directive_etl.sources.sms_log.numbers import number_stages
from directive_etl.sources.sms_log.reasons import IS_REFUSED, NOT_AN_EVENT, number_of
from directive_etl.sources.sms_log.receipts import receipt_stages
from directive_etl.sources.sms_log.sql_text import literal, literal_list

ROW_TYPES = {
    "file_no": "USMALLINT",
    "reason": "UTINYINT",
    "message_key": "UBIGINT",
    "submitted_us": "BIGINT",
    "status": "BIGINT",
    "about": "UBIGINT",
    "content": "VARCHAR",
}

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
            written = sorted(text for text, meaning in operator.log.states.items() if meaning == state)
            if written:
                ranges[state] = (len(numbers), len(numbers) + len(written) - 1)
                numbers |= {text: n for n, text in enumerate(written, start=len(numbers))}
        return cls(numbers, ranges)

    @property
    def first_final(self) -> int:
        """Number from which on a status is final."""
        return self.ranges["pending"][1] + 1 if "pending" in self.ranges else 0

    def number_sql(self, written: str) -> str:
        """Return the expression of a status as written as its number; NULL for one that is not declared."""
        in_order = sorted(self.numbers, key=self.numbers.__getitem__)
        return f"(list_position([{', '.join(map(literal, in_order))}], {written}) - 1)::BIGINT"

    def is_state(self, state: State, number: str) -> str:
        """Return the condition that a status number means the state."""
        if state not in self.ranges:
            return "false"
        first, last = self.ranges[state]
        return f"({number} BETWEEN {first} AND {last})"


def typed_events(fields: Fields, operator: Operator, campaigns: Sequence[Campaign], latest_us: int) -> str:
    """Return the SELECT that turns fields into typed rows.

    Args:
        fields: from a reader.
        operator: whose they are.
        campaigns: in the order that decides to which of them a message belongs.
        latest_us: times after it are impossible. Unit: microseconds since 1970 UTC.
    """
    about = "(recipient_number << 14) | (segment_count << 6) | campaign_no"
    if operator.lone_receipts == "wait":
        # The submission's word counts; a gateway may write the number in another way in a receipt.
        about = f"CASE WHEN submitted_us IS NOT NULL THEN {about} END"
    return f"""
        SELECT file_no, reason, message_key, submitted_us,
            -- Of an impossible time this may be more than a number can hold.
            CASE WHEN reason = 0 THEN coalesce(done_us, 0) * 64 + status_no END AS status,
            {about} AS about,
            CASE WHEN {IS_REFUSED} THEN {fields.content} END AS content
        FROM ({typed_fields(fields, operator, campaigns, latest_us)})
    """


def typed_fields(fields: Fields, operator: Operator, campaigns: Sequence[Campaign], latest_us: int) -> str:
    """Return the SELECT that adds to fields what they are read as, and the reason why a row is no event.

    It adds message_key, submitted_us, done_us, status_no, segment_count, campaign_no, recipient_number and reason. Each
    stage is a projection of its own: inlined into one, every expression would be evaluated several times. Whether
    anything is wrong at all is a stage, too, so that only those rows are asked for one reason after the other.

    Args:
        fields: from a reader.
        operator: whose they are.
        campaigns: in the order that decides to which of them a message belongs.
        latest_us: times after it are impossible. Unit: microseconds since 1970 UTC.
    """
    statuses = Statuses.of(operator)
    log = operator.log
    reads_receipts = isinstance(log, ColumnLog | KannelLog) and log.reads_receipts
    identity = _identity(log, reads_receipts)
    key = f"hash(connection, {identity})" if log.has_connection else f"hash({identity})"
    others_are_ignored = operator.connections and operator.other_connections == "ignore"
    is_event = f"(is_event AND ({_is_ours(operator)}))" if others_are_ignored else "is_event"
    done_us = _to_microseconds("done_at", fields.done_written, log, operator.time_zone)
    if reads_receipts:
        done_us = f"coalesce({done_us}, {_receipt_us(log, operator)})"

    # A receipt need not say whom it is about.
    may_lack_number = str(operator.lone_receipts == "wait").lower()
    has_done_at = str(log.has_done_at).lower()

    def possible(moment: str) -> str:
        return f"{moment} BETWEEN {_EARLIEST_YEAR_US} AND {latest_us}"

    # Why a row is no event, the first that holds; none of the conditions is ever NULL.
    reasons: dict[str, int | str] = {
        "fault <> 0": "fault",
        "NOT is_event": NOT_AN_EVENT,
        "message_id IS NULL OR message_id = ''": number_of("missing_id"),
        f"NOT coalesce({_is_ours(operator)}, false)": number_of("unknown_connection"),
        f"""(submitted_at IS NOT NULL AND NOT coalesce({possible("submitted_us")}, false)
            OR NOT coalesce({possible("done_us")}, done_at IS NULL)
            OR submitted_at IS NULL AND done_us IS NULL)""": number_of("bad_time"),
        "status IS NOT NULL AND status_no IS NULL": number_of("unknown_status"),
        f"{has_done_at} AND done_us IS NULL AND coalesce(status_no >= {statuses.first_final}, false)": number_of(
            "missing_time"
        ),
        f"""recipient_number IS NULL AND NOT (
            {may_lack_number} AND recipient IS NULL AND submitted_at IS NULL AND status IS NOT NULL
            )""": number_of("bad_number"),
        "coalesce(segment_count, 0) = 0": number_of("bad_segments"),
    }
    anything = " OR ".join(f"({condition})" for condition in reasons)
    branches = " ".join(f"WHEN {condition} THEN {number}" for condition, number in reasons.items())
    typed = f"""
        SELECT * EXCLUDE (is_event), {is_event} AS is_event, {key} AS message_key,
            {_to_microseconds("submitted_at", fields.submitted_written, log, operator.time_zone)} AS submitted_us,
            {done_us} AS done_us,
            {statuses.number_sql("status")} AS status_no,
            TRY_CAST(segments AS UTINYINT)::UBIGINT AS segment_count,
            {_campaign_case(campaigns)} AS campaign_no
        FROM ({receipt_stages(fields.sql) if reads_receipts else fields.sql})
    """
    return f"""
        SELECT * EXCLUDE (is_no_event), (CASE WHEN is_no_event THEN CASE {branches} END ELSE 0 END)::UTINYINT AS reason
        FROM (
            SELECT *, {anything} AS is_no_event
            FROM ({number_stages(typed, operator.number_plan == "international")})
        )
    """


def _identity(log: Log, reads_receipts: bool) -> str:
    """Return the expression of a message id that is the same in its submission and its receipts."""
    in_hex = "ltrim(upper(message_id), '0')"
    in_decimal = "coalesce(to_hex(TRY_CAST(message_id AS UBIGINT)), upper(message_id))"
    is_receipt = "(submitted_at IS NULL OR has_receipt_id)" if reads_receipts else "submitted_at IS NULL"
    match log.ids:
        case "as_written":
            return "message_id"
        case "hex":
            return in_hex
        case "hex_then_decimal":
            return f"CASE WHEN {is_receipt} THEN {in_decimal} ELSE {in_hex} END"
        case "decimal_then_hex":
            return f"CASE WHEN {is_receipt} THEN {in_hex} ELSE {in_decimal} END"


def _is_ours(operator: Operator) -> str:
    """Return the condition that a row's connection is one of the operator's."""
    return f"connection IN {literal_list(operator.connections)}" if operator.connections else "true"


def _to_microseconds(column: str, written: Written, log: Log, time_zone: str) -> str:
    """Return the expression for a time of the log as microseconds since 1970 UTC."""
    if written == "instant":
        return f"epoch_us({column})"
    if written == "local":
        return f"TRY({_in_zone(f'{column}::TIMESTAMP', time_zone)})"
    match log.time_format:
        case "epoch_seconds":
            return f"TRY({column}::BIGINT * 1000000)"
        case "epoch_milliseconds":
            return f"TRY({column}::BIGINT * 1000)"
        case "json_date":
            number = f"regexp_extract({column}, '^/Date\\((-?[0-9]+)([+-][0-9]{{4}})?\\)/$', 1)"
            return f"TRY({number}::BIGINT * 1000)"
    parsed = f"try_strptime({column}, {literal(log.time_format)})"
    return f"epoch_us({parsed})" if "%z" in log.time_format else _in_zone(parsed, time_zone)


def _in_zone(timestamp: str, time_zone: str) -> str:
    """Return the expression for a timestamp without its zone as microseconds since 1970 UTC."""
    offset = fixed_offset(time_zone)
    if offset is None:
        return f"epoch_us(timezone({literal(time_zone)}, {timestamp}))"
    return f"(epoch_us({timestamp}) - {offset // timedelta(microseconds=1)})"


def _receipt_us(log: Log, operator: Operator) -> str:
    own_zone = log.receipt_time_zone if isinstance(log, ColumnLog) else None
    return _in_zone("receipt_done", own_zone or operator.time_zone)


def _campaign_case(campaigns: Sequence[Campaign]) -> str:
    branches = "".join(
        f" WHEN {' OR '.join(f'{match.field} = {literal(match.value)}' for match in campaign.matches)} THEN {number}"
        for number, campaign in enumerate(campaigns, start=1)
    )
    return f"(CASE{branches} ELSE 0 END)::UBIGINT" if branches else "0::UBIGINT"
