"""Many rows in the binary form of PostgreSQL's COPY, made column by column: no value passes through Python by itself.

Each column becomes a matrix of bytes, a row's length and value side by side, and a second one that says which of these
bytes count: none of a missing value, and of a text as many as it has.
https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-BINARY-FORMAT
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import sqlalchemy as sa

_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
# PostgreSQL counts days and microseconds from here.
_EPOCH = np.datetime64("2000-01-01", "us")
_BLOCK_BYTES = 1 << 19
# All different texts of a column lie side by side, each as long as the longest.
_MOST_TEXT_BYTES = 1 << 25

Bytes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _Column:
    """values: a row of bytes per value; place: the one of each row of the frame; lengths: in bytes, -1 when missing."""

    values: Bytes
    places: npt.NDArray[np.intp] | None
    lengths: npt.NDArray[np.int64]

    @property
    def width(self) -> int:
        return 4 + int(self.values.shape[1])

    def fill(self, cells: Bytes, counts: Flags, rows: slice) -> None:
        """Write some rows into matrices of this width."""
        lengths = self.lengths[rows]
        cells[:, :4] = _as_bytes(lengths.astype(">i4"))
        cells[:, 4:] = self.values[rows] if self.places is None else self.values[self.places[rows]]
        np.less(np.arange(self.width), 4 + np.maximum(lengths, 0)[:, None], out=counts)


def pack_rows(frame: pd.DataFrame, target: sa.Table, columns: Sequence[str]) -> Iterator[bytes] | None:
    """Return the rows as blocks of bytes; None where a type, or the length of a text, is not for this form.

    Args:
        frame: at least the named columns; NaN, NaT and pd.NA become NULL.
        target: the table whose column types the values take.
        columns: which columns, in the frame and in the target alike.

    Raises:
        ValueError: a number is not whole, or too large for its column.
    """
    packed = [_pack(frame[name], target.columns[name].type) for name in columns]
    ready = [column for column in packed if column is not None]
    return _iter_blocks(ready, len(frame)) if len(ready) == len(packed) else None


def _iter_blocks(columns: Sequence[_Column], row_count: int) -> Iterator[bytes]:
    yield _SIGNATURE
    ends = list(accumulate((column.width for column in columns), initial=2))
    step = max(1, _BLOCK_BYTES // ends[-1])
    cells = np.empty((step, ends[-1]), dtype="u1")
    counts = np.ones((step, ends[-1]), dtype=bool)
    cells[:, :2] = _as_bytes(np.full(step, len(columns), dtype=">i2"))
    for first in range(0, row_count, step):
        rows = slice(first, min(first + step, row_count))
        size = rows.stop - rows.start
        for column, start, end in zip(columns, ends[:-1], ends[1:], strict=True):
            column.fill(cells[:size, start:end], counts[:size, start:end], rows)
        yield cells[:size][counts[:size]].tobytes()
    yield _END


def _pack(column: pd.Series, kind: sa.types.TypeEngine[Any]) -> _Column | None:
    missing = column.isna().to_numpy(dtype=bool)
    if isinstance(kind, sa.Integer):
        size = 8 if isinstance(kind, sa.BigInteger) else 2 if isinstance(kind, sa.SmallInteger) else 4
        return _fixed(_whole_numbers(column, missing, size).astype(f">i{size}"), missing)
    if isinstance(kind, sa.Boolean):
        flags = column.to_numpy(dtype=object) if missing.any() else column.to_numpy()
        return _fixed(np.where(missing, False, flags).astype("u1"), missing)
    if isinstance(kind, sa.Date):
        moments = pd.to_datetime(column).to_numpy(dtype="datetime64[D]")
        return _fixed((moments - _EPOCH.astype("datetime64[D]")).astype("i8").astype(">i4"), missing)
    if isinstance(kind, sa.DateTime) and kind.timezone:
        moments = pd.to_datetime(column, utc=True).dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
        return _fixed((moments - _EPOCH).astype(">i8"), missing)
    if isinstance(kind, sa.Text):
        return _texts(column)
    return None


def _whole_numbers(column: pd.Series, missing: Flags, size: int) -> npt.NDArray[np.int64]:
    """Return the numbers, 0 for a missing one: a gap makes pandas hold whole numbers as floats."""
    if not pd.api.types.is_integer_dtype(column) or missing.any():
        told = [0 if absent else value for value, absent in zip(column.tolist(), missing, strict=True)]
        whole = [int(value) for value in told]
        if wrong := [value for value, number in zip(told, whole, strict=True) if value != number]:
            raise ValueError(f"{wrong[0]!r} is not a whole number")
        column = pd.Series(whole, dtype=object)
    limits = np.iinfo(f"i{size}")
    if len(column) and not limits.min <= column.min() <= column.max() <= limits.max:
        raise ValueError(f"a number of {column.name} does not fit into {size} bytes")
    return column.to_numpy(dtype="i8")


def _texts(column: pd.Series) -> _Column | None:
    places, texts = pd.factorize(column)
    encoded = [*(str(text).encode() for text in texts), b""]  # the last one is for what is missing, place -1
    width = max(1, *map(len, encoded))
    if width * len(encoded) > _MOST_TEXT_BYTES:
        return None
    lengths = np.array([*map(len, encoded[:-1]), -1], dtype="i8")
    return _Column(_as_bytes(np.array(encoded, dtype=f"S{width}")), places, lengths[places])


def _fixed(values: npt.NDArray[Any], missing: Flags) -> _Column:
    return _Column(_as_bytes(values), None, np.where(missing, -1, values.dtype.itemsize))


def _as_bytes(values: npt.NDArray[Any]) -> Bytes:
    """Return an array's values as rows of bytes."""
    return np.ascontiguousarray(values).view("u1").reshape(len(values), values.dtype.itemsize)
