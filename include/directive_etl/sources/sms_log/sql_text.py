"""Declared values as SQL text: the only place where a value becomes part of a statement."""

from collections.abc import Iterable, Mapping


def literal(value: str) -> str:
    """Return a text as an SQL string."""
    return "'" + value.replace("'", "''") + "'"


def literal_list(values: Iterable[str]) -> str:
    """Return texts as a parenthesised SQL list, for IN."""
    return "(" + ", ".join(literal(value) for value in values) + ")"


def mapping_case(expression: str, mapping: Mapping[str, int], type_name: str) -> str:
    """Return a CASE that turns texts into numbers, and every other text into NULL."""
    branches = " ".join(f"WHEN {literal(value)} THEN {number}" for value, number in mapping.items())
    return f"(CASE {expression} {branches} END)::{type_name}"


def identifier(name: str) -> str:
    """Return a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
