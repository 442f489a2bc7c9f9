"""SMPP receipts in the variants of vendors, and what a message and its state are, whatever the form of the log."""

import math
from datetime import timedelta

import pytest
from tests.sources.sms_log.test_formats import DAY, example, figures, refused

# --- SMPP receipts ---------------------------------------------------------------------------------------------------

SMPP, _ = example("smpp")


@pytest.mark.parametrize(
    ("receipt", "state", "waited"),
    [
        (
            "id:10 sub:001 dlvrd:001 submit date:2008180300 done date:2008180301 stat:DELIVRD err:000 text:",
            "delivered",
            60,
        ),
        (
            "id:10 sub:001 dlvrd:001 submit date:200818030000 done date:200818030007 stat:DELIVRD",
            "delivered",
            7,
        ),
        ("id:10 submit date:20200818030000 done date:20200818030009 stat:DELIVRD err:0", "delivered", 9),
        ("ID:10 SUB:001 DLVRD:001 DONE DATE:200818030007 STAT:delivrd ERR:000 TEXT:", "delivered", 7),
        (
            "id:10 sub:001 dlvrd:001 done date:2008180301 stat:REJECTD err:001 Text:stat:DELIVRD",
            "rejected",
            None,
        ),
        ("id:10 done date:2008180301 stat:ENROUTE err:", "pending", None),
        ("id:10 done date:2008180301 stat:UNKNOWN err:", "pending", None),
        ("id:10 done date:2008180301 stat:DELETED", "failed", None),
        ("stat:UNDELIV done date:2008180301 id:10", "failed", None),
        ("id:10 done date:2008180301 stat:BLIST err:ND", "rejected", None),
    ],
)
def test_a_receipt_is_read_in_the_variants_of_vendors(
    receipt: str, state: str, waited: int | None, count_logs
) -> None:
    text = f"2020-08-18 10:00:00|c1|0a|BLUEZONE|0901888484|\n|c1||||{receipt}\n"
    counts = count_logs({DAY: [("smpp.log", text.encode())]}, SMPP)
    assert counts.refused.empty
    assert counts.daily[f"{state}_count"].tolist() == [1]
    latency = counts.daily["latency_p50_seconds"][0]
    assert math.isnan(latency) if waited is None else latency == waited


@pytest.mark.parametrize(
    ("receipt", "reason_code"),
    [
        ("id:10 done date:2008180301 stat:SOMETHING err:000", "unknown_status"),
        ("id:10 done date:2008180301", "bad_receipt"),
        ("00,0210021543,0210021500,,447887123456,10110200000000", "bad_receipt"),
        ("stat:DELIVRD done date:2008180301", "missing_id"),
        ("id:10 stat:DELIVRD done date:2013180301", "bad_time"),
    ],
)
def test_a_receipt_that_cannot_be_read_is_refused(receipt: str, reason_code: str, count_logs) -> None:
    text = f"2020-08-18 10:00:00|c1|0a|BLUEZONE|0901888484|\n|c1||||{receipt}\n"
    counts = count_logs({DAY: [("smpp.log", text.encode())]}, SMPP)
    assert refused(counts) == [f"line 2 {reason_code}"]


@pytest.mark.parametrize(
    ("ids", "sent", "told", "is_same"),
    [
        ("as_written", "0a", "0A", False),
        ("hex", "000a", "0A", True),
        ("hex_then_decimal", "3AC2820D", "985825805", True),
        ("hex_then_decimal", "3ac2820d", "985825806", False),
        ("decimal_then_hex", "985825805", "3AC2820D", True),
        ("decimal_then_hex", "no number", "NO NUMBER", True),
    ],
)
def test_ids_in_hex_and_decimal_are_the_same_as_declared(
    ids: str, sent: str, told: str, is_same: bool, count_logs
) -> None:
    operator = SMPP.model_copy(update={"log": SMPP.log.model_copy(update={"ids": ids})})
    receipt = "sub:001 done date:2008180301 stat:DELIVRD"
    text = f"2020-08-18 10:00:00|c1|{sent}|BLUEZONE|0901888484|\n|c1|{told}|||{receipt}\n"
    counts = count_logs({DAY: [("smpp.log", text.encode())]}, operator)
    assert counts.refused.empty
    assert counts.daily[["message_count", "delivered_count"]].to_numpy().tolist() == [[1, int(is_same)]]


def test_what_a_row_tells_itself_wins_over_its_receipt(count_logs) -> None:
    columns = SMPP.log.columns.model_copy(update={"done_at": "done", "status": "state"})
    order = (*SMPP.log.column_order, "state", "done")
    log = SMPP.log.model_copy(update={"columns": columns, "column_order": order})
    operator = SMPP.model_copy(update={"log": log})
    text = "2020-08-18 10:00:00|c1|0a|BLUEZONE|0901888484|||\n"
    text += "|c1||||id:10 done date:2008180301 stat:DELIVRD|EXPIRED|2020-08-18 11:00:00\n"
    counts = count_logs({DAY: [("smpp.log", text.encode())]}, operator)
    assert counts.refused.empty
    assert counts.daily["expired_count"].tolist() == [1]


