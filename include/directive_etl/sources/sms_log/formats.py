"""Which reader reads which form of log: the only place that knows them all."""

from collections.abc import Sequence

import duckdb

from directive_etl.registry.log_formats import (
    DelimitedLog,
    JasminLog,
    JsonLinesLog,
    KannelLog,
    Log,
    ParquetLog,
)
from directive_etl.sources.sms_log.delimited import delimited_fields, read_header
from directive_etl.sources.sms_log.fields import Fields, Shape
from directive_etl.sources.sms_log.jasmin import jasmin_fields
from directive_etl.sources.sms_log.json_lines import json_fields
from directive_etl.sources.sms_log.kannel import kannel_fields
from directive_etl.sources.sms_log.parquet import parquet_fields, read_parquet_shape
from directive_etl.sources.sms_log.text_files import TextFile


def read_shape(connection: duckdb.DuckDBPyConnection, file: TextFile, log: Log) -> Shape | None:
    """Read how the columns of a file lie.

    Returns:
        None for a file without any row or header.

    Raises:
        WrongHeaderError: declared columns are missing.
        DamagedFileError: the file cannot be read.
    """
    if isinstance(log, DelimitedLog):
        return read_header(file, log)
    if isinstance(log, ParquetLog):
        return read_parquet_shape(connection, file, log)
    return Shape()


def to_fields(files: Sequence[TextFile], shape: Shape, log: Log) -> Fields:
    """Return the fields relation of files that have the same shape, numbered in a row."""
    match log:
        case DelimitedLog():
            return delimited_fields(files, shape, log)
        case JsonLinesLog():
            return json_fields(files, log)
        case ParquetLog():
            return parquet_fields(files, shape, log)
        case KannelLog():
            return kannel_fields(files, log)
        case JasminLog():
            return jasmin_fields(files, log)
