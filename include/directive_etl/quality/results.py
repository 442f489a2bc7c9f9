"""What the checks of a batch found; light, so that the ledger needs no Great Expectations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from directive_etl.masking import mask_digits

# Where Great Expectations puts the values that failed.
_OFFENDING = "unexpected"


@dataclass(frozen=True)
class CheckResult:
    """What one expectation found. `failed_count` is in rows, or 1 for a set as a whole.

    `details` is the result as Great Expectations gives it, by `masked_details`; empty for a check of our own.
    """

    check_code: str
    severity: str
    column: str
    is_success: bool
    observed: str
    failed_count: int
    notes: str
    details: Mapping[str, Any] = field(default_factory=dict)


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


def masked_details(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return a result of Great Expectations as JSON, every offending value masked: it may be personal.

    Args:
        result: `to_json_dict()` of one expectation's result.
    """
    found = {
        name: _masked(value) if _OFFENDING in name and isinstance(value, list) else value
        for name, value in result.get("result", {}).items()
    }
    config = result["expectation_config"]
    kwargs = {name: value for name, value in config["kwargs"].items() if name != "batch_id"}
    return {
        "success": result["success"],
        "expectation_config": {**{k: config.get(k) for k in ("type", "severity")}, "kwargs": kwargs},
        "result": found,
    }


def _masked(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _masked(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_masked(one) for one in value]
    if isinstance(value, bool) or value is None:
        return value
    masked = mask_digits(str(value))
    return value if masked == str(value) else masked
