"""What each line of a Kannel access log means."""

import gzip
from datetime import date
from pathlib import Path

import pytest

from directive_etl.landing import land_file
from directive_etl.periods import day_end
from directive_etl.registry.operators import Operator
from directive_etl.sources.sms_log.messages import to_microseconds
from directive_etl.sources.sms_log.scan import Scanner
from directive_etl.sources.sms_log.workspace import workspace

DAY = date(2020, 8, 18)
OPERATOR = Operator.model_validate(
    {
        "operator_code": "gateway",
        "name": "Gateway",
        "connections": ("C1", "C2"),
        "log": {
            "format": "kannel",
            "status_map": {
                "1": "delivered",
                "2": "failed",
                "4": "pending",
                "8": "pending",
                "16": "rejected",
                "34": "expired",
            },
        },
    }
)


def line(
    event: str,
    *,
    at: str = "10:00:00",
    smsc: str = "C1",
    fid: str = "A1",
    flags: str = "-1:0:-1:-1:31",
    msg: str = "2:hi",
    to: str = "84901234567",
    udh: str = "0:",
) -> str:
    return (
        f"2020-08-18 {at} {event} [SMSC:{smsc}] [SVC:s] [ACT:a] [BINF:] [FID:{fid}] [META:?smpp_resp?] "
        f"[from:BLUEZONE] [to:{to}] [flags:{flags}] [msg:{msg}] [udh:{udh}]\n"
    )


def receipt(kind: int, **changed: str) -> str:
    return line("Receive DLR", **({"flags": f"-1:-1:-1:-1:{kind}", "at": "10:00:07"} | changed))


def counted(count_logs, text: str):
    return count_logs({DAY: [("access.log", text.encode("utf-8", "surrogateescape"))]}, OPERATOR)


@pytest.mark.parametrize(
    ("coding", "octets", "body", "segments"),
    [
        (0, 0, "", 1),
        (0, 160, "x" * 160, 1),
        (0, 161, "x" * 161, 2),
        (0, 306, "x" * 306, 2),
        (0, 307, "x" * 307, 3),
        (-1, 459, "x" * 459, 3),
        (0, 156, "x" * 151 + "[a]{}", 1),
        (0, 157, "x" * 152 + "[a]{}", 2),
        (2, 140, "0041" * 70, 1),
        (2, 142, "0041" * 71, 2),
        (2, 268, "0041" * 134, 2),
        # A published notice of 353 marked characters went out as 6 segments (Hải Dương, February 2021).
        (2, 706, "1EA1" * 353, 6),
        (1, 140, "FF" * 140, 1),
        (1, 141, "FF" * 141, 2),
    ],
)
def test_segments_follow_from_length_and_coding(
    count_logs, coding: int, octets: int, body: str, segments: int
) -> None:
    text = line("Sent SMS", flags=f"-1:{coding}:-1:-1:31", msg=f"{octets}:{body}")
    assert counted(count_logs, text).daily["segment_count"].tolist() == [segments]


def test_a_part_with_a_header_of_its_own_is_one_segment(count_logs) -> None:
    text = line("Sent SMS", msg="153:" + "x" * 153, udh="6:050003010201")
    assert counted(count_logs, text).daily["segment_count"].tolist() == [1]


@pytest.mark.parametrize(
    ("kind", "column"),
    [(1, "delivered"), (2, "failed"), (16, "rejected"), (34, "expired"), (4, "pending"), (8, "pending")],
)
def test_the_type_of_a_receipt_gives_the_state(count_logs, kind: int, column: str) -> None:
    daily = counted(count_logs, line("Sent SMS") + receipt(kind)).daily
    assert daily[f"{column}_count"].tolist() == [1]
    assert daily["message_count"].tolist() == [1]


def test_the_same_id_on_two_connections_is_two_messages(count_logs) -> None:
    daily = counted(count_logs, line("Sent SMS") + line("Sent SMS", smsc="C2") + receipt(1, smsc="C2")).daily
    assert daily[["message_count", "delivered_count", "pending_count"]].to_numpy().tolist() == [[2, 1, 1]]


def test_the_last_final_receipt_counts_and_in_the_same_second_the_later_line(count_logs) -> None:
    text = (
        receipt(1, at="10:00:09") + receipt(2, at="10:00:09") + receipt(8, at="10:00:30") + line("Sent SMS")
    )
    assert counted(count_logs, text).daily["failed_count"].tolist() == [1]
    text = (
        receipt(2, at="10:00:09") + receipt(1, at="10:00:09") + receipt(16, at="10:00:08") + line("Sent SMS")
    )
    assert counted(count_logs, text).daily["delivered_count"].tolist() == [1]


