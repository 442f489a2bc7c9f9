"""Numbers and days as people type them: one sense, or none."""

from datetime import date

import pytest

from directive_etl.sources.unit_report.typed_values import is_fraction, to_date, to_whole_number


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (12.0, 12),
        (-3.0, -3),
        (0.0, 0),
        ("12", 12),
        (" 12 ", 12),
        ("0012", 12),
        ("1.234", 1234),
        ("1,234", 1234),
        ("1.234.567", 1234567),
        ("1.234,00", 1234),
        ("1,234.0", 1234),
        ("12,0", 12),
        ("1 234", 1234),
        ("1\u00a0234", 1234),
        ("1\u202f234", 1234),
        ("1'234", 1234),
        ("\u200b12\ufeff", 12),
        ("\N{MINUS SIGN}5", -5),
        ("-1.234", -1234),
    ],
)
def test_a_whole_number_is_read_in_every_form(typed: object, expected: int):
    assert to_whole_number(typed) == expected


@pytest.mark.parametrize(
    "typed",
    [
        "1.2",
        "1,20",
        "1.2345",
        "12.34.567",
        "1.234,567.8",
        "1.234,5",
        "0.123",
        "0901 234 567",
        "12 người",
        "",
        "１２",
        "1e3",
        "99,4%",
        "50%",
        "=1+1",
        1.5,
        True,
        None,
        float("inf"),
        float("nan"),
    ],
)
def test_nothing_else_is_a_whole_number(typed: object):
    assert to_whole_number(typed) is None


@pytest.mark.parametrize("typed", ["99,4%", "50 %", "1,5", "1.20", "1.234,5", 0.5])
def test_a_share_is_told_from_a_text(typed: object):
    assert is_fraction(typed)


@pytest.mark.parametrize("typed", ["12", "1.234", "khoảng 50", "12 người", "1.2.3", ""])
def test_what_is_no_share_is_none(typed: object):
    assert not is_fraction(typed)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("21/08/2020", date(2020, 8, 21)),
        ("21-8-2020", date(2020, 8, 21)),
        (" 1.9.2020 ", date(2020, 9, 1)),
        ("2020-08-21", date(2020, 8, 21)),
        ("2020-08-21T00:00:00", date(2020, 8, 21)),
        ("ngày 21 tháng 8 năm 2020", date(2020, 8, 21)),
        ("Nga\u0300y 21 tha\u0301ng 08 na\u0306m 2020", date(2020, 8, 21)),
        ("08/21/2020", date(2020, 8, 21)),
        ("08/09/2020", date(2020, 9, 8)),
        (44064.0, date(2020, 8, 21)),
        ("44064", date(2020, 8, 21)),
        ({"date": "2020-08-21"}, date(2020, 8, 21)),
        ("31/02/2020", None),
        ("21/08", None),
        ("hôm nay", None),
        (20.0, None),
        (1e300, None),
        (float("nan"), None),
        (True, None),
        (None, None),
        ({"broken": "formula"}, None),
    ],
)
def test_a_day_is_read_as_clerks_write_it(typed: object, expected: date | None):
    assert to_date(typed) == expected


def test_a_day_number_of_an_old_macintosh_counts_from_1904():
    assert to_date(44064 - 1462, counts_from_1904=True) == date(2020, 8, 21)
