"""Lines of a Kannel access log whose layout is declared as in kannel.conf: `access-log-format`.

The layout becomes one regular expression. What stands before the message text is read from the left, so a text that
imitates the layout is not believed; what stands behind it from the right. Codes are those of bb_alog.c.
"""

import re
from itertools import pairwise

from directive_etl.sources.sms_log.sql_text import literal

_CODE = re.compile(r"%(.)")
_NUMBER = r"-?[0-9]*"
_PATTERNS = {
    "t": r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}",
    "T": r"[0-9]+",
    **dict.fromkeys("mcMCdUL", _NUMBER),
}
# Codes of the message's text, or of words of it.
_TEXTS = "baNksSr"


def custom_layout(lines: str, layout: str) -> str:
    """Return the SELECT that takes lines of a declared layout apart; its columns are those of the default one.

    Args:
        lines: a SELECT of file_no and line.
        layout: with the time that stands before each line.
    """
    names, pattern = _expression(layout)

    def part(code: str, missing: str = "NULL::VARCHAR") -> str:
        return f"found.{_name(code)}" if _name(code) in names else missing

    time = part("t") if _name("t") in names else part("T")
    length = part("L", "strlen(" + part("b", "''") + ")::VARCHAR")
    header = part("U", "'0'") + " || ':' || " + part("u", "''")
    body = part("b", "''")
    return f"""
        SELECT file_no, line, found.{_name("l")} <> '' AS is_well_formed,
            CASE WHEN found.{_name("l")} <> '' THEN found.{_name("l")} ELSE substr(line, 21) END AS event,
            {time} AS logged_at, {part("i")} AS connection, {part("n")} AS service, {part("F")} AS message_id,
            {part("p")} AS sender, {part("P")} AS recipient, {part("d")} AS kind, {part("c", "'0'")} AS coding,
            CASE WHEN found.{_name("l")} <> ''
                THEN {length} || ':' || {body} || ' [udh:' || {header} || ']' END AS message
        FROM (
            SELECT file_no, line,
                regexp_extract(line, {literal(pattern)}, [{", ".join(literal(name) for name in names)}]) AS found
            FROM ({lines})
        )
    """


def _name(code: str) -> str:
    return f"{'upper' if code.isupper() else 'lower'}_{code.lower()}"


def _expression(layout: str) -> tuple[list[str], str]:
    """Return the names of the groups and the regular expression of a layout."""
    names: list[str] = []
    pieces: list[str] = []
    is_behind_text = False
    bounds = [0, *(place for match in _CODE.finditer(layout) for place in match.span()), len(layout)]
    for number, (first, last) in enumerate(pairwise(bounds)):
        piece = layout[first:last]
        if number % 2 == 0 or piece == "%%":
            pieces.append(re.escape(piece.replace("%%", "%")))
            continue
        code = piece[1]
        is_text = code in _TEXTS
        pattern = _PATTERNS.get(code, ".*" if is_text else ".*?")
        is_behind_text = is_behind_text or is_text
        if _name(code) in names:
            pieces.append(f"(?:{pattern})")
        else:
            names.append(_name(code))
            pieces.append(f"({pattern})")
    return names, f"(?s)^{''.join(pieces)}$"
