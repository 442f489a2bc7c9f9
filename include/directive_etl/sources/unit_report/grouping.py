"""Which reports of a batch can be judged and loaded together."""

from collections.abc import Iterator, Sequence
from typing import Any

from directive_etl.sources.unit_report.judged import JudgedReport


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
        subjects = list(_iter_subjects(report))
        number = 1 + max(last_group.get(subject, -1) for subject in subjects)
        last_group |= dict.fromkeys(subjects, number)
        if number == len(groups):
            groups.append([])
        groups[number].append(place)
    return groups


def _iter_subjects(report: JudgedReport) -> Iterator[Any]:
    """Yield what a report tells of, and is compared by: its unit, and its figures as a whole."""
    yield report.unit_code
    if not report.refusal:
        yield report.report_date, report.figures_hash
