"""Reader of Jasmin's messages.log.

    2025-01-16 06:47:37 INFO     1 SMS-MT [cid:line13conn] [queue-msgid:56e8...] [smpp-msgid:b'3ac2820d']
    [status:CommandStatus.ESME_ROK] [prio:0] [dlr:...] [validity:none] [from:b'TEST900'] [to:b'8490...']
    [content:b'Test 804'] [tlvs:...]
    ... SMS-MT [cid:..] [queue-msgid:..] [status:ERROR/ESME_RTHROTTLED] [retry:True] [prio:..] ...
    ... DLR [cid:..] [smpp-msgid:..] [status:DELIVRD] [submit date:..] [done date:..] [sub/dlvrd messages:..] [err:..]
    [content:..]

(one line each). Values are those of Python, so bytes stand as b'...'; the text is what a stranger may have written, and
everything is read from the left, up to the first ` [content:`. A submission that the SMSC refused never left and has no
id; it is read and not counted, like Kannel's. The layout is that of Jasmin's listeners.py, up to version 0.11.
"""

from collections.abc import Sequence

from directive_etl.registry.log_formats import JasminLog
from directive_etl.sources.sms_log.fields import Fields, file_no_sql, read_lines_call, shown_line
from directive_etl.sources.sms_log.reasons import number_of
from directive_etl.sources.sms_log.segments import jasmin_segment_stages
from directive_etl.sources.sms_log.sql_text import literal
from directive_etl.sources.sms_log.text_files import TextFile

# Positions, from 1, of the fields once they are split at `] [`; the first also holds time, level and event.
_SENT = {"queue-msgid": 2, "smpp-msgid": 3, "status": 4, "from": 8, "to": 9}
_RECEIPT = {"smpp-msgid": 2, "status": 3, "submit date": 4, "done date": 5}
_ACCEPTED = ("CommandStatus.ESME_ROK", "ESME_ROK")
_EVENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8} [A-Z]+ +[0-9]+ (SMS-MT|DLR) \[cid:"
_ANY_ENTRY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8} [A-Z]+ +[0-9]+ \S"


def jasmin_fields(files: Sequence[TextFile], log: JasminLog) -> Fields:
    """Read Jasmin's logs of messages.

    Args:
        files: numbered in a row.
        log: how the operator writes them.
    """
    is_sent, is_receipt = _is_like("SMS-MT", _SENT, "9"), _is_like("DLR", _RECEIPT, "7")
    parts = f"""
        SELECT *, {_bytes(_value("is_sent", _SENT, "smpp-msgid"))} AS sent_id,
            {_bytes(_value("is_receipt", _RECEIPT, "smpp-msgid"))} AS receipt_id,
            {_bytes(_value("is_sent", _SENT, "from"))} AS sender, {_bytes(_value("is_sent", _SENT, "to"))} AS recipient,
            {_bytes(_value("is_receipt", _RECEIPT, "status"))} AS status,
            {_value("is_sent", _SENT, "status")} IN ({", ".join(map(literal, _ACCEPTED))}) AS is_accepted,
            substr(head[1], position('[cid:' IN head[1]) + 5) AS connection
        FROM (
            SELECT *, coalesce({is_sent}, false) AS is_sent, coalesce({is_receipt}, false) AS is_receipt
            FROM (
                SELECT *, regexp_extract(line, {literal(_EVENT)}, 1) AS event,
                    string_split(CASE WHEN text_at > 0 THEN left(line, text_at - 1) END, '] [') AS head
                FROM (
                    SELECT *, position('] [content:' IN line) AS text_at
                    FROM (
                        SELECT {file_no_sql(files)} AS file_no, line
                        FROM {read_lines_call(files, log.encoding)} WHERE line IS NOT NULL
                    )
                )
            )
        )
    """
    messages = f"""
        SELECT * EXCLUDE (sent_id, receipt_id, is_accepted, is_sent, is_receipt, head, text_at),
            CASE
                WHEN is_sent OR is_receipt THEN 0
                WHEN event = 'SMS-MT' AND starts_with(head[3], 'status:ERROR/') AND ends_with(line, ']') THEN 0
                WHEN event = '' AND regexp_matches(line, {literal(_ANY_ENTRY)}) THEN 0
                ELSE {number_of("wrong_layout")}
            END AS fault,
            is_receipt OR coalesce(is_accepted, false) AS is_event,
            coalesce(sent_id, receipt_id) AS message_id,
            CASE WHEN is_sent THEN left(line, 19) END AS submitted_at,
            CASE WHEN is_receipt THEN left(line, 19) END AS done_at,
            CASE WHEN is_accepted THEN substr(line, text_at + 11) END AS sent
        FROM ({parts})
    """
    sql = f"""
        SELECT *, NULL::VARCHAR AS service, NULL::VARCHAR AS receipt
        FROM ({jasmin_segment_stages(messages, log.hidden_coding)})
    """
    return Fields(sql, shown_line("event"))


def _is_like(event: str, places: dict[str, int], least: str) -> str:
    """Return the condition that a line is an event of these fields."""
    named = " AND ".join(
        f"starts_with(head[{place}], {literal(name + ':')})" for name, place in places.items()
    )
    return f"event = {literal(event)} AND len(head) >= {least} AND {named} AND ends_with(line, ']')"


def _value(condition: str, places: dict[str, int], name: str) -> str:
    return f"CASE WHEN {condition} THEN substr(head[{places[name]}], {len(name) + 2}) END"


def _bytes(value: str) -> str:
    """Return the expression of a value without the marks of Python's bytes."""
    return f"regexp_replace({value}, '^b([''\"])(.*)[''\"]$', '\\2')"
