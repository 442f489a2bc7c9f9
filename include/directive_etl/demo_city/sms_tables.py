"""Delimited logs: VinaPhone's rows of events, and Vietnamobile's RestComm call detail records."""

import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta

from directive_etl.demo_city.sms_kannel import CAMPAIGN_SENDER, CLOCK, OTHER_SENDER, impossible_number
from directive_etl.demo_city.sms_receipts import DELIVERED, EXPIRED, FAILED, NO_STATE, REJECTED, TRYING
from directive_etl.demo_city.sms_rows import DEFECTS, SOUND, Rows
from directive_etl.demo_city.sms_subscribers import IntArray, Subscribers
from directive_etl.demo_city.sms_texts import TEXTS
from directive_etl.demo_city.sms_traffic import DAY, SECOND, Messages

VINAPHONE_HEADER = "message_id;sender;msisdn;submitted_at;segments;status;done_at"
RESTCOMM_HEADER = (
    "DELIVERY_DATE,SUBMIT_DATE,ADDR_SRC_DIGITS,ADDR_SRC_TON,ADDR_SRC_NPI,ADDR_DST_DIGITS,ADDR_DST_TON,ADDR_DST_NPI,"
    "MESSAGE_DELIVERY_STATUS,ORIGINATION_TYPE,MESSAGE_TYPE,ORIG_SYSTEM_ID,MESSAGE_ID,DVL_MESSAGE_ID,"
    "RECEIPT_LOCAL_MESSAGE_ID,NNN_DIGITS,IMSI,CORR_ID,ORIGINATOR_SCCP_ADDRESS,MtServiceCenterAddress,ORIG_NETWORK_ID,"
    "NETWORK_ID,MPROC_NOTES,MSG_PARTS,CHAR_NUMBERS,PROCESSING_TIME,SCHEDULE_DELIVERY_DELAY,DELIVERY_COUNT,"
    "MESSAGE_PART_PROCESSING_TIME,DATA_CODING,FIRST_20_CHARACTERS_OF_SMS,REASON_FOR_FAILURE,"
    "DELIVERY_RECEIPT_MESSAGE_STATUS,DELIVERY_RECEIPT_MESSAGE_STATE_TLV,DELIVERY_RECEIPT_MESSAGE_ERR"
)

# How numbers are typed, in rotation. A row that VinaPhone exports twice may show its number in another form.
_NUMBER_FORMS = ("84", "0", "84", "+84", "0", "84", "0", "84", "+84", "0", "0084")
_VINAPHONE_STATUSES = {
    NO_STATE: "SENT",
    DELIVERED: "SUCCESS",
    FAILED: "FAIL",
    EXPIRED: "EXPIRED",
    REJECTED: "REJECT",
    TRYING: "PROCESSING",
}
_RESTCOMM_STATUSES = {DELIVERED: "success", FAILED: "failed", REJECTED: "ocs_rejected", TRYING: "temp_failed"}
# Some rows say it in a narrower word.
_RESTCOMM_OTHER_STATUSES = _RESTCOMM_STATUSES | {FAILED: "failed_imsi", TRYING: "partial"}
_RESTCOMM_REASONS = {
    DELIVERED: "",
    FAILED: "UNKNOWN_SUBSCRIBER",
    REJECTED: "OCS_ACCESS_NOT_GRANTED",
    TRYING: "ABSENT_SUBSCRIBER",
}
# From DVL_MESSAGE_ID to MtServiceCenterAddress: ids of other networks, never filled in here.
_NO_IDS = ("",) * 7


def write_vinaphone(
    rows: Rows, messages: Messages, subscribers: Subscribers, first_day: date
) -> Iterator[str]:
    """Write one of VinaPhone's files, header first, without line ends (times dd/MM/yyyy HH:mm:ss, local)."""
    yield VINAPHONE_HEADER
    moments = zip(
        _slashed(messages.submitted[rows.message], first_day), _slashed(rows.at, first_day), strict=True
    )
    columns = zip(
        moments,
        rows.message.tolist(),
        rows.state.tolist(),
        rows.defect.tolist(),
        rows.is_copy.tolist(),
        subscribers.number[messages.subscriber[rows.message]].tolist(),
        messages.is_campaign[rows.message].tolist(),
        messages.text[rows.message].tolist(),
        strict=True,
    )
    for (submitted, done), message, state, defect, is_copy, number, is_campaign, text in columns:
        form = _NUMBER_FORMS[(message + state + is_copy) % len(_NUMBER_FORMS)]
        fields = [
            f"VNP{message:09}",
            CAMPAIGN_SENDER if is_campaign else OTHER_SENDER,
            f"{form}{number}",
            submitted,
            str(TEXTS[text].segment_count),
            _VINAPHONE_STATUSES[state],
            "" if state == NO_STATE else done,
        ]
        if defect != SOUND:
            _damage(
                fields, DEFECTS[defect], number_at=2, date_at=3 if state == NO_STATE else 6, number=number
            )
        yield ";".join(fields)