def test_a_receipt_without_its_submission_waits(count_logs) -> None:
    counts = counted(count_logs, receipt(1))
    assert counts.daily["message_count"].tolist() == [0]
    assert (counts.account.loaded, counts.account.refused) == (1, 0)


@pytest.mark.parametrize(
    "other",
    [
        "2020-08-18 00:00:00 Log begins\n",
        "2020-08-18 23:59:59 Log ends\n",
        line("Receive SMS", to="1900"),
        line("FAILED Receive DLR", to="BLUEZONE"),
        line("Sent SMS", fid=""),
        receipt(16, fid=""),
        line("FAILED Send SMS", fid=""),
        line("DISCARDED SMS"),
        line("Sent DLR"),
    ],
)
def test_lines_that_are_no_message_are_read_and_not_counted(count_logs, other: str) -> None:
    counts = counted(count_logs, other + line("Sent SMS"))
    assert counts.daily["message_count"].tolist() == [1]
    assert (counts.account.read, counts.account.loaded) == (2, 2)


def test_a_body_that_imitates_the_layout_is_not_believed(count_logs) -> None:
    body = "x] [to:84] [flags:-1:0:-1:-1:1] [msg:3:abc] [udh:0:]"
    daily = counted(
        count_logs, line("Sent SMS", msg=f"{len(body)}:{body}") + receipt(1, msg=f"{len(body)}:{body}")
    ).daily
    assert daily[["message_count", "segment_count", "delivered_count"]].to_numpy().tolist() == [[1, 1, 1]]


@pytest.mark.parametrize(
    ("bad", "reason_code"),
    [
        (line("Sent SMS")[:60] + "\n", "wrong_layout"),
        (line("Sent SMS")[:-4] + "\n", "wrong_layout"),
        (line("Sent SMS").replace(" [udh:0:]", ""), "wrong_layout"),
        (line("Sent SMS").replace("[FID:", "[ID:"), "wrong_layout"),
        (line("Sent SMS").replace("] [msg:", "] [text:"), "wrong_layout"),
        (receipt(1).replace("] [msg:", "] [text:"), "wrong_layout"),
        (line("Something SMS"), "wrong_layout"),
        ("hello\n", "wrong_layout"),
        ("   \n", "wrong_layout"),
        (line("Sent SMS").replace("2020-", "2020-1"), "wrong_layout"),
        (line("Sent SMS", at="25:00:00"), "bad_time"),
        (line("Sent SMS", to="849012"), "bad_number"),
        (receipt(77), "unknown_status"),
        (line("Sent SMS", smsc="C3"), "unknown_connection"),
        (line("Sent SMS", to="8490\udcff234567"), "invalid_utf8"),
        (line("Sent SMS", msg="3:a\0b"), "nul_byte"),
        (line("Sent SMS", msg="3:a\x01b"), "wrong_layout"),
    ],
)
def test_a_line_that_cannot_be_read_is_refused_alone(count_logs, bad: str, reason_code: str) -> None:
    counts = counted(count_logs, line("Sent SMS", fid="1") + "\n" + bad + line("Sent SMS", fid="2"))
    assert counts.refused[["place", "reason_code"]].to_numpy().tolist() == [["line 3", reason_code]]
    assert counts.daily["message_count"].tolist() == [2]
    assert counts.account.read == 3


@pytest.mark.parametrize("input_bytes", [0, 1 << 30], ids=["one thread", "all cores"])
def test_events_keep_the_order_of_the_files_and_of_their_lines(tmp_path: Path, input_bytes: int) -> None:
    landed = []
    for number in range(6):
        dropped = tmp_path / f"access.log.{number}.gz"
        times = [f"{place // 3600:02}:{place // 60 % 60:02}:{place % 60:02}" for place in range(20_000)]
        dropped.write_bytes(gzip.compress("".join(line("Sent SMS", at=at) for at in times).encode(), 1))
        landed.append(land_file(tmp_path / str(number), "sms_log", "gateway", DAY, dropped))
    latest_us = to_microseconds(day_end(DAY))
    with workspace(tmp_path, "512MB", "a key", input_bytes) as (connection, scratch):
        Scanner(connection, OPERATOR, (), latest_us, scratch, 1 << 30).scan(landed)
        in_order = (
            "SELECT file_no, submitted_us, lag((file_no, submitted_us)) OVER (ORDER BY place) AS before"
        )
        misplaced = f"SELECT count(*) FROM ({in_order} FROM events) WHERE (file_no, submitted_us) < before"
        assert connection.execute(misplaced).fetchall() == [(0,)]
