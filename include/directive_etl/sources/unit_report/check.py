"""Judge a report that was read: every fault of it at once, each with its cell; an error refuses the file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from directive_etl.periods import to_local_date
from directive_etl.registry.directive import Directive
from directive_etl.registry.units import units_on
from directive_etl.sources.unit_report import messages
from directive_etl.sources.unit_report.form import (
    LARGEST_FIGURE,
    REPORT_SHEET,
    TEMPLATE_VERSION,
    FigureKey,
    Form,
    form_of,
)
from directive_etl.sources.unit_report.locks import locked_at
from directive_etl.sources.unit_report.messages import Rule, Severity
from directive_etl.sources.unit_report.relatives import Relatives, compare_with_relatives
from directive_etl.sources.unit_report.report import Broken, Cell, ReadReport, UnreadableReport
from directive_etl.sources.unit_report.typed_values import is_fraction

# A stock that grows tenfold in a day has mostly a digit too many; below 20 the growth of a start is common.
JUMP_FACTOR, SMALLEST_BASE = 10, 20
# Shorter forms are alike by chance.
FEWEST_TO_COMPARE = 10
NO_RELATIVES = Relatives()


@dataclass(frozen=True)
class Finding:
    """One fault of a report.

    Attributes:
        severity: an `error` refuses the file, a `warning` does not.
        code: of the rule, see messages.py.
        sheet, address: the cell; empty for a fault of the whole file.
        message_vi, message_en: what is wrong and what to do, with long numbers masked.
        found: what stands in the cell, with long numbers masked.
        key: measure and category of the figure; None for a fault of the whole file.
    """

    severity: Severity
    code: str
    sheet: str
    address: str
    message_vi: str
    message_en: str
    found: str = ""
    key: FigureKey | None = None


class Place(NamedTuple):
    """Where a fault is; all empty for one of the whole file."""

    sheet: str = ""
    address: str = ""
    key: FigureKey | None = None


def unreadable_finding(report: UnreadableReport) -> Finding:
    """Return the one finding of a file that could not be read."""
    return Finding("error", report.reason_code, "", "", report.message_vi, report.message_en)


def not_stored_finding(found: str) -> Finding:
    """Return the one finding of a report that the warehouse did not take; `found` names the constraint."""
    return _of_file(messages.NOT_STORED, found=found)


def check_report(
    report: ReadReport,
    directive: Directive | None,
    sender_unit_code: str,
    received_at: datetime,
    previous: Mapping[tuple[str, str], int],
    *,
    relatives: Relatives = NO_RELATIVES,
    is_locked: bool = False,
    has_twin: bool = False,
) -> list[Finding]:
    """Check a report against its directive, its sender, the day it came, and the figures before.

    Args:
        report: as read.
        directive: the one the report names; None when none of that name is declared.
        sender_unit_code: the unit whose inbox it came in.
        received_at: when it came, by the channel's clock, aware.
        previous: the unit's last accepted figure of an earlier day, by measure and category ('' without).
        relatives: what its parent and its children had reported for the day.
        is_locked: whether the day's figures may not be corrected any more.
        has_twin: whether another unit sent the very same figures for the day before.

    Returns:
        Every fault, in the order of the form; only that one when the workbook is of another directive, form
        or unit.
    """
    if directive is None:
        return [_of_file(messages.UNKNOWN_DIRECTIVE, found=report.directive_code)]
    if report.template_version != TEMPLATE_VERSION:
        return [_of_file(messages.OLD_TEMPLATE, found=report.template_version, expected=TEMPLATE_VERSION)]
    unit_cell = Place(report.sheet_name or REPORT_SHEET, report.unit_address)
    if report.unit_code != sender_unit_code:
        details = {"found": report.unit_code, "sender": sender_unit_code}
        return [_finding(messages.WRONG_UNIT, unit_cell, details)]
    dated = list(_iter_date_faults(report, directive, received_at, is_locked))
    form = form_as_of(report, directive)
    if form is None:
        details = {"found": report.unit_code, "day": _written(report.report_date)}
        return dated or [_finding(messages.NOTHING_OWED, unit_cell, details)]
    # Without a sound date there is no day before to compare with.
    known = {} if dated else previous
    faults = [*dated, *_iter_figure_faults(report, form, known)]
    if not has_errors(faults):
        for rule, key, cell, details in compare_with_relatives(report, directive, relatives):
            faults.append(_of_cell(rule, directive, key, cell, None, **details))
        faults += _iter_copies(report, form, known, received_at, has_twin=has_twin)
    return faults


def _iter_copies(
    report: ReadReport,
    form: Form,
    previous: Mapping[tuple[str, str], int],
    received_at: datetime,
    *,
    has_twin: bool,
) -> Iterator[Finding]:
    """Warn of a sheet that was copied: a form of some length, filled in, with not one figure of its own."""
    values = comparable_figures(report)
    if values is None:
        return
    count = str(len(values))
    if all(previous.get(key) == value for key, value in values.items()):
        yield _of_file(messages.SAME_AS_BEFORE, count=count)
    if has_twin:
        yield _of_file(messages.SAME_AS_NEIGHBOUR.as_of(to_local_date(received_at)), count=count)


def comparable_figures(report: ReadReport) -> dict[tuple[str, str], int] | None:
    """Return figures by measure and category; None when they are too few, or too empty, to be a copy."""
    values = {(key[0], key[1] or ""): cell.value for key, cell in report.figures.items()}
    known = {key: value for key, value in values.items() if value is not None}
    return known if len(known) == len(values) >= FEWEST_TO_COMPARE and any(known.values()) else None


def form_as_of(report: ReadReport, directive: Directive) -> Form | None:
    """Return the form that the report's unit fills in; None when it owes nothing.

    A date outside the directive's time is taken as the nearest day in it, so that a mistyped date hides no
    other fault.
    """
    day = max(report.report_date, directive.active_from)
    day = min(day, directive.active_to or day)
    unit = next((one for one in units_on(day) if one.unit_code == report.unit_code), None)
    form = form_of(directive, unit, day) if unit else None
    return form if form and form.figures else None


def _iter_date_faults(
    report: ReadReport, directive: Directive, received_at: datetime, is_locked: bool
) -> Iterator[Finding]:
    day, received = report.report_date, to_local_date(received_at)
    if not directive.is_active(day):
        yield _of_date(
            messages.OUTSIDE_DIRECTIVE,
            report,
            found=_written(day),
            first=_written(directive.active_from),
            last=_written(directive.active_to) if directive.active_to else "nay",
        )
    elif day > received:
        yield _of_date(messages.FUTURE_DATE, report, found=_written(day), received=_written(received))
    elif is_locked:
        since = f"{locked_at(day):%H:%M %d/%m/%Y}"
        yield _of_date(messages.LOCKED, report, found=_written(day), since=since)


def _iter_figure_faults(
    report: ReadReport, form: Form, previous: Mapping[tuple[str, str], int]
) -> Iterator[Finding]:
    if all(cell.raw is None for cell in report.figures.values()):
        yield _of_file(messages.EMPTY_FORM)
        return
    for key in form.addresses:
        cell = report.figures.get(key)
        if cell is None:
            names = {"figure": name_of(form.directive, key)}
            yield _finding(messages.FORM_CHANGED, Place(key=key), {}, names)
        else:
            yield from _iter_cell_faults(report.figures, form, key, cell, previous)
    for key, cell in report.figures.items():
        if key not in form.addresses:
            yield _of_cell(messages.NOT_ON_FORM, form.directive, key, cell)


def _iter_cell_faults(
    figures: Mapping[FigureKey, Cell],
    form: Form,
    key: FigureKey,
    cell: Cell,
    previous: Mapping[tuple[str, str], int],
) -> Iterator[Finding]:
    directive, value = form.directive, cell.value
    if cell.raw is None:
        yield _of_cell(messages.BLANK, directive, key, cell)
    elif value is None:
        rule = messages.NOT_WHOLE if is_fraction(cell.raw) else messages.NOT_A_NUMBER
        if isinstance(cell.raw, Broken):
            rule = messages.BROKEN_FORMULA
        yield _of_cell(rule, directive, key, cell)
    elif value < 0:
        yield _of_cell(messages.NEGATIVE, directive, key, cell)
    elif value > LARGEST_FIGURE:
        yield _of_cell(messages.TOO_BIG, directive, key, cell, limit=f"{LARGEST_FIGURE:,}".replace(",", "."))
    else:
        bound = _bound(figures, form, key)
        if bound is not None and value > bound[1]:
            yield _of_cell(
                messages.EXCEEDS,
                directive,
                key,
                cell,
                bound=bound[0],
                limit=str(bound[1]),
                bound_address=figures[bound[0]].address,
            )
        before = previous.get((key[0], key[1] or ""))
        if before is not None and value < before and directive.measure(key[0]).kind == "stock":
            yield _of_cell(messages.STOCK_FALLS, directive, key, cell, previous=str(before))
        is_stock = directive.measure(key[0]).kind == "stock"
        if is_stock and before is not None and before >= SMALLEST_BASE and value > JUMP_FACTOR * before:
            factor = str(JUMP_FACTOR)
            yield _of_cell(messages.STOCK_JUMPS, directive, key, cell, previous=str(before), factor=factor)


def _bound(figures: Mapping[FigureKey, Cell], form: Form, key: FigureKey) -> tuple[FigureKey, int] | None:
    """Return the nearest sound figure that this one cannot exceed, with its value."""
    bound = form.bound_of(key)
    while bound is not None:
        cell = figures.get(bound)
        if cell is not None and cell.value is not None and 0 <= cell.value <= LARGEST_FIGURE:
            return bound, cell.value
        bound = form.bound_of(bound)
    return None


def name_of(directive: Directive, key: FigureKey) -> tuple[str, str]:
    """Return a figure's name, in Vietnamese as the form says it, and in English."""
    measure = directive.measure(key[0])
    if measure.categories is None:
        return measure.name_vi, measure.name_en
    category = next(one for one in directive.categories[measure.categories] if one.code == key[1])
    return f"{measure.name_vi}, {category.name_vi}", f"{measure.name_en}, {category.name_en}"


