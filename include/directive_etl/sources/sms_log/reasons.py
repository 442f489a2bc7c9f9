"""Why a row is refused: the codes that the ledger keeps, and what each means to the operator."""

REASONS = {
    "wrong_layout": "the line is cut off or is not of the declared layout",
    "wrong_column_count": "the row has more or fewer columns than the header",
    "invalid_utf8": "the line is not text in the declared encoding",
    "bad_quote": "a quote is opened and not closed",
    "line_too_long": "the line is longer than any log line can be",
    "nul_byte": "the line holds a NUL byte",
    "missing_id": "the row has no message id",
    "unknown_connection": "the gateway connection is not declared for this operator",
    "bad_time": "a time cannot be read, or is no possible time",
    "missing_time": "a final status has no time",
    "unknown_status": "the status is not declared for this operator",
    "bad_receipt": "the SMPP receipt has no status that can be read",
    "bad_number": "the recipient is no mobile number",
    "bad_segments": "the number of segments is no number from 1 to 255",
    "wrong_header": "the file lacks a declared column",
    "too_large": "the file unpacks to more than the limit of the settings",
    "unreadable_file": "the file is damaged or is not of the declared format",
}

_NUMBERS = {code: number for number, code in enumerate(REASONS, start=1)}
# Of a row that says nothing of a message of ours: it is read, and neither counted nor refused.
NOT_AN_EVENT = 255
# The condition on a typed row that it is refused.
IS_REFUSED = f"(reason > 0 AND reason < {NOT_AN_EVENT})"
CODES = {number: code for code, number in _NUMBERS.items()}


def number_of(code: str) -> int:
    """Return the small number that stands for a reason in SQL; 0 stands for none."""
    return _NUMBERS[code]
