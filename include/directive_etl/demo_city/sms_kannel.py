"""Kannel bearerbox access logs, in the default layout: Viettel's and MobiFone's form."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from directive_etl.demo_city.sms_receipts import (
    DELIVERED,
    EXPIRED,
    FAILED,
    INCOMING,
    RECEIPT,
    REJECTED,
    SUBMISSION,
    TAKEN,
    TRYING,
    UNMATCHED_RECEIPT,
    WITHOUT_ID,
)
from directive_etl.demo_city.sms_rows import DEFECTS, SOUND, Rows
from directive_etl.demo_city.sms_subscribers import MOBIFONE, IntArray, Subscribers
from directive_etl.demo_city.sms_texts import TEXTS
from directive_etl.demo_city.sms_traffic import DAY, SECOND, Messages

CAMPAIGN_SENDER = "BLUEZONE"
OTHER_SENDER = "CSKH"

CLOCK = [f"{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}" for s in range(86_400)]

# The last number of `flags`, the state in the receipt's text, its error code, and the parts delivered.
_RECEIPTS = {
    DELIVERED: ("1", "DELIVRD", "000", "001"),
    FAILED: ("2", "UNDELIV", "011", "000"),
    EXPIRED: ("34", "EXPIRED", "027", "000"),
    REJECTED: ("16", "REJECTD", "008", "000"),
    TRYING: ("4", "ENROUTE", "000", "000"),
}
# How numbers are typed, in rotation: a line that stands twice is written the same way twice.
_NUMBER_FORMS = ("+84", "84", "+84", "84", "+84", "0", "84")


@dataclass(frozen=True)
class Gateway:
    """What the lines of one operator's gateway have in common.

    Attributes:
        connection: SMSC and message id (FID) of the operator's messages, by position in Messages.
        receipt_text: format of a receipt's text; vendors differ.
    """

    connection: dict[int, tuple[str, str]]
    receipt_text: Callable[[str, str, str, str, str, str, str], str]


def gateway_of(operator: int, messages: Messages) -> Gateway:
    """Give each message of the operator its connection and id; Viettel's two connections use the same ids."""
    own = np.flatnonzero(messages.operator == operator).tolist()
    if operator == MOBIFONE:
        return Gateway({m: ("MOBI-01", f"{0xF4000 + n:X}") for n, m in enumerate(own)}, _short_receipt)
    # Even messages go through VT-01, which also reports what the gateway has taken: see sms_receipts.
    counters = [1_000_000, 1_000_000]
    connection = {}
    for message in own:
        counters[message % 2] += 1
        connection[message] = (("VT-01", "VT-02")[message % 2], str(counters[message % 2]))
    return Gateway(connection, _full_receipt)


