"""What every reader gives: the fields of each row of a log, whatever its format. A new format is a new reader.

The columns of a fields relation, all that the typing in events.py needs:

    file_no         USMALLINT   position of the file among those read
    fault           UTINYINT    reason why the reader cannot make sense of the row, 0 when it can
    is_event        BOOLEAN     false for rows that say nothing of a message of ours: read, and not counted
    connection      VARCHAR     gateway connection within which message_id is unique; NULL when there is only one
    message_id      VARCHAR
    sender, service VARCHAR     what campaigns are told apart by; NULL or empty when the log does not say
    recipient       VARCHAR     number as written; NULL when the row does not tell it
    submitted_at    time of submission; NULL when the row does not tell it
    done_at         time of the status; NULL when the row has none
    status          VARCHAR     status as written; NULL for a row that only tells of the submission
    receipt         VARCHAR     SMPP receipt; NULL when there is none
    segments        VARCHAR or INTEGER
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from directive_etl.sources.sms_log.sql_text import literal
from directive_etl.sources.sms_log.text_files import TextFile

# How a time comes: as the text that the log's time_format describes, or as a timestamp without or with its zone.
Written = Literal["text", "local", "instant"]


@dataclass(frozen=True)
class Shape:
    """How the columns of a file lie; those of one shape can be read together.

    Attributes:
        columns: their names in order; none where lines are read whole.
        types: of the columns, where the file tells them.
        skipped_lines: lines up to the first row: the header and what stands before it.
    """

    columns: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    skipped_lines: int = 0


class WrongHeaderError(ValueError):
    """A file lacks declared columns; the message names them."""


@dataclass(frozen=True)
class Fields:
    """A fields relation.

    Attributes:
        sql: a SELECT with the columns above, and those that `content` needs.
        content: expression of what a refused row is shown as, without the text of the message.
        submitted_written: how submitted_at comes.
        done_written: how done_at comes.
    """

    sql: str
    content: str
    submitted_written: Written = "text"
    done_written: Written = "text"


def read_csv_call(files: Sequence[TextFile], columns: Sequence[str], options: str) -> str:
    """Return a call of read_csv on files that are alike, whose columns are all text.

    Every row that does not fit the columns or is not text goes to DuckDB's table reject_errors, with its line.
    """
    types = "{" + ", ".join(f"{literal(name)}: 'VARCHAR'" for name in columns) + "}"
    return (
        f"read_csv({path_list(files)}, auto_detect=false, columns={types}, "
        f"compression={literal(files[0].compression)}, store_rejects=true, rejects_line_size_limit=2000, {options})"
    )


def path_list(files: Sequence[TextFile]) -> str:
    """Return the list of the files' paths."""
    return "[" + ", ".join(literal(str(file.path)) for file in files) + "]"


def file_no_sql(files: Sequence[TextFile]) -> str:
    """Return the expression for file_no of files read by one call; they must be numbered in a row."""
    return f"(file_index + {files[0].file_no})::USMALLINT"


def raw_line_options(encoding: str) -> str:
    """Return the options that make read_csv give whole lines, blank ones as NULL."""
    # No log line holds this control character: gateways print something else for it.
    return f"delim='\x01', quote='', escape='', header=false, encoding={literal(encoding)}, strict_mode=true"


def read_lines_call(files: Sequence[TextFile], encoding: str) -> str:
    """Return a call that reads files of one compression line by line, as `line`."""
    return read_csv_call(files, ["line"], raw_line_options(encoding))


def shown_line(event: str) -> str:
    """Return the expression of what a refused line of a gateway's log is shown as: its fields, without its text.

    A line that cannot be taken apart is shown whole here, and as its mere outline in the end (refused.py).

    Args:
        event: the column that says what was logged; NULL or empty where the line cannot be taken apart.
    """
    parts = (
        event,
        "connection",
        "message_id",
        "sender",
        "service",
        "recipient",
        "submitted_at",
        "done_at",
        "status",
    )
    shown = ", ".join(f"'{part}=' || {part}" for part in parts)
    return f"CASE WHEN fault = 0 THEN concat_ws(', ', {shown}) ELSE line END"