def has_errors(findings: Sequence[Finding]) -> bool:
    """Say whether the findings refuse the file."""
    return any(finding.severity == "error" for finding in findings)


def _of_file(rule: Rule, **details: str) -> Finding:
    return _finding(rule, Place(), details)


def _of_date(rule: Rule, report: ReadReport, **details: str) -> Finding:
    return _finding(rule, Place(report.sheet_name or REPORT_SHEET, report.date_address), details)


def _of_cell(
    rule: Rule,
    directive: Directive,
    key: FigureKey,
    cell: Cell,
    bound: FigureKey | None = None,
    **details: str,
) -> Finding:
    names = {"figure": name_of(directive, key)}
    if bound is not None:
        names["bound"] = name_of(directive, bound)
    return _finding(rule, Place(cell.sheet, cell.address, key), {"found": cell.shown, **details}, names)


def _finding(
    rule: Rule,
    place: Place,
    details: Mapping[str, str],
    names: Mapping[str, tuple[str, str]] | None = None,
) -> Finding:
    """Say what is wrong in both languages; `names` has the names of figures in each, details are the same."""
    vi, en = ({name: both[which] for name, both in (names or {}).items()} for which in (0, 1))
    return Finding(
        severity=rule.severity,
        code=rule.code,
        sheet=place.sheet,
        address=place.address,
        message_vi=rule.vi.format(**details, **vi),
        message_en=rule.en.format(**details, **en),
        found=details.get("found", ""),
        key=place.key,
    )


def _written(day: date) -> str:
    return f"{day:%d/%m/%Y}"
