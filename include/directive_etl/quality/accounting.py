"""Nothing is lost: the account of the rows a batch read, and the shape of what it refused."""

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

REFUSED_COLUMNS = ["sha256", "place", "reason_code", "reason", "content"]


@dataclass(frozen=True)
class RowAccount:
    """What became of every row a batch read. Unit: rows.

    Raises:
        ValueError: the parts do not add up to `read`, or one is negative.
    """

    read: int
    loaded: int
    refused: int = 0
    duplicate: int = 0
    unchanged: int = 0

    def __post_init__(self) -> None:
        parts = (self.loaded, self.refused, self.duplicate, self.unchanged)
        if min(parts) < 0 or self.read != sum(parts):
            raise ValueError(f"rows are lost: {self}")


def refused_frame(rows: Iterable[dict[str, str]] = ()) -> pd.DataFrame:
    """Return refused rows as a frame with REFUSED_COLUMNS; `content` must already be masked."""
    return pd.DataFrame(list(rows), columns=REFUSED_COLUMNS).astype(object)
