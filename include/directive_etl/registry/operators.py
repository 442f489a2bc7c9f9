"""Telecom operators as data: what their SMS logs look like, how long receipts are awaited, what each status means.

One YAML file an operator in registry/operators; docs/sources/sms_log.md explains the form. A new operator whose logs
have a known form is a new file and no code.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

from directive_etl.errors import RegistryError
from directive_etl.registry.declared_file import Declared, load_declared_folder
from directive_etl.registry.mistakes import Mistake

OPERATORS_FOLDER = Path(__file__).parent / "operators"

# What a status of a log can mean. `pending` is not final; the others end a message.
State = Literal["pending", "failed", "expired", "rejected", "delivered"]
# A status and its time share one integer in the counting SQL, six bits of it for the status.
MOST_STATUSES = 63

_TIME_PARTS = re.compile(r"%[-]?(.)")


def _check_time_format(text: str) -> str:
    parts = set(_TIME_PARTS.findall(text))
    if not parts <= set("YymdHMSfgIpbBT%") or not (
        {"d", "m"} <= parts and parts & {"Y", "y"} and parts & {"H", "I", "T"}
    ):
        raise ValueError("a strptime format with day, month, year and hour, such as '%d/%m/%Y %H:%M:%S'")
    return text


def _check_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("a time zone of the IANA list, such as 'Asia/Ho_Chi_Minh' or 'UTC'") from None
    return name


TimeFormat = Annotated[str, AfterValidator(_check_time_format)]
ZoneName = Annotated[str, AfterValidator(_check_zone)]
Code = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
# Names end up in SQL as quoted text; a line break or a NUL in one is always a mistake.
PlainText = Annotated[str, Field(min_length=1, pattern=r"^[^\x00-\x1f]+$")]


class Columns(Declared):
    """Which column holds what: names of the header, or of `column_order` where files have no header.

    Attributes:
        connection: the gateway's connection; message ids are unique within one. Left out: unique within the operator.
        done_at: time of the status. Left out: the log does not say, so there is no latency.
        segments: parts a message was sent in. Left out: one.
    """

    message_id: PlainText
    recipient: PlainText
    submitted_at: PlainText
    status: PlainText
    sender: PlainText | None = None
    service: PlainText | None = None
    connection: PlainText | None = None
    done_at: PlainText | None = None
    segments: PlainText | None = None

    @property
    def names(self) -> dict[str, str]:
        """The column of each part that is declared."""
        return {part: name for part in type(self).model_fields if (name := getattr(self, part)) is not None}


class DelimitedLog(Declared):
    """Text with one row per event and a delimiter between columns: submissions, receipts, or attempts.

    Attributes:
        quote: character around values that hold the delimiter; null when the files never quote.
        column_order: the columns of files without a header; null when the first line names them.
        time_format: strptime format of both times (%Y %m %d %H %M %S, %f for fractions).
    """

    format: Literal["delimited"]
    delimiter: Annotated[str, Field(min_length=1, max_length=4)]
    columns: Columns
    time_format: TimeFormat
    status_map: Annotated[dict[str, State], Field(min_length=1, max_length=MOST_STATUSES)]
    quote: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    column_order: tuple[PlainText, ...] | None = None
    encoding: Literal["utf-8", "latin-1"] = "utf-8"


class KannelLog(Declared):
    """Access log of Kannel's bearerbox in its default layout.

    Attributes:
        status_map: by type of receipt, the last number of `flags`.
    """

    format: Literal["kannel"]
    status_map: Annotated[dict[str, State], Field(min_length=1, max_length=MOST_STATUSES)]
    time_format: TimeFormat = "%Y-%m-%d %H:%M:%S"
    encoding: Literal["utf-8", "latin-1"] = "utf-8"


class Operator(Declared):
    """One operator and its logs.

    Attributes:
        operator_code: names the drop folder and the rows of the warehouse.
        window_days: a message's receipts are awaited in the folders of this many days after its own.
        connections: the gateway's connections that are this operator's; empty for all.
        other_connections: what to do with rows of other connections: they are refused, or, in the log of a gateway
            that several operators share, ignored.
        number_plan: `vietnam_mobile` refuses other numbers; `international` takes any, for gateways that send abroad.
        lone_receipts: a receipt whose submission is in no folder of the window waits, or makes a message of its own
            where a gateway does not log every submission.
        time_zone: zone of the times in the log; no log names it.
    """

    operator_code: Code
    name: PlainText
    log: Annotated[DelimitedLog | KannelLog, Field(discriminator="format")]
    file_patterns: tuple[PlainText, ...] = ("*",)
    window_days: Annotated[int, Field(ge=0, le=30)] = 3
    connections: tuple[PlainText, ...] = ()
    other_connections: Literal["refuse", "ignore"] = "refuse"
    number_plan: Literal["vietnam_mobile", "international"] = "vietnam_mobile"
    lone_receipts: Literal["wait", "message"] = "wait"
    time_zone: ZoneName = "Asia/Ho_Chi_Minh"

    def iter_mistakes(self) -> Iterator[Mistake]:
        """Yield what does not hold between the parts."""
        log = self.log
        if "delivered" not in log.status_map.values():
            yield Mistake(("log", "status_map"), "no status that means delivered", "at least one")
        if isinstance(log, DelimitedLog):
            if self.connections and log.columns.connection is None:
                yield Mistake(("connections",), "connections", "a column `connection` that names them")
            if log.column_order is not None:
                for part, name in log.columns.names.items():
                    if name not in log.column_order:
                        yield Mistake(("log", "columns", part), repr(name), "a name in column_order")

    def fixed_offset(self) -> timedelta | None:
        """Return the zone's distance from UTC when it has been the same since 2015, else None."""
        zone = ZoneInfo(self.time_zone)
        months = [
            datetime(year, month, 1, tzinfo=UTC) for year in range(2015, 2036) for month in range(1, 13)
        ]
        offsets = {moment.astimezone(zone).utcoffset() for moment in months}
        return offsets.pop() if len(offsets) == 1 else None


@cache
def operators() -> list[Operator]:
    """Return all declared operators, sorted by code.

    Raises:
        RegistryError: the mistakes of all files.
    """
    return load_declared_folder(OPERATORS_FOLDER, Operator, "operator_code")


def operator(operator_code: str) -> Operator:
    """Return one operator.

    Raises:
        RegistryError: no such operator, or a mistake in a file.
    """
    for declared in operators():
        if declared.operator_code == operator_code:
            return declared
    known = ", ".join(declared.operator_code for declared in operators())
    raise RegistryError(f"no operator {operator_code!r} in {OPERATORS_FOLDER.name}/*.yaml; there are {known}")
