"""Reader of delimited logs: one row per event, with or without a header, columns found by name."""

import codecs
import csv
from collections.abc import Sequence
from io import TextIOWrapper

from directive_etl.registry.log_formats import DelimitedLog
from directive_etl.sources.sms_log.columns import column_fields, missing_columns, shown_columns
from directive_etl.sources.sms_log.fields import Fields, Shape, WrongHeaderError, file_no_sql, read_csv_call
from directive_etl.sources.sms_log.sql_text import literal
from directive_etl.sources.sms_log.text_files import TextFile

_LONGEST_HEADER = 1 << 16


def read_header(file: TextFile, log: DelimitedLog) -> Shape | None:
    """Read a file's header.

    Returns:
        None for a file without any row or header.

    Raises:
        WrongHeaderError: declared columns are missing, or there is no header in the first lines.
        DamagedFileError: the file cannot be decompressed.
    """
    if log.column_order is not None:
        return Shape(log.column_order)
    with file.open() as stream, TextIOWrapper(stream, log.encoding, errors="replace", newline="\n") as text:
        for skipped, line in enumerate(iter(lambda: text.readline(_LONGEST_HEADER), ""), start=1):
            if len(line) >= _LONGEST_HEADER:
                raise WrongHeaderError(f"no line end in the first {_LONGEST_HEADER} characters")
            written = line.lstrip(codecs.BOM_UTF8.decode()).rstrip("\r\n")
            if written:
                found = _split_header(written, log)
                if wrong := missing_columns(log.columns, found):
                    raise WrongHeaderError(wrong)
                return Shape(found, skipped_lines=skipped)
    return None


def _split_header(line: str, log: DelimitedLog) -> tuple[str, ...]:
    if log.quote is None or len(log.delimiter) > 1:
        return tuple(name.strip() for name in line.split(log.delimiter))
    names = next(csv.reader([line], delimiter=log.delimiter, quotechar=log.quote))
    return tuple(name.strip() for name in names)


def delimited_fields(files: Sequence[TextFile], shape: Shape, log: DelimitedLog) -> Fields:
    """Read delimited files that have the same shape.

    Args:
        files: numbered in a row.
        shape: from `read_header`.
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
    values = {name: raw[shape.columns.index(name)] for name in log.columns.all_names}
    sql = column_fields(log.columns, values, call, file_no_sql(files))
    # DuckDB checks the encoding of the columns it reads only, so the others are read too, and nothing of them is shown.
    unread = ", ".join(name for name in raw if name not in values.values())
    shown = shown_columns(log.columns, values)
    return Fields(sql, f"{shown} || left(concat({unread}), 0)" if unread else shown)
