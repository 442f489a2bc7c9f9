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
from directive_etl.quality.results import describe, failed_critical
from directive_etl.quality.suites import check_parts
from directive_etl.registry.directive import Directive
from directive_etl.sources.unit_report import history, load, locks, summary
from directive_etl.sources.unit_report.answer import Submission, write_answer
from directive_etl.sources.unit_report.check import (
    Finding,
    check_report,
    comparable_figures,
    has_errors,
    unreadable_finding,
)
from directive_etl.sources.unit_report.grouping import independent_groups
from directive_etl.sources.unit_report.judged import FIGURE_COLUMNS, JudgedReport, refusal_of
from directive_etl.sources.unit_report.read import ReadReport, UnreadableReport, read_reports
from directive_etl.sources.unit_report.rules import RULES

log = logging.getLogger(__name__)

# Files are read, checked and loaded in batches, since a process, a suite and a transaction cost more than a file.
BATCH_SIZE = 200

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
            answered = history.answered_files(connection)
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
        judged = _with_checks([self._judge(*pair) for pair in zip(originals, reports, strict=True)])
        changed: set[date] = set()
        for places in independent_groups(judged):
            changed |= self._load_group(
                [judged[place] for place in places], [reports[place] for place in places]
            )
        for file in files:
            if file not in originals:
                self._answer_duplicate(file)
        senders = {file.part_code for file in files}
        summary.write_summaries(self._engine, self._outbox, self._directives.values(), senders)
        return changed

    def _load_group(self, judged: Sequence[JudgedReport], reports: Sequence[Reading]) -> set[date]:
        """Load and answer reports of different units, none of which has to be compared with another."""
        loaded = load.load_reports(self._engine, self._compare_with_history(judged, reports))
        with self._engine.connect() as connection:
            numbers = history.ledger_numbers(connection, [one.landed for one in judged])
        for (one, _), report, number in zip(loaded, reports, numbers, strict=True):
            self._answer(one, report, number)
        return {one.report_date for one, is_written in loaded if is_written and not one.refusal}

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

    def _compare_with_history(
        self, judged: Sequence[JudgedReport], reports: Sequence[Reading]
    ) -> list[JudgedReport]:
        """Add the warnings that depend on what had come before, which may be of this very batch."""
        with self._engine.connect() as connection:
            previous = history.previous_figures(connection, judged)
            relatives = history.figures_of_relatives(connection, judged)
            twins = history.have_twins(connection, judged)
        compared = []
        known = zip(judged, reports, previous, relatives, twins, strict=True)
        for one, report, figures, related, has_twin in known:
            if one.refusal or isinstance(report, UnreadableReport):
                compared.append(one)
                continue
            findings = check_report(
                report,
                self._directives[one.directive_code],
                one.unit_code,
                one.landed.known_at,
                figures,
                relatives=related,
                has_twin=has_twin and comparable_figures(report) is not None,
            )
            # A rule that began as a warning may refuse by now.
            compared.append(replace(one, findings=findings, refusal=refusal_of(findings)))
        return compared

    def _answer(self, one: JudgedReport, report: Reading, ledger_number: int | None) -> None:
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
            report_date, figure_count = history.batch_of(connection, file.part_code, file.sha256, first_sent)
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
    reason = refusal_of(findings)
    if figures is None:
        figures = pd.DataFrame(columns=FIGURE_COLUMNS)
    return JudgedReport(file, directive_code, report_date, figures, findings, reason)


def _figures_of(report: ReadReport) -> pd.DataFrame:
    rows = [(measure, category or "", cell.value) for (measure, category), cell in report.figures.items()]
    return pd.DataFrame(rows, columns=FIGURE_COLUMNS, dtype=object)


def _with_checks(judged: Sequence[JudgedReport]) -> list[JudgedReport]:
    """Add to each accepted report what the suite finds in its figures; a critical fault refuses it."""
    frames = [
        one.figures.assign(unit_code=one.unit_code, report_date=one.report_date, place=place)
        for place, one in enumerate(judged)
        if not one.refusal
    ]
    if not frames:
        return list(judged)
    frame = pd.concat(frames, ignore_index=True)
    frame["value"] = frame["value"].astype("Float64")
    found = check_parts(frame, "place", load.SUITE, RULES)
    return [
        replace(one, checks=found[place], refusal=describe(failed_critical(found[place])))
        if place in found
        else one
        for place, one in enumerate(judged)
    ]
