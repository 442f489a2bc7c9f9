"""The form of a directive: clauses, indicators, the measures they are made of, targets, and who reports when.

One YAML file in registry/directives is one directive. What a field means is said here; how progress follows
from it is in docs/progress.md; what is checked beyond the form is in directive_checks.py.
"""

import unicodedata
from collections.abc import Iterator
from datetime import date, time
from decimal import Decimal
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from directive_etl.errors import RegistryError
from directive_etl.registry.declared_file import Declared, load_declared, load_declared_folder
from directive_etl.registry.mistakes import Mistake
from directive_etl.registry.units import UnitMatch

DIRECTIVES_FOLDER = Path(__file__).parent / "directives"


def _in_nfc(text: str) -> str:
    # Texts are compared and joined with texts of workbooks; two spellings of one letter would not meet.
    if not unicodedata.is_normalized("NFC", text):
        raise ValueError("a text in Unicode NFC")
    return text


Text = Annotated[str, Field(min_length=1), AfterValidator(_in_nfc)]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Kind = Literal["stock", "flow"]
SourceCode = Literal["unit_report", "service_portal", "sms_log", "pipeline"]


class Category(Declared):
    """One part that a measure is split into, e.g. pupils."""

    code: Code
    name_vi: Text
    name_en: Text


class Measure(Declared):
    """One number that a source gives.

    Attributes:
        kind: `stock`, a level at the end of the day; `flow`, what happened on the day.
        categories: the list it is split by: one of the directive's, or `system`, `operator` or `campaign`,
            which the sources bring.
        at_most: the measure it cannot exceed within one category.
    """

    code: Code
    source: SourceCode
    kind: Kind
    categories: Code | None = None
    at_most: Code | None = None
    name_vi: Text
    name_en: Text


class FigureSum(Declared):
    """The figures of a measure added up; `categories` restricts to some of its list, empty means all."""

    measure: Code
    categories: tuple[Code, ...] = Field(default=(), min_length=1)


class Target(Declared):
    """A value to reach.

    Attributes:
        value: in the indicator's unit (for `count`, for each contributor and day).
        valid_from, valid_to: the days on which it holds, both included; valid_to None while open.
        due_date: the day by which it must be reached; None for a standing norm.
        unit_types: the types of unit it holds for; empty means all.
        assumed: true when no document gives the value; then there is no `source`.
    """

    value: Decimal = Field(ge=0)
    valid_from: date
    valid_to: date | None = None
    due_date: date | None = None
    unit_types: tuple[Text, ...] = Field(default=(), min_length=1)
    assumed: bool = False
    source: Text | None = None
    note: Text | None = None


class Indicator(Declared):
    """What is measured for a clause.

    Attributes:
        responsible: the units that answer for it.
        measured_at: the units whose own figures are added up, when they are others.
    """

    code: Code
    name_vi: Text
    name_en: Text
    calculation: Literal["ratio_pct", "count", "per_unit_day", "days_since"]
    kind: Kind
    direction: Literal["up", "down"]
    numerator: FigureSum
    denominator: FigureSum | None = None
    responsible: UnitMatch
    measured_at: UnitMatch | None = None
    targets: tuple[Target, ...]

    @property
    def contributors(self) -> UnitMatch:
        """The units whose own figures are added up."""
        return self.measured_at or self.responsible

    @property
    def sums(self) -> list[FigureSum]:
        """The numerator and, if there is one, the denominator."""
        return [self.numerator] if self.denominator is None else [self.numerator, self.denominator]


class Clause(Declared):
    """A numbered point of the directive. `assigned` points bind; `requested` ones ask."""

    code: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
    text_vi: Text
    text_en: Text
    obligation: Literal["assigned", "requested"]
    indicators: tuple[Indicator, ...]


class Witness(Declared):
    """A measure that units report beside a count of the portals: two witnesses of one thing.

    Attributes:
        clause: the clause it stands under on the form.
        measure: of source `unit_report`, not split; it goes on the form of the units in `reported_by`.
        portal_count: the column of reporting.portal_daily that counts the same, added up over systems.
        tolerance_pct: how far the two may differ, in percent of the portals' count.
        tolerance_count: the same in dossiers; the larger of the two holds.
    """

    clause: str
    measure: Code
    portal_count: Literal["received_count", "received_online_count", "processed_count", "returned_count"]
    reported_by: UnitMatch
    tolerance_pct: Decimal = Field(ge=0)
    tolerance_count: int = Field(ge=0)
    assumed: bool = False
    source: Text | None = None


