"""What the operators' gateways log of each message: the submission, the receipts, and what goes wrong there.

Receipts come before the submission, twice, up to 72 hours late, out of order, or never, as in real logs.
"""

from dataclasses import dataclass

import numpy as np

from directive_etl.demo_city.sms_subscribers import (
    MOBIFONE,
    VIETNAMOBILE,
    VIETTEL,
    BoolArray,
    IntArray,
    Subscribers,
)
from directive_etl.demo_city.sms_traffic import DAY, HOUR, SECOND, Messages

# Kinds of log rows. The last three are lines of a Kannel log that are no message of ours.
SUBMISSION, RECEIPT, UNMATCHED_RECEIPT, INCOMING, WITHOUT_ID = range(5)

# States a row may tell. The last two are not final: the network keeps trying, or the gateway has taken the
# message.
NO_STATE, DELIVERED, FAILED, EXPIRED, REJECTED, TRYING, TAKEN = range(7)
FINAL_STATES = (DELIVERED, FAILED, EXPIRED, REJECTED)

# What happens to a message besides its submission and its final receipt; shares of all messages.
_FATES = {
    "failed_before": 0.003,
    "failed_after": 0.001,
    "receipt_again_later": 0.005,
    "receipt_twice": 0.008,
    "submission_twice": 0.001,
    "not_final_after_final": 0.010,
    "receipt_first": 0.015,
    "far_too_late": 0.002,
}
FATES = ("plain", *_FATES)
PLAIN = 0


@dataclass(frozen=True)
class Events:
    """One element per log row. Times are milliseconds since 00:00 local of the first day.

    Attributes:
        message: position in Messages.
        kind: SUBMISSION, RECEIPT ...
        state: NO_STATE for a submission.
        at: time the row is logged.
        is_copy: the same row is in the log already.
    """

    message: IntArray
    kind: IntArray
    state: IntArray
    at: IntArray
    is_copy: BoolArray


def draw_events(
    rng: np.random.Generator, messages: Messages, subscribers: Subscribers
) -> tuple[Events, IntArray]:
    """Draw all rows that the gateways would log, also those after the last day.

    Returns:
        The events in no order, and the fate of each message as a position in FATES.
    """
    count = len(messages)
    fate = rng.choice(len(FATES), count, p=[1 - sum(_FATES.values()), *_FATES.values()])
    # Only Kannel logs a receipt before its submission, and it must not fall on the day before.
    is_kannel = np.isin(messages.operator, [VIETTEL, MOBIFONE])
    can_be_first = is_kannel & (messages.submitted % DAY > 10 * SECOND)
    fate[~can_be_first & (fate == FATES.index("receipt_first"))] = PLAIN
    # RestComm writes one row per attempt, so most of what may befall separate receipts cannot.
    is_attempt = messages.operator == VIETNAMOBILE
    fate[is_attempt & ~np.isin(fate, [FATES.index("receipt_twice"), FATES.index("far_too_late")])] = PLAIN

    state = _draw_final_states(rng, messages, subscribers)
    final_at = messages.submitted + _draw_delays(rng, state, fate)
    parts = [
        _submissions(messages, fate, is_attempt),
        _not_final(rng, messages, state, final_at, is_attempt),
        *_final_receipts(rng, messages, state, final_at, fate),
    ]
    merged = [np.concatenate([getattr(part, name) for part in parts]) for name in Events.__dataclass_fields__]
    return Events(*merged), fate


def _draw_final_states(rng: np.random.Generator, messages: Messages, subscribers: Subscribers) -> IntArray:
    """Draw the state each message ends in; NO_STATE for those never heard of again."""
    ends = [DELIVERED, FAILED, EXPIRED, REJECTED, NO_STATE]
    alive = rng.choice(ends, len(messages), p=[0.968, 0.012, 0.007, 0.004, 0.009])
    dead = rng.choice(ends, len(messages), p=[0.0, 0.62, 0.24, 0.10, 0.04])
    state = np.where(subscribers.is_dead[messages.subscriber], dead, alive)
    # RestComm's CDR has no word for a message that expired: the last attempt failed.
    return np.where((messages.operator == VIETNAMOBILE) & (state == EXPIRED), FAILED, state)