def write_lines(
    rows: Rows, gateway: Gateway, messages: Messages, subscribers: Subscribers, first_day: date
) -> Iterator[str]:
    """Write the lines of one file, from `Log begins` to `Log ends`, without line ends.

    Args:
        rows: rows of one file, in order; at least one.
        gateway: ids of the operator's messages.
        messages: what the rows refer to.
        subscribers: to whom the messages go.
        first_day: day 0 of the simulation.
    """
    day = first_day + timedelta(days=int(rows.folder[0]))
    opened_at = "00:00:00" if rows.file[0] == 0 else CLOCK[int(rows.at[0] % DAY) // SECOND]
    yield f"{day} {opened_at} Log begins"
    columns = zip(
        [CLOCK[s] for s in (rows.at % DAY // SECOND).tolist()],
        rows.kind.tolist(),
        rows.state.tolist(),
        rows.message.tolist(),
        rows.defect.tolist(),
        subscribers.number[messages.subscriber[rows.message]].tolist(),
        messages.is_campaign[rows.message].tolist(),
        messages.text[rows.message].tolist(),
        _sent_stamps(rows.message, messages, first_day),
        strict=True,
    )
    done_stamp = f"{day:%y%m%d}"
    for clock, kind, state, message, defect, number, is_campaign, text, sent_stamp in columns:
        smsc, fid = gateway.connection[message]
        sender, service = (CAMPAIGN_SENDER, "thanh-doan") if is_campaign else (OTHER_SENDER, "cskh")
        line = f"{day} {clock} "
        to = f"{_NUMBER_FORMS[(message + state) % len(_NUMBER_FORMS)]}{number}"
        if kind == SUBMISSION:
            line += _submission(smsc, service, fid, sender, to, text)
        elif kind == RECEIPT and state == TAKEN:
            line += _taken(smsc, service, fid, sender, to)
        elif kind == RECEIPT:
            flag, stat, error, delivered = _RECEIPTS[state]
            report = gateway.receipt_text(
                fid, delivered, sent_stamp, done_stamp + clock[:2] + clock[3:5], stat, error, sender
            )
            line += _receipt(smsc, service, fid, sender, to, flag, report)
        else:
            line += _CHATTER[kind](smsc, fid, to)
        yield line if defect == SOUND else _damage(line, DEFECTS[defect], f"[to:{to}]", number)
    closed_at = CLOCK[int(rows.at[-1] % DAY) // SECOND]
    yield f"{day} {closed_at} Log ends"


def _submission(smsc: str, service: str, fid: str, sender: str, to: str, text: int) -> str:
    body = TEXTS[text]
    coding = 2 if body.is_unicode else 0
    return (
        f"Sent SMS [SMSC:{smsc}] [SVC:{service}] [ACT:so-tttt] [BINF:] [FID:{fid}] [META:?smpp_resp?] "
        f"[from:{sender}] [to:{to}] [flags:-1:{coding}:-1:-1:31] "
        f"[msg:{body.octet_count}:{body.logged_body}] [udh:0:]"
    )


def _taken(smsc: str, service: str, fid: str, sender: str, to: str) -> str:
    return (
        f"Receive DLR [SMSC:{smsc}] [SVC:{service}] [ACT:so-tttt] [BINF:] [FID:{fid}] "
        f"[META:?smpp_resp??orig_msg?dlr_mask=31&] [from:{sender}] [to:{to}] [flags:-1:-1:-1:-1:8] "
        "[msg:4:ACK/] [udh:0:]"
    )


def _receipt(smsc: str, service: str, fid: str, sender: str, to: str, flag: str, report: str) -> str:
    return (
        f"Receive DLR [SMSC:{smsc}] [SVC:{service}] [ACT:so-tttt] [BINF:] [FID:{fid}] "
        f"[META:?orig_msg?dlr_mask=31&?smpp?dlr_err=%03%00%00&] [from:{sender}] [to:{to}] "
        f"[flags:-1:-1:-1:-1:{flag}] [msg:{len(report)}:{report}] [udh:0:]"
    )


def _full_receipt(fid: str, delivered: str, sent: str, done: str, stat: str, error: str, sender: str) -> str:
    dates = f"submit date:{sent} done date:{done}"
    return f"id:{fid} sub:001 dlvrd:{delivered} {dates} stat:{stat} err:{error} text:{sender}"


def _short_receipt(fid: str, delivered: str, sent: str, done: str, stat: str, error: str, sender: str) -> str:
    """MobiFone's vendor writes dates with seconds, no error code, and `Text`."""
    dates = f"submit date:{sent}00 done date:{done}00"
    return f"id:{fid} sub:001 dlvrd:{delivered} {dates} stat:{stat} Text:{sender}"


def _unmatched(smsc: str, fid: str, to: str) -> str:
    report = f"id:{fid} sub:001 dlvrd:001 stat:DELIVRD err:000 text:"
    return (
        f"FAILED Receive DLR [SMSC:{smsc}] [SVC:] [ACT:] [BINF:] [FID:{fid}] [META:?smpp?] [from:{to}] "
        f"[to:{CAMPAIGN_SENDER}] [flags:-1:0:-1:0:-1] [msg:{len(report)}:{report}] [udh:0:]"
    )


def _incoming(smsc: str, fid: str, to: str) -> str:
    return (
        f"Receive SMS [SMSC:{smsc}] [SVC:] [ACT:] [BINF:] [FID:] [META:?smpp?] [from:{to}] "
        f"[to:{CAMPAIGN_SENDER}] [flags:-1:0:-1:0:-1] [msg:2:TC] [udh:0:]"
    )


def _without_id(smsc: str, fid: str, to: str) -> str:
    return (
        f"Sent SMS [SMSC:{smsc}] [SVC:thanh-doan] [ACT:] [BINF:] [FID:] [META:] [from:{CAMPAIGN_SENDER}] "
        f"[to:{to}] [flags:-1:0:-1:-1:-1] [msg:16:Da nhan tin nhan] [udh:0:]"
    )


_CHATTER = {UNMATCHED_RECEIPT: _unmatched, INCOMING: _incoming, WITHOUT_ID: _without_id}


def _damage(line: str, defect: str, field: str, number: int) -> str:
    """Spoil a line so that no reader can make sense of it; numbers stay out of reach of any normalisation."""
    start = line.index(field)
    if defect == "truncated":
        return line[: start + len("[to:") + 4]
    if defect == "bad_date":
        return line.replace("2020-", "2020-1", 1)
    if defect == "bad_utf8":
        return line.replace(field, f"[to:84{str(number)[:4]}\udcff{str(number)[5:]}]", 1)
    return line.replace(field, f"[to:{impossible_number(number)}]", 1)


def impossible_number(number: int) -> str:
    """Return the number too short, too long, or with a letter."""
    digits = str(number)
    return (f"84{digits[:4]}", f"84{digits}5500", f"84{digits[:5]}X{digits[6:]}")[number % 3]


def _sent_stamps(message: IntArray, messages: Messages, first_day: date) -> list[str]:
    """Return the submit date of each row's message as receipts write it, yyMMddHHmm."""
    sent = messages.submitted[message]
    days = [f"{first_day + timedelta(days=d):%y%m%d}" for d in range(int(messages.day.max(initial=0)) + 1)]
    minutes = [f"{m // 60:02}{m % 60:02}" for m in range(24 * 60)]
    return [
        days[d] + minutes[m]
        for d, m in zip((sent // DAY).tolist(), (sent % DAY // 60_000).tolist(), strict=True)
    ]
