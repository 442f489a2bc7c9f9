"""Which reports of a batch can be judged and loaded together."""

from collections.abc import Iterator, Sequence
from typing import Any

from directive_etl.sources.unit_report.judged import JudgedReport
from directive_etl.sources.unit_report.relatives import relatives_of


def independent_groups(reports: Sequence[JudgedReport]) -> list[list[int]]:
    """Split reports into groups to be loaded one after another, so that none is compared with one of its own group.

    Args:
        reports: in the order in which they came.

    Returns:
        The places of each group's reports, in their order. What a report is compared with is in groups before its
        own; something later may be there too, so the comparison must ask for the time of receipt.
    """
    groups: list[list[int]] = []
    last_group: dict[Any, int] = {}
    for place, report in enumerate(reports):
        compared = [*_iter_subjects(report), *_iter_relatives(report)]
        number = 1 + max(last_group.get(subject, -1) for subject in compared)
        for subject in _iter_subjects(report):
            last_group[subject] = max(number, last_group.get(subject, -1))
        if number == len(groups):
            groups.append([])
        groups[number].append(place)
    return groups


def _iter_subjects(report: JudgedReport) -> Iterator[Any]:
    """Yield what a report tells of: its unit, and if it is accepted, the unit's day and the figures as a whole."""
    yield report.unit_code
    if not report.refusal:
        yield report.unit_code, report.report_date
        yield report.report_date, report.figures_hash


def _iter_relatives(report: JudgedReport) -> Iterator[Any]:
    """Yield the days of the units whose figures a report is compared with."""
    if not report.refusal:
        for relative in relatives_of(report.unit_code, report.report_date):
            yield relative, report.report_date
