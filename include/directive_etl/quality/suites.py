"""Suites of Great Expectations, checked on a frame in memory. Import this only inside a task: it costs two seconds."""

import logging
import os
from collections.abc import Sequence
from functools import cache
from typing import Any

# Great Expectations calls home and tells every step at INFO, unless it is told not to before it is imported.
os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
logging.getLogger("great_expectations").setLevel(logging.WARNING)

import great_expectations as gx
import pandas as pd
from great_expectations.expectations.metadata_types import FailureSeverity

from directive_etl.quality.results import CheckResult, masked_details

logging.getLogger("great_expectations").setLevel(logging.WARNING)  # importing it sets the level back

CRITICAL = FailureSeverity.CRITICAL
WARNING = FailureSeverity.WARNING


def check_frame(
    frame: pd.DataFrame, suite_name: str, expectations: Sequence[gx.expectations.Expectation]
) -> list[CheckResult]:
    """Check a frame against the declared expectations, in their order.

    Offending values are masked, since a value may be personal.

    Raises:
        RuntimeError: an expectation could not be evaluated, for instance for want of its column.
    """
    source = _context().data_sources.add_or_update_pandas(suite_name)
    batch_definition = source.add_dataframe_asset(suite_name).add_batch_definition_whole_dataframe(suite_name)
    batch = batch_definition.get_batch(batch_parameters={"dataframe": frame})
    # Results come back in an order of GX's own, so each expectation carries its place in the suite.
    numbered = [_with_place(expectation, place) for place, expectation in enumerate(expectations)]
    validation = batch.validate(gx.ExpectationSuite(name=suite_name, expectations=numbered))
    results = {_place_of(result): result for result in validation.results}
    return [_to_check_result(expectation, results[place]) for place, expectation in enumerate(numbered)]


@cache
def _context() -> gx.data_context.EphemeralDataContext:
    """One a process: each makes a temporary folder of its own."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
    return context


def _with_place(expectation: gx.expectations.Expectation, place: int) -> gx.expectations.Expectation:
    return expectation.copy(update={"meta": {**(expectation.meta or {}), "place": place}})


def _place_of(result: Any) -> int:
    return int(result.expectation_config.meta["place"])


def _to_check_result(expectation: gx.expectations.Expectation, result: Any) -> CheckResult:
    if result.exception_info and _raised(result.exception_info):
        raise RuntimeError(f"{type(expectation).__name__} could not be evaluated: {result.exception_info}")
    details = result.result or {}
    observed = details.get("observed_value")
    failed = details.get("unexpected_count")
    config = expectation.configuration
    return CheckResult(
        check_code=config.type,
        severity=str(getattr(expectation.severity, "value", expectation.severity)),
        column=str(
            config.kwargs.get("column")
            or config.kwargs.get("column_A")
            or config.kwargs.get("column_list")
            or ""
        ),
        is_success=bool(result.success),
        observed="" if observed is None else str(observed),
        failed_count=int(failed) if failed is not None else int(not result.success),
        notes=str(expectation.notes or ""),
        details=masked_details(result.to_json_dict()),
    )


def _raised(exception_info: dict[str, Any]) -> bool:
    """GX gives one entry, or one entry per metric."""
    entries = [exception_info] if "raised_exception" in exception_info else list(exception_info.values())
    return any(isinstance(entry, dict) and entry.get("raised_exception") for entry in entries)
