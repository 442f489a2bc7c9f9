"""Answer a unit: a receipt for an accepted file, the report with every fault marked for a refused one.

An answer is a function of what was sent and when, so a rerun writes the same file again. Nothing of the sent
file but figures, typed texts and its masked name goes into an answer, and no part of its name into a path.
"""

import codecs
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Literal

from directive_etl.errors import ConfigurationError
from directive_etl.masking import mask_digits
from directive_etl.periods import LOCAL_ZONE, to_local_date
from directive_etl.registry.directive import Directive
from directive_etl.registry.obligations import expected_report
from directive_etl.registry.units import Unit, units_on
from directive_etl.sources.unit_report import answer_texts as texts
from directive_etl.sources.unit_report.check import Finding, form_as_of
from directive_etl.sources.unit_report.ooxml import NotMarkableError
from directive_etl.sources.unit_report.own_workbook import mark_own_workbook
from directive_etl.sources.unit_report.report import ReadReport, UnreadableReport
from directive_etl.sources.unit_report.returned import returned_workbook
from directive_etl.sources.unit_report.template import write_whole

log = logging.getLogger(__name__)

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Submission:
    """One file that a unit sent, judged.

    Attributes:
        unit_code: the unit whose inbox it came in.
        sha256: of its bytes, in hexadecimal.
        origin: its name as sent.
        received_at: when it came, by the channel's clock, aware.
        outcome: what became of it.
        report: what was read; None for a duplicate, which is not read again.
        directive: the directive it names; None when that is unknown.
        findings: errors and warnings.
        ledger_number: of the ledger row; None when it is not known.
    """

    unit_code: str
    sha256: str
    origin: str
    received_at: datetime
    outcome: Literal["accepted", "refused", "duplicate"]
    report: ReadReport | UnreadableReport | None = None
    directive: Directive | None = None
    findings: Sequence[Finding] = ()
    ledger_number: int | None = None

    @property
    def answer_day(self) -> date:
        """The day the answer is filed under: the report date, unless it was not read or has not come yet."""
        received = to_local_date(self.received_at)
        return min(self.report.report_date, received) if isinstance(self.report, ReadReport) else received


def write_answer(outbox: Path, submission: Submission) -> Path:
    """Write the answer to one file into the unit's folder of the outbox, whole or not at all.

    Returns:
        The answer: `<day>-<start of the hash>-bien-nhan.txt`, `-tra-lai.xlsx` (`.xlsm` when it was sent
        so, `.txt` when there is no form to mark), or `-da-nhan-<time of receipt>.txt` for bytes that were sent before.

    Raises:
        ConfigurationError: the unit's code is no name of a folder, so the answer would leave the outbox.
    """
    folder = outbox / submission.unit_code
    if folder.parent != outbox or folder.name in ("", "..") or not _SHA256.fullmatch(submission.sha256):
        raise ConfigurationError(f"unit_report: no folder of the outbox is named {submission.unit_code!r}")
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{submission.answer_day}-{submission.sha256[:8]}"
    if submission.outcome == "accepted":
        return _write_text(folder / f"{stem}-bien-nhan.txt", _iter_receipt(submission))
    if submission.outcome == "duplicate":
        received = f"{submission.received_at.astimezone(LOCAL_ZONE):%Y%m%d-%H%M%S}"
        return _write_text(folder / f"{stem}-da-nhan-{received}.txt", _iter_duplicate(submission))
    suffix, marked = _marked_workbook(submission) if submission.findings else ("", b"")
    if not marked:
        return _write_text(folder / f"{stem}-tra-lai.txt", _iter_return(submission))
    path = folder / f"{stem}-tra-lai{suffix}"
    write_whole(path, marked)
    return path


