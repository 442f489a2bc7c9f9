"""What must stand in the warehouse after the units' files were processed, told by the simulation alone."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from itertools import groupby, pairwise

import pandas as pd

from directive_etl.demo_city.city import City
from directive_etl.demo_city.revisions import OBSERVATION_COLUMNS
from directive_etl.demo_city.submissions import Submission
from directive_etl.demo_city.unit_figures import FigureKey
from directive_etl.periods import close_of
from directive_etl.registry.directive import Directive, directives
from directive_etl.registry.obligations import expected_report, owed_figures, reporting_rule
from directive_etl.registry.units import Unit, units_on

SUBMISSION_COLUMNS = ["path", "unit_code", "report_date", "received_at", "kind", "outcome", "reason_code"]
STATUS_COLUMNS = [
    "unit_code",
    "report_date",
    "is_expected",
    "due_at",
    "received_at",
    "status_code",
    "revision_count",
    "error_count",
    "warning_count",
]


@dataclass(frozen=True)
class Observation:
    """One revision of a figure; `value` is None when it was withdrawn."""

    unit_code: str
    measure_code: str
    category_code: str
    figure_date: date
    value: int | None
    known_at: datetime
    obs_status: str


def submissions_frame(submissions: list[Submission]) -> pd.DataFrame:
    """Return SUBMISSION_COLUMNS, one row per file; `path` is relative to the inbox."""
    rows = [
        {
            **{name: getattr(file, name) for name in SUBMISSION_COLUMNS if name != "path"},
            "path": file_path(file),
        }
        for file in submissions
    ]
    return pd.DataFrame(rows, columns=SUBMISSION_COLUMNS, dtype=object)


def file_path(submission: Submission) -> str:
    """Return where the file lies below the inbox."""
    return f"{submission.unit_code}/{submission.name}"


def report_observations(submissions: list[Submission]) -> pd.DataFrame:
    """Return OBSERVATION_COLUMNS: every revision of every figure that accepted reports gave.

    A figure has a revision when it is first given, when its value changes, and when it is left blank again.
    """
    return _observation_frame(
        revision
        for files in _accepted_by_unit_day(submissions).values()
        for revision in _iter_revisions(files)
    )


def pipeline_observations(city: City, submissions: list[Submission]) -> pd.DataFrame:
    """Return OBSERVATION_COLUMNS: what the pipeline itself notes at each close about each expected report."""
    accepted = _accepted_by_unit_day(submissions)
    return _observation_frame(
        observation
        for directive in directives()
        for day in city.days
        for unit in units_on(day)
        if (due_at := expected_report(directive, unit, day)) is not None
        for observation in _iter_close_figures(
            directive, unit, day, due_at, accepted.get((unit.unit_code, day), [])
        )
    )


def report_status(city: City, submissions: list[Submission]) -> pd.DataFrame:
    """Return STATUS_COLUMNS: one row per unit that may owe a report, and day.

    Args:
        city: whose days are wanted.
        submissions: by time of receipt.
    """
    by_unit_day: dict[tuple[str, date], list[Submission]] = {}
    for file in submissions:
        by_unit_day.setdefault((file.unit_code, file.report_date), []).append(file)
    warnings = _count_warnings(submissions)
    rows = []
    for day in city.days:
        for unit in units_on(day):
            asking = [one for one in directives() if reporting_rule(one, unit) is not None]
            if asking:
                dues = [due for one in asking if (due := expected_report(one, unit, day)) is not None]
                row = _status_row(
                    unit, day, min(dues, default=None), by_unit_day.get((unit.unit_code, day), [])
                )
                rows.append(row | {"warning_count": warnings[unit.unit_code, day]})
    return pd.DataFrame(rows, columns=STATUS_COLUMNS, dtype=object)


def _status_row(unit: Unit, day: date, due_at: datetime | None, files: list[Submission]) -> dict[str, object]:
    accepted = [file for file in files if file.outcome == "accepted"]
    refused = [file for file in files if file.outcome == "refused"]
    received_at = accepted[0].received_at if accepted else None
    if due_at is None:
        status_code = "not_expected"
    elif received_at is not None:
        status_code = "on_time" if received_at <= due_at else "late"
    else:
        status_code = "refused" if refused else "missing"
    return {
        "unit_code": unit.unit_code,
        "report_date": day,
        "is_expected": due_at is not None,
        "due_at": due_at,
        "received_at": received_at,
        "status_code": status_code,
        "revision_count": sum(a.figures != b.figures for a, b in pairwise(accepted)),
        "error_count": len(refused),
    }


def _count_warnings(submissions: list[Submission]) -> Counter[tuple[str, date]]:
    """Count the warnings of accepted files by unit and day.

    One for each blank cell, one for each stock below the figure then known of the last day before, one for
    each stock above ten times that figure (of 20 or more), one for each figure that does not fit those of the
    district or of the wards, one for a file of ten or more figures that are all those of the last day before,
    and one for such a file whose figures another unit sent for the day before it.
    """
    stocks = {measure.code for one in directives() for measure in one.measures if measure.kind == "stock"}
    known: dict[tuple[str, FigureKey], dict[date, int]] = defaultdict(dict)
    senders: dict[tuple[date, frozenset[tuple[FigureKey, object]]], set[str]] = defaultdict(set)
    warnings: Counter[tuple[str, date]] = Counter()
    for file in (file for file in submissions if file.outcome == "accepted"):
        unit_day = file.unit_code, file.report_date
        is_long = len(file.figures) >= 10 and None not in file.figures.values() and any(file.figures.values())
        repeated = 0
        for key, value in file.figures.items():
            by_day = known[file.unit_code, key]
            if not isinstance(value, int):
                by_day.pop(file.report_date, None)
                warnings[unit_day] += 1
                continue
            last = max((day for day in by_day if day < file.report_date), default=None)
            earlier = by_day[last] if last is not None else None
            repeated += value == earlier
            if key[0] in stocks and earlier is not None:
                warnings[unit_day] += value < earlier
                warnings[unit_day] += earlier >= 20 and value > 10 * earlier
            by_day[file.report_date] = value
            above, below, owing = _figures_around(file, key, known)
            warnings[unit_day] += above is not None and value > above
            warnings[unit_day] += bool(below) and (
                value < sum(below) or (len(below) == owing and value > sum(below))
            )
        sent_by = senders[file.report_date, frozenset(file.figures.items())]
        warnings[unit_day] += is_long and repeated == len(file.figures)
        warnings[unit_day] += is_long and bool(sent_by - {file.unit_code})
        sent_by.add(file.unit_code)
    return warnings


def _figures_around(
    file: Submission, key: FigureKey, known: dict[tuple[str, FigureKey], dict[date, int]]
) -> tuple[int | None, list[int], int]:
    """Return what the unit above and those below had reported of a figure, and how many below it owe it."""
    day = file.report_date
    directive = next(one for one in directives() if one.code == file.directive_code)
    above, below, owing = None, [], 0
    for unit in units_on(day):
        if unit.unit_code == file.unit_code and unit.parent_unit_code is not None:
            above = known.get((unit.parent_unit_code, key), {}).get(day)
        if unit.parent_unit_code == file.unit_code and key in _form_keys(directive, unit, day):
            owing += 1
            value = known.get((unit.unit_code, key), {}).get(day)
            below += [] if value is None else [value]
    return above, below, owing


@cache
def _form_keys(directive: Directive, unit: Unit, day: date) -> frozenset[FigureKey]:
    return frozenset((owed.measure.code, owed.category_code) for owed in owed_figures(directive, unit, day))


def typed_phone_numbers(submissions: list[Submission]) -> set[str]:
    """Return the phone numbers typed into cells (9 digits), for the hunt for leaks."""
    texts = (
        "".join(filter(str.isdigit, str(value))) for file in submissions for value in file.figures.values()
    )
    return {text[-9:] for text in texts if len(text) >= 9}


def _accepted_by_unit_day(submissions: list[Submission]) -> dict[tuple[str, date], list[Submission]]:
    """Return the accepted files of each unit and day, by time of receipt."""
    accepted = sorted(
        (file for file in submissions if file.outcome == "accepted"),
        key=lambda file: (file.unit_code, file.report_date, file.received_at),
    )
    return {key: list(files) for key, files in groupby(accepted, key=lambda f: (f.unit_code, f.report_date))}


def _iter_revisions(files: list[Submission]) -> Iterator[Observation]:
    current: dict[tuple[str, str], int | None] = {}
    for file in files:
        for (measure_code, category_code), typed in file.figures.items():
            key = (measure_code, category_code or "")
            value = typed if isinstance(typed, int) else None
            if value == current.get(key):
                continue
            current[key] = value
            yield Observation(
                unit_code=file.unit_code,
                measure_code=measure_code,
                category_code=category_code or "",
                figure_date=file.report_date,
                value=value,
                known_at=file.received_at,
                obs_status="M" if value is None else "A",
            )


def _iter_close_figures(
    directive: Directive, unit: Unit, day: date, due_at: datetime, accepted: list[Submission]
) -> Iterator[Observation]:
    """Yield what the close of a day notes; what arrives later does not change it."""
    close = close_of(day)
    by_close = [file for file in accepted if file.received_at <= close]
    filled = [value for value in by_close[-1].figures.values() if value is not None] if by_close else []
    values = {
        "report_expected_count": 1,
        "report_on_time_count": int(any(file.received_at <= due_at for file in by_close)),
        "report_figure_owed_count": len(owed_figures(directive, unit, day)),
        "report_figure_filled_count": len(filled),
    }
    for measure_code, value in values.items():
        yield Observation(unit.unit_code, measure_code, "", day, value, close, "A")


def _observation_frame(observations: Iterable[Observation]) -> pd.DataFrame:
    return pd.DataFrame([vars(one) for one in observations], columns=OBSERVATION_COLUMNS, dtype=object)
