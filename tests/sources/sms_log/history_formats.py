"""How a random history is written in each format of log, and where its damaged lines then are."""

import gzip
import json
import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta

from tests.sources.sms_log.histories import FIRST_DAY, WINDOW_DAYS, Event, History, Message

from directive_etl.periods import LOCAL_ZONE
from directive_etl.registry.operators import Operator


@dataclass(frozen=True)
class Format:
    """A way to write events; `is_told_by_all`: every row tells of the submission, not only its own."""

    operator: Operator
    header: str | None
    write: Callable[[Message, int, Event, str], str]
    is_told_by_all: bool


def moment(seconds: int, pattern: str) -> str:
    return (datetime.combine(FIRST_DAY, time.min) + timedelta(seconds=seconds)).strftime(pattern)


def write_kannel(message: Message, number: int, event: Event, recipient: str) -> str:
    kinds = {
        "pending": "8",
        "delivered": "1",
        "failed": "2",
        "expired": "34",
        "rejected": "16",
        "unknown": "77",
    }
    # Ids are the same on two connections; a body that imitates the layout must not be believed.
    head = (
        f"{moment(event.at, '%Y-%m-%d %H:%M:%S')} {'Sent SMS' if event.state is None else 'Receive DLR'} "
        f"[SMSC:C{number % 2}] [SVC:s] [ACT:a] [BINF:] [FID:{number // 2:X}] [META:?smpp?dlr_err=%03&] "
        f"[from:{message.sender}] [to:{recipient}] "
    )
    if event.state is None:
        body = "x" * (150 * message.segments - 30) + " [to:84] [msg:3:abc] [udh:0:]"
        length = len(body) + body.count("[") + body.count("]")
        assert message.segments == (1 if length <= 160 else math.ceil(length / 153))
        return head + f"[flags:-1:0:-1:-1:31] [msg:{len(body)}:{body}] [udh:0:]"
    return head + f"[flags:-1:-1:-1:-1:{kinds[event.state]}] [msg:9:stat:GONE] [udh:0:]"


def write_events(message: Message, number: int, event: Event, recipient: str) -> str:
    statuses = {
        None: "SENT",
        "pending": "TRYING",
        "delivered": "OK",
        "failed": "NO",
        "expired": "OLD",
        "rejected": "REJ",
    }
    done = "" if event.state is None else moment(event.at, "%d/%m/%Y %H:%M:%S")
    sent = moment(message.sent_at, "%d/%m/%Y %H:%M:%S")
    return f"M{number};{message.sender};{recipient};{sent};{message.segments};{statuses.get(event.state, '???')};{done}"


def write_attempts(message: Message, number: int, event: Event, recipient: str) -> str:
    statuses = {
        "pending": "temp",
        "delivered": "success",
        "failed": "failed",
        "expired": "late",
        "rejected": "no",
    }
    text = ("plain", '"a, b"', '"two\nlines"', '"say ""hi"""')[number % 4]
    done = moment(event.at, "%Y-%m-%d %H:%M:%S.250")
    sent = moment(message.sent_at, "%Y-%m-%d %H:%M:%S.125")
    state = statuses.get(event.state or "pending", "other")
    return f"{done},{sent},{message.sender},{recipient},{text},{state},{number},{message.segments}"


def write_json(message: Message, number: int, event: Event, recipient: str) -> str:
    statuses = {
        None: "1/",
        "pending": "2/1",
        "delivered": "5/1",
        "failed": "5/2",
        "expired": "5/3",
        "rejected": "6/",
    }
    state, _, detail = statuses.get(event.state, "9/9").partition("/")
    row = {
        "id": number,
        "sms": {"to": recipient, "from": message.sender, "text": 'a "b" \\ [c]'},
        "sent": f"/Date({at_ms(message.sent_at)}+0700)/",
        "state": int(state),
        "detail": detail or None,
        "done": None if event.state is None else f"/Date({at_ms(event.at)})/",
        "parts": message.segments,
    }
    return json.dumps(row).replace(json.dumps(recipient), f'"{recipient}"')


