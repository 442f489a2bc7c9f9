"""YAML as plain values that remember on which line each of them stands.

PyYAML's own loader forgets lines and lets the last of two equal keys win.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import yaml

from directive_etl.registry.mistakes import Mistake, Place, describe

# What JSON can hold, since the values are checked in pydantic's JSON mode.
Plain = dict[str, Any] | list[Any] | str | int | float | bool | None


# libyaml's loader where PyYAML was built with it: the same nodes and marks, ten times as fast.
_FastLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass
class Document:
    """A parsed file.

    Attributes:
        value: mappings, lists and scalars; dates are ISO text.
        lines: the line of each value, from 1. A value written once and used twice (`&name`, `*name`) has
            the line where it is written.
        mistakes: equal keys, values that cannot be read.
    """

    value: Plain = None
    lines: dict[Place, int] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)

    def line_of(self, place: Place) -> int:
        """Return the line of the value, or of the nearest value around it that the file has."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def parse_yaml(text: str) -> Document:
    """Read one YAML document.

    Raises:
        yaml.YAMLError: the text is no YAML, or more than one document.
    """
    loader = _FastLoader(text)
    try:
        root = loader.get_single_node()
        document = Document()
        if root is not None:
            document.value = _Reader(loader, document).read(root, (), ())
        return document
    finally:
        loader.dispose()


@dataclass
class _Reader:
    """Turns nodes into values and notes what it meets on the way."""

    loader: yaml.SafeLoader | yaml.CSafeLoader
    document: Document

    def read(self, node: yaml.Node, place: Place, above: tuple[int, ...]) -> Plain:
        # A key's line is kept when there is one: it is where people look.
        self.document.lines.setdefault(place, node.start_mark.line + 1)
        if id(node) in above:
            self._note(place, "a value that contains itself", "a value that ends")
            return None
        if isinstance(node, yaml.MappingNode):
            return dict(self._iter_items(node, place, (*above, id(node))))
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, (*place, n), (*above, id(node))) for n, item in enumerate(node.value)]
        return self._read_scalar(node, place)

    def _iter_items(
        self, node: yaml.MappingNode, place: Place, above: tuple[int, ...]
    ) -> Iterator[tuple[str, Plain]]:
        seen: set[str] = set()
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._note(place, "a key that is a list or a mapping", "a key that is a word")
                continue
            key = key_node.value
            line = key_node.start_mark.line + 1
            if key in seen:
                self._note((*place, key), f"the key {key!r} a second time, on line {line}", "it once")
                continue
            seen.add(key)
            self.document.lines[(*place, key)] = line
            yield key, self.read(value_node, (*place, key), above)

    def _read_scalar(self, node: yaml.Node, place: Place) -> Plain:
        try:
            value = self.loader.construct_object(node)
        except (ValueError, yaml.YAMLError):
            # 2020-13-40 looks like a date to YAML and is none; an unknown !tag has no reader.
            expected = (
                "a day that exists" if node.tag.endswith(":timestamp") else "a plain value that can be read"
            )
            self._note(place, describe(node.value), expected)
            return None
        if isinstance(value, date):
            return value.isoformat()
        if isinstance(value, float) and not math.isfinite(value):
            self._note(place, repr(node.value), "a finite number")
            return None
        if value is None or isinstance(value, str | int | float):
            return value
        self._note(place, describe(node.value), "a plain value")
        return None

    def _note(self, place: Place, found: str, expected: str) -> None:
        self.document.mistakes.append(Mistake(place, found, expected))
