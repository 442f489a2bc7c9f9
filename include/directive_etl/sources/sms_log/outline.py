"""What a text looks like, and not what it says: for rows of which nobody knows where the text of a message begins."""

import re


def outline(text: str) -> str:
    """Return a text with every letter as x and every digit as 0."""
    return re.sub(r"[^\W\d_]", "x", re.sub(r"\d", "0", text))
