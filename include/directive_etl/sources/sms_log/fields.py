"""What every reader gives: the fields of each row of a log as text, whatever its format. A new format is a new reader.

The columns of a fields relation, all that the typing in events.py needs:

    file_no         USMALLINT   position of the file among those read
    fault           UTINYINT    reason why the reader cannot make sense of the row, 0 when it can
    is_event        BOOLEAN     false for rows that say nothing of a message of ours: read, and not counted
    connection      VARCHAR     gateway connection within which message_id is unique; NULL when there is only one
    message_id      VARCHAR
    sender, service VARCHAR     what campaigns are told apart by; NULL when the log does not say
    recipient       VARCHAR     number as written
    submitted_at    VARCHAR     time of submission as written; NULL when the row does not tell it
    done_at         VARCHAR     time of the status as written; NULL when the row has none
    status          VARCHAR     status as written; NULL for a row that only tells of the submission
    segments        VARCHAR or INTEGER
"""

from collections.abc import Sequence
from dataclasses import dataclass

from directive_etl.sources.sms_log.sql_text import literal
from directive_etl.sources.sms_log.text_files import TextFile


@dataclass(frozen=True)
class Fields:
    """A fields relation.

    Attributes:
        sql: a SELECT with the columns above, and those that `content` needs.
        content: expression that gives the row as it was written, evaluated for refused rows only.
    """

    sql: str
    content: str


def read_csv_call(files: Sequence[TextFile], columns: Sequence[str], options: str) -> str:
    """Return a call of read_csv on files that are alike, whose columns are all text.

    Every row that does not fit the columns or is not text goes to DuckDB's table reject_errors, with its line.
    """
    paths = "[" + ", ".join(literal(str(file.path)) for file in files) + "]"
    types = "{" + ", ".join(f"{literal(name)}: 'VARCHAR'" for name in columns) + "}"
    return (
        f"read_csv({paths}, auto_detect=false, columns={types}, compression={literal(files[0].compression)}, "
        f"store_rejects=true, rejects_line_size_limit=2000, {options})"
    )


def file_no_sql(files: Sequence[TextFile]) -> str:
    """Return the expression for file_no of files read by one call; they must be numbered in a row."""
    return f"(file_index + {files[0].file_no})::USMALLINT"


def raw_line_options(encoding: str) -> str:
    """Return the options that make read_csv give whole lines, blank ones as NULL."""
    # No log line holds this control character: gateways print something else for it.
    return f"delim='\x01', quote='', escape='', header=false, encoding={literal(encoding)}, strict_mode=true"
