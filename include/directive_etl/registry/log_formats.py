"""The declared part of each form of SMS log: which column holds what, how times, ids and statuses are written.

A form is one class here and one reader in sources/sms_log; docs/sources/sms_log.md explains each with an example.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

from directive_etl.registry.declared_file import Declared
from directive_etl.registry.mistakes import Mistake

# What a status of a log can mean. `pending` is not final; the others end a message.
State = Literal["pending", "failed", "expired", "rejected", "delivered"]
# A status and its time share one integer in the counting SQL, six bits of it for the status.
MOST_STATUSES = 63

# The words of SMPP 3.4, appendix B. UNKNOWN tells nothing, so it ends nothing.
RECEIPT_STATES: dict[str, State] = {
    "ENROUTE": "pending",
    "ACCEPTD": "pending",
    "UNKNOWN": "pending",
    "DELIVRD": "delivered",
    "UNDELIV": "failed",
    "DELETED": "failed",
    "EXPIRED": "expired",
    "REJECTD": "rejected",
}

# Ways to write a time that are no strptime format.
TIME_WORDS = ("epoch_seconds", "epoch_milliseconds", "json_date")
_TIME_PARTS = re.compile(r"%[-]?(.)")
_LAYOUT_CODES = re.compile(r"%(.)")


def _check_time_format(text: str) -> str:
    parts = set(_TIME_PARTS.findall(text))
    if text not in TIME_WORDS and (
        not parts <= set("YymdHMSfgIpbBTz%")
        or not ({"d", "m"} <= parts and parts & {"Y", "y"} and parts & {"H", "I", "T"})
    ):
        raise ValueError(
            "a strptime format with day, month, year and hour, such as '%d/%m/%Y %H:%M:%S', "
            f"or one of {', '.join(TIME_WORDS)}"
        )
    return text


def _check_layout(text: str) -> str:
    codes = _LAYOUT_CODES.findall(text)
    missing = [code for code in ("l", "F", "P") if code not in codes]
    if missing or codes.count("t") + codes.count("T") > 1:
        raise ValueError("an access-log-format with %l, %F and %P, and with one of %t and %T at most")
    for once in "lFPinpmcdLbNu":
        if codes.count(once) > 1:
            raise ValueError(f"an access-log-format with %{once} once")
    if re.search(r"%[^%]%[^%]", text):
        raise ValueError("an access-log-format with something between any two codes")
    return text


def _check_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("a time zone of the IANA list, such as 'Asia/Ho_Chi_Minh' or 'UTC'") from None
    return name


ZoneName = Annotated[str, AfterValidator(_check_zone)]
TimeFormat = Annotated[str, AfterValidator(_check_time_format)]
# Names end up in SQL as quoted text; a line break or a NUL in one is always a mistake.
PlainText = Annotated[str, Field(min_length=1, pattern=r"^[^\x00-\x1f]+$")]
Layout = Annotated[PlainText, AfterValidator(_check_layout)]
Encoding = Literal["utf-8", "latin-1"]
StatusMap = Annotated[dict[str, State], Field(max_length=MOST_STATUSES)]
Ids = Literal["as_written", "hex", "hex_then_decimal", "decimal_then_hex"]


class Columns(Declared):
    """Which column holds what, by name.

    Attributes:
        recipient: the number written to; a receipt that does not repeat the submission may leave it empty.
        submitted_at: time of submission; empty in a receipt that does not repeat it. Left out: all rows are receipts.
        status: one column, or several whose values are joined by `/` into one status.
        receipt: column with an SMPP receipt; what the other columns leave empty is taken from it.
        connection: the gateway's connection; message ids are unique within one. Left out: unique within the operator.
        done_at: time of the status. Left out: the log does not say, so there is no latency.
        segments: parts a message was sent in. Left out: one.
    """

    message_id: PlainText
    recipient: PlainText
    submitted_at: PlainText | None = None
    status: PlainText | Annotated[tuple[PlainText, ...], Field(min_length=1)] | None = None
    receipt: PlainText | None = None
    sender: PlainText | None = None
    service: PlainText | None = None
    connection: PlainText | None = None
    done_at: PlainText | None = None
    segments: PlainText | None = None

    @property
    def names(self) -> dict[str, tuple[str, ...]]:
        """The columns of each part that is declared."""
        declared = {part: getattr(self, part) for part in type(self).model_fields}
        return {
            part: (name,) if isinstance(name, str) else name
            for part, name in declared.items()
            if name is not None
        }

    @property
    def all_names(self) -> list[str]:
        """Every column named, once."""
        return list(dict.fromkeys(name for names in self.names.values() for name in names))


class LogForm(Declared):
    """What every form of log declares.

    Attributes:
        status_map: what each status means; where SMPP receipts are read, beside the words of SMPP itself.
        ids: `as_written`, or as numbers: submissions and receipts in hex, or one in hex and the other in decimal.
    """

    status_map: StatusMap = Field(default_factory=dict)
    ids: Ids = "as_written"

    @property
    def reads_receipts(self) -> bool:
        """Whether rows hold SMPP receipts whose words are statuses."""
        return False

    @property
    def has_connection(self) -> bool:
        """Whether rows name the gateway's connection."""
        return True

    @property
    def has_done_at(self) -> bool:
        """Whether rows tell the time of a status."""
        return True

    @property
    def states(self) -> dict[str, State]:
        """What each status means."""
        return {**RECEIPT_STATES, **self.status_map} if self.reads_receipts else self.status_map

    def iter_mistakes(self) -> Iterator[Mistake]:
        """Yield what does not hold between the parts."""
        if "delivered" not in self.states.values():
            yield Mistake(("status_map",), "no status that means delivered", "at least one")
        if len(self.states) > MOST_STATUSES:
            yield Mistake(("status_map",), f"{len(self.states)} statuses", f"at most {MOST_STATUSES}")


