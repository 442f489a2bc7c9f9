"""The course of one dossier through an office: registered, received, worked on, paused, ended, returned.

Each step is a version that the portal shows. The national status codes: 1 newly registered, 2 received, 3 not
accepted, 4 in process, 5 waiting for papers, 6 waiting for a payment, 7 withdrawn, 8 stopped, 9 processed, 10
result returned.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from directive_etl.periods import LOCAL_ZONE, days_between
from directive_etl.registry.calendar import is_working_day

NEWLY_REGISTERED, RECEIVED, NOT_ACCEPTED, IN_PROCESS, WAITS_FOR_PAPERS = 1, 2, 3, 4, 5
WAITS_FOR_PAYMENT, WITHDRAWN, STOPPED, PROCESSED, RETURNED = 6, 7, 8, 9, 10
PAUSED_STATUSES = (WAITS_FOR_PAPERS, WAITS_FOR_PAYMENT)
CLOSED_STATUSES = (NOT_ACCEPTED, WITHDRAWN, STOPPED, PROCESSED, RETURNED)

IN_PERSON, ONLINE, POST = 1, 2, 3

# Working days that offices promise: at once, a week, some weeks. A procedure has one of the three kinds.
_PROMISED_DAYS = ((0, 1, 2), (3, 5, 7), (10, 15, 20))
_MOST_PAUSES = 2
_OFFICE_OPENS, _OFFICE_CLOSES = 7 * 3600 + 1800, 17 * 3600


@dataclass(frozen=True)
class Version:
    """A dossier as the portal shows it from `visible_from` on; times are aware, whole seconds."""

    system_code: str
    dossier_code: str
    procedure_code: str
    unit_code: str
    channel: int
    status: int
    changed_at: datetime
    visible_from: datetime
    received_at: datetime | None = None
    due_at: datetime | None = None
    finished_at: datetime | None = None
    returned_at: datetime | None = None


@dataclass(frozen=True)
class WorkingDays:
    """The working days of a period that is longer than any dossier's course."""

    days: list[date]

    @classmethod
    def around(cls, first: date, last: date) -> "WorkingDays":
        """Return the working days from a month before `first` to the end of the year of `last`."""
        period = days_between(first - timedelta(days=31), date(last.year, 12, 31))
        return cls([day for day in period if is_working_day(day)])

    def at_or_after(self, day: date) -> date:
        """Return the first working day that is not before the day."""
        return self.days[bisect_left(self.days, day)]

    def after(self, day: date, count: int) -> date:
        """Return the day `count` working days after a day; with 0, the day itself or the next to work."""
        first = bisect_right(self.days, day) - 1 if count else bisect_left(self.days, day)
        return self.days[first + count]