class ReportingRule(UnitMatch):
    """Units that owe a report on each `daily` or `working_day`, by `due_time` (local) of that day."""

    cadence: Literal["daily", "working_day"]
    due_time: time
    assumed: bool = False
    source: Text | None = None
    note: Text | None = None


class Directive(Declared):
    """A directive in force from `active_from` to `active_to`, both included; `active_to` None while open."""

    code: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    number: Text
    title_vi: Text
    title_en: Text
    issued_on: date
    issuer_vi: Text
    issuer_en: Text
    active_from: date
    active_to: date | None
    reporting: tuple[ReportingRule, ...]
    categories: dict[Code, tuple[Category, ...]]
    measures: tuple[Measure, ...] = Field(min_length=1)
    clauses: tuple[Clause, ...] = Field(min_length=1)
    witnesses: tuple[Witness, ...] = ()

    def __hash__(self) -> int:
        # Equal directives have equal codes; the mapping of categories cannot be hashed.
        return hash(self.code)

    @property
    def indicators(self) -> list[tuple[Clause, Indicator]]:
        """Every indicator with its clause, in the order of the file."""
        return [(clause, indicator) for clause in self.clauses for indicator in clause.indicators]

    def measure(self, code: str) -> Measure:
        """Return a measure.

        Raises:
            RegistryError: the directive declares no such measure.
        """
        for measure in self.measures:
            if measure.code == code:
                return measure
        raise RegistryError(f"directive {self.code}: no measure {code!r}")

    def is_active(self, day: date) -> bool:
        """Say whether the directive is in force on a day."""
        return self.active_from <= day and (self.active_to is None or day <= self.active_to)

    def at_most_chain(self, measure: Measure) -> list[Measure]:
        """Return the measures that bound a measure: the nearest first, without the measure itself."""
        chain: list[Measure] = []
        while measure.at_most is not None:
            measure = self.measure(measure.at_most)
            chain.append(measure)
        return chain

    def iter_mistakes(self) -> Iterator[Mistake]:
        """Yield every reference and combination that does not hold."""
        from directive_etl.registry.directive_checks import iter_mistakes  # it needs the classes above

        return iter_mistakes(self)


def load_directive(path: Path) -> Directive:
    """Read one directive; the file is named after its code.

    Raises:
        RegistryError: every mistake of the file: file, line, place, what was found and what was expected.
    """
    return load_declared(path, Directive, named_by="code")


@cache
def directives() -> list[Directive]:
    """Return every directive of registry/directives, sorted by code.

    Raises:
        RegistryError: the mistakes of all the files.
    """
    return load_directives(DIRECTIVES_FOLDER)


def first_measured_day() -> date:
    """Return the first day any directive measures."""
    return min(directive.active_from for directive in directives())


def load_directives(folder: Path) -> list[Directive]:
    """Read every directive of a folder, sorted by code.

    Raises:
        RegistryError: the mistakes of all the files, or directives that contradict each other.
    """
    loaded = load_declared_folder(folder, Directive, named_by="code")
    faults = [fault for one, other in combinations(loaded, 2) for fault in _iter_contradictions(one, other)]
    if faults:
        raise RegistryError("\n".join(f"{folder}: {fault}" for fault in faults))
    return loaded


def _iter_contradictions(one: Directive, other: Directive) -> Iterator[str]:
    if one.number == other.number:
        yield f"{other.code}: found number {other.number!r}, which {one.code} has, expected one of its own"
    # A figure is kept by unit, measure and day, whatever directive asked for it.
    known = {measure.code: measure for measure in one.measures}
    for measure in other.measures:
        same = known.get(measure.code, measure)
        for name in ("source", "kind", "categories", "at_most"):
            found, expected = getattr(measure, name) or "none", getattr(same, name) or "none"
            if found != expected:
                told = f"found measure {measure.code!r} with {name} {found}, expected {expected}"
                yield f"{other.code}: {told} as in {one.code}"
