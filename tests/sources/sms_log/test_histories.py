"""Random histories of messages, written to real files in every format, give what a simple count of them gives.

Receipts come early, late, twice, not final, of two states in the same second, and in later folders; lines are spread
over files, some plain and some gzip; and some lines are damaged in ways that a reader must refuse.
"""

import gzip
import json
import math
import os
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from directive_etl.periods import LOCAL_ZONE
from directive_etl.registry.operators import Operator

FIRST_DAY = date(2020, 8, 18)
WINDOW_DAYS = 2
HISTORY_COUNT = int(os.environ.get("DIRECTIVE_ETL_TEST_HISTORIES", "6"))
STATES = ("pending", "delivered", "failed", "expired", "rejected")
REFUSALS = ("cut", "bad_time", "bad_number", "unknown_status", "not_text", "nul")


@dataclass(frozen=True)
class Event:
    """A line of a log: `state` None for a submission. `folder` is in days after the first; `fault` what is wrong."""

    message: int
    at: int
    state: str | None
    folder: int
    file: int
    fault: str | None = None
    copies: int = 0


@dataclass(frozen=True)
class Message:
    """A message: times are seconds after 00:00 of the first day."""

    sender: str
    number: int
    form: str
    sent_at: int
    segments: int


@dataclass(frozen=True)
class History:
    messages: list[Message]
    events: list[Event]
    file_count: int
    blank_lines: bool
    compressed: list[bool]


