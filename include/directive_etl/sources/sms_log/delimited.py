"""Reader of delimited logs: one row per event, with or without a header, columns found by name."""

import codecs
import csv
from collections.abc import Sequence
from dataclasses import dataclass
from io import TextIOWrapper

from directive_etl.registry.operators import DelimitedLog
from directive_etl.sources.sms_log.fields import Fields, file_no_sql, read_csv_call
from directive_etl.sources.sms_log.sql_text import literal
from directive_etl.sources.sms_log.text_files import TextFile

_LONGEST_HEADER = 1 << 16


@dataclass(frozen=True)
class Shape:
    """How the columns of a file lie.

    Attributes:
        columns: their names in order.
        skipped_lines: lines up to the first row: the header and what stands before it.
    """

    columns: tuple[str, ...]
    skipped_lines: int


class WrongHeaderError(ValueError):
    """A file's header lacks declared columns; the message names them."""


def read_shape(file: TextFile, log: DelimitedLog) -> Shape | None:
    """Read a file's header.

    Returns:
        None for a file without any row or header.

    Raises:
        WrongHeaderError: declared columns are missing, or there is no header in the first lines.
        DamagedFileError: the file cannot be decompressed.
    """
    if log.column_order is not None:
        return Shape(log.column_order, 0)
    with file.open() as stream, TextIOWrapper(stream, log.encoding, errors="replace", newline="\n") as text:
        for skipped, line in enumerate(iter(lambda: text.readline(_LONGEST_HEADER), ""), start=1):
            if len(line) >= _LONGEST_HEADER:
                raise WrongHeaderError(f"no line end in the first {_LONGEST_HEADER} characters")
            written = line.lstrip(codecs.BOM_UTF8.decode()).rstrip("\r\n")
            if written:
                return Shape(_checked_columns(_split_header(written, log), log), skipped)
    return None


def _split_header(line: str, log: DelimitedLog) -> tuple[str, ...]:
    if log.quote is None or len(log.delimiter) > 1:
        return tuple(name.strip() for name in line.split(log.delimiter))
    names = next(csv.reader([line], delimiter=log.delimiter, quotechar=log.quote))
    return tuple(name.strip() for name in names)


def _checked_columns(found: tuple[str, ...], log: DelimitedLog) -> tuple[str, ...]:
    wanted = log.columns.names.values()
    missing = [name for name in wanted if name not in found]
    twice = [name for name in wanted if found.count(name) > 1]
    if missing or twice:
        raise WrongHeaderError(
            "; ".join(
                f"{what}: {', '.join(names)}"
                for what, names in (("missing columns", missing), ("columns that stand twice", twice))
                if names
            )
        )
    return found


def delimited_fields(files: Sequence[TextFile], shape: Shape, log: DelimitedLog) -> Fields:
    """Read delimited files that have the same shape.

    Args:
        files: numbered in a row.
        shape: from `read_shape`.
        log: how the operator writes them.
    """
    raw = [f"raw_{n}" for n in range(len(shape.columns))]
    # DuckDB's own header handling guesses; lines are skipped by count instead.
    quote = literal(log.quote or "")
    call = read_csv_call(
        files,
        raw,
        f"delim={literal(log.delimiter)}, quote={quote}, escape={quote}, header=false, skip={shape.skipped_lines}, "
        f"encoding={literal(log.encoding)}, strict_mode=true",
    )
    place = {part: raw[shape.columns.index(name)] for part, name in log.columns.names.items()}

    def column(part: str, missing: str = "NULL") -> str:
        return place.get(part, missing)

    sql = f"""
        SELECT {file_no_sql(files)} AS file_no,
            0 AS fault, true AS is_event,
            {column("connection")} AS connection, {column("message_id")} AS message_id,
            {column("sender")} AS sender, {column("service")} AS service,
            {column("recipient")} AS recipient, {column("submitted_at")} AS submitted_at,
            {column("done_at")} AS done_at, coalesce({column("status")}, '') AS status,
            {column("segments", "1")} AS segments, {", ".join(raw)}
        FROM {call}
    """
    values = ", ".join(f"coalesce({name}, '')" for name in raw)
    return Fields(sql, f"concat_ws({literal(log.delimiter)}, {values})")
