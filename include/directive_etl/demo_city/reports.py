"""What every unit sends on every day: reports in time and late, wrong ones, corrections, copies, and silence.

Each unit has a character. Every file gets the outcome it must have in the pipeline; `report_truth` turns the
files into the figures that must stand afterwards.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from directive_etl.demo_city.city import City
from directive_etl.demo_city.report_faults import FAULTS, undercounted, with_blanks
from directive_etl.demo_city.submissions import Submission, UnitDay
from directive_etl.demo_city.unit_figures import TrueFigures, TypedFigures, true_figures
from directive_etl.periods import LOCAL_ZONE, close_of, day_end, day_start
from directive_etl.registry.directive import Directive, directives
from directive_etl.registry.obligations import expected_report, reporting_rule
from directive_etl.registry.units import units_on


@dataclass(frozen=True)
class Character:
    """How often a unit does what, per report day (0 to 1)."""

    weight: int
    late: float
    silent: float
    wrong: float
    corrected: float
    copied: float
    blank: float


CHARACTERS = {
    "careful": Character(
        weight=60, late=0.02, silent=0.005, wrong=0.02, corrected=0.05, copied=0.02, blank=0.02
    ),
    "tardy": Character(
        weight=14, late=0.45, silent=0.04, wrong=0.03, corrected=0.06, copied=0.02, blank=0.04
    ),
    "silent": Character(
        weight=10, late=0.10, silent=0.35, wrong=0.04, corrected=0.05, copied=0.02, blank=0.06
    ),
    "careless": Character(
        weight=16, late=0.10, silent=0.03, wrong=0.30, corrected=0.25, copied=0.10, blank=0.20
    ),
}
CORRECTED_AFTER_A_FAULT = 0.85
# How often a unit reports on a day off, when nobody expects it.
UNASKED = 0.08


def simulate_reports(city: City) -> list[Submission]:
    """Return every file that the city's units send, by time of receipt.

    What would come after the close of the last day is not sent.
    """
    end = close_of(city.last_day)
    files = [file for directive in directives() for file in _iter_files(city, directive)]
    in_time = [file for file in files if file.received_at <= end]
    return sorted(in_time, key=lambda file: (file.received_at, file.unit_code, file.name))


def character_of(city: City, unit_code: str) -> Character:
    """Return how a unit behaves; the same for all its days."""
    random = city.random_for("character", unit_code)
    name = random.choices(list(CHARACTERS), [one.weight for one in CHARACTERS.values()])[0]
    return CHARACTERS[name]


def _iter_files(city: City, directive: Directive) -> Iterator[Submission]:
    last_accepted: dict[str, Submission] = {}
    for day in city.days:
        for unit in units_on(day):
            rule = reporting_rule(directive, unit)
            if rule is None or (city.unit_codes is not None and unit.unit_code not in city.unit_codes):
                continue
            random = city.random_for("report", directive.code, unit.unit_code, day)
            due_at = datetime.combine(day, rule.due_time, LOCAL_ZONE)
            files = UnitDay(city, directive, unit, day, due_at, random)
            if expected_report(directive, unit, day) is not None:
                _send_day(files, character_of(city, unit.unit_code), last_accepted.get(unit.unit_code))
            elif random.random() < UNASKED:
                truth = true_figures(city, directive, unit, day)
                files.send("unasked", _moment_before(files, due_at), dict(truth))
            accepted = [file for file in files.sent if file.outcome == "accepted"]
            if accepted:
                last_accepted[unit.unit_code] = accepted[-1]
            yield from files.sent


def _send_day(files: UnitDay, character: Character, yesterday: Submission | None) -> None:
    """Let a unit do what its character makes it do on one day."""
    random = files.random
    if random.random() < character.silent:
        # Some who send nothing new send the last file once more, thinking it is today's.
        moment = _moment_before(files, files.due_at)
        if yesterday is not None and yesterday.received_at < moment and random.random() < 0.2:
            files.send_copy(yesterday, moment)
        return
    truth = true_figures(files.city, files.directive, files.unit, files.day)
    moment = _first_moment(files, character)
    if random.random() < character.wrong:
        fault = random.choice(FAULTS)
        wrong = files.send_fault(fault, _same_day(files, moment), truth)
        moment = wrong.received_at
        if random.random() < character.copied:
            moment = files.send_copy(
                wrong, files.later(moment, timedelta(minutes=1), timedelta(minutes=9))
            ).received_at
        if random.random() >= CORRECTED_AFTER_A_FAULT:
            return
        moment = _after(files, moment)
    figures: TypedFigures = with_blanks(truth, random) if random.random() < character.blank else dict(truth)
    _send_sound(files, character, moment, figures, truth)


def _send_sound(
    files: UnitDay,
    character: Character,
    moment: datetime,
    figures: TypedFigures,
    truth: TrueFigures,
) -> None:
    """Send a report that is accepted, its corrections, and copies of either."""
    random = files.random
    corrections = 0
    if random.random() < character.corrected:
        corrections = 2 if random.random() < 0.15 else 1
    kind = "report" if None not in figures.values() else "blank_cells"
    first = undercounted(files.directive, figures, random) if corrections else figures
    sent = [files.send(kind, moment, first)]
    if random.random() < character.copied:
        moment = files.send_copy(
            sent[0], files.later(moment, timedelta(minutes=2), timedelta(minutes=50))
        ).received_at
    for number in range(corrections):
        moment = _after(files, moment)
        is_last = number == corrections - 1
        corrected: TypedFigures = dict(truth) if is_last else undercounted(files.directive, truth, random)
        kind = "correction"
        if is_last and random.random() < 0.2:
            corrected = with_blanks(corrected, random)
            kind = "withdrawal"
        if any(corrected == earlier.figures for earlier in sent):
            continue  # it would be a copy
        sent.append(files.send(kind, moment, corrected))
    # The old file once more after its correction: a copy changes nothing, so the correction stands.
    if len(sent) > 1 and random.random() < 0.15:
        files.send_copy(sent[0], files.later(moment, timedelta(minutes=5), timedelta(hours=2)))


def _first_moment(files: UnitDay, character: Character) -> datetime:
    """Return when the first file comes: in time, or late before or after the close."""
    random = files.random
    if random.random() >= character.late:
        return _moment_before(files, files.due_at)
    close = close_of(files.day)
    if random.random() < 0.6:
        return files.later(files.due_at, timedelta(minutes=1), close - files.due_at - timedelta(seconds=1))
    return files.later(close, timedelta(minutes=2), timedelta(hours=30))


def _moment_before(files: UnitDay, due_at: datetime) -> datetime:
    """Return a moment of the day's working hours up to the due time; now and then the very second."""
    if files.random.random() < 0.01:
        return due_at
    first = day_start(files.day) + timedelta(hours=13)
    return files.later(first, timedelta(0), due_at - first)


def _same_day(files: UnitDay, moment: datetime) -> datetime:
    """Return the moment, or one on the report's own day: what cannot be read counts for the day it came."""
    if moment < day_end(files.day):
        return moment
    return files.later(
        files.due_at, timedelta(minutes=1), day_end(files.day) - files.due_at - timedelta(minutes=5)
    )


def _after(files: UnitDay, moment: datetime) -> datetime:
    """Return when a better file follows: mostly within hours, sometimes a day or two later."""
    if files.random.random() < 0.65:
        return files.later(moment, timedelta(minutes=15), timedelta(hours=3))
    return files.later(moment, timedelta(hours=12), timedelta(hours=44))
