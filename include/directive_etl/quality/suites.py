"""Suites of Great Expectations, checked on a frame in memory. Import this only inside a task: it costs two seconds."""

import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any, Literal

from directive_etl.quality.later import import_when_used

# Great Expectations calls home and tells every step at INFO, unless it is told not to before it is imported.
os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
logging.getLogger("great_expectations").setLevel(logging.WARNING)

# Only expectations about the shape of a distribution use them: with them the import takes half as long again, and
# every process of a task 85 MB more.
import_when_used("altair")
import_when_used("scipy.stats")

import great_expectations as gx
import pandas as pd
from great_expectations.core.batch_definition import BatchDefinition
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
    # BASIC has all that is shown of a result; SUMMARY also says where in the frame, and takes half as long again.
    found = _validate(frame, suite_name, expectations, "BASIC")
    return [_to_check_result(expectation, result) for expectation, result in found]


def check_parts(
    frame: pd.DataFrame,
    part_column: str,
    suite_name: str,
    expectations: Sequence[gx.expectations.Expectation],
) -> dict[Any, list[CheckResult]]:
    """Check many parts in one pass, and say of each what the expectations find in its own rows.

    Args:
        frame: the rows of all parts; its index is unique.
        part_column: tells the parts; never null.
        suite_name: of the suite.
        expectations: of single rows. One with `mostly` holds for a part when that share of its rows is sound.

    Returns:
        By part, the results in the order of the expectations.

    Raises:
        RuntimeError: an expectation could not be evaluated, or is not one of single rows.
    """
    found = _validate(frame, suite_name, expectations, "COMPLETE")
    sizes = frame[part_column].value_counts(sort=False)
    by_part: dict[Any, list[CheckResult]] = {part: [] for part in sizes.index}
    for expectation, result in found:
        whole = _to_check_result(expectation, result)
        if "unexpected_index_list" not in result.result:
            raise RuntimeError(
                f"{whole.check_code} is no expectation of single rows: it cannot be split by part"
            )
        failed = frame.loc[result.result["unexpected_index_list"], part_column].value_counts()
        share = float(getattr(expectation, "mostly", 1))
        for part, results in by_part.items():
            count, size = int(failed.get(part, 0)), int(sizes[part])
            is_success = (size - count) / size >= share
            # What the whole set shows may be another part's.
            own = {"success": is_success, "result": {"element_count": size, "unexpected_count": count}}
            results.append(
                replace(whole, is_success=is_success, failed_count=count, details={**whole.details, **own})
            )
    return by_part


def _validate(
    frame: pd.DataFrame,
    suite_name: str,
    expectations: Sequence[gx.expectations.Expectation],
    result_format: Literal["BASIC", "COMPLETE"],
) -> list[tuple[gx.expectations.Expectation, Any]]:
    """Return each expectation, in their order, with what Great Expectations says of it."""
    # GX hashes every value of the frame it is given, so it is not given columns that no expectation looks at.
    looked_at = frame.columns.intersection(_columns_of(expectations), sort=False)
    batch = frames_of_process().get_batch(batch_parameters={"dataframe": frame[looked_at]})
    # Results come back in an order of GX's own, so each expectation carries its place in the suite.
    numbered = [_with_place(expectation, place) for place, expectation in enumerate(expectations)]
    suite = gx.ExpectationSuite(name=suite_name, expectations=numbered)
    validation = batch.validate(suite, result_format=result_format)
    results = {_place_of(result): result for result in validation.results}
    for place, expectation in enumerate(numbered):
        if (information := results[place].exception_info) and _raised(information):
            raise RuntimeError(f"{type(expectation).__name__} could not be evaluated: {information}")
    return [(expectation, results[place]) for place, expectation in enumerate(numbered)]


@cache
def frames_of_process() -> BatchDefinition[Any]:
    """Return what all frames of a process are checked through; a process forked after the first call has it, too.

    GX makes a folder for each context, and writes out its whole configuration whenever a source, an asset or a batch is
    declared, which took a third of the time of a check.
    """
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
    asset = context.data_sources.add_pandas("frames").add_dataframe_asset("frame")
    return asset.add_batch_definition_whole_dataframe("whole")


def _columns_of(expectations: Sequence[gx.expectations.Expectation]) -> list[str]:
    kwargs = [expectation.configuration.kwargs for expectation in expectations]
    single = [one[key] for one in kwargs for key in ("column", "column_A", "column_B") if key in one]
    return [*single, *(name for one in kwargs for name in one.get("column_list", ()))]


def _with_place(expectation: gx.expectations.Expectation, place: int) -> gx.expectations.Expectation:
    return expectation.copy(update={"meta": {**(expectation.meta or {}), "place": place}})


def _place_of(result: Any) -> int:
    return int(result.expectation_config.meta["place"])


def _to_check_result(expectation: gx.expectations.Expectation, result: Any) -> CheckResult:
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
