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


def number_macros() -> str:
    """Return the statements that create the macros of `number_stages`."""
    return f"""
        -- Nine digits, or ten digits of the old form, after whatever leads there. The value and the size of the text
        -- together tell how many zeros stand before: 10 characters below 10^9 start with exactly one.
        CREATE MACRO national_digits(text, size, digits, has_plus) AS
            CASE
                WHEN digits BETWEEN 84100000000 AND 84999999999 THEN
                    CASE WHEN size = 11 + has_plus OR size = 13 AND starts_with(text, '00')
                        THEN digits - 84000000000 END
                WHEN digits BETWEEN 100000000 AND 999999999 THEN
                    CASE WHEN size IN (9, 10) AND has_plus = 0 THEN digits END
                WHEN digits BETWEEN 1000000000 AND 1999999999 THEN
                    CASE WHEN size IN (10, 11) AND has_plus = 0 THEN digits END
                WHEN digits BETWEEN 840100000000 AND 841999999999 THEN
                    CASE WHEN size = 12 + has_plus OR size = 14 AND starts_with(text, '00')
                        THEN digits - 840000000000 END
                WHEN digits BETWEEN 8401000000000 AND 8401999999999 THEN
                    CASE WHEN size = 13 + has_plus OR size = 15 AND starts_with(text, '00')
                        THEN digits - 8400000000000 END
            END;
        CREATE MACRO modern_digits(national) AS
            CASE WHEN national < 1000000000 THEN national
                ELSE {_old_prefix_case("national // 10000000")} * 10000000 + national % 10000000 END;
        CREATE MACRO plan_number(digits) AS
            CASE WHEN digits < 1000000000 AND {_known_prefix("(digits // 10000000)")}
                THEN (84000000000 + digits)::UBIGINT END;
        -- The usual form of nine digits, by the size of the text: 84, +84, 0084, 0 or nothing stands before them.
        CREATE MACRO usual_form(size, digits) AS
            CASE size WHEN 9 THEN '' WHEN 10 THEN '0' WHEN 11 THEN '84' WHEN 12 THEN '+84' WHEN 13 THEN '0084' END
                || digits::VARCHAR;
        CREATE MACRO plus_of(text) AS starts_with(text, '+')::UTINYINT;
        CREATE MACRO without_separators(text) AS translate(text, '{_SEPARATORS}', '');
        CREATE MACRO only_digits(text) AS
            CASE WHEN regexp_full_match(text, '\\+?[0-9]+') THEN TRY_CAST(text AS UBIGINT) END;
        CREATE MACRO foreign_number(text) AS
            CASE WHEN regexp_full_match(text, '\\+?[0-9]{{3,15}}') THEN TRY_CAST(text AS UBIGINT) END;
    """


def number_stages(relation: str, takes_foreign: bool) -> str:
    """Return the SELECT that adds recipient_number UBIGINT to a relation, from its column recipient VARCHAR.

    Each stage is a projection of its own, so that nothing is evaluated twice, nor planned several times: a macro is
    written out with its argument wherever it names it. The careful way gets NULL instead of the numbers that need it
    not: DuckDB may evaluate a branch for every row, and passes over NULL.

    Args:
        relation: a SELECT.
        takes_foreign: any number of 3 to 15 digits will do, where it is none of the number plan.
    """
    foreign = "foreign_number(careful_text)" if takes_foreign else "NULL"
    return f"""
        SELECT * EXCLUDE (plain_number, careful_text, careful_digits),
            coalesce(plain_number, plan_number(careful_digits), {foreign}) AS recipient_number
        FROM (
            SELECT * REPLACE (modern_digits(careful_digits) AS careful_digits)
            FROM (
                SELECT * REPLACE (
                    national_digits(careful_text, strlen(careful_text), careful_digits, plus_of(careful_text))
                        AS careful_digits)
                FROM (
                    SELECT *, only_digits(careful_text) AS careful_digits
                    FROM (
                        SELECT *, without_separators(CASE WHEN plain_number IS NULL THEN recipient END) AS careful_text
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
            CASE WHEN {_known_prefix("(usual_digits // 10000000)")}
                AND recipient = usual_form(written_size, usual_digits)
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
