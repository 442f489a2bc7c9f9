"""The files that one unit sends on one day."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from random import Random

from directive_etl.demo_city.city import City
from directive_etl.demo_city.report_faults import Fault, with_fault
from directive_etl.demo_city.unit_figures import TrueFigures, TypedFigures
from directive_etl.registry.directive import Directive
from directive_etl.registry.units import Unit


@dataclass(frozen=True)
class Submission:
    """One file in a unit's inbox.

    Attributes:
        unit_code: the inbox folder it lies in.
        name: its name there.
        received_at: when it arrived, to the second.
        kind: what the simulation meant by it.
        outcome: accepted, refused or duplicate.
        reason_code: why it must be refused; empty otherwise.
        report_date: the day it counts for: the one in the workbook, or that of receipt without a usable one.
        directive_code: directive of the form.
        written_unit_code, written_date: what stands in the workbook.
        figures: what is typed into the cells; a None is a blank cell.
        damage: how the bytes are spoiled after writing; empty for a sound workbook.
        copy_of: name of the file of the same unit whose bytes these are; empty for a file of its own.
    """

    unit_code: str
    name: str
    received_at: datetime
    kind: str
    outcome: str
    reason_code: str
    report_date: date
    directive_code: str
    written_unit_code: str
    written_date: date
    figures: TypedFigures
    damage: str = ""
    copy_of: str = ""


@dataclass
class UnitDay:
    """The files of one unit and day, in the order they are sent."""

    city: City
    directive: Directive
    unit: Unit
    day: date
    due_at: datetime
    random: Random
    sent: list[Submission] = field(default_factory=list)

    def send(self, kind: str, received_at: datetime, figures: TypedFigures) -> Submission:
        """Send a workbook that must be accepted."""
        return self._keep(
            Submission(
                unit_code=self.unit.unit_code,
                name=self._name(),
                received_at=received_at,
                kind=kind,
                outcome="accepted",
                reason_code="",
                report_date=self.day,
                directive_code=self.directive.code,
                written_unit_code=self.unit.unit_code,
                written_date=self.day,
                figures=figures,
            )
        )

    def send_fault(self, fault: Fault, received_at: datetime, figures: TrueFigures) -> Submission:
        """Send a workbook that must be refused."""
        spoiled = with_fault(fault, self.city, self.directive, self.unit, self.day, figures, self.random)
        return self._keep(
            Submission(
                unit_code=self.unit.unit_code,
                name=self._name(),
                received_at=received_at,
                kind=fault.kind,
                outcome="refused",
                reason_code=fault.reason_code,
                report_date=self.day,
                directive_code=self.directive.code,
                written_unit_code=spoiled.unit_code,
                written_date=spoiled.written_date,
                figures=spoiled.figures,
                damage=fault.damage,
            )
        )

    def send_copy(self, original: Submission, received_at: datetime) -> Submission:
        """Send the bytes of an earlier file again under another name."""
        copy = replace(
            original,
            name=self._name(),
            received_at=received_at,
            kind="copy",
            outcome="duplicate",
            reason_code="",
            copy_of=original.copy_of or original.name,
        )
        return self._keep(copy)

    def later(self, moment: datetime, shortest: timedelta, longest: timedelta) -> datetime:
        """Return a moment after another, to the second."""
        seconds = self.random.randint(int(shortest.total_seconds()), int(longest.total_seconds()))
        return moment + timedelta(seconds=seconds)

    def _name(self) -> str:
        number = len(self.sent) + 1
        stem = f"{self.directive.code}-{self.unit.unit_code}-{self.day:%Y-%m-%d}"
        return f"{stem}.xlsx" if number == 1 else f"{stem}-lan-{number}.xlsx"

    def _keep(self, submission: Submission) -> Submission:
        self.sent.append(submission)
        return submission
