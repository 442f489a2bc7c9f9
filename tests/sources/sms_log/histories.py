"""Random histories of messages: what the tests of SMS logs write down and count.

Receipts come early, late, twice, not final, of two states in the same second, and in later folders; lines are spread
over files, some plain and some gzip; and some lines are damaged in ways that a reader must refuse.
"""

import os
from dataclasses import dataclass, replace
from datetime import date

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

FIRST_DAY = date(2020, 8, 18)
WINDOW_DAYS = 2
STATES = ("pending", "delivered", "failed", "expired", "rejected")
REFUSALS = ("cut", "bad_time", "bad_number", "unknown_status", "not_text", "nul")

_COUNT = int(os.environ.get("DIRECTIVE_ETL_TEST_HISTORIES", "6"))
_RUN = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
# Of histories, and of the pairs of `late_histories`, whose figures take two counts.
SOME_HISTORIES = settings(_RUN, max_examples=_COUNT)
SOME_LATE_HISTORIES = settings(_RUN, max_examples=max(2, _COUNT // 2))


@dataclass(frozen=True)
class Event:
    """A line of a log: `state` None for a submission. `folder` is in days after the first; `fault` what is wrong."""

    message: int
    at: int
    state: str | None
    folder: int
    file: int
    fault: str | None = None
    copies: int = 0


@dataclass(frozen=True)
class Message:
    """A message: times are seconds after 00:00 of the first day."""

    sender: str
    number: int
    form: str
    sent_at: int
    segments: int


@dataclass(frozen=True)
class History:
    messages: list[Message]
    events: list[Event]
    file_count: int
    blank_lines: bool
    compressed: list[bool]


@st.composite
def histories(draw: st.DrawFn) -> History:
    messages = draw(
        st.lists(
            st.builds(
                Message,
                sender=st.sampled_from(["BLUEZONE", "BLUEZONE", "CSKH"]),
                number=st.integers(901_000_000, 901_000_005),
                form=st.sampled_from(["+84{}", "84{}", "0{}", "0084{}", "+84 {}", "{}"]),
                sent_at=st.integers(5, 4 * 86_400 - 10),
                segments=st.integers(1, 3),
            ),
            min_size=1,
            max_size=7,
        )
    )
    file_count = draw(st.integers(1, 3))
    files = st.integers(0, file_count - 1)
    faults = st.sampled_from([None] * 8 + list(REFUSALS))
    copies = st.sampled_from([0, 0, 0, 0, 1, 2])
    events = []
    for number, message in enumerate(messages):
        if draw(st.integers(0, 9)) > 0:
            day = message.sent_at // 86_400
            events.append(Event(number, message.sent_at, None, day, draw(files), draw(faults), draw(copies)))
        waits = st.one_of(st.integers(-3, 6), st.integers(0, 86_400), st.integers(0, 4 * 86_400))
        for wait, state in draw(st.lists(st.tuples(waits, st.sampled_from(STATES)), max_size=4)):
            at = max(0, message.sent_at + wait)
            events.append(Event(number, at, state, at // 86_400, draw(files), draw(faults), draw(copies)))
    order = draw(st.permutations(range(len(events))))
    return History(
        messages,
        [events[place] for place in order],
        file_count,
        draw(st.booleans()),
        draw(st.lists(st.booleans(), min_size=file_count, max_size=file_count)),
    )


@st.composite
def late_histories(draw: st.DrawFn) -> tuple[History, History]:
    """Messages of one day with receipts: as if all came at once, and up to 72 hours late in any order."""
    messages = draw(
        st.lists(
            st.builds(
                Message,
                sender=st.just("BLUEZONE"),
                number=st.integers(901_000_000, 901_000_003),
                form=st.just("84{}"),
                sent_at=st.integers(5, 86_390),
                segments=st.integers(1, 2),
            ),
            min_size=1,
            max_size=5,
        )
    )
    events = []
    for number, message in enumerate(messages):
        events.append(Event(number, message.sent_at, None, 0, 0))
        # Of two receipts of the same second the later in the files counts, so their order would matter.
        waits = draw(st.lists(st.integers(0, 200_000), max_size=4, unique=True))
        for wait in waits:
            events.append(Event(number, message.sent_at + wait, draw(st.sampled_from(STATES)), 0, 0))
    late = [
        replace(event, folder=draw(st.integers(0, 3)) if event.state else 0, file=draw(st.integers(0, 1)))
        for event in draw(st.permutations(events))
    ]
    # Something of another campaign is in every folder.
    filler = [replace(messages[0], sender="CSKH", sent_at=day * 86_400 + 60) for day in range(4)]
    fillers = [Event(len(messages) + day, filler[day].sent_at, None, day, 0) for day in range(4)]
    at_once, later = (
        History([*messages, *filler], [*fillers, *shown], 2, False, [False, True]) for shown in (events, late)
    )
    return at_once, later