def _marked_workbook(submission: Submission) -> tuple[str, bytes]:
    """Return the suffix and the bytes of the unit's own workbook with every fault marked.

    What is no .xlsx cannot carry the marks: then it is the unit's form as .xlsx, with what it typed. Empty when
    the form is not known either.
    """
    report, directive = submission.report, submission.directive
    if directive is None or not isinstance(report, ReadReport):
        return "", b""
    try:
        if report.sheet_name:
            return mark_own_workbook(report.path.read_bytes(), report, submission.findings)
    except NotMarkableError as error:
        log.info("unit_report %s: the form is filled in anew: %s", submission.unit_code, error)
    form = form_as_of(report, directive)
    unit = _unit(report.unit_code, submission.answer_day)
    if form is None or unit is None:
        return "", b""
    return ".xlsx", returned_workbook(form, unit, report, submission.findings)


def _write_text(path: Path, lines: Iterator[str]) -> Path:
    # The mark at the start tells old Windows editors that the text is UTF-8.
    # A name from outside may hold bytes that are no letters.
    write_whole(path, codecs.BOM_UTF8 + "\r\n".join([*lines, ""]).encode("utf-8", "replace"))
    return path


def _iter_receipt(submission: Submission) -> Iterator[str]:
    yield from _iter_head(texts.RECEIPT_TITLE, submission)
    figures = submission.report.figures if isinstance(submission.report, ReadReport) else {}
    filled = sum(cell.value is not None for cell in figures.values())
    yield texts.ACCEPTED.format(filled=filled, owed=len(figures))
    if submission.findings:
        yield ""
        yield texts.WARNINGS.format(count=len(submission.findings))
        yield from _iter_findings(submission.findings)
    if isinstance(submission.report, ReadReport) and submission.report.reasons:
        warned = {finding.key for finding in submission.findings}
        reasons = {text for key, text in submission.report.reasons.items() if key in warned}
        yield from (f"{texts.REASON}: {mask_digits(_one_line(text))}" for text in sorted(reasons))


def _iter_duplicate(submission: Submission) -> Iterator[str]:
    yield from _iter_head(texts.DUPLICATE_TITLE, submission)
    yield texts.DUPLICATE


def _iter_return(submission: Submission) -> Iterator[str]:
    yield from _iter_head(texts.RETURN_TITLE, submission)
    yield texts.RETURNED
    yield ""
    if submission.findings:
        yield texts.ERRORS.format(count=len(submission.findings))
        yield from _iter_findings(submission.findings)
    else:
        yield texts.NO_FINDING


def _iter_head(title: str, submission: Submission) -> Iterator[str]:
    unit = _unit(submission.unit_code, submission.answer_day)
    yield title
    yield ""
    named = f"{unit.name_vi} ({unit.unit_code})" if unit else _one_line(submission.unit_code)
    yield f"{texts.UNIT}: {named}"
    if submission.directive is not None:
        yield f"{texts.DIRECTIVE}: {submission.directive.number}"
    if isinstance(submission.report, ReadReport):
        yield f"{texts.REPORT_DATE}: {submission.report.report_date:%d/%m/%Y}"
    yield f"{texts.RECEIVED}: {texts.moment(submission.received_at)}"
    if unit is not None and submission.directive is not None and submission.outcome == "accepted":
        due_at = expected_report(submission.directive, unit, submission.answer_day)
        if due_at is not None:
            said = texts.ON_TIME if submission.received_at <= due_at else texts.LATE
            yield f"{texts.DUE}: {texts.moment(due_at)} ({said})"
    yield f"{texts.FILE}: {mask_digits(_one_line(submission.origin))}"
    yield f"{texts.SHA256}: {submission.sha256}"
    if submission.ledger_number is not None:
        yield f"{texts.LEDGER_NUMBER}: {submission.ledger_number}"
    yield ""


def _iter_findings(findings: Sequence[Finding]) -> Iterator[str]:
    for number, finding in enumerate(findings, start=1):
        place = f"Ô {finding.address}: " if finding.address else ""
        yield f"{number}. {place}{_one_line(finding.message_vi)}"


def _one_line(text: str) -> str:
    """Keep a text from outside on its line, so that it cannot pass for another line of the answer."""
    return " ".join(text.split())


def _unit(unit_code: str, day: date) -> Unit | None:
    return next((unit for unit in units_on(day) if unit.unit_code == unit_code), None)