class ColumnLog(LogForm):
    """A form whose rows have named columns: submissions, receipts, or attempts.

    Attributes:
        time_format: how both times are written: strptime (%Y %m %d %H %M %S, %f for fractions, %z for the zone),
            `epoch_seconds`, `epoch_milliseconds`, or `json_date` for `/Date(1705484048995+0700)/`.
        receipt_time_zone: zone of the times inside receipts; None where it is that of the log.
    """

    columns: Columns
    time_format: TimeFormat
    receipt_time_zone: ZoneName | None = None

    @property
    def reads_receipts(self) -> bool:
        """Whether rows hold SMPP receipts whose words are statuses."""
        return self.columns.receipt is not None

    @property
    def has_connection(self) -> bool:
        """Whether rows name the gateway's connection."""
        return self.columns.connection is not None

    @property
    def has_done_at(self) -> bool:
        """Whether rows tell the time of a status."""
        return self.columns.done_at is not None or self.reads_receipts

    def iter_mistakes(self) -> Iterator[Mistake]:
        """Yield what does not hold between the parts."""
        yield from super().iter_mistakes()
        if self.columns.status is None and self.columns.receipt is None:
            yield Mistake(("columns",), "neither `status` nor `receipt`", "one of them")
        if self.columns.submitted_at is None and not self.has_done_at:
            yield Mistake(("columns",), "no time", "`submitted_at`, `done_at` or `receipt`")


class DelimitedLog(ColumnLog):
    """Text with one row per event and a delimiter between columns.

    Attributes:
        quote: character around values that hold the delimiter; null when the files never quote.
        column_order: the columns of files without a header; null when the first line names them.
    """

    format: Literal["delimited"]
    delimiter: Annotated[str, Field(min_length=1, max_length=4)]
    quote: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    column_order: tuple[PlainText, ...] | None = None
    encoding: Encoding = "utf-8"

    def iter_mistakes(self) -> Iterator[Mistake]:
        """Yield what does not hold between the parts."""
        yield from super().iter_mistakes()
        if self.column_order is not None:
            for part, names in self.columns.names.items():
                for name in names:
                    if name not in self.column_order:
                        yield Mistake(("columns", part), repr(name), "a name in column_order")


class JsonLinesLog(ColumnLog):
    """One JSON object a line. A column is a key, or a path such as `$.sms.id` to a value inside."""

    format: Literal["json_lines"]
    encoding: Literal["utf-8"] = "utf-8"


class ParquetLog(ColumnLog):
    """Parquet files. A time may be a timestamp, with or without zone, instead of text in `time_format`."""

    format: Literal["parquet"]


class KannelLog(LogForm):
    """Access log of Kannel's bearerbox.

    Attributes:
        access_log_format: as in kannel.conf; null for the default layout.
        access_log_clean: as in kannel.conf; where it is false, a time stands before the custom layout.
        status_from: `type` reads the type of a receipt, the last number of `flags`; `receipt` the SMPP receipt in
            the text of the line.
    """

    format: Literal["kannel"]
    access_log_format: Layout | None = None
    access_log_clean: bool = False
    status_from: Literal["type", "receipt"] = "type"
    encoding: Encoding = "utf-8"

    @property
    def time_format(self) -> str:
        """How the time of a line is written."""
        return "epoch_seconds" if self._has_epoch else "%Y-%m-%d %H:%M:%S"

    @property
    def layout(self) -> str | None:
        """The custom layout with the time before it; None for the default one."""
        if self.access_log_format is None:
            return None
        before = "" if self.access_log_clean else "%t "
        return before + self.access_log_format

    @property
    def reads_receipts(self) -> bool:
        """Whether rows hold SMPP receipts whose words are statuses."""
        return self.status_from == "receipt"

    @property
    def has_connection(self) -> bool:
        """Whether rows name the gateway's connection."""
        return self.layout is None or "%i" in self.layout

    def iter_mistakes(self) -> Iterator[Mistake]:
        """Yield what does not hold between the parts."""
        yield from super().iter_mistakes()
        layout = self.layout
        if layout is None:
            return
        if not {"t", "T"} & set(_LAYOUT_CODES.findall(layout)):
            yield Mistake(("access_log_format",), "no time", "%t or %T, or access_log_clean: false")
        wanted = "%d" if self.status_from == "type" else "%b"
        if wanted not in layout:
            yield Mistake(
                ("access_log_format",), f"no {wanted}", f"{wanted}, for status_from: {self.status_from}"
            )

    @property
    def _has_epoch(self) -> bool:
        return self.access_log_format is not None and self.access_log_clean and "%T" in self.access_log_format


class JasminLog(LogForm):
    """Jasmin's messages.log, of any version, with or without `log_privacy`.

    Attributes:
        hidden_coding: what texts are written in, where `log_privacy` leaves only their length.
    """

    format: Literal["jasmin"]
    ids: Ids = "hex"
    hidden_coding: Literal["gsm", "ucs2"] = "gsm"
    encoding: Literal["utf-8"] = "utf-8"

    @property
    def time_format(self) -> str:
        """How the time of a line is written."""
        return "%Y-%m-%d %H:%M:%S"

    @property
    def reads_receipts(self) -> bool:
        """Whether the words of SMPP receipts are statuses."""
        return True


Log = Annotated[
    DelimitedLog | JsonLinesLog | ParquetLog | KannelLog | JasminLog, Field(discriminator="format")
]