def at_ms(seconds: int) -> int:
    moment = datetime.combine(FIRST_DAY, time.min, LOCAL_ZONE) + timedelta(seconds=seconds)
    return int(moment.timestamp()) * 1000


def write_jasmin(message: Message, number: int, event: Event, recipient: str) -> str:
    words = {
        "pending": "ENROUTE",
        "delivered": "DELIVRD",
        "failed": "UNDELIV",
        "expired": "EXPIRED",
        "rejected": "REJECTD",
    }
    head = f"{moment(event.at, '%Y-%m-%d %H:%M:%S')} INFO     7 "
    if event.state is None:
        body = repr(("x" * (150 * message.segments - 30) + "] [content:y] [to:b'84'").encode())
        return (
            f"{head}SMS-MT [cid:C{number % 2}] [queue-msgid:q] [smpp-msgid:b'00{number // 2 + 10:x}'] "
            f"[status:CommandStatus.ESME_ROK] [prio:0] [dlr:x] [validity:none] [from:b'{message.sender}'] "
            f"[to:b'{recipient}'] [content:{body}] [tlvs:{{}}]"
        )
    return (
        f"{head}DLR [cid:C{number % 2}] [smpp-msgid:{number // 2 + 10:X}] [status:{words.get(event.state, 'WHAT')}] "
        "[submit date:x] [done date:x] [sub/dlvrd messages:001/001] [err:000] "
        f"[content:b'{recipient}']"
    )


def write_receipt(message: Message, number: int, event: Event, recipient: str) -> str:
    words = {
        "pending": "ENROUTE",
        "delivered": "DELIVRD",
        "failed": "NOROUTE",
        "expired": "EXPIRED",
        "rejected": "rejectd",
    }
    if event.state is None:
        sent = moment(event.at, "%Y-%m-%d %H:%M:%S")
        return f"{sent}|{number + 10:X}|{message.sender}|{recipient}|{message.segments}|"
    err = "" if number % 2 else " err:000"
    receipt = (
        f"id:{number + 10} sub:001 dlvrd:001 submit date:2008180000 done date:{moment(event.at, '%y%m%d%H%M%S')} "
        f"stat:{words.get(event.state, 'WHAT')}{err} {'Text' if number % 3 else 'text'}:id:1 stat:DELIVRD"
    )
    # A receipt may repeat whom it is about.
    return f"|||{recipient}|1|{receipt}"


def declared(operator_code: str, **log: object) -> Operator:
    return Operator.model_validate(
        {"operator_code": operator_code, "name": operator_code, "window_days": WINDOW_DAYS, "log": log}
    )


def columns_of(**changed: object) -> dict[str, object]:
    columns = {
        "message_id": "id",
        "sender": "from",
        "recipient": "to",
        "submitted_at": "sent",
        "segments": "parts",
        "status": "state",
        "done_at": "done",
    }
    return {name: column for name, column in (columns | changed).items() if column is not None}


def kannel(operator_code: str, **log: object) -> Format:
    status_map = {"8": "pending", "1": "delivered", "2": "failed", "34": "expired", "16": "rejected"}
    operator = declared(operator_code, format="kannel", status_map=status_map, **log)
    return Format(operator, None, write_kannel, is_told_by_all=False)


