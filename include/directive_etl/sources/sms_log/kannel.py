"""Reader of Kannel's access log in its default layout.

    2020-08-18 08:00:00 Sent SMS [SMSC:VT-01] [SVC:s] [ACT:a] [BINF:] [FID:1001] [META:?smpp_resp?] [from:BLUEZONE]
    [to:84...] [flags:MClass:Coding:MWI:Compress:DLRMask] [msg:length:body] [udh:length:header]

(one line). The body is what a stranger may have written, brackets and all, so everything is read from the left, up to
the first ` [msg:`; of what follows only the length counts. The layout is bb_alog.c's, the events bb_smscconn.c's.
"""

from collections.abc import Sequence

from directive_etl.registry.log_formats import KannelLog
from directive_etl.sources.sms_log.fields import Fields, file_no_sql, read_lines_call, shown_line
from directive_etl.sources.sms_log.kannel_layout import custom_layout
from directive_etl.sources.sms_log.reasons import number_of
from directive_etl.sources.sms_log.segments import kannel_segment_stages
from directive_etl.sources.sms_log.sql_text import literal, literal_list
from directive_etl.sources.sms_log.text_files import TextFile

# Events that are logged and are no message of ours: incoming SMS, receipts that Kannel cannot match or passes on, and
# messages that never left, whose NACK comes as a receipt without an id.
_OTHER_EVENTS = (
    "Receive SMS",
    "FAILED Receive DLR",
    "Sent DLR",
    "FAILED Send SMS",
    "FAILED Send DLR",
    "DISCARDED SMS",
    "DISCARDED DLR",
    "EXPIRED SMS",
    "EXPIRED DLR",
    "FAILED Routing SMS",
    "FAILED Routing DLR",
    "FAILED DLR SMS",
    "REJECTED - not white-listed SMS",
    "REJECTED - not white-regex-listed SMS",
    "REJECTED - black-listed SMS",
    "REJECTED - black-regex-listed SMS",
)
_MARKS = ("Log begins", "Log ends")

# What stands behind the text of a line.
_HEADER = r"\] \[udh:[^\]]*\]$"

# Positions, from 1, of the fields before the message, once they are split at `] [`, and what they are.
_HEAD = {"SVC": 2, "FID": 5, "META": 6, "from": 7, "to": 8, "flags": 9}
_PARTS = ("service", "message_id", None, "sender", "recipient", "flags")


def kannel_fields(files: Sequence[TextFile], log: KannelLog) -> Fields:
    """Read Kannel access logs.

    Args:
        files: numbered in a row.
        log: how the operator writes them.
    """
    lines = f"""
        SELECT {file_no_sql(files)} AS file_no, line FROM {read_lines_call(files, log.encoding)} WHERE line IS NOT NULL
    """
    needed = literal("Receive DLR" if log.status_from == "receipt" else "Sent SMS")
    parsed = _default_layout(lines, needed) if log.layout is None else custom_layout(lines, log.layout)
    if log.status_from == "receipt":
        text = "substr(message, position(':' IN message) + 1)"
        # What Kannel itself writes when the SMSC takes a message, or turns it away.
        taken, refused = f"starts_with({text}, 'ACK/')", f"starts_with({text}, 'NACK/')"
        status = f"CASE WHEN {taken} THEN 'ACCEPTD' WHEN {refused} THEN 'REJECTD' END"
        receipt = (
            f"CASE WHEN NOT ({taken} OR {refused}) THEN regexp_replace({text}, {literal(_HEADER)}, '') END"
        )
    else:
        status, receipt = "kind", "NULL::VARCHAR"
    events = literal_list(("Sent SMS", "Receive DLR", *_OTHER_EVENTS))
    messages = f"""
        SELECT * EXCLUDE (is_well_formed, message, coding, kind),
            CASE
                WHEN event IN {literal_list(_MARKS)} THEN 0
                WHEN is_well_formed AND event IN {events} THEN 0
                ELSE {number_of("wrong_layout")}
            END AS fault,
            CASE WHEN event <> 'Sent SMS' THEN {status} END AS status,
            CASE WHEN event = 'Receive DLR' THEN {receipt} END AS receipt,
            CASE WHEN event = 'Sent SMS' THEN message END AS sent,
            CASE WHEN event = 'Sent SMS' THEN coding END AS coding
        FROM ({parsed})
    """
    sql = f"""
        SELECT file_no, fault, event IN ('Sent SMS', 'Receive DLR') AND coalesce(message_id, '') <> '' AS is_event,
            connection, message_id, sender, service, recipient,
            CASE WHEN event = 'Sent SMS' THEN logged_at END AS submitted_at,
            CASE WHEN event <> 'Sent SMS' THEN logged_at END AS done_at,
            status, receipt, segments, event, line
        FROM ({kannel_segment_stages(messages)})
    """
    return Fields(sql, shown_line("event"))


def _default_layout(lines: str, needed: str) -> str:
    """Return the SELECT that takes lines of the default layout apart.

    It gives, beside file_no and line: is_well_formed; event; logged_at, connection, service, message_id, sender,
    recipient as written; kind, the type of a receipt; coding; message, what follows `[msg:`, of lines whose event is
    `Sent SMS` or the literal `needed`.
    """
    well_formed = " AND ".join(
        f"starts_with(head[{place}], {literal(name + ':')})" for name, place in _HEAD.items()
    )
    values = ", ".join(
        f"substr(head[{place}], {len(name) + 2}) AS {part}"
        for (name, place), part in zip(_HEAD.items(), _PARTS, strict=True)
        if part is not None
    )
    return f"""
        SELECT * EXCLUDE (flags), split_part(flags, ':', 5) AS kind, split_part(flags, ':', 2) AS coding
        FROM (
            SELECT file_no, line, logged_at, event, connection, {values},
                -- The text is long; most lines do without a look at it.
                CASE WHEN body_at > 0 AND (event = 'Sent SMS' OR event = {needed}) THEN substr(line, body_at + 7) END
                    AS message,
                coalesce(CASE
                    WHEN head IS NULL OR len(head) <> {max(_HEAD.values())} OR connection IS NULL THEN false
                    WHEN NOT ({well_formed}) THEN false
                    WHEN ends_with(line, ' [udh:0:]') THEN true
                    -- An OR would search the text of every line.
                    ELSE ends_with(line, ']') AND contains(substr(line, body_at), ' [udh:')
                    END, false) AS is_well_formed
            FROM (
                SELECT file_no, line, body_at, head, left(line, 19) AS logged_at,
                    CASE WHEN smsc_at > 0 THEN substr(opening, 21, smsc_at - 21) ELSE substr(opening, 21) END AS event,
                    CASE WHEN smsc_at > 0 THEN substr(opening, smsc_at + 7) END AS connection
                FROM (
                    SELECT *, position(' [SMSC:' IN opening) AS smsc_at
                    FROM (
                        SELECT *, coalesce(head[1], line) AS opening
                        FROM (
                            SELECT file_no, line, body_at,
                                string_split(CASE WHEN body_at > 0 THEN left(line, body_at - 1) END, '] [') AS head
                            FROM (SELECT *, position('] [msg:' IN line) AS body_at FROM ({lines}))
                        )
                    )
                )
            )
        )
    """