def _draw_delays(rng: np.random.Generator, state: IntArray, fate: IntArray) -> IntArray:
    """Draw the milliseconds from submission to final receipt: at most 72 hours, but for `far_too_late`."""
    count = len(state)
    at_once = rng.lognormal(np.log(5.5), 0.7, count) * SECOND
    when_switched_on = np.minimum(60 * SECOND + rng.exponential(5 * HOUR, count), 72 * HOUR)
    after_days = rng.uniform(20 * HOUR, 72 * HOUR, count)
    delay = np.select(
        [rng.random(count) < 0.90, rng.random(count) < 0.93], [at_once, when_switched_on], after_days
    )
    validity = rng.choice([24 * HOUR, 48 * HOUR, 72 * HOUR], count, p=[0.6, 0.3, 0.1])
    delay = np.where(state == EXPIRED, validity, delay)
    delay = np.where(state == REJECTED, rng.integers(100, 2500, count), delay)
    is_early = (fate == FATES.index("receipt_first")) & np.isin(state, [DELIVERED, FAILED])
    delay = np.where(is_early, -rng.integers(5, 1300, count), delay)
    delay = np.where(fate == FATES.index("far_too_late"), rng.integers(98 * HOUR, 110 * HOUR, count), delay)
    return delay.astype(np.int64)


def _submissions(messages: Messages, fate: IntArray, is_attempt: BoolArray) -> Events:
    logged = np.flatnonzero(~is_attempt)
    again = np.flatnonzero(fate == FATES.index("submission_twice"))
    return _events(
        np.concatenate([logged, again]),
        SUBMISSION,
        NO_STATE,
        messages.submitted[np.concatenate([logged, again])],
        np.repeat([False, True], [len(logged), len(again)]),
    )


def _not_final(
    rng: np.random.Generator, messages: Messages, state: IntArray, final_at: IntArray, is_attempt: BoolArray
) -> Events:
    """Draw the receipts that end nothing: taken by the gateway (Kannel), still trying (slow messages)."""
    sent = messages.submitted
    count = len(sent)
    # Half of Viettel's and all of MobiFone's connections ask for the gateway's own receipt.
    asks = (messages.operator == MOBIFONE) | ((messages.operator == VIETTEL) & (np.arange(count) % 2 == 0))
    taken = np.flatnonzero(asks & (rng.random(count) < 0.97))
    is_slow = (final_at - sent > 60 * SECOND) | (state == NO_STATE)
    trying = np.flatnonzero(is_slow & (rng.random(count) < np.where(is_attempt, 0.97, 0.6)))
    first_try = sent[trying] + rng.integers(2 * SECOND, 9 * SECOND, len(trying))
    # RestComm tries again while the phone is off; an hour or more after the first, and before the end.
    again = np.flatnonzero(
        is_attempt & (final_at - sent > 4 * HOUR) & (state != NO_STATE) & (rng.random(count) < 0.7)
    )
    second_try = sent[again] + rng.integers(HOUR, 2 * HOUR, len(again))
    parts = [
        _events(taken, RECEIPT, TAKEN, sent[taken] + rng.integers(60, 900, len(taken))),
        _events(trying, RECEIPT, TRYING, first_try),
        _events(again, RECEIPT, TRYING, second_try),
    ]
    return Events(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in Events.__dataclass_fields__)
    )


def _final_receipts(
    rng: np.random.Generator, messages: Messages, state: IntArray, final_at: IntArray, fate: IntArray
) -> list[Events]:
    """Draw the final receipts and what goes wrong around them."""
    has_end = state != NO_STATE

    def with_fate(name: str) -> IntArray:
        return np.flatnonzero(has_end & (fate == FATES.index(name)))

    all_final = np.flatnonzero(has_end)
    twice = with_fate("receipt_twice")
    later = with_fate("receipt_again_later")
    not_final = with_fate("not_final_after_final")
    before, after = with_fate("failed_before"), with_fate("failed_after")
    # The wrong receipt before may carry the same second as the right one: then the order in the file decides.
    shortly = np.maximum(messages.submitted[before], final_at[before] - rng.integers(1, 4000, len(before)))
    other = np.where(state == FAILED, EXPIRED, FAILED)
    return [
        _events(all_final, RECEIPT, state[all_final], final_at[all_final]),
        _events(twice, RECEIPT, state[twice], final_at[twice], np.ones(len(twice), dtype=bool)),
        _events(
            later, RECEIPT, state[later], final_at[later] + rng.integers(2 * SECOND, 120 * SECOND, len(later))
        ),
        _events(
            not_final,
            RECEIPT,
            TRYING,
            final_at[not_final] + rng.integers(11 * SECOND, 300 * SECOND, len(not_final)),
        ),
        _events(before, RECEIPT, other[before], shortly),
        _events(after, RECEIPT, other[after], final_at[after] + rng.integers(1, 20 * SECOND, len(after))),
    ]


def _events(
    message: IntArray, kind: int, state: int | IntArray, at: IntArray, is_copy: BoolArray | None = None
) -> Events:
    count = len(message)
    return Events(
        message=message,
        kind=np.full(count, kind, dtype=np.int64),
        state=np.broadcast_to(np.asarray(state, dtype=np.int64), (count,)),
        at=at,
        is_copy=np.zeros(count, dtype=bool) if is_copy is None else is_copy,
    )
