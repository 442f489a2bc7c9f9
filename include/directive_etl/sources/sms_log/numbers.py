"""Phone numbers in SQL: whatever form a log uses becomes 84 and nine digits.

Accepted are +84, 84, 0084, 0 or nothing before the nine digits, also +84 0, blanks, dots, dashes and brackets between
them, and the eleven-digit numbers of before 15 September 2018, whose prefixes changed (registry/telecom). What the
number plan does not know is NULL, and its row is refused.

Cost decides the form: a cast and a few comparisons on integers for the usual row, text functions only for the others.
"""

from functools import cache
from pathlib import Path

from pydantic import Field

import directive_etl.registry
from directive_etl.registry.declared_rows import DeclaredRow, load_rows
from directive_etl.sources.sms_log.sql_text import literal

PREFIXES_FILE = Path(directive_etl.registry.__file__).parent / "telecom" / "telecom_prefixes.csv"

_SEPARATORS = " .-()\t\u00a0"


class TelecomPrefix(DeclaredRow):
    """One mobile prefix: three digits with the leading 0, and the four digits it replaced in 2018."""

    prefix: str = Field(pattern=r"^0[3-9]\d$")
    operator: str
    old_11_digit_prefix: str | None = Field(None, pattern=r"^01\d\d$")
    changed_on: str | None = None
    status: str
    source: str


@cache
def telecom_prefixes() -> list[TelecomPrefix]:
    """Return the mobile prefixes of Viet Nam.

    Raises:
        RegistryError: the file cannot be read.
    """
    return load_rows(PREFIXES_FILE, TelecomPrefix, key=["prefix"])


# Nine digits, or ten digits of the old form, after whatever leads there. The value and the size of the text together
# tell how many zeros stand before: 10 characters below 10^9 start with exactly one.
_NATIONAL_DIGITS = """
    CASE
        WHEN careful_digits BETWEEN 84100000000 AND 84999999999 THEN
            CASE WHEN careful_size = 11 + has_plus OR careful_size = 13 AND starts_with(careful_text, '00')
                THEN careful_digits - 84000000000 END
        WHEN careful_digits BETWEEN 100000000 AND 999999999 THEN
            CASE WHEN careful_size IN (9, 10) AND has_plus = 0 THEN careful_digits END
        WHEN careful_digits BETWEEN 1000000000 AND 1999999999 THEN
            CASE WHEN careful_size IN (10, 11) AND has_plus = 0 THEN careful_digits END
        WHEN careful_digits BETWEEN 840100000000 AND 841999999999 THEN
            CASE WHEN careful_size = 12 + has_plus OR careful_size = 14 AND starts_with(careful_text, '00')
                THEN careful_digits - 840000000000 END
        WHEN careful_digits BETWEEN 8401000000000 AND 8401999999999 THEN
            CASE WHEN careful_size = 13 + has_plus OR careful_size = 15 AND starts_with(careful_text, '00')
                THEN careful_digits - 8400000000000 END
    END
"""
# The usual form of nine digits, by the size of the text: 84, +84, 0084, 0 or nothing stands before them.
_USUAL_FORM = """
    CASE written_size WHEN 9 THEN '' WHEN 10 THEN '0' WHEN 11 THEN '84' WHEN 12 THEN '+84' WHEN 13 THEN '0084' END
        || usual_digits::VARCHAR
"""


def number_stages(relation: str, takes_foreign: bool) -> str:
    """Return the SELECT that adds recipient_number UBIGINT to a relation, from its column recipient VARCHAR.

    Each stage is a projection of its own, so that nothing is evaluated twice. The careful way gets NULL instead of the
    numbers that need it not: DuckDB may evaluate a branch for every row, and passes over NULL.

    Args:
        relation: a SELECT.
        takes_foreign: any number of 3 to 15 digits will do, where it is none of the number plan.
    """
    foreign = _cast_digits("{3,15}") if takes_foreign else "NULL"
    return f"""
        SELECT * EXCLUDE (plain_number, careful_text, careful_digits),
            coalesce(
                plain_number,
                CASE WHEN careful_digits < 1000000000 AND {_known_prefix("(careful_digits // 10000000)")}
                    THEN (84000000000 + careful_digits)::UBIGINT END,
                {foreign}
            ) AS recipient_number
        FROM (
            SELECT * REPLACE (
                CASE WHEN careful_digits < 1000000000 THEN careful_digits
                    ELSE {_old_prefix_case("careful_digits // 10000000")} * 10000000 + careful_digits % 10000000
                    END AS careful_digits
            )
            FROM (
                SELECT * EXCLUDE (careful_size, has_plus) REPLACE ({_NATIONAL_DIGITS} AS careful_digits)
                FROM (
                    SELECT *, {_cast_digits("+")} AS careful_digits, strlen(careful_text) AS careful_size,
                        starts_with(careful_text, '+')::UTINYINT AS has_plus
                    FROM (
                        SELECT *, translate(CASE WHEN plain_number IS NULL THEN recipient END, '{_SEPARATORS}', '')
                            AS careful_text
                        FROM ({_plain_stages(relation)})
                    )
                )
            )
        )
    """


def _plain_stages(relation: str) -> str:
    """Return the SELECT that adds plain_number UBIGINT: the number, where it has one of the usual forms."""
    return f"""
        -- The cast also reads 9e8, 1_000 and 0x1F; written anew, those are other texts. A text that is the same has
        -- nine digits.
        SELECT * EXCLUDE (written_digits, usual_digits, written_size),
            CASE WHEN {_known_prefix("(usual_digits // 10000000)")} AND recipient = ({_USUAL_FORM})
                THEN (84000000000 + usual_digits)::UBIGINT END AS plain_number
        FROM (
            SELECT *, CASE WHEN written_digits >= 84000000000 THEN written_digits - 84000000000
                ELSE written_digits END AS usual_digits
            FROM (
                SELECT *, TRY_CAST(recipient AS UBIGINT) AS written_digits, strlen(recipient) AS written_size
                FROM ({relation})
            )
        )
    """


def _cast_digits(how_many: str) -> str:
    """Return the expression of a careful text as a number, where it has so many digits and nothing but a plus."""
    pattern = literal(f"\\+?[0-9]{how_many}")
    return f"CASE WHEN regexp_full_match(careful_text, {pattern}) THEN TRY_CAST(careful_text AS UBIGINT) END"


def _known_prefix(expression: str) -> str:
    """Return the condition that a prefix of two digits is known, as a look at one bit of a mask."""
    known = [int(row.prefix) for row in telecom_prefixes()]
    low, high = (sum(1 << prefix % 64 for prefix in known if prefix // 64 == half) for half in (0, 1))
    mask = f"CASE WHEN {expression} < 64 THEN {low}::UBIGINT ELSE {high}::UBIGINT END"
    return f"((({mask}) >> ({expression} & 63)) & 1 = 1)"


def _old_prefix_case(expression: str) -> str:
    changed = {
        int(row.old_11_digit_prefix): int(row.prefix) for row in telecom_prefixes() if row.old_11_digit_prefix
    }
    branches = " ".join(f"WHEN {old} THEN {new}" for old, new in sorted(changed.items()))
    return f"(CASE {expression} {branches} END)"
