"""What the checks of a batch found; light, so that the ledger needs no Great Expectations."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class CheckResult:
    """What one expectation found. `failed_count` is in rows, or 1 for a set as a whole."""

    check_code: str
    severity: str
    column: str
    is_success: bool
    observed: str
    failed_count: int
    notes: str


def failed_critical(results: Sequence[CheckResult]) -> list[CheckResult]:
    """Return the results that must keep the batch out."""
    return [result for result in results if not result.is_success and result.severity == "critical"]


def failed_warnings(results: Sequence[CheckResult]) -> list[CheckResult]:
    """Return the results that go into the day's quality note."""
    return [result for result in results if not result.is_success and result.severity != "critical"]


def describe(failed: Sequence[CheckResult]) -> str:
    """Return the failed checks as one sentence; empty when none failed."""
    return "; ".join(
        f"{check.check_code} on {check.column or 'the set'} failed for {check.failed_count} rows: {check.notes}"
        for check in failed
    )
