"""Hold back a part of a day of which most could not be read: what is left would pass for the whole."""

from directive_etl.quality.results import CheckResult

# Fewer refused rows than this are an accident of a small file, not a source that changed.
LEAST_REFUSED = 20


def check_most_usable(refused: int, read: int) -> CheckResult:
    """Find that more than half of the rows read were refused; critical: only a person can say it does not matter."""
    is_usable = refused < LEAST_REFUSED or refused * 2 <= read
    return CheckResult(
        check_code="most_rows_usable",
        severity="critical",
        column="",
        is_success=is_usable,
        observed=f"{refused} of {read} rows refused",
        failed_count=0 if is_usable else refused,
        notes="more than half of the rows refused: what is left would pass for the whole day",
    )
