"""Numbers are normalised as libphonenumber does it, at the speed of integer arithmetic."""

import re

import duckdb
import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from directive_etl.sources.sms_log.hashing import create_keyed_hash_macro, keyed_hash
from directive_etl.sources.sms_log.numbers import number_stages, telecom_prefixes

OLD_PREFIXES = {
    row.old_11_digit_prefix[1:]: row.prefix[1:] for row in telecom_prefixes() if row.old_11_digit_prefix
}
# Prefixes of which libphonenumber, in its data of today, knows only parts.
PARTLY_KNOWN = ("52", "55", "89", "99")


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def normalise(
    connection: duckdb.DuckDBPyConnection, texts: list[str], takes_foreign: bool = False
) -> list[int | None]:
    relation = "SELECT unnest($1::VARCHAR[]) AS recipient, generate_subscripts($1::VARCHAR[], 1) AS place"
    found = connection.execute(
        f"SELECT recipient_number FROM ({number_stages(relation, takes_foreign)}) ORDER BY place", [texts]
    )
    return [number for (number,) in found.fetchall()]


def by_libphonenumber(text: str) -> int | None:
    """Return the number when libphonenumber takes it for a mobile number of Viet Nam."""
    try:
        parsed = phonenumbers.parse(text, "VN")
    except phonenumbers.NumberParseException:
        return None
    is_mobile = phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.MOBILE
    if parsed.country_code != 84 or not is_mobile or parsed.extension:
        return None
    return int(f"84{parsed.national_number}")


national = st.builds(
    "{}{:07}".format,
    st.sampled_from([row.prefix[1:] for row in telecom_prefixes()]),
    st.integers(0, 9_999_999),
)
any_digits = st.text("0123456789", min_size=3, max_size=14)
lead = st.sampled_from(
    ["", "0", "84", "+84", "0084", "+840", "840", "00840", "+", "00", "+84 ", "(+84)", "+084", "8"]
)


def with_separators(text: str, places: list[tuple[int, str]]) -> str:
    for place, separator in places:
        at = 1 + place % max(1, len(text) - 1)
        text = text[:at] + separator + text[at:]
    return text


written = st.builds(
    with_separators,
    st.builds("{}{}".format, lead, st.one_of(national, any_digits)),
    st.lists(st.tuples(st.integers(0, 20), st.sampled_from([" ", ".", "-", ")", "("])), max_size=3),
)


@settings(max_examples=150, deadline=None)
@example(texts=["8400320000000", "345000e03", "0x12345678", "1e8", "-320000000", "032_000_000"])
@given(texts=st.lists(written, min_size=20, max_size=60))
def test_what_libphonenumber_knows_is_known_and_the_same(
    connection: duckdb.DuckDBPyConnection, texts: list[str]
) -> None:
    for text, found in zip(texts, normalise(connection, texts), strict=True):
        expected = by_libphonenumber(text)
        if expected is not None and str(expected)[2:4] in {row.prefix[1:] for row in telecom_prefixes()}:
            assert found == expected or is_taken_by_libphonenumber_only(text), text
        elif found is not None and not is_old_form(text):
            assert str(found)[2:4] in PARTLY_KNOWN, text


def is_taken_by_libphonenumber_only(text: str) -> bool:
    """Say whether it has + after brackets, ten digits that begin with 121, or two zeros after the country's code."""
    return text.startswith("(") or bool(
        re.fullmatch(r"(00)?((84)?0?121\d{7}|8400\d{9})", re.sub(r"\D", "", text))
    )


def is_old_form(text: str) -> bool:
    digits = re.sub(r"\D", "", text)
    return any(digits.endswith(old + digits[-7:]) and len(digits) >= 10 for old in OLD_PREFIXES)


@pytest.mark.parametrize("lead_text", ["0", "84", "+84", "0084", "", "840", "+840"])
@pytest.mark.parametrize(
    "row", [row for row in telecom_prefixes() if row.old_11_digit_prefix], ids=lambda row: row.prefix
)
def test_numbers_of_before_2018_become_those_of_today(connection, row, lead_text: str) -> None:
    old = f"{lead_text}{row.old_11_digit_prefix[1:]}1234567"
    assert normalise(connection, [old]) == [int(f"84{row.prefix[1:]}1234567")]


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "BLUEZONE", "1900", "84", "8490123456", "849012345678", "090123456", "09012345678", "+0901234567",
        "+901234567", "00901234567", "0848901234567", "84 24 3825 0000", "0243825000", "90123456e1", "8490123456e1",
        "90123456E1", "9012_34567", "0901234567.0", " 084901234567", "0x35B5A1F7", "84901234X67", "0201234567",
        "01001234567", "٠٩٠١٢٣٤٥٦٧", "0901234567\0", "84901234567,84901234568", "null", "+", "+84", "840840901234567",
        "18446744073709551616", "99999999999999999999999999",
    ],
)  # fmt: skip
def test_what_is_no_mobile_number_is_none(connection, text: str) -> None:
    assert normalise(connection, [text]) == [None]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0901888484", 84901888484),
        ("84836106872", 84836106872),
        ("+84 90-188.84 84", 84901888484),
        ("(090) 188 8484", 84901888484),
        ("901888484", 84901888484),
        (" 0901888484 ", 84901888484),
        ("0901\u00a0888\u00a0484", 84901888484),
    ],
)
def test_usual_forms(connection, text: str, number: int) -> None:
    assert normalise(connection, [text]) == [number]


def test_a_gateway_that_sends_abroad_takes_any_number_and_still_normalises_ours(connection) -> None:
    texts = ["+20901096736", "30909592952", "0901888484", "DVC-QG", "12"]
    assert normalise(connection, texts, takes_foreign=True) == [
        20901096736,
        30909592952,
        84901888484,
        None,
        None,
    ]


@given(
    key=st.text(min_size=1, max_size=100),
    numbers=st.lists(st.integers(84_000_000_000, 84_999_999_999), max_size=20),
)
@settings(max_examples=40, deadline=None)
def test_the_keyed_hash_in_sql_is_that_in_python(key: str, numbers: list[int]) -> None:
    with duckdb.connect() as connection:
        create_keyed_hash_macro(connection, key)
        found = connection.execute(
            "SELECT keyed_hash(n::VARCHAR, key_block) "
            "FROM (SELECT unnest($1::BIGINT[]) AS n, generate_subscripts($1::BIGINT[], 1) AS place), hash_key "
            "ORDER BY place",
            [numbers],
        ).fetchall()
    assert [value for (value,) in found] == [keyed_hash(key, str(number)) for number in numbers]
