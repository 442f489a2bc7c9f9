"""How many segments a message was sent in, when a log gives its length and coding only.

One segment holds 160 GSM characters or 70 UCS-2 characters; of a longer message each part gives 7 septets, or 3
characters, to the header that joins the parts, so it holds 153 or 67 (3GPP TS 23.038 and 23.040).
"""

# Characters of the GSM alphabet's extension take two septets each; as bytes they are one.
_EXTENDED = "[]{}\\^~|"


def kannel_segments(coding: str, message: str, applies: str) -> str:
    """Return the expression for the segments of a logged message.

    Args:
        coding: expression, the second of the flags: 0 or -1 is GSM, 1 is 8-bit, 2 is UCS-2.
        message: expression, what follows `[msg:`: length in octets, colon, body, and then ` [udh:length:...]`.
        applies: expression, false where the row has no segments.
    """
    octets = f"TRY_CAST(split_part({message}, ':', 1) AS INTEGER)"
    body = f"{message}[position(':' IN {message}) + 1:][1:{octets}]"
    extended = f"(length({body}) - length(translate({body}, '{_EXTENDED}', '')))"
    header = f"TRY_CAST(split_part(split_part({message}, ' [udh:', -1), ':', 1) AS INTEGER)"

    def parts(size: str, alone: int, in_part: int) -> str:
        return f"CASE WHEN {size} <= {alone} THEN 1 ELSE ({size} + {in_part - 1}) // {in_part} END"

    return f"""
        CASE WHEN {applies} THEN CASE
            -- With a header of its own the line is one part of a message split before it came to the gateway.
            WHEN {header} > 0 THEN 1
            WHEN {coding} = '2' THEN {parts(f"(({octets} + 1) // 2)", 70, 67)}
            WHEN {coding} = '1' THEN {parts(octets, 140, 134)}
            WHEN {octets} <= 80 THEN 1
            ELSE {parts(f"({octets} + {extended})", 160, 153)}
        END ELSE 1 END"""
