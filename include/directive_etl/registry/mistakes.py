"""A mistake in a declared file: where it stands, what was found and what was expected, as one sentence."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic_core import ErrorDetails

Place = tuple[str | int, ...]

_LONGEST_FOUND = 80

# What each kind of error of pydantic means to the person who wrote the file; others keep pydantic's words.
_EXPECTED = {
    "string_type": "a text (in quotes when it looks like a number, true or null)",
    "string_too_short": "a text of at least {min_length} characters",
    "string_too_long": "a text of at most {max_length} characters",
    "string_pattern_mismatch": "a text of the form {pattern}",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "decimal_type": "a number",
    "decimal_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "date_type": "a date like 2020-08-18",
    "date_parsing": "a date like 2020-08-18",
    "date_from_datetime_parsing": "a date like 2020-08-18",
    "date_from_datetime_inexact": "a date like 2020-08-18",
    "time_type": 'a time in quotes like "17:00"',
    "time_parsing": 'a time in quotes like "17:00"',
    "literal_error": "{expected}",
    "enum": "{expected}",
    "union_tag_invalid": "{discriminator} to be one of {expected_tags}",
    "union_tag_not_found": "a mapping with the key {discriminator}",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping (key: value)",
    "model_type": "a mapping (key: value)",
    "model_attributes_type": "a mapping (key: value)",
    "too_short": "at least {min_length} entries",
    "too_long": "at most {max_length} entries",
    "greater_than": "more than {gt}",
    "greater_than_equal": "{ge} or more",
    "less_than": "less than {lt}",
    "less_than_equal": "{le} or less",
    "extra_forbidden": "no such key",
    "missing": "a value",
}


@dataclass(frozen=True)
class Mistake:
    """One mistake.

    Attributes:
        place: keys and list positions that lead to it, from the top of the file.
        found: what stands there, ready to be read.
        expected: what should stand there, ready to be read.
        needs_whole_file: true when it may vanish once other mistakes are mended; then it is told only
            when there are no others of form.
    """

    place: Place
    found: str
    expected: str
    needs_whole_file: bool = False

    def sentence(self) -> str:
        """Return `place: found this, expected that`."""
        return f"{write_place(self.place)}: found {self.found}, expected {self.expected}"


def write_place(place: Sequence[str | int]) -> str:
    """Return keys and list positions as `clauses[2].indicators[0].code`; the whole file is `file`."""
    text = ""
    for part in place:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text or "file"


def describe(value: object) -> str:
    """Return what a declared value is, short enough for one line of a message."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a mapping of " + (", ".join(str(key) for key in value) or "nothing")
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    text = repr(value)
    return text if len(text) <= _LONGEST_FOUND else text[: _LONGEST_FOUND - 3] + "..."


def to_mistake(error: ErrorDetails) -> Mistake:
    """Turn one error of pydantic into a mistake; its place is still pydantic's, with union tags in it."""
    kind, context = error["type"], error.get("ctx", {})
    found = describe(error["input"])
    if kind == "missing":
        found = "nothing"
    if kind == "extra_forbidden":
        found = f"the key {error['loc'][-1]!r}"
    if kind in ("value_error", "assertion_error"):
        expected = str(context["error"])
    elif kind in _EXPECTED:
        expected = _EXPECTED[kind].format_map(context)
    else:
        message = error["msg"].removeprefix("Input should be ")
        expected = message[:1].lower() + message[1:]
    return Mistake(error["loc"], found, expected)