# --- meaning ---------------------------------------------------------------------------------------------------------


def sent_and_told(*rows: tuple[str, str, str]) -> bytes:
    """Rows of id, time of submission and receipt."""
    return "".join(
        f"{sent}|c1|{number}|BLUEZONE|0901888484|{receipt}\n" for number, sent, receipt in rows
    ).encode()


def delivered_at(moment: str, number: int = 10, stat: str = "DELIVRD") -> tuple[str, str, str]:
    return "", "", f"id:{number} done date:{moment} stat:{stat}"


def test_an_id_given_again_after_a_restart_is_another_message(count_logs) -> None:
    text = sent_and_told(
        ("0a", "2020-08-18 10:00:00", ""),
        delivered_at("200818031000", stat="UNDELIV"),
        ("0a", "2020-08-18 12:00:00", ""),
        delivered_at("200818050005"),
        delivered_at("200818050005"),
        ("0a", "2020-08-18 12:00:00", ""),
        ("0a", "2020-08-18 14:00:00", ""),
    )
    counts = count_logs({DAY: [("smpp.log", text)]}, SMPP)
    assert figures(counts) == [3, 3, 1, 1, 1, 0, 0, 1]
    assert counts.account.duplicate == 2
    assert counts.daily["latency_p50_seconds"].tolist() == [5.0]


def test_an_id_given_again_on_another_day_is_another_message(count_logs) -> None:
    day_after = DAY + timedelta(days=1)
    folders = {
        DAY: [("smpp.log", sent_and_told(("0a", "2020-08-18 10:00:00", "")))],
        day_after: [
            (
                "smpp.log",
                sent_and_told(
                    ("0a", "2020-08-19 10:00:00", ""), delivered_at("200818031000", stat="EXPIRED")
                ),
            )
        ],
    }
    daily = count_logs(folders, SMPP).daily
    assert daily[["message_count", "expired_count", "pending_count"]].to_numpy().tolist() == [
        [1, 1, 0],
        [1, 0, 1],
    ]


def test_a_receipt_logged_a_moment_before_its_submission_is_that_ones(count_logs) -> None:
    text = sent_and_told(
        ("0a", "2020-08-18 10:00:00", ""), ("0a", "2020-08-18 12:00:05", ""), delivered_at("200818050004")
    )
    counts = count_logs({DAY: [("smpp.log", text)]}, SMPP)
    assert counts.daily["latency_p50_seconds"].tolist() == [-1.0]


def test_a_state_that_is_not_final_never_overrides_a_final_one(count_logs) -> None:
    text = sent_and_told(
        ("0a", "2020-08-18 10:00:00", ""),
        delivered_at("200818040000", stat="EXPIRED"),
        delivered_at("200818050000", stat="ENROUTE"),
        delivered_at("200818060000", stat="ACCEPTD"),
    )
    assert count_logs({DAY: [("smpp.log", text)]}, SMPP).daily["expired_count"].tolist() == [1]


def test_a_receipt_for_a_final_day_is_counted_as_late_and_changes_nothing(count_logs) -> None:
    operator = SMPP.model_copy(update={"window_days": 1})
    folders = {
        # The first folder of the window also holds the end of the day before it, which is final.
        DAY: [("a", sent_and_told(("0b", "2020-08-17 23:59:59", ""), ("0a", "2020-08-18 10:00:00", "")))],
        DAY + timedelta(days=1): [
            ("b", sent_and_told(delivered_at("200819030000", 11), delivered_at("200819030000", 10)))
        ],
    }
    counts = count_logs(folders, operator)
    assert counts.late_count == 1
    assert counts.account.loaded == counts.account.read == 2
    assert counts.daily["delivered_count"].tolist() == [1, 0]


def test_a_gateways_receipt_for_a_message_of_folders_long_counted_is_late(count_logs) -> None:
    operator = SMPP.model_copy(update={"window_days": 1})
    days = [DAY + timedelta(days=n) for n in range(4)]
    folders = {
        day: [("a", sent_and_told((f"{n + 10:x}", f"{day} 10:00:00", "")))] for n, day in enumerate(days)
    }
    folders[days[3]] = [
        ("a", sent_and_told(delivered_at("200821030000", 10), delivered_at("200821030000", 99)))
    ]
    late = [
        count_logs(
            {known: folders[known] for known in days if known <= day}, operator, drop_day=day
        ).late_count
        for day in days
    ]
    # The message of the first day is final since the second; nothing is known of id 99.
    assert late == [0, 0, 0, 1]


def test_only_days_that_are_open_are_recounted(count_logs) -> None:
    operator = SMPP.model_copy(update={"window_days": 1})
    folders = {
        DAY + timedelta(days=n): [("a", sent_and_told(("0a", f"{DAY + timedelta(days=n)} 10:00:00", "")))]
        for n in range(4)
    }
    daily = count_logs(folders, operator).daily
    assert daily["report_date"].tolist() == [DAY + timedelta(days=2), DAY + timedelta(days=3)]
    assert daily["maturity"].tolist() == ["final", "open"]
    assert daily[["pending_count", "unknown_count"]].to_numpy().tolist() == [[0, 1], [1, 0]]
