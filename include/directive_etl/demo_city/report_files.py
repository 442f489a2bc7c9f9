"""Write the units' files into their inboxes, with the time of receipt as the files' time."""

import os
import shutil
from concurrent.futures import Executor, Future
from datetime import datetime
from pathlib import Path

from directive_etl.demo_city.report_truth import file_path
from directive_etl.demo_city.submissions import Submission
from directive_etl.registry.directive import directives
from directive_etl.registry.units import units_on
from directive_etl.sources.unit_report.template import write_workbook

CHUNK_SIZE = 40

# How a workbook with a password begins: the magic bytes of a compound file, and the name of its only stream.
_ENCRYPTED_BEGINNING = (
    bytes.fromhex("d0cf11e0a1b11ae1") + bytes(1016) + "EncryptedPackage".encode("utf-16-le")
)


def start_writing(pool: Executor, submissions: list[Submission], inbox: Path) -> list[Future[int]]:
    """Start to write every file that is no copy; the same submissions give the same bytes.

    Args:
        pool: does the writing.
        submissions: from `reports.simulate_reports`.
        inbox: gets one folder per unit.

    Returns:
        The tasks; each results in the number of files it wrote.
    """
    for unit_code in sorted({file.unit_code for file in submissions}):
        (inbox / unit_code).mkdir(parents=True, exist_ok=True)
    originals = [file for file in submissions if not file.copy_of]
    chunks = [originals[start : start + CHUNK_SIZE] for start in range(0, len(originals), CHUNK_SIZE)]
    return [pool.submit(_write_chunk, chunk, inbox) for chunk in chunks]


def write_copies(submissions: list[Submission], inbox: Path) -> int:
    """Copy the files that were sent twice, once all others are written; return how many."""
    copies = [file for file in submissions if file.copy_of]
    for copy in copies:
        shutil.copyfile(inbox / copy.unit_code / copy.copy_of, inbox / file_path(copy))
        _stamp(inbox / file_path(copy), copy.received_at)
    return len(copies)


def _write_chunk(submissions: list[Submission], inbox: Path) -> int:
    for file in submissions:
        path = inbox / file_path(file)
        _write(file, path)
        _stamp(path, file.received_at)
    return len(submissions)


def _write(file: Submission, path: Path) -> None:
    if file.damage == "password":
        path.write_bytes(_ENCRYPTED_BEGINNING + f"{file.unit_code} {file.written_date}".encode())
        return
    if file.damage == "text":
        path.write_text(
            f"Báo cáo của {file.unit_code} ngày {file.written_date:%d/%m/%Y}: xem bảng gửi qua bưu điện.\n"
        )
        return
    directive = next(one for one in directives() if one.code == file.directive_code)
    unit = next(one for one in units_on(file.written_date) if one.unit_code == file.written_unit_code)
    write_workbook(path, directive, unit, file.written_date, file.figures)
    if file.damage == "truncated":
        # What a broken upload leaves: the beginning, without the archive's directory at its end.
        os.truncate(path, path.stat().st_size * 3 // 5)


def _stamp(path: Path, received_at: datetime) -> None:
    seconds = received_at.timestamp()
    os.utime(path, (seconds, seconds))
