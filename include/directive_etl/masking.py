"""Masking of anything that could be a phone number, for every text that leaves the landing zone."""

import re

# Six or more digits, also when written with blanks, dots, dashes or brackets between them, and with a leading plus.
_LONG_NUMBER = re.compile(r"\+?\d(?:[\s.\-()]{0,2}\d){5,}")


def mask_digits(text: str) -> str:
    """Replace every run of six or more digits, however it is grouped, by `***`."""
    return _LONG_NUMBER.sub("***", text)
