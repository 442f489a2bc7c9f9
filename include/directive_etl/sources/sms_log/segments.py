"""How many segments a message was sent in, when a log gives its length and coding only.

One segment holds 160 GSM characters or 70 UCS-2 characters; of a longer message each part gives 7 septets, or 3
characters, to the header that joins the parts, so it holds 153 or 67 (3GPP TS 23.038 and 23.040).
"""

from directive_etl.sources.sms_log.sql_text import literal

# Characters of the GSM alphabet's extension take two septets each; as bytes they are one.
_EXTENDED = "[]{}\\^~|"
# Where even extended characters alone would fit into one segment, they need not be counted.
_SURELY_ONE_SEGMENT = 80
_NO_HEADER = " [udh:0:]"


# A hidden text in Jasmin's log, and the escapes of Python's bytes.
_HIDDEN = r"^\*\* ([0-9]+) byte content \*\*"
_ESCAPED = r"\\x[0-9a-f]{2}|\\."
_BEHIND_TEXT = r"\](?: \[tlvs:.*\])?$"
_QUOTED, _INSIDE = r"""(?s)^b?(['"])(.*)['"]$""", r"\2"
# First bytes of the UCS-2 characters that Vietnamese and English are written with.
_UCS2_FIRST = r"\\x00|\\x01|\\x1e"


def _parts(size: str, alone: int, in_part: int) -> str:
    return f"CASE WHEN {size} <= {alone} THEN 1 ELSE ({size} + {in_part - 1}) // {in_part} END"


def _has_any(text: str, characters: str) -> str:
    """Return the condition that one of some characters is in a text: faster than a regular expression."""
    return " OR ".join(f"contains({text}, {literal(character)})" for character in characters)


def kannel_segment_stages(relation: str) -> str:
    """Return the SELECT that adds segments INTEGER to a relation of logged messages.

    Each stage is a projection of its own, and passes on NULL where the next has nothing to do: DuckDB may evaluate a
    branch for every row.

    Args:
        relation: a SELECT with the columns sent VARCHAR, what follows `[msg:` (octets, colon, body, ` [udh:...]`), and
            coding VARCHAR, the second of the flags: 0 or -1 is GSM, 1 is 8-bit, 2 is UCS-2. Both are NULL for a row
            without a message; it gets 1.
    """
    return f"""
        SELECT * EXCLUDE (colon_at, octets, gsm_body, extended_body, header_octets), CASE
            WHEN sent IS NULL THEN 1
            -- With a header of its own the line is one part of a message split before it came to the gateway.
            WHEN header_octets > 0 THEN 1
            WHEN coding = '2' THEN {_parts("((octets + 1) // 2)", 70, 67)}
            WHEN coding = '1' THEN {_parts("octets", 140, 134)}
            ELSE {_parts("(octets + extended_count)", 160, 153)}
            END AS segments
        FROM (
            SELECT *,
                coalesce(length(extended_body) - length(translate(extended_body, {literal(_EXTENDED)}, '')), 0)
                    AS extended_count
            FROM (
                SELECT *,
                    CASE WHEN {_has_any("gsm_body", _EXTENDED)} THEN gsm_body END AS extended_body
                FROM (
                    SELECT *, CASE WHEN coding NOT IN ('1', '2') AND octets > {_SURELY_ONE_SEGMENT}
                        THEN substr(sent, colon_at + 1, octets) END AS gsm_body
                    FROM (
                        SELECT *, TRY_CAST(substr(sent, 1, colon_at - 1) AS INTEGER) AS octets,
                            TRY_CAST(split_part(split_part(with_header, ' [udh:', -1), ':', 1) AS INTEGER)
                                AS header_octets
                        FROM (
                            SELECT *, position(':' IN sent) AS colon_at,
                                CASE WHEN NOT ends_with(sent, {literal(_NO_HEADER)}) THEN sent END AS with_header
                            FROM ({relation})
                        )
                    )
                )
            )
        )
    """


def jasmin_segment_stages(relation: str, hidden_coding: str) -> str:
    """Return the SELECT that adds segments INTEGER to a relation of messages that Jasmin logged.

    Jasmin logs no coding. A text is UCS-2 when as many bytes as an eighth of it are first bytes of UCS-2 characters of
    Vietnamese; in GSM texts those values are rare.

    Args:
        relation: a SELECT with the column sent VARCHAR, what follows `[content:`, NULL for a row without a message.
        hidden_coding: `gsm` or `ucs2`, of texts of which only the length is logged.
    """
    return f"""
        SELECT * EXCLUDE (octets, is_ucs2), CASE
            WHEN sent IS NULL THEN 1
            WHEN is_ucs2 THEN {_parts("((octets + 1) // 2)", 70, 67)}
            ELSE {_parts("octets", 160, 153)}
            END AS segments
        FROM (
            SELECT * EXCLUDE (hidden, written, unescaped, first_count),
                coalesce(hidden, strlen(unescaped)) AS octets,
                CASE WHEN hidden IS NOT NULL THEN {str(hidden_coding == "ucs2").lower()}
                    ELSE first_count * 8 >= strlen(unescaped) AND first_count > 0 END AS is_ucs2
            FROM (
                SELECT *, regexp_replace(written, {literal(_ESCAPED)}, '?', 'g') AS unescaped,
                    len(regexp_extract_all(written, {literal(_UCS2_FIRST)})) AS first_count
                FROM (
                    SELECT *, TRY_CAST(regexp_extract(sent, {literal(_HIDDEN)}, 1) AS INTEGER) AS hidden,
                        regexp_replace(
                            regexp_replace(sent, {literal(_BEHIND_TEXT)}, ''), {literal(_QUOTED)}, {literal(_INSIDE)}
                        ) AS written
                    FROM ({relation})
                )
            )
        )
    """
