"""Reader of Parquet logs: columns by name, with the types they have."""

from collections.abc import Sequence

import duckdb

from directive_etl.landing.texts import DamagedFileError
from directive_etl.registry.log_formats import ParquetLog
from directive_etl.sources.sms_log.columns import column_fields, missing_columns, shown_columns
from directive_etl.sources.sms_log.fields import (
    Fields,
    Shape,
    Written,
    WrongHeaderError,
    file_no_sql,
    path_list,
)
from directive_etl.sources.sms_log.sql_text import identifier, literal
from directive_etl.sources.sms_log.text_files import TextFile

_MAGIC = b"PAR1"
_TIME_PARTS = ("submitted_at", "done_at")
# An empty text is none in these; in the others both mean the same, and DuckDB reads a column with few values faster as
# it is.
_NULL_WHERE_EMPTY = ("connection", "recipient", "submitted_at", "done_at", "receipt", "segments")


def read_parquet_shape(connection: duckdb.DuckDBPyConnection, file: TextFile, log: ParquetLog) -> Shape:
    """Read the names and types of a file's columns.

    Raises:
        WrongHeaderError: declared columns are missing.
        DamagedFileError: it is no Parquet file, or its end is damaged.
    """
    with file.path.open("rb") as stream:
        if stream.read(len(_MAGIC)) != _MAGIC:
            raise DamagedFileError("the file is no Parquet file")
    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({path_list([file])})").fetchall()
    except duckdb.Error as error:
        raise DamagedFileError(
            "the end of the Parquet file, which tells its columns, cannot be read"
        ) from error
    columns = tuple(row[0] for row in described)
    if wrong := missing_columns(log.columns, columns):
        raise WrongHeaderError(wrong)
    types = {row[0]: row[1] for row in described}
    # Columns that are not read do not make files differ.
    names = log.columns.all_names
    return Shape(tuple(names), tuple(types[name] for name in names))


def count_parquet_rows(connection: duckdb.DuckDBPyConnection, file: TextFile) -> int:
    """Return how many rows a file says it has."""
    query = f"SELECT num_rows FROM parquet_file_metadata({literal(str(file.path))})"
    return int(connection.execute(query).fetchall()[0][0])


def parquet_fields(files: Sequence[TextFile], shape: Shape, log: ParquetLog) -> Fields:
    """Read Parquet files of the same shape.

    Args:
        files: numbered in a row.
        shape: from `read_parquet_shape`.
        log: how the operator writes them.
    """
    types = dict(zip(shape.columns, shape.types, strict=True))
    written = {part: _written(types, log, part) for part in _TIME_PARTS}
    times = {
        name for part in _TIME_PARTS if written[part] != "text" for name in log.columns.names.get(part, ())
    }
    # Columns of the file may have names of ours.
    raw = {name: f"raw_{n}" for n, name in enumerate(shape.columns)}
    nulled = {name for part in _NULL_WHERE_EMPTY for name in log.columns.names.get(part, ())}
    values = {
        name: raw[name] if name in times else _text(raw[name], type_name, name in nulled)
        for name, type_name in types.items()
    }
    selected = ", ".join(f"{identifier(name)} AS {alias}" for name, alias in raw.items())
    source = f"(SELECT {selected}, {file_no_sql(files)} AS file_number FROM read_parquet({path_list(files)}))"
    sql = column_fields(log.columns, values, source, "file_number")
    return Fields(sql, shown_columns(log.columns, values), written["submitted_at"], written["done_at"])


def _text(column: str, type_name: str, is_nulled: bool) -> str:
    text = column if type_name == "VARCHAR" else f"{column}::VARCHAR"
    return f"nullif({text}, '')" if is_nulled and type_name == "VARCHAR" else text


def _written(types: dict[str, str], log: ParquetLog, part: str) -> Written:
    names = log.columns.names.get(part)
    type_name = types[names[0]] if names else "VARCHAR"
    if type_name == "TIMESTAMP WITH TIME ZONE":
        return "instant"
    return "local" if type_name.startswith(("TIMESTAMP", "DATE")) else "text"
