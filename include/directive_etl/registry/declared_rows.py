"""Declared CSV files: one model a row, and every mistake of a file told at once."""

import csv
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from directive_etl.errors import RegistryError
from directive_etl.registry.mistakes import to_mistake


class DeclaredRow(BaseModel):
    """Base of a row: unknown columns are refused, text becomes the column's type, nothing changes later."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


Row = TypeVar("Row", bound=DeclaredRow)


def load_rows(path: Path, model: type[Row], key: Sequence[str] = ()) -> list[Row]:
    """Read every row of a CSV file in UTF-8 whose header names the fields of the model.

    An empty cell is None.

    Args:
        path: the file.
        model: the form of a row.
        key: the fields that no two rows may share.

    Raises:
        RegistryError: every mistake of the file, one a line: `file:line: column: found this, expected that`.
    """
    rows: list[Row] = []
    faults: list[str] = []
    lines_by_key: dict[tuple[object, ...], list[int]] = defaultdict(list)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, strict=True, restkey="more cells than the header")
            for cells in reader:
                try:
                    row = model.model_validate({name: value or None for name, value in cells.items()})
                except ValidationError as error:
                    mistakes = (to_mistake(detail) for detail in error.errors(include_url=False))
                    faults += [f"{path}:{reader.line_num}: {mistake.sentence()}" for mistake in mistakes]
                    continue
                rows.append(row)
                lines_by_key[tuple(getattr(row, name) for name in key)].append(reader.line_num)
    except OSError as error:
        raise RegistryError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RegistryError(f"{path}: is not UTF-8 at byte {error.start}") from error
    except csv.Error as error:
        place = f"{path}:{reader.line_num}: file"
        raise RegistryError(f"{place}: found a line that is no CSV ({error}), expected CSV") from error
    for values, (first, *others) in lines_by_key.items():
        told = f"found {', '.join(map(str, values))} again, expected it only on line {first}"
        faults += [f"{path}:{line}: {' + '.join(key)}: {told}" for line in others if key]
    if faults:
        raise RegistryError("\n".join(faults))
    return rows
