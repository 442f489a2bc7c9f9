"""A report as it was read: figures with their cells, or the reason why a file is no report."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from directive_etl.masking import mask_digits
from directive_etl.sources.unit_report.form import LARGEST_FIGURE, FigureKey
from directive_etl.sources.unit_report.messages import Rule
from directive_etl.sources.unit_report.typed_values import to_whole_number


@dataclass(frozen=True)
class Broken:
    """What stands in a cell that has a formula without a result, or an error in place of one."""

    kind: str

    def __str__(self) -> str:
        return {"formula": "công thức chưa có kết quả", "error": "#LỖI"}.get(self.kind, self.kind)


@dataclass(frozen=True)
class Cell:
    """What stands in one cell.

    Attributes:
        value: when it is a whole number, else None.
        raw: a number, a text, a truth value, a day or a `Broken`, as sent; None when the cell is blank.
        sheet, address: where it stands.
    """

    value: int | None
    raw: object
    sheet: str
    address: str

    @property
    def shown(self) -> str:
        """The content as it may be told to anybody: what could be a phone number is masked."""
        if self.raw is None:
            return ""
        number = self.value if self.value is not None else self.raw
        if isinstance(number, int | float) and abs(number) <= LARGEST_FIGURE:
            return f"{number:g}" if isinstance(number, float) else str(number)
        return f"{number:%d/%m/%Y}" if isinstance(number, date) else mask_digits(str(number))


def to_cell(raw: object, sheet: str, address: str) -> Cell:
    """Return a cell with a content as the reader process gave it."""
    if isinstance(raw, dict):
        raw = Broken(raw["broken"]) if "broken" in raw else date.fromisoformat(raw["date"])
    elif isinstance(raw, str) and not raw.strip():
        raw = None
    return Cell(to_whole_number(raw), raw, sheet, address)


@dataclass(frozen=True)
class ReadReport:
    """A report made from the form, or a tidy table of the same figures.

    Attributes:
        path: the file.
        directive_code, unit_code, template_version: as the file says.
        report_date: the day typed into the form.
        date_address, unit_address: the cells of that day and of the unit's code; empty where there is none.
        figures: each figure of the unit's form that was found, and any other that is filled in.
        reasons: what the clerk wrote to confirm a figure that may be warned about.
        sheet_name: of the sheet with the form, in NFC; empty for a table of text.
    """

    path: Path
    directive_code: str
    unit_code: str
    report_date: date
    date_address: str
    template_version: str
    figures: Mapping[FigureKey, Cell]
    reasons: Mapping[FigureKey, str] = field(default_factory=dict)
    unit_address: str = ""
    sheet_name: str = ""


@dataclass(frozen=True)
class UnreadableReport:
    """A file from which no report can be read."""

    path: Path
    reason_code: str
    message_vi: str
    message_en: str


class UnreadableError(Exception):
    """No report can be made out; carries the rule and what it is about."""

    def __init__(self, rule: Rule, **details: str) -> None:
        super().__init__(rule.code)
        self.rule, self.details = rule, details
