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
from directive_etl.sources.sms_log.segments import kannel_segments
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
    values = ", ".join(f"head[{place}][{len(name) + 2}:] AS {name}_value" for name, place in _HEAD.items())
    sql = f"""
        SELECT file_no, fault, is_event, connection, message_id, sender, service, recipient,
            CASE WHEN is_submission THEN logged_at END AS submitted_at,
            CASE WHEN NOT is_submission THEN logged_at END AS done_at,
            CASE WHEN NOT is_submission THEN split_part(flags, ':', 5) END AS status,
            {kannel_segments("split_part(flags, ':', 2)", "message", "is_submission")} AS segments, line
        FROM (
            SELECT file_no, line, logged_at, fault, event = 'Sent SMS' AS is_submission,
                event IN ('Sent SMS', 'Receive DLR') AND coalesce(FID_value, '') <> '' AS is_event,
                connection, FID_value AS message_id, from_value AS sender, SVC_value AS service, to_value AS recipient,
                flags_value AS flags, message
            FROM (
                SELECT file_no, line, logged_at, event, connection, message, {values},
                    CASE
                        WHEN event IN {literal_list(_MARKS)} THEN 0
                        WHEN length(message) > 0 AND ends_with(line, ']') AND contains(message, ' [udh:')
                            AND len(head) = {max(_HEAD.values())} AND {well_formed}
                            AND connection IS NOT NULL
                            AND event IN {literal_list(("Sent SMS", "Receive DLR", *_OTHER_EVENTS))} THEN 0
                        ELSE {number_of("wrong_layout")}
                    END AS fault
                FROM (
                    SELECT file_no, line, head, message, line[1:19] AS logged_at,
                        split_part(head[1][21:], ' [SMSC:', 1) AS event,
                        CASE WHEN contains(head[1], ' [SMSC:') THEN split_part(head[1], ' [SMSC:', 2) END AS connection
                    FROM (
                        SELECT {file_no_sql(files)} AS file_no, line,
                            string_split(split_part(line, '] [msg:', 1), '] [') AS head,
                            line[position('] [msg:' IN line) + 7:] AS message
                        FROM {call}
                        WHERE line IS NOT NULL
                    )
                )
            )
        )
    """
    return Fields(sql, "line")