EVENTS = Format(
    declared(
        "events",
        format="delimited",
        delimiter=";",
        columns=columns_of(),
        time_format="%d/%m/%Y %H:%M:%S",
        status_map={
            "SENT": "pending",
            "TRYING": "pending",
            "OK": "delivered",
            "NO": "failed",
            "OLD": "expired",
            "REJ": "rejected",
        },
    ),
    "\ufeffid;from;to;sent;parts;state;done",
    write_events,
    is_told_by_all=True,
)
ATTEMPTS = Format(
    declared(
        "attempts",
        format="delimited",
        delimiter=",",
        quote='"',
        column_order=("done", "sent", "from", "to", "text", "state", "id", "parts"),
        columns=columns_of(),
        time_format="%Y-%m-%d %H:%M:%S.%f",
        status_map={
            "temp": "pending",
            "success": "delivered",
            "failed": "failed",
            "late": "expired",
            "no": "rejected",
        },
    ),
    None,
    write_attempts,
    is_told_by_all=True,
)
LAYOUT = (
    "%t %l [SMSC:%i] [SVC:%n] [ACT:%A] [BINF:%B] [FID:%F] [META:%D] [from:%p] [to:%P] "
    "[flags:%m:%c:%M:%C:%d] [msg:%L:%b] [udh:%U:%u]"
)
FORMS = [
    kannel("kannel"),
    EVENTS,
    ATTEMPTS,
    kannel("layout", access_log_format=LAYOUT, access_log_clean=True),
    Format(
        declared(
            "json_lines",
            format="json_lines",
            columns=columns_of(sender="$.sms.from", recipient="$.sms.to", status=("state", "detail")),
            time_format="json_date",
            status_map={
                "1/": "pending",
                "2/1": "pending",
                "5/1": "delivered",
                "5/2": "failed",
                "5/3": "expired",
                "6/": "rejected",
            },
        ),
        None,
        write_json,
        is_told_by_all=True,
    ),
    Format(declared("jasmin", format="jasmin"), None, write_jasmin, is_told_by_all=False),
    Format(
        declared(
            "receipts",
            format="delimited",
            delimiter="|",
            columns=columns_of(status=None, done_at=None, receipt="receipt"),
            time_format="%Y-%m-%d %H:%M:%S",
            status_map={"NOROUTE": "failed"},
            ids="hex_then_decimal",
        ),
        "sent|id|from|to|parts|receipt",
        write_receipt,
        is_told_by_all=False,
    ),
]
# Gateways write one line when a message is submitted and others for its receipts.
GATEWAYS = {"kannel", "layout", "jasmin", "receipts"}


@dataclass
class Written:
    """Files by folder, the sound events in the order of files and lines, and the places of refused lines."""

    folders: dict[date, list[tuple[str, bytes]]] = field(default_factory=dict)
    sound: list[tuple[int, Event]] = field(default_factory=list)
    refused: dict[date, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    row_counts: dict[date, int] = field(default_factory=lambda: defaultdict(int))


def write_history(history: History, form: Format) -> Written:
    written = Written()
    for folder in sorted({event.folder for event in history.events}):
        day = FIRST_DAY + timedelta(days=folder)
        written.folders[day] = []
        for file in range(history.file_count):
            lines: list[bytes] = [form.header.encode()] if form.header else []
            if history.blank_lines:
                lines.append(b"")
            for event in history.events:
                if (event.folder, event.file) != (folder, file):
                    continue
                line = write_line(history, form, event)
                for _ in range(event.copies + 1):
                    written.row_counts[day] += 1
                    if event.fault:
                        written.refused[day].append((file, 1 + sum(1 + part.count(b"\n") for part in lines)))
                    else:
                        written.sound.append((folder, event))
                    lines.append(line)
                    if history.blank_lines and event.at % 3 == 0:
                        lines.append(b"")
            # A folder holds no two files of the same bytes: they would land as one.
            content = b"\n".join(lines) + b"\n" * (file + 1)
            written.folders[day].append(
                (f"log-{file}", gzip.compress(content) if history.compressed[file] else content)
            )
    return written


def write_line(history: History, form: Format, event: Event) -> bytes:
    message = history.messages[event.message]
    recipient = message.form.format(message.number)
    fault = event.fault
    code = form.operator.operator_code
    if fault == "bad_number" and code == "jasmin" and event.state is not None:
        fault = "unknown_status"  # such a line tells no number
    if fault == "unknown_status" and (event.state is not None or code not in GATEWAYS):
        event = replace(event, state="unknown")
    elif fault == "bad_number" or fault == "unknown_status":
        recipient = "84901"
    elif fault == "not_text":
        recipient = "+84901\udcff0000"
    elif fault == "nul":
        recipient = recipient[:-1] + "\0"
    line = form.write(message, event.message, event, recipient)
    if fault == "bad_time":
        for sound in ("2020", "/Date(", "done date:2"):
            line = line.replace(sound, sound[:-1] + "x")
    if fault == "cut":
        line = line[: line.index(recipient) + 3]
    return line.encode("utf-8", "surrogateescape")