@st.composite
def histories(draw: st.DrawFn) -> History:
    messages = draw(
        st.lists(
            st.builds(
                Message,
                sender=st.sampled_from(["BLUEZONE", "BLUEZONE", "CSKH"]),
                number=st.integers(901_000_000, 901_000_005),
                form=st.sampled_from(["+84{}", "84{}", "0{}", "0084{}", "+84 {}", "{}"]),
                sent_at=st.integers(5, 4 * 86_400 - 10),
                segments=st.integers(1, 3),
            ),
            min_size=1,
            max_size=7,
        )
    )
    file_count = draw(st.integers(1, 3))
    files = st.integers(0, file_count - 1)
    faults = st.sampled_from([None] * 8 + list(REFUSALS))
    copies = st.sampled_from([0, 0, 0, 0, 1, 2])
    events = []
    for number, message in enumerate(messages):
        if draw(st.integers(0, 9)) > 0:
            day = message.sent_at // 86_400
            events.append(Event(number, message.sent_at, None, day, draw(files), draw(faults), draw(copies)))
        waits = st.one_of(st.integers(-3, 6), st.integers(0, 86_400), st.integers(0, 4 * 86_400))
        for wait, state in draw(st.lists(st.tuples(waits, st.sampled_from(STATES)), max_size=4)):
            at = max(0, message.sent_at + wait)
            events.append(Event(number, at, state, at // 86_400, draw(files), draw(faults), draw(copies)))
    order = draw(st.permutations(range(len(events))))
    return History(
        messages,
        [events[place] for place in order],
        file_count,
        draw(st.booleans()),
        draw(st.lists(st.booleans(), min_size=file_count, max_size=file_count)),
    )


# --- writing ---------------------------------------------------------------------------------------------------------


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


KANNEL = Format(
    Operator.model_validate(
        {
            "operator_code": "kannel",
            "name": "K",
            "window_days": WINDOW_DAYS,
            "log": {
                "format": "kannel",
                "status_map": {
                    "8": "pending",
                    "1": "delivered",
                    "2": "failed",
                    "34": "expired",
                    "16": "rejected",
                },
            },
        }
    ),
    None,
    write_kannel,
    False,
)
EVENTS = Format(
    Operator.model_validate(
        {
            "operator_code": "events",
            "name": "E",
            "window_days": WINDOW_DAYS,
            "log": {
                "format": "delimited",
                "delimiter": ";",
                "columns": {
                    "message_id": "id",
                    "sender": "from",
                    "recipient": "to",
                    "submitted_at": "sent",
                    "segments": "parts",
                    "status": "state",
                    "done_at": "done",
                },
                "time_format": "%d/%m/%Y %H:%M:%S",
                "status_map": {
                    "SENT": "pending",
                    "TRYING": "pending",
                    "OK": "delivered",
                    "NO": "failed",
                    "OLD": "expired",
                    "REJ": "rejected",
                },
            },
        }
    ),
    "\ufeffid;from;to;sent;parts;state;done",
    write_events,
    True,
)
ATTEMPTS = Format(
    Operator.model_validate(
        {
            "operator_code": "attempts",
            "name": "A",
            "window_days": WINDOW_DAYS,
            "log": {
                "format": "delimited",
                "delimiter": ",",
                "quote": '"',
                "column_order": ("done", "sent", "from", "to", "text", "state", "id", "parts"),
                "columns": {
                    "message_id": "id",
                    "sender": "from",
                    "recipient": "to",
                    "submitted_at": "sent",
                    "segments": "parts",
                    "status": "state",
                    "done_at": "done",
                },
                "time_format": "%Y-%m-%d %H:%M:%S.%f",
                "status_map": {
                    "temp": "pending",
                    "success": "delivered",
                    "failed": "failed",
                    "late": "expired",
                    "no": "rejected",
                },
            },
        }
    ),
    None,
    write_attempts,
    True,
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


def declared(operator_code: str, **log: object) -> Operator:
    return Operator.model_validate(
        {"operator_code": operator_code, "name": operator_code, "window_days": WINDOW_DAYS, "log": log}
    )


LAYOUT = (
    "%t %l [SMSC:%i] [SVC:%n] [ACT:%A] [BINF:%B] [FID:%F] [META:%D] [from:%p] [to:%P] "
    "[flags:%m:%c:%M:%C:%d] [msg:%L:%b] [udh:%U:%u]"
)
FORMS = [
    KANNEL,
    EVENTS,
    ATTEMPTS,
    replace(
        KANNEL,
        operator=declared(
            "layout",
            format="kannel",
            access_log_format=LAYOUT,
            access_log_clean=True,
            status_map=KANNEL.operator.log.status_map,
        ),
    ),
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
        True,
    ),
    Format(declared("jasmin", format="jasmin"), None, write_jasmin, False),
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
        False,
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


# --- counting --------------------------------------------------------------------------------------------------------


def count_plainly(history: History, written: Written, form: Format, drop_day: int) -> pd.DataFrame:
    """Count message by message, in the order of files and lines."""
    first_folder = max(drop_day - WINDOW_DAYS, min(day for day in folder_numbers(written)))
    seen: dict[int, list[Event]] = defaultdict(list)
    for folder, event in written.sound:
        if drop_day - WINDOW_DAYS <= folder <= drop_day:
            seen[event.message].append(event)
    rows: dict[tuple[date, str], dict[str, object]] = {}
    for folder in folder_numbers(written):
        if drop_day - WINDOW_DAYS <= folder <= drop_day:
            rows[FIRST_DAY + timedelta(days=folder), "bluezone-2020"] = new_row()
    for number, events in seen.items():
        message = history.messages[number]
        day = message.sent_at // 86_400
        if (
            not (form.is_told_by_all or any(event.state is None for event in events))
            or not first_folder <= day <= drop_day
        ):
            continue
        campaign = "bluezone-2020" if message.sender == "BLUEZONE" else "-"
        row = rows.setdefault((FIRST_DAY + timedelta(days=day), campaign), new_row())
        row["messages"] += 1
        row["segments"] += message.segments
        row["recipients"].add(message.number)
        final = [event for event in events if event.state not in (None, "pending")]
        last = max(final, key=lambda event: event.at) if final else None
        for event in final:  # the last of those with the latest time
            if event.at == last.at:
                last = event
        row[last.state if last else "none"] += 1
        if last and last.state == "delivered":
            row["reached"].add(message.number)
            fraction = 0.125 if form is ATTEMPTS else 0
            row["waits"].append(last.at - message.sent_at + fraction)
    return pd.DataFrame(
        [
            {
                "report_date": day,
                "campaign_code": campaign,
                "message_count": row["messages"],
                "segment_count": row["segments"],
                "delivered_count": row["delivered"],
                "failed_count": row["failed"],
                "expired_count": row["expired"],
                "rejected_count": row["rejected"],
                "pending_count": 0 if is_final(day, drop_day) else row["none"],
                "unknown_count": row["none"] if is_final(day, drop_day) else 0,
                "recipient_count": len(row["recipients"]),
                "delivered_recipient_count": len(row["reached"]),
                "latency_p50_seconds": nearest_rank(row["waits"], 50),
                "latency_p95_seconds": nearest_rank(row["waits"], 95),
                "maturity": "final" if is_final(day, drop_day) else "open",
            }
            for (day, campaign), row in sorted(rows.items())
        ]
    )


def folder_numbers(written: Written) -> list[int]:
    return [(day - FIRST_DAY).days for day in written.folders]


def is_final(day: date, drop_day: int) -> bool:
    return FIRST_DAY + timedelta(days=drop_day) >= day + timedelta(days=WINDOW_DAYS)


def new_row() -> dict[str, object]:
    counts = dict.fromkeys(("messages", "segments", "delivered", "failed", "expired", "rejected", "none"), 0)
    return {**counts, "recipients": set(), "reached": set(), "waits": []}


def nearest_rank(values: list[float], percent: int) -> float:
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1] if values else math.nan


def count_repeats(written: Written, form: Format, drop_day: int) -> int:
    """Count the lines of a folder that repeat one of it, or of a folder of the window before it."""
    seen = set()
    repeats = 0
    for folder, event in written.sound:
        # An attempt at the time of submission looks the same, whether more was to be told or not.
        identity = (event.message, event.state or ("pending" if form is ATTEMPTS else None), event.at)
        if drop_day - WINDOW_DAYS <= folder <= drop_day:
            repeats += folder == drop_day and identity in seen
            seen.add(identity)
    return repeats


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.operator.operator_code)
@settings(
    max_examples=HISTORY_COUNT,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=histories())
def test_a_history_is_counted_as_by_hand(history: History, form: Format, count_logs) -> None:
    written = write_history(history, form)
    for day in written.folders:
        drop_day = (day - FIRST_DAY).days
        folders = {other: files for other, files in written.folders.items() if other <= day}
        counts = count_logs(folders, form.operator)

        truth = count_plainly(history, written, form, drop_day)
        pd.testing.assert_frame_equal(counts.daily[truth.columns.tolist()], truth, check_dtype=False)

        account = counts.account
        assert account.read == written.row_counts[day] == account.loaded + account.refused + account.duplicate
        assert account.duplicate == count_repeats(written, form, drop_day)
        refused = counts.refused
        assert len(refused) == account.refused == len(written.refused[day])
        assert sorted(refused["place"]) == sorted(f"line {line}" for _, line in written.refused[day])
        assert counts.known_at == datetime.combine(day + timedelta(days=1), time(8), LOCAL_ZONE).astimezone(
            UTC
        )


@st.composite
def late_histories(draw: st.DrawFn) -> tuple[History, History]:
    """Messages of one day with receipts: as if all came at once, and up to 72 hours late in any order."""
    messages = draw(
        st.lists(
            st.builds(
                Message,
                sender=st.just("BLUEZONE"),
                number=st.integers(901_000_000, 901_000_003),
                form=st.just("84{}"),
                sent_at=st.integers(5, 86_390),
                segments=st.integers(1, 2),
            ),
            min_size=1,
            max_size=5,
        )
    )
    events = []
    for number, message in enumerate(messages):
        events.append(Event(number, message.sent_at, None, 0, 0))
        # Of two receipts of the same second the later in the files counts, so their order would matter.
        waits = draw(st.lists(st.integers(0, 200_000), max_size=4, unique=True))
        for wait in waits:
            events.append(Event(number, message.sent_at + wait, draw(st.sampled_from(STATES)), 0, 0))
    late = [
        replace(event, folder=draw(st.integers(0, 3)) if event.state else 0, file=draw(st.integers(0, 1)))
        for event in draw(st.permutations(events))
    ]
    # Something of another campaign is in every folder.
    filler = [replace(messages[0], sender="CSKH", sent_at=day * 86_400 + 60) for day in range(4)]
    fillers = [Event(len(messages) + day, filler[day].sent_at, None, day, 0) for day in range(4)]
    at_once, later = (
        History([*messages, *filler], [*fillers, *shown], 2, False, [False, True]) for shown in (events, late)
    )
    return at_once, later


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.operator.operator_code)
@settings(
    max_examples=max(2, HISTORY_COUNT // 2),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(pair=late_histories())
def test_receipts_up_to_72_hours_late_in_any_order_converge_to_the_same_final_figures(
    pair: tuple[History, History], form: Format, count_logs
) -> None:
    operator = form.operator.model_copy(update={"window_days": 3})
    at_once, later = (count_logs(write_history(history, form).folders, operator) for history in pair)
    assert set(at_once.daily.query("report_date == @FIRST_DAY")["maturity"]) == {"final"}
    pd.testing.assert_frame_equal(at_once.daily, later.daily)
    assert at_once.refused.empty and later.refused.empty
