"""SMPP receipts, as they stand in the rows of any format (SMPP 3.4, appendix B, and what vendors make of it).

    id:IIIIIIIIII sub:SSS dlvrd:DDD submit date:YYMMDDhhmm done date:YYMMDDhhmm stat:DDDDDDD err:E Text: ...

Dates have 10, 12 or 14 digits; `err` and the text may be missing, letters may be of either case, and `stat` of any
length. What stands behind `text:` was written by the sender and is not read. `dlvrd` tells nothing that `stat` does
not: a receipt with `dlvrd:001` and `stat:REJECTD` is a rejection.
"""

from directive_etl.sources.sms_log.reasons import number_of

_BEFORE_TEXT = r"(?is)\s*\btext:.*$"
_ID = r"(?i)\bid:\s*([0-9A-Z_.\-]+)"
_STAT = r"(?i)\bstat:\s*(\S.*?)(?:\s+[a-z/]+(?: date)?:|\s*$)"
_DONE = r"(?i)\bdone date:\s*([0-9]+)"


def receipt_stages(relation: str) -> str:
    """Return the SELECT that fills the gaps of a fields relation from its receipts.

    It adds receipt_done TIMESTAMP, the receipt's own time in its own zone, and has_receipt_id BOOLEAN: message_id is
    the receipt's. What the row itself tells stands.
    """
    done = "receipt_done_text"
    return f"""
        SELECT * EXCLUDE (receipt_text, receipt_stat, receipt_id, receipt_done_text) REPLACE (
                CASE WHEN has_receipt_id THEN receipt_id ELSE message_id END AS message_id,
                CASE WHEN coalesce(status, '') <> '' THEN status ELSE receipt_stat END AS status,
                CASE WHEN fault = 0 AND coalesce(status, '') = '' AND receipt_stat IS NULL AND receipt_text IS NOT NULL
                    THEN {number_of("bad_receipt")} ELSE fault END AS fault
            ),
            CASE strlen({done})
                WHEN 10 THEN try_strptime({done}, '%y%m%d%H%M')
                WHEN 12 THEN try_strptime({done}, '%y%m%d%H%M%S')
                WHEN 14 THEN try_strptime({done}, '%Y%m%d%H%M%S')
            END AS receipt_done
        FROM (
            SELECT *, upper(nullif(regexp_extract(receipt_text, '{_STAT}', 1), '')) AS receipt_stat,
                nullif(regexp_extract(receipt_text, '{_ID}', 1), '') AS receipt_id,
                nullif(regexp_extract(receipt_text, '{_DONE}', 1), '') AS receipt_done_text,
                coalesce(message_id, '') = '' AS has_receipt_id
            FROM (
                SELECT *, nullif(regexp_replace(receipt, '{_BEFORE_TEXT}', ''), '') AS receipt_text
                FROM ({relation})
            )
        )
    """
