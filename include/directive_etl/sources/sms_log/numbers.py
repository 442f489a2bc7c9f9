"""Phone numbers in SQL: whatever form a log uses becomes 84 and nine digits.

Accepted are +84, 84, 0084, 0 or nothing before the nine digits, also +84 0, blanks, dots, dashes and brackets between
them, and the eleven-digit numbers of before 15 September 2018, whose prefixes changed (registry/telecom). What the
number plan does not know is NULL, and its row is refused.

Cost decides the form: a cast and a few comparisons for the usual row, a pattern only for the others.
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


# What may stand before nine digits where a number is written as usual, by how long it is.
_USUAL_LEADS = ("", "0", "84", "+84", "0084")
# Nine digits, or ten of the old form, after whatever may lead there.
_NATIONAL = r"^(?:(?:\+|00)?84)?0?([1-9][0-9]{8}|1[0-9]{9})$"


def number_stages(relation: str, takes_foreign: bool) -> str:
    """Return the SELECT that adds recipient_number UBIGINT to a relation, from its column recipient VARCHAR.

    Each stage is a projection of its own, so that nothing is evaluated twice, and conditions are columns: to pick the
    rows that meet several conditions, one after the other, takes DuckDB several times as long.

    Args:
        relation: a SELECT.
        takes_foreign: any number of 3 to 15 digits will do, where it is none of the number plan.
    """
    careful_text = f"translate(recipient, '{_SEPARATORS}', '')"
    new_digits = f"""
        CASE WHEN careful_digits < 1000000000 THEN careful_digits
            ELSE {_old_prefix_case("careful_digits // 10000000")} * 10000000 + careful_digits % 10000000 END"""
    known_digits = (
        f"CASE WHEN {_known_prefix(f'({new_digits})')} THEN (84000000000 + {new_digits})::UBIGINT END"
    )
    foreign = (
        f"CASE WHEN regexp_full_match({careful_text}, '\\+?[0-9]{{3,15}}') THEN TRY_CAST({careful_text} AS UBIGINT) END"
        if takes_foreign
        else "NULL"
    )
    return f"""
        SELECT * EXCLUDE (usual_digits, lead, is_usual, careful_digits),
            CASE WHEN is_usual THEN (84000000000 + usual_digits)::UBIGINT ELSE coalesce({known_digits}, {foreign}) END
                AS recipient_number
        FROM (
            SELECT *, CASE WHEN is_usual THEN NULL
                ELSE TRY_CAST(regexp_extract({careful_text}, '{_NATIONAL}', 1) AS UBIGINT) END AS careful_digits
            FROM (
                -- The cast also reads 9e8, 1_000 and 0x1F; written anew, those are other texts. A text that begins with
                -- what leads there, and ends with the nine digits that it was read as, is nothing else.
                SELECT *, {_known_prefix("usual_digits")} AND starts_with(recipient, lead)
                    AND suffix(recipient, usual_digits::VARCHAR) AS is_usual
                FROM (
                    SELECT *, TRY_CAST(recipient AS UBIGINT) % 84000000000 AS usual_digits,
                        ({list(_USUAL_LEADS)})[strlen(recipient) - 8] AS lead
                    FROM ({relation})
                )
            )
        )
    """


def _known_prefix(digits: str) -> str:
    """Return the condition that nine digits begin with a known prefix, as a look into a list."""
    known = {int(row.prefix) for row in telecom_prefixes()}
    return f"(({[prefix in known for prefix in range(100)]})[({digits} // 10000000 + 1)::BIGINT])"


def _old_prefix_case(expression: str) -> str:
    changed = {
        int(row.old_11_digit_prefix): int(row.prefix) for row in telecom_prefixes() if row.old_11_digit_prefix
    }
    branches = " ".join(f"WHEN {old} THEN {new}" for old, new in sorted(changed.items()))
    return f"(CASE {expression} {branches} END)"
