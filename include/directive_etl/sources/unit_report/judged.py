"""A report that was read and judged: what is loaded, or recorded as refused."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import pandas as pd

from directive_etl.landing import LandedFile
from directive_etl.quality.results import CheckResult
from directive_etl.sources.unit_report.check import Finding
from directive_etl.sources.unit_report.form import FigureKey

FIGURE_COLUMNS = ["measure_code", "category_code", "value"]


@dataclass(frozen=True)
class JudgedReport:
    """A report that was read and checked.

    Attributes:
        landed: the file; its part is the unit whose inbox it came in.
        directive_code: the directive it is about.
        report_date: the day it is about.
        figures: FIGURE_COLUMNS, one row per figure on the form; category_code '' without one, value int or None.
        findings: errors and warnings.
        refusal: why the file as a whole was refused; empty when it is accepted.
        reasons: by figure, why the unit says that it is right.
        checks: what the suite found in its figures.
    """

    landed: LandedFile
    directive_code: str
    report_date: date
    figures: pd.DataFrame
    findings: Sequence[Finding]
    refusal: str
    reasons: Mapping[FigureKey, str] = field(default_factory=dict)
    checks: Sequence[CheckResult] = ()

    @property
    def unit_code(self) -> str:
        """The unit whose inbox it came in."""
        return self.landed.part_code

    @property
    def figures_hash(self) -> str:
        """A hash that is equal for equal figures, whose-ever they are."""
        columns = (self.figures[name] for name in FIGURE_COLUMNS)
        lines = sorted(
            f"{measure}/{category}={value}" for measure, category, value in zip(*columns, strict=True)
        )
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def refusal_of(findings: Sequence[Finding]) -> str:
    """Say in a sentence why the findings refuse a file; empty when they do not."""
    errors = [finding for finding in findings if finding.severity == "error"]
    if not errors:
        return ""
    first = errors[0].message_en
    return first if len(errors) == 1 else f"{len(errors)} errors; the first: {first}"
