"""The part of a declared file that has the right form.

A wrong value in one entry of a list must not hide a wrong reference in another: the entries whose form is
wrong are left out, and what is left is checked further.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from directive_etl.registry.mistakes import Mistake, Place
from directive_etl.registry.yaml_lines import Plain


@dataclass
class FittingPart:
    """What is left of a file.

    Attributes:
        value: the file without the misfits.
        positions: for each list of `value` that lost entries, the former positions of those that are left.
        left_out: the texts inside the misfits; a reference to one of them is not wrong for that reason.
    """

    value: Plain
    positions: dict[Place, list[int]] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)

    def iter_certain(self, mistakes: Iterable[Mistake]) -> Iterator[Mistake]:
        """Yield the mistakes that the whole file has as well, at their places in it."""
        for mistake in mistakes:
            if not mistake.needs_whole_file and not any(
                repr(text) in mistake.found for text in self.left_out
            ):
                yield Mistake(self._former_place(mistake.place), mistake.found, mistake.expected)

    def _former_place(self, place: Place) -> Place:
        former: Place = ()
        for n, part in enumerate(place):
            kept = self.positions.get(place[:n])
            former = (*former, kept[part] if kept and isinstance(part, int) else part)
        return former


def leave_out(value: Plain, misfits: Iterable[Place], surplus: Iterable[Place]) -> FittingPart | None:
    """Leave out the innermost list entry around each misfit, and each surplus key alone.

    Args:
        value: the whole file.
        misfits: places of wrong values and of missing keys.
        surplus: places of keys that should not be there.

    Returns:
        What is left; None when a misfit is inside no list, since then nothing around it can be left out.
    """
    out = {_entry_around(place) for place in misfits} | set(surplus)
    if () in out:
        return None
    part = FittingPart(None)
    part.value = _copy(value, (), (), out, part)
    return part


def _entry_around(place: Place) -> Place:
    while place and not isinstance(place[-1], int):
        place = place[:-1]
    return place


def _copy(value: Plain, former: Place, place: Place, out: set[Place], part: FittingPart) -> Plain:
    if isinstance(value, dict):
        return {
            key: _copy(one, (*former, key), (*place, key), out, part)
            for key, one in value.items()
            if (*former, key) not in out
        }
    if not isinstance(value, list):
        return value
    kept = [n for n in range(len(value)) if (*former, n) not in out]
    if len(kept) < len(value):
        part.positions[place] = kept
        for n in set(range(len(value))) - set(kept):
            part.left_out.update(_iter_texts(value[n]))
    return [_copy(value[old], (*former, old), (*place, new), out, part) for new, old in enumerate(kept)]


def _iter_texts(value: Plain) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _iter_texts(one)
