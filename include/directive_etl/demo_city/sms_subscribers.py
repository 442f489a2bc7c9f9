"""The demo city's mobile subscribers: generated digits in the operators' prefix ranges, no real numbers."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

# Order matters: operators are positions in this tuple everywhere in the simulation.
OPERATOR_CODES = ("viettel", "vinaphone", "mobifone", "vietnamobile")
VIETTEL, VINAPHONE, MOBIFONE, VIETNAMOBILE = range(4)

# Shares of the demo city's subscribers: plausible, but no source gives those of Can Tho in 2020.
OPERATOR_SHARES = (0.46, 0.28, 0.20, 0.06)

# Prefixes after the change from 11 to 10 digits (15 September 2018), without the leading 0. 052, 055, 059,
# 087, 089 and 099 are left out: only parts of them are valid, or another operator's.
_PREFIXES = (
    (32, 33, 34, 35, 36, 37, 38, 39, 86, 96, 97, 98),
    (81, 82, 83, 84, 85, 88, 91, 94),
    (70, 76, 77, 78, 79, 90, 93),
    (56, 58, 92),
)

# The share of the city that a wave is the first to write to; later waves also remind those written to before.
FIRST_WAVE_SHARES = (0.48, 0.24, 0.15, 0.08, 0.05)

# Numbers are portable since 16 November 2018: the prefix tells the first operator only.
_PORTED_SHARE = 0.04
_SWITCHER_SHARE = 0.002
_DEAD_SHARE = 0.045


@dataclass(frozen=True)
class Subscribers:
    """One element per subscriber.

    Attributes:
        number: national significant number, 9 digits.
        operator: position in OPERATOR_CODES of the operator that serves the number.
        later_operator: the same from the third wave on; it differs for the few who change operator in August.
        first_wave: position of the wave that is the first to write to the subscriber.
        is_dead: the number is out of use, so nothing is ever delivered.
    """

    number: IntArray
    operator: IntArray
    later_operator: IntArray
    first_wave: IntArray
    is_dead: BoolArray


def draw_subscribers(rng: np.random.Generator, count: int) -> Subscribers:
    """Draw the city's subscribers, all numbers distinct.

    Args:
        rng: source of randomness.
        count: number of subscribers; at least one per operator is drawn.
    """
    counts = [max(1, round(count * share)) for share in OPERATOR_SHARES]
    number = np.concatenate([_draw_numbers(rng, op, n) for op, n in enumerate(counts)])
    home = np.repeat(np.arange(len(counts)), counts)
    total = len(number)
    operator = np.where(rng.random(total) < _PORTED_SHARE, rng.integers(0, len(counts), total), home)
    later = np.where(rng.random(total) < _SWITCHER_SHARE, rng.integers(0, len(counts), total), operator)
    return Subscribers(
        number=number,
        operator=operator,
        later_operator=later,
        first_wave=rng.choice(len(FIRST_WAVE_SHARES), size=total, p=FIRST_WAVE_SHARES),
        is_dead=rng.random(total) < _DEAD_SHARE,
    )


def _draw_numbers(rng: np.random.Generator, operator: int, count: int) -> IntArray:
    prefixes = np.array(_PREFIXES[operator], dtype=np.int64)
    # 3 % more than asked: repeated numbers are dropped.
    size = int(count * 1.03) + 20
    drawn = prefixes[rng.integers(0, len(prefixes), size)] * 10_000_000 + rng.integers(0, 10_000_000, size)
    return rng.permutation(np.unique(drawn))[:count]