def write_restcomm(
    rows: Rows, messages: Messages, subscribers: Subscribers, first_day: date
) -> Iterator[str]:
    """Write one of Vietnamobile's files, header first, without line ends (yyyy-MM-dd HH:mm:ss.SSS, local)."""
    yield RESTCOMM_HEADER
    beginnings = [_quoted(text.body[:20]) for text in TEXTS]
    moments = zip(
        _dashed(messages.submitted[rows.message], first_day), _dashed(rows.at, first_day), strict=True
    )
    columns = zip(
        moments,
        (rows.at - messages.submitted[rows.message]).tolist(),
        rows.message.tolist(),
        rows.state.tolist(),
        rows.defect.tolist(),
        subscribers.number[messages.subscriber[rows.message]].tolist(),
        messages.is_campaign[rows.message].tolist(),
        messages.text[rows.message].tolist(),
        strict=True,
    )
    for (submitted, done), elapsed, message, state, defect, number, is_campaign, text in columns:
        body = TEXTS[text]
        is_national = message % 10 == 0
        statuses = _RESTCOMM_OTHER_STATUSES if message % 7 == 0 else _RESTCOMM_STATUSES
        fields = [done, submitted, CAMPAIGN_SENDER if is_campaign else OTHER_SENDER, "5", "0"]
        fields += [f"0{number}", "2", "1"] if is_national else [f"84{number}", "1", "1"]
        fields += [
            statuses[state],
            "SMPP",
            "message",
            "so-tttt",
            str(7_000_000 + message),
            *_NO_IDS,
            "0",
            "0",
            "",
        ]
        fields += [str(body.segment_count), str(len(body.body)), str(elapsed), "0", "1", "0"]
        fields += ["8" if body.is_unicode else "0", beginnings[text], _RESTCOMM_REASONS[state], "", "", ""]
        if defect != SOUND:
            _damage(fields, DEFECTS[defect], number_at=5, date_at=1, number=number)
        yield ",".join(fields)


def _damage(fields: list[str], defect: str, *, number_at: int, date_at: int, number: int) -> None:
    """Spoil a row's fields so that no reader can make sense of them."""
    if defect == "truncated":
        fields[number_at] = fields[number_at][:5]
        del fields[number_at + 1 :]
    elif defect == "bad_date":
        is_slashed = fields[date_at][2] == "/"
        fields[date_at] = (
            f"32{fields[date_at][2:]}" if is_slashed else f"{fields[date_at][:8]}32{fields[date_at][10:]}"
        )
    elif defect == "bad_number":
        fields[number_at] = impossible_number(number)
    elif defect == "bad_utf8":
        fields[number_at] = f"{fields[number_at][:5]}\udcff{fields[number_at][6:]}"
    else:
        fields.append("0")


def _quoted(value: str) -> str:
    """Return a field as csv writes it, quoted where needed."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([value])
    return line.getvalue()


def _slashed(moments: IntArray, first_day: date) -> list[str]:
    days = _days(moments, first_day, "%d/%m/%Y ")
    return [
        days[d] + CLOCK[s]
        for d, s in zip((moments // DAY).tolist(), (moments % DAY // SECOND).tolist(), strict=True)
    ]


def _dashed(moments: IntArray, first_day: date) -> list[str]:
    days = _days(moments, first_day, "%Y-%m-%d ")
    parts = zip(
        (moments // DAY).tolist(),
        (moments % DAY // SECOND).tolist(),
        (moments % SECOND).tolist(),
        strict=True,
    )
    return [f"{days[d]}{CLOCK[s]}.{ms:03}" for d, s, ms in parts]


def _days(moments: IntArray, first_day: date, form: str) -> list[str]:
    return [f"{first_day + timedelta(days=d):{form}}" for d in range(int(moments.max(initial=0)) // DAY + 1)]
