"""What people type into a cell, as a whole number or a day.

Every figure of a form is a count, so a text like `1.200` has one sense only: one and a fifth of a person
does not exist. `1,20` and `99,4%` are no counts and stay what they are.
"""

import re
import unicodedata
from datetime import date, datetime, timedelta

_BLANKS = re.compile(r"[\s\u00a0\u2000-\u200b\u202f\u205f\u2060\u3000\ufeff]+")
_DIGITS = re.compile(r"[+-]?[0-9]{1,15}")
# Thousands in groups of three by one and the same sign, and decimals that are all zero by another.
_GROUPED = re.compile(r"([+-]?[1-9][0-9]{0,2}(?:([ .,'’])[0-9]{3})(?:\2[0-9]{3})*)(?:(?!\2)[.,]0{1,4})?")
_WHOLE_WITH_ZEROS = re.compile(r"([+-]?[0-9]{1,15})[.,]0{1,2}")
_FRACTION = re.compile(r"[+-]?[0-9]{1,15}(?:[.,][0-9]{1,15})? ?%?|[+-]?[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+")
_DAY_MONTH_YEAR = re.compile(
    r"(?:ngày )?(\d{1,2}) ?(?:[/.-]|tháng) ?(\d{1,2}) ?(?:[/.-]|năm) ?(\d{4})", re.IGNORECASE
)
_DAY_ZERO = date(1899, 12, 30)
_DAY_ZERO_1904 = date(1904, 1, 1)
_FIRST_DAY, _LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)  # a day number outside is no day


def to_plain_text(text: str) -> str:
    """Return a text with its letters composed (NFC) and every kind of blank as one space."""
    return _BLANKS.sub(" ", unicodedata.normalize("NFC", text)).strip()


def to_whole_number(raw: object) -> int | None:
    """Return a cell's content as a whole number; None when it is none.

    A text is one when it is plain digits (spreadsheet programs keep typed digits as text in cells of that
    format), digits in groups of three (`1.234`, `1,234`, `1 234`), or either with zero decimals (`12,0`).
    """
    if isinstance(raw, bool):
        return None
    if isinstance(raw, int):
        return raw
    if isinstance(raw, float):
        return int(raw) if raw.is_integer() else None
    if not isinstance(raw, str):
        return None
    text = to_plain_text(raw).replace("\N{MINUS SIGN}", "-")
    if _DIGITS.fullmatch(text):
        return int(text)
    if match := _GROUPED.fullmatch(text):
        return int(re.sub(r"[^0-9+-]", "", match[1]))
    if match := _WHOLE_WITH_ZEROS.fullmatch(text):
        return int(match[1])
    return None


def is_fraction(raw: object) -> bool:
    """Say whether a content is a number, though no whole one: a float, `12,5` or `99,4%`."""
    if isinstance(raw, str):
        return to_whole_number(raw) is None and bool(_FRACTION.fullmatch(to_plain_text(raw)))
    return isinstance(raw, float)


def to_date(raw: object, *, counts_from_1904: bool = False) -> date | None:
    """Return a cell's content as a day: a date, day/month/year as text, or a number of days; None if none.

    Args:
        raw: as the reader process gave it; a date is `{"date": ISO}`.
        counts_from_1904: whether the workbook counts days from 1904, as old Macintosh ones do.
    """
    if isinstance(raw, dict):
        return date.fromisoformat(raw["date"]) if "date" in raw else None
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return _of_day_number(raw, _DAY_ZERO_1904 if counts_from_1904 else _DAY_ZERO)
    if not isinstance(raw, str):
        return None
    text = to_plain_text(raw)
    if _DIGITS.fullmatch(text):
        return _of_day_number(int(text), _DAY_ZERO_1904 if counts_from_1904 else _DAY_ZERO)
    if match := _DAY_MONTH_YEAR.fullmatch(text):
        day, month, year = (int(part) for part in match.groups())
        if month > 12 >= day and "/" in text:
            day, month = month, day  # 08/20/2020: a program set to American dates saved the table
        try:
            return date(year, month, day)
        except ValueError:
            return None
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        return None


def transposed(day: date | None) -> date | None:
    """Return the day with month and day exchanged; None when there is none."""
    return day.replace(month=day.day, day=day.month) if day is not None and day.day <= 12 else None


def _of_day_number(number: float, day_zero: date) -> date | None:
    whole = to_whole_number(number)
    if whole is None or not (_FIRST_DAY - day_zero).days <= whole <= (_LAST_DAY - day_zero).days:
        return None
    return day_zero + timedelta(days=whole)
