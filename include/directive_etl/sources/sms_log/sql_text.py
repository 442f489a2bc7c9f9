"""Declared values as SQL text: the only place where a value becomes part of a statement."""

from collections.abc import Iterable


def literal(value: str) -> str:
    """Return a text as an SQL string."""
    return "'" + value.replace("'", "''") + "'"


def literal_list(values: Iterable[str]) -> str:
    """Return texts as a parenthesised SQL list, for IN."""
    return "(" + ", ".join(literal(value) for value in values) + ")"


def identifier(name: str) -> str:
    """Return a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
