"""Telecom operators as data: what their SMS logs look like, how long receipts are awaited, what each status means.

One YAML file an operator in registry/operators; docs/sources/sms_log.md explains the form. A new operator whose logs
have a known form is a new file and no code.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from directive_etl.errors import RegistryError
from directive_etl.registry.declared_file import Declared, load_declared, load_declared_folder
from directive_etl.registry.log_formats import JasminLog, Log, PlainText, ZoneName
from directive_etl.registry.mistakes import Mistake

OPERATORS_FOLDER = Path(__file__).parent / "operators"

Code = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]


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
    log: Log
    file_patterns: tuple[PlainText, ...] = ("*",)
    window_days: Annotated[int, Field(ge=0, le=30)] = 3
    connections: tuple[PlainText, ...] = ()
    other_connections: Literal["refuse", "ignore"] = "refuse"
    number_plan: Literal["vietnam_mobile", "international"] = "vietnam_mobile"
    lone_receipts: Literal["wait", "message"] = "wait"
    time_zone: ZoneName = "Asia/Ho_Chi_Minh"

    def iter_mistakes(self) -> Iterator[Mistake]:
        """Yield what does not hold between the parts."""
        for mistake in self.log.iter_mistakes():
            yield Mistake(("log", *mistake.place), mistake.found, mistake.expected)
        if self.connections and not self.log.has_connection:
            yield Mistake(("connections",), "connections", "a log that names them")
        if self.lone_receipts == "message" and isinstance(self.log, JasminLog):
            yield Mistake(("lone_receipts",), "message", "wait: a receipt in Jasmin's log has no number")

    def fixed_offset(self) -> timedelta | None:
        """Return the zone's distance from UTC when it has been the same since 2015, else None."""
        return fixed_offset(self.time_zone)


def fixed_offset(time_zone: str) -> timedelta | None:
    """Return a zone's distance from UTC when it has been the same since 2015, else None."""
    zone = ZoneInfo(time_zone)
    months = [datetime(year, month, 1, tzinfo=UTC) for year in range(2015, 2036) for month in range(1, 13)]
    offsets = {moment.astimezone(zone).utcoffset() for moment in months}
    return offsets.pop() if len(offsets) == 1 else None


def load_operator(path: Path) -> Operator:
    """Return the operator that a file declares, in the registry or not.

    Raises:
        RegistryError: every mistake of the file.
    """
    return load_declared(path, Operator, named_by="operator_code")


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
