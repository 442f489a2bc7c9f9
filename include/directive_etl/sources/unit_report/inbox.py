"""The inbox: which files are new, and each file's way to an answer."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import sqlalchemy as sa

from directive_etl.landing import LandedFile
from directive_etl.periods import to_local_date
from directive_etl.quality.results import CheckResult, describe, failed_critical
from directive_etl.quality.suites import check_frame
from directive_etl.registry.directive import Directive
from directive_etl.sources.unit_report import load, locks, summary
from directive_etl.sources.unit_report.answer import Submission, write_answer
from directive_etl.sources.unit_report.check import (
    Finding,
    check_report,
    comparable_figures,
    has_errors,
    unreadable_finding,
)
from directive_etl.sources.unit_report.load import JudgedReport
from directive_etl.sources.unit_report.read import ReadReport, UnreadableReport, read_reports
from directive_etl.sources.unit_report.rules import RULES

log = logging.getLogger(__name__)

# Files are read and checked in batches, since a process and a suite cost more than a file; each is loaded alone.
BATCH_SIZE = 200
FIGURE_COLUMNS = ["measure_code", "category_code", "value"]

Reading = ReadReport | UnreadableReport


class Inbox:
    """One pass over the inbox, in the order in which the files came.

    Args:
        engine: of the role etl_loader.
        arrived: one landed file per sending, in the order in which they came; its part is the unit that sent it.
        outbox: where each unit finds its answers.
        directives: all that are declared.
    """

    def __init__(
        self,
        engine: sa.Engine,
        arrived: Iterable[LandedFile],
        outbox: Path,
        directives: Sequence[Directive],
    ) -> None:
        self._engine = engine
        self._arrived = arrived
        self._outbox = outbox
        self._directives: Mapping[str, Directive] = {directive.code: directive for directive in directives}
        with engine.connect() as connection:
            answered = load.answered_files(connection)
            self._reopenings = locks.reopenings(connection)
        keys = zip(answered["unit_code"], answered["sha256"], answered["known_at"], strict=True)
        self._answered: dict[tuple[str, str, datetime], date] = {
            (unit_code, sha256, known_at.to_pydatetime()): report_date
            for (unit_code, sha256, known_at), report_date in zip(keys, answered["report_date"], strict=True)
        }
        # The first sending of the same bytes by a unit counts; those after it are duplicates.
        self._first_sent: dict[tuple[str, str], datetime] = {}
        for unit_code, sha256, known_at in self._answered:
            self._remember(unit_code, sha256, known_at)

    def process(self, again_for: date | None = None) -> list[date]:
        """Read, check, load or refuse, and answer each new file.

        Args:
            again_for: also go once more through the files already answered for this day; they change nothing.

        Returns:
            The reporting days whose figures changed.
        """
        changed: set[date] = set()
        files = list(self._iter_due(again_for))
        for start in range(0, len(files), BATCH_SIZE):
            changed |= self._process_batch(files[start : start + BATCH_SIZE])
        log.info("unit_report: %d files answered, figures of %d days changed", len(files), len(changed))
        return sorted(changed)

    def _iter_due(self, again_for: date | None) -> Iterator[LandedFile]:
        for landed in self._arrived:
            self._remember(landed.part_code, landed.sha256, landed.known_at)
            answered_for = self._answered.get((landed.part_code, landed.sha256, landed.known_at))
            if answered_for is None or answered_for == again_for:
                yield landed

    def _remember(self, unit_code: str, sha256: str, known_at: datetime) -> None:
        first = self._first_sent.get((unit_code, sha256), known_at)
        self._first_sent[unit_code, sha256] = min(first, known_at)

    def _process_batch(self, files: Sequence[LandedFile]) -> set[date]:
        originals = [file for file in files if self._first_sent[file.part_code, file.sha256] == file.known_at]
        reports = read_reports([file.path for file in originals], list(self._directives.values()))
        judged = [self._judge(file, report) for file, report in zip(originals, reports, strict=True)]
        checks = _check([one for one in judged if not one.refusal])
        has_failed = bool(failed_critical(checks))
        changed: set[date] = set()
        for one, report in zip(judged, reports, strict=True):
            if one.refusal:
                load.load_report(self._engine, one, ())
            else:
                # A batch that fails the suite is looked at file by file: the others in it are not at fault.
                own_checks = _check([one]) if has_failed else checks
                one = self._compare_with_history(
                    replace(one, refusal=describe(failed_critical(own_checks))), report
                )
                if load.load_report(self._engine, one, own_checks) and not one.refusal:
                    changed.add(one.report_date)
            self._answer(one, report)
        for file in files:
            if file not in originals:
                self._answer_duplicate(file)
        senders = {file.part_code for file in files}
        summary.write_summaries(self._engine, self._outbox, self._directives.values(), senders)
        return changed

    def _judge(self, file: LandedFile, report: Reading) -> JudgedReport:
        """Find the errors of one file; they need no other file, so a whole batch can be judged before it is loaded."""
        received = to_local_date(file.known_at)
        if isinstance(report, UnreadableReport):
            return _refused(file, "", received, [unreadable_finding(report)])
        directive = self._directives.get(report.directive_code)
        is_locked = self._reopenings.is_locked(file.part_code, report.report_date, file.known_at)
        findings = check_report(report, directive, file.part_code, file.known_at, {}, is_locked=is_locked)
        # A day that has not come cannot be that of the report.
        report_date = min(report.report_date, received)
        if has_errors(findings):
            return _refused(file, report.directive_code, report_date, findings, _figures_of(report))
        return JudgedReport(
            file, report.directive_code, report_date, _figures_of(report), findings, "", report.reasons
        )

    def _compare_with_history(self, one: JudgedReport, report: Reading) -> JudgedReport:
        """Add the warnings that depend on the figures before, which may have come with this very batch."""
        if one.refusal or isinstance(report, UnreadableReport):
            return one
        with self._engine.connect() as connection:
            previous = load.previous_figures(connection, one.unit_code, one.report_date, one.landed.known_at)
            has_twin = comparable_figures(report) is not None and load.has_twin(connection, one)
        directive = self._directives[one.directive_code]
        findings = check_report(
            report, directive, one.unit_code, one.landed.known_at, previous, has_twin=has_twin
        )
        # A rule that began as a warning may refuse by now.
        return replace(one, findings=findings, refusal=_refusal(findings))

    def _answer(self, one: JudgedReport, report: Reading) -> None:
        with self._engine.connect() as connection:
            ledger_number = load.ledger_number(connection, one.landed)
        write_answer(
            self._outbox,
            Submission(
                unit_code=one.unit_code,
                sha256=one.landed.sha256,
                origin=one.landed.origin,
                received_at=one.landed.known_at,
                outcome="refused" if one.refusal else "accepted",
                report=report,
                directive=self._directives.get(one.directive_code),
                findings=one.findings,
                ledger_number=ledger_number,
            ),
        )

    def _answer_duplicate(self, file: LandedFile) -> None:
        first_sent = self._first_sent[file.part_code, file.sha256]
        with self._engine.connect() as connection:
            report_date, figure_count = load.batch_of(connection, file.part_code, file.sha256, first_sent)
        load.record_duplicate(self._engine, file, report_date, figure_count)
        write_answer(
            self._outbox,
            Submission(
                unit_code=file.part_code,
                sha256=file.sha256,
                origin=file.origin,
                received_at=file.known_at,
                outcome="duplicate",
                report=None,
                directive=None,
                findings=[],
            ),
        )


def _refused(
    file: LandedFile,
    directive_code: str,
    report_date: date,
    findings: Sequence[Finding],
    figures: pd.DataFrame | None = None,
) -> JudgedReport:
    reason = _refusal(findings)
    if figures is None:
        figures = pd.DataFrame(columns=FIGURE_COLUMNS)
    return JudgedReport(file, directive_code, report_date, figures, findings, reason)


def _refusal(findings: Sequence[Finding]) -> str:
    """Say in a sentence why the findings refuse a file; empty when they do not."""
    errors = [finding for finding in findings if finding.severity == "error"]
    if not errors:
        return ""
    first = errors[0].message_en
    return first if len(errors) == 1 else f"{len(errors)} errors; the first: {first}"


def _figures_of(report: ReadReport) -> pd.DataFrame:
    rows = [(measure, category or "", cell.value) for (measure, category), cell in report.figures.items()]
    return pd.DataFrame(rows, columns=FIGURE_COLUMNS, dtype=object)


def _check(accepted: Sequence[JudgedReport]) -> list[CheckResult]:
    if not accepted:
        return []
    frames = [one.figures.assign(unit_code=one.unit_code, report_date=one.report_date) for one in accepted]
    frame = pd.concat(frames, ignore_index=True)
    return check_frame(frame.assign(value=frame["value"].astype("Float64")), load.SUITE, RULES)