class Course:
    """Makes the versions of one dossier, one step after the other, each later than the one before."""

    def __init__(
        self, random: Random, working_days: WorkingDays, submitted: Version, slowness: float
    ) -> None:
        """Start with the submission.

        Args:
            random: source of randomness.
            working_days: when offices work.
            submitted: the dossier newly registered; other channels' first version is its reception.
            slowness: of the office, about 0.6 (quick) to 1.4.
        """
        self._random = random
        self._working_days = working_days
        self._slowness = slowness
        self.versions: list[Version] = [submitted] if submitted.channel == ONLINE else []
        self._state = submitted

    def run(self) -> list[Version]:
        """Run to the end and return the versions, also those after the last simulated day."""
        random = self._random
        if self._state.channel == ONLINE and random.random() < 0.02:
            self._refuse_unseen()
            return self.versions
        self._receive()
        ending = random.random()
        if ending < 0.015:
            self._end(NOT_ACCEPTED, self._later_today())
            return self.versions
        if random.random() < 0.75:
            self._add(IN_PROCESS, self._later_today())
        for _ in range(_MOST_PAUSES):
            if random.random() < 0.07:
                self._pause()
        if ending < 0.035:
            self._end(WITHDRAWN if ending < 0.025 else STOPPED, self._after(random.randint(1, 5)))
            return self.versions
        self._end(PROCESSED, self._completion())
        self._return()
        return self.versions

    def _refuse_unseen(self) -> None:
        """Turn an online submission down at a glance: it has no reception date, and so it counts nowhere."""
        moment = self._after(1)
        self._add(NOT_ACCEPTED, moment, finished_at=moment)

    def _receive(self) -> None:
        state = self._state
        is_online = state.channel == ONLINE
        received = self._after(self._random.choice((0, 0, 0, 1))) if is_online else state.changed_at
        kind = sum(state.procedure_code.encode()) % len(_PROMISED_DAYS)
        promised = self._random.choice(_PROMISED_DAYS[kind])
        due = None
        if self._random.random() > 0.05:
            due = datetime.combine(self._working_days.after(received.date(), promised), time(17), LOCAL_ZONE)
        self._add(RECEIVED, received, received_at=received, due_at=due)

    def _pause(self) -> None:
        """Wait for the applicant, then go on; the due date moves by as many working days."""
        status = WAITS_FOR_PAPERS if self._random.random() < 0.7 else WAITS_FOR_PAYMENT
        self._add(status, self._after(self._random.randint(0, 3)))
        waits = self._random.randint(1, 12)
        resumed = self._after(waits)
        due = self._state.due_at
        if due is not None:
            due = datetime.combine(self._working_days.after(due.date(), waits), time(17), LOCAL_ZONE)
        self._add(IN_PROCESS, resumed, due_at=due)

    def _completion(self) -> datetime:
        """Return when the work ends: mostly before the due date, on it, and for slow offices after it."""
        due = self._state.due_at
        if due is None:
            return self._after(self._random.randint(1, 8))
        draw = self._random.random()
        late_share = 0.045 * self._slowness**2
        today = self._state.changed_at.date()
        if draw < late_share:
            return self._office_hour(self._working_days.after(due.date(), self._random.randint(1, 15)))
        if draw < late_share + 0.25 or due.date() <= today:
            return self._office_hour(max(due.date(), today))
        left = len(self._working_days.days[: bisect_right(self._working_days.days, due.date())])
        left -= bisect_right(self._working_days.days, today)
        return self._after(min(left, int(left * self._random.random() * self._slowness)))

    def _return(self) -> None:
        """Hand over the result: online at once, by post in some days, in person when the applicant comes."""
        if self._random.random() < 0.04:
            return
        waits = {ONLINE: (0, 0, 0, 1), POST: (1, 2, 3), IN_PERSON: (0, 0, 1, 2, 5)}[self._state.channel]
        moment = self._after(self._random.choice(waits))
        self._add(RETURNED, moment, returned_at=moment)

    def _end(self, status: int, moment: datetime) -> None:
        # The day work ended is the day the portal shows it.
        self._add(status, moment, finished_at=moment)

    def _add(self, status: int, moment: datetime, **times: Any) -> None:
        """Add the version that the portal shows from the moment on; further times of the dossier change with it."""
        self._state = replace(self._state, status=status, changed_at=moment, visible_from=moment, **times)
        self.versions.append(self._state)

    def _later_today(self) -> datetime:
        return self._after(0)

    def _after(self, days: int) -> datetime:
        """Return a moment in office hours some working days later, after the last version."""
        return self._office_hour(self._working_days.after(self._state.changed_at.date(), days))

    def _office_hour(self, day: date) -> datetime:
        day = self._working_days.at_or_after(day)
        opens, last = _OFFICE_OPENS, self._state.changed_at
        if last.date() == day:
            opens = max(opens, last.hour * 3600 + last.minute * 60 + last.second + 60)
        if opens >= _OFFICE_CLOSES:
            day, opens = self._working_days.after(day, 1), _OFFICE_OPENS
        second = self._random.randrange(opens, _OFFICE_CLOSES)
        return datetime.combine(day, time.min, LOCAL_ZONE) + timedelta(seconds=second)
