"""The shipped directive broken anywhere: the mistake is told with its line and place."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from directive_etl.errors import RegistryError
from directive_etl.registry.directive import DIRECTIVES_FOLDER, load_directive

FILE = DIRECTIVES_FOLDER / "2488-ubnd-kgvx.yaml"
TEXT = FILE.read_text(encoding="utf-8")


@dataclass(frozen=True)
class Spot:
    """A scalar of the file: where it is, and every place that leads to it (`&name` gives several)."""

    start: int
    end: int
    line: int
    is_key: bool
    places: tuple[str, ...]


def iter_nodes(node: yaml.Node, place: str = "") -> Iterator[tuple[yaml.Node, bool, str]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = f"{place}.{key.value}" if place else key.value
            yield key, True, inner
            yield from iter_nodes(value, inner)
    elif isinstance(node, yaml.SequenceNode):
        for n, value in enumerate(node.value):
            yield from iter_nodes(value, f"{place}[{n}]")
    else:
        yield node, False, place


def find_spots() -> list[Spot]:
    nodes: dict[int, yaml.Node] = {}
    places: dict[int, list[str]] = {}
    keys: set[int] = set()
    for node, is_key, place in iter_nodes(yaml.compose(TEXT)):
        nodes[id(node)] = node
        places.setdefault(id(node), []).append(place)
        if is_key:
            keys.add(id(node))
    return [
        Spot(
            node.start_mark.index,
            node.end_mark.index,
            node.start_mark.line + 1,
            one in keys,
            tuple(places[one]),
        )
        for one, node in nodes.items()
    ]


SPOTS = find_spots()
VALUES = [spot for spot in SPOTS if not spot.is_key]
# The names of the lists of categories are free, so another name there is a wrong reference elsewhere.
KEYS = [spot for spot in SPOTS if spot.is_key and not spot.places[0].startswith("categories.")]
REFERENCES = [spot for spot in VALUES if spot.places[0].endswith((".measure", ".at_most", "unit_types[0]"))]


def broken(*changes: tuple[Spot, str]) -> str:
    text = TEXT
    for spot, new in sorted(changes, key=lambda change: -change[0].start):
        text = text[: spot.start] + new + text[spot.end :]
    return text


def told(text: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / FILE.name
        path.write_text(text, encoding="utf-8")
        with pytest.raises(RegistryError) as error:
            load_directive(path)
        return str(error.value).replace(f"{path}:", "")


def test_the_file_has_places_to_break() -> None:
    assert len(VALUES) > 600 and len(KEYS) > 600 and len(REFERENCES) > 60


@given(st.lists(st.sampled_from(VALUES), min_size=1, max_size=4, unique=True))
@settings(deadline=None, max_examples=60)
def test_every_value_of_a_wrong_form_is_told_at_its_line_and_place(spots: list[Spot]) -> None:
    message = told(broken(*((spot, "{wrong: 1}") for spot in spots)))
    for spot in spots:
        for place in spot.places:
            assert f"\n{spot.line}: {place}: found a mapping of wrong, expected " in f"\n{message}"


@given(st.lists(st.sampled_from(KEYS), min_size=1, max_size=4, unique=True))
@settings(deadline=None, max_examples=60)
def test_every_unknown_key_is_told_at_its_line_and_place(spots: list[Spot]) -> None:
    # A key inside another broken key is not looked at any more.
    outer = [spot for spot in spots if not any(inside(spot, other) for other in spots)]
    message = told(broken(*((spot, TEXT[spot.start : spot.end] + "_x") for spot in spots)))
    for spot in outer:
        for place in spot.places:
            key = place.rpartition(".")[2] + "_x"
            assert f"\n{spot.line}: {place}_x: found the key {key!r}, expected only " in f"\n{message}"


def inside(spot: Spot, other: Spot) -> bool:
    return spot != other and any(
        one.startswith((f"{two}.", f"{two}[")) for one in spot.places for two in other.places
    )


@given(st.lists(st.sampled_from(REFERENCES), min_size=1, max_size=4, unique=True))
@settings(deadline=None, max_examples=60)
def test_every_reference_to_nothing_is_told_at_its_line_and_place(spots: list[Spot]) -> None:
    message = told(broken(*((spot, "nowhere") for spot in spots)))
    for spot in spots:
        for place in spot.places:
            assert f"\n{spot.line}: {place}: found 'nowhere', expected " in f"\n{message}"


@given(st.text(max_size=200))
@settings(deadline=None, max_examples=60)
def test_no_text_whatever_gets_past_as_another_error(text: str) -> None:
    told(text)
