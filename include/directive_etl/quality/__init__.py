"""Quality: what a row account is, how refused rows look, and how declared suites are checked."""

from directive_etl.masking import mask_digits
from directive_etl.quality.accounting import REFUSED_COLUMNS, RowAccount, refused_frame

__all__ = ["REFUSED_COLUMNS", "RowAccount", "mask_digits", "refused_frame"]
