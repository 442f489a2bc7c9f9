"""Reader of Kannel's access log in its default layout.

    2020-08-18 08:00:00 Sent SMS [SMSC:VT-01] [SVC:s] [ACT:a] [BINF:] [FID:1001] [META:?smpp_resp?] [from:BLUEZONE]
    [to:84...] [flags:MClass:Coding:MWI:Compress:DLRMask] [msg:length:body] [udh:length:header]

(one line). The body is what a stranger may have written, brackets and all, so everything is read from the left, up to
the first ` [msg:`; of what follows only the length counts. The layout is bb_alog.c's, the events bb_smscconn.c's.
"""

from collections.abc import Sequence

from directive_etl.registry.operators import KannelLog
from directive_etl.sources.sms_log.fields import Fields, file_no_sql, raw_line_options, read_csv_call
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

# Positions, from 1, of the fields before the message, once they are split at `] [`.
_HEAD = {"SVC": 2, "FID": 5, "META": 6, "from": 7, "to": 8, "flags": 9}


def kannel_fields(files: Sequence[TextFile], log: KannelLog) -> Fields:
    """Read Kannel access logs.

    Args:
        files: numbered in a row.
        log: how the operator writes them.
    """
    call = read_csv_call(files, ["line"], raw_line_options(log.encoding))
    well_formed = " AND ".join(
        f"starts_with(head[{place}], {literal(name + ':')})" for name, place in _HEAD.items()
    )
    values = ", ".join(
        f"substr(head[{place}], {len(name) + 2}) AS {name}_value" for name, place in _HEAD.items()
    )
    messages = f"""
        SELECT file_no, line, logged_at, fault, event, connection, {", ".join(f"{name}_value" for name in _HEAD)},
            CASE WHEN event = 'Sent SMS' THEN message END AS sent,
            CASE WHEN event = 'Sent SMS' THEN split_part(flags_value, ':', 2) END AS coding
        FROM (
            SELECT file_no, line, logged_at, event, connection, message, {values},
                CASE
                    WHEN event IN {literal_list(_MARKS)} AND message IS NULL THEN 0
                    WHEN ends_with(message, ']') AND contains(message, ' [udh:')
                        AND len(head) = {max(_HEAD.values())} AND {well_formed} AND connection IS NOT NULL
                        AND event IN {literal_list(("Sent SMS", "Receive DLR", *_OTHER_EVENTS))} THEN 0
                    ELSE {number_of("wrong_layout")}
                END AS fault
            FROM (
                SELECT file_no, line, head, message, substr(line, 1, 19) AS logged_at,
                    CASE WHEN smsc_at > 0 THEN substr(opening, 21, smsc_at - 21) ELSE substr(opening, 21) END AS event,
                    CASE WHEN smsc_at > 0 THEN substr(opening, smsc_at + 7) END AS connection
                FROM (
                    SELECT *, position(' [SMSC:' IN opening) AS smsc_at
                    FROM (
                        SELECT *, coalesce(head[1], line) AS opening
                        FROM (
                            SELECT file_no, line,
                                string_split(CASE WHEN msg_at > 0 THEN substr(line, 1, msg_at - 1) END, '] [') AS head,
                                CASE WHEN msg_at > 0 THEN substr(line, msg_at + 7) END AS message
                            FROM (
                                SELECT {file_no_sql(files)} AS file_no, line, position('] [msg:' IN line) AS msg_at
                                FROM {call} WHERE line IS NOT NULL
                            )
                        )
                    )
                )
            )
        )
    """
    sql = f"""
        SELECT file_no, fault, event IN ('Sent SMS', 'Receive DLR') AND coalesce(FID_value, '') <> '' AS is_event,
            connection, FID_value AS message_id, from_value AS sender, SVC_value AS service, to_value AS recipient,
            CASE WHEN event = 'Sent SMS' THEN logged_at END AS submitted_at,
            CASE WHEN event <> 'Sent SMS' THEN logged_at END AS done_at,
            CASE WHEN event <> 'Sent SMS' THEN split_part(flags_value, ':', 5) END AS status,
            segments, line
        FROM ({kannel_segment_stages(messages)})
    """
    return Fields(sql, "line")
