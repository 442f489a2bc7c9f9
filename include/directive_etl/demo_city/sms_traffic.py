"""The messages of the demo city: five campaign waves, a daily trickle, and other traffic of the gateways."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from directive_etl.demo_city.sms_subscribers import OPERATOR_CODES, BoolArray, IntArray, Subscribers
from directive_etl.demo_city.sms_texts import CAMPAIGN_TEXT_SHARES, PASS_CODE, TOP_UP

SECOND = 1000
HOUR = 3600 * SECOND
DAY = 24 * HOUR

WAVE_DATES = (date(2020, 8, 18), date(2020, 8, 21), date(2020, 8, 25), date(2020, 8, 28), date(2020, 8, 31))
# Share of the subscribers written to before who are reminded in each wave.
_REMINDED_SHARES = (0.0, 0.90, 0.75, 0.70, 0.65)
# Local hours in which a wave is sent: the third goes out in the evening, so much of its echo falls on the
# next day.
_WAVE_HOURS = (
    ((8, 11), (14, 17)),
    ((8, 11), (14, 17)),
    ((18, 21), (18, 21)),
    ((8, 11), (14, 17)),
    ((9, 12), (15, 18)),
)
# From this wave on the few who change operator are served by the new one.
_SWITCH_WAVE = 2

_TRICKLE_SHARE = 0.007
_OTHER_SHARE = 0.005
_MIN_TRICKLE = 8
_MIN_OTHER = 6
# Other traffic sent in the last seconds of a day: its receipts fall into the folder of the next.
_MIDNIGHT_SHARE = 0.03


@dataclass(frozen=True)
class Messages:
    """One element per message, in order of submission. Times are milliseconds since the first day began.

    Attributes:
        subscriber: position in Subscribers.
        operator: position in OPERATOR_CODES.
        is_campaign: sent by the campaign's sender, else by another.
        submitted: time of submission. Most logs show whole seconds of it.
        text: position in TEXTS.
    """

    subscriber: IntArray
    operator: IntArray
    is_campaign: BoolArray
    submitted: IntArray
    text: IntArray

    @property
    def day(self) -> IntArray:
        """Day of submission, counted from the first day."""
        return self.submitted // DAY

    def __len__(self) -> int:
        return len(self.subscriber)


def draw_messages(rng: np.random.Generator, subscribers: Subscribers, days: list[date]) -> Messages:
    """Draw what is sent on each day: a wave on its date, and every day the trickle and the other traffic."""
    parts: list[Messages] = []
    for position, day in enumerate(days):
        wave = WAVE_DATES.index(day) if day in WAVE_DATES else None
        if wave is not None:
            parts.append(_draw_wave(rng, subscribers, wave, position))
        operator = subscribers.operator if day < WAVE_DATES[_SWITCH_WAVE] else subscribers.later_operator
        for code in range(len(OPERATOR_CODES)):
            served = np.flatnonzero(operator == code)
            parts.append(_draw_trickle(rng, served, code, position))
            parts.append(_draw_other(rng, served, code, position))
    merged = [
        np.concatenate([getattr(part, name) for part in parts]) for name in Messages.__dataclass_fields__
    ]
    order = np.argsort(merged[3], kind="stable")
    return Messages(*(column[order] for column in merged))


def _draw_wave(rng: np.random.Generator, subscribers: Subscribers, wave: int, day: int) -> Messages:
    reminded = rng.random(len(subscribers.number)) < _REMINDED_SHARES[wave]
    chosen = np.flatnonzero((subscribers.first_wave == wave) | ((subscribers.first_wave < wave) & reminded))
    operator = (subscribers.later_operator if wave >= _SWITCH_WAVE else subscribers.operator)[chosen]
    hours = np.array(_WAVE_HOURS[wave])[rng.integers(0, 2, len(chosen))]
    # Gateways start slowly, run at capacity and end with the retries of the tail.
    progress = rng.beta(1.4, 1.8, len(chosen))
    of_day = (hours[:, 0] * HOUR + progress * (hours[:, 1] - hours[:, 0]) * HOUR).astype(np.int64)
    return _campaign_messages(rng, chosen, operator, day * DAY + of_day)


def _draw_trickle(rng: np.random.Generator, served: IntArray, operator: int, day: int) -> Messages:
    """Draw the newcomers and second attempts written to one by one, between 07:00 and 22:00."""
    count = max(_MIN_TRICKLE, round(len(served) * _TRICKLE_SHARE))
    chosen = rng.choice(served, count)
    of_day = 7 * HOUR + rng.integers(0, 15 * HOUR, count)
    return _campaign_messages(rng, chosen, np.full(count, operator), day * DAY + of_day)


def _draw_other(rng: np.random.Generator, served: IntArray, operator: int, day: int) -> Messages:
    """Draw service messages of another sender: around the clock, less by night."""
    count = max(_MIN_OTHER, round(len(served) * _OTHER_SHARE))
    of_day = (np.clip(rng.normal(14, 4.5, count), 0, 23.99) * HOUR).astype(np.int64)
    is_late = rng.random(count) < _MIDNIGHT_SHARE
    of_day = np.where(is_late, DAY - rng.integers(1, 8, count) * SECOND, of_day)
    return Messages(
        subscriber=rng.choice(served, count),
        operator=np.full(count, operator, dtype=np.int64),
        is_campaign=np.zeros(count, dtype=bool),
        submitted=day * DAY + of_day,
        text=rng.choice([TOP_UP, PASS_CODE], count).astype(np.int64),
    )


def _campaign_messages(
    rng: np.random.Generator, chosen: IntArray, operator: IntArray, submitted: IntArray
) -> Messages:
    text = np.zeros(len(chosen), dtype=np.int64)
    for position, code in enumerate(OPERATOR_CODES):
        is_here = operator == position
        shares = CAMPAIGN_TEXT_SHARES[code]
        text[is_here] = rng.choice(list(shares), int(is_here.sum()), p=list(shares.values()))
    return Messages(chosen, operator.astype(np.int64), np.ones(len(chosen), dtype=bool), submitted, text)
