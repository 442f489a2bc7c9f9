"""Each form of log: its example in the documentation is read exactly, compressed or not, and damage is told."""

import gzip
import io
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from backports import zstd

from directive_etl.registry.operators import Operator, load_operator

DAY = date(2020, 8, 18)
EXAMPLES = Path(__file__).parents[3] / "docs" / "sources" / "examples" / "sms_log"
SAMPLES = {
    "esms": "esms.jsonl",
    "esms_callback": "callback.csv",
    "etelecom": "etelecom.csv",
    "restcomm": "cdr_restcomm.csv",
    "smpp": "smpp.log",
    "kannel": "kannel.log",
    "jasmin": "messages.log",
}
# Messages, segments, recipients; delivered, failed, expired, rejected, pending; rows read; refused places and reasons.
TRUTH = {
    "esms": ([3, 3, 3, 1, 1, 0, 0, 1], 5, ["line 4 unknown_status", "line 5 wrong_layout"]),
    "esms_callback": ([2, 2, 2, 1, 1, 0, 0, 0], 2, []),
    "etelecom": ([3, 9, 3, 1, 1, 0, 0, 1], 4, ["line 5 bad_time"]),
    "restcomm": ([2, 3, 2, 1, 0, 0, 1, 0], 3, []),
    "smpp": ([4, 4, 4, 1, 1, 0, 1, 1], 9, ["line 9 bad_receipt"]),
    "kannel": ([1, 6, 1, 1, 0, 0, 0, 0], 5, ["line 5 wrong_layout"]),
    "jasmin": ([2, 7, 2, 1, 0, 1, 0, 0], 5, []),
}
FIGURES = ["message", "segment", "recipient", "delivered", "failed", "expired", "rejected", "pending"]


def example(name: str) -> tuple[Operator, bytes]:
    return load_operator(EXAMPLES / f"{name}.yaml"), (EXAMPLES / SAMPLES[name]).read_bytes()


def figures(counts) -> list[int]:
    return [int(counts.daily[f"{figure}_count"].sum()) for figure in FIGURES]


def refused(counts) -> list[str]:
    return (counts.refused["place"] + " " + counts.refused["reason_code"]).tolist()


@pytest.mark.parametrize("name", TRUTH)
def test_an_example_of_the_documentation_is_read_exactly(name: str, count_logs) -> None:
    operator, sample = example(name)
    counts = count_logs({DAY: [(SAMPLES[name], sample)]}, operator)
    expected, read_count, places = TRUTH[name]
    assert figures(counts) == expected
    assert refused(counts) == places
    account = counts.account
    assert account.read == read_count == account.loaded + account.refused + account.duplicate


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress], ids=["gzip", "zstd"])
@pytest.mark.parametrize("name", ["esms", "restcomm", "kannel", "jasmin"])
def test_a_compressed_text_is_the_same_text(name: str, pack: Callable[[bytes], bytes], count_logs) -> None:
    operator, sample = example(name)
    counts = count_logs({DAY: [("packed", pack(sample))]}, operator)
    assert (figures(counts), refused(counts)) == (TRUTH[name][0], TRUTH[name][2])


@pytest.mark.parametrize(
    "damage",
    [
        lambda packed: packed[:-5],
        lambda packed: packed[: len(packed) // 2],
        lambda packed: packed[:-3] + bytes([packed[-3] ^ 1]) + packed[-2:],
        lambda packed: packed + b"garbage",
    ],
    ids=["without its end", "cut off", "wrong checksum", "garbage behind"],
)
def test_a_damaged_zstd_file_is_refused_alone(damage: Callable[[bytes], bytes], count_logs) -> None:
    operator, sample = example("restcomm")
    packed = zstd.compress(sample, options={zstd.CompressionParameter.checksum_flag: 1})
    counts = count_logs({DAY: [("a.zst", damage(packed)), ("b.csv", sample)]}, operator)
    assert refused(counts) == ["file unreadable_file"]
    assert figures(counts) == TRUTH["restcomm"][0]


def test_several_zstd_frames_are_one_text(count_logs) -> None:
    operator, sample = example("restcomm")
    half = sample.index(b"\n", len(sample) // 2) + 1
    packed = zstd.compress(sample[:half]) + zstd.compress(sample[half:])
    assert figures(count_logs({DAY: [("a.zst", packed)]}, operator)) == TRUTH["restcomm"][0]


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress], ids=["gzip", "zstd"])
@pytest.mark.parametrize("filling", [b"x", b"a\n", b"\0"], ids=["one line", "many lines", "NULs"])
@pytest.mark.parametrize("inspected", [False, True])
def test_a_file_that_unpacks_to_more_than_the_limit_is_refused_alone(
    pack: Callable[[bytes], bytes], filling: bytes, inspected: bool, count_logs
) -> None:
    operator, sample = example("restcomm")
    bomb = pack(filling * (8_000_000 // len(filling)))
    counts = count_logs(
        {DAY: [("bomb", bomb), ("b.csv", sample)]}, operator, most_bytes=1_000_000, inspected=inspected
    )
    assert refused(counts) == ["file too_large"]
    assert "1 MB" in counts.refused["reason"][0]
    assert figures(counts) == TRUTH["restcomm"][0]


# --- Parquet ---------------------------------------------------------------------------------------------------------

PARQUET = Operator.model_validate(
    {
        "operator_code": "columns",
        "name": "Columns",
        "log": {
            "format": "parquet",
            "columns": {
                "message_id": "message_id",
                "sender": "from",
                "recipient": "status",
                "submitted_at": "sent",
                "status": "state",
                "done_at": "done",
            },
            "time_format": "%d/%m/%Y %H:%M:%S",
            "status_map": {"OK": "delivered", "NO": "failed"},
        },
    }
)


def parquet(rows: dict[str, list[object]]) -> bytes:
    import polars

    stream = io.BytesIO()
    polars.DataFrame(rows).write_parquet(stream)
    return stream.getvalue()


def attempts(**changed: list[object]) -> dict[str, list[object]]:
    """Three attempts; the columns have names that are ours for something else."""
    values = {
        "message_id": [1, 2, 3],
        "from": ["BLUEZONE"] * 3,
        "status": ["0901888484", "84836106872", "0901888485"],
        "sent": ["18/08/2020 10:00:00"] * 3,
        "state": ["OK", "NO", "OK"],
        "done": ["18/08/2020 10:00:04"] * 3,
        "body": ["a text"] * 3,
    }
    return values | changed


@pytest.mark.parametrize(
    "times",
    [
        {},
        {name: [pd.Timestamp("2020-08-18 10:00:04").to_pydatetime()] * 3 for name in ("sent", "done")},
        {
            name: [pd.Timestamp("2020-08-18 03:00:04", tz="UTC").to_pydatetime()] * 3
            for name in ("sent", "done")
        },
    ],
    ids=["text", "timestamp", "timestamp with zone"],
)
def test_times_in_parquet_are_text_or_timestamps(times: dict[str, list[object]], count_logs) -> None:
    counts = count_logs({DAY: [("a.parquet", parquet(attempts(**times)))]}, PARQUET)
    assert counts.refused.empty
    assert counts.daily["latency_p50_seconds"].tolist() == [0.0 if times else 4.0]
    assert figures(counts)[:5] == [3, 3, 3, 2, 1]


def test_a_time_in_parquet_that_no_number_can_hold_refuses_its_row_only(count_logs) -> None:
    import polars

    earliest = -9_223_372_022_400_000_000  # that a timestamp can be; in another zone it is none
    sent = polars.Series([1_597_719_600_000_000] * 2 + [earliest]).cast(polars.Datetime("us"))
    counts = count_logs({DAY: [("a.parquet", parquet(attempts(sent=sent)))]}, PARQUET)
    assert refused(counts) == ["row 3 bad_time"]


def test_an_empty_connection_in_parquet_is_none(count_logs) -> None:
    columns = PARQUET.log.columns.model_copy(update={"connection": "gate"})
    gated = PARQUET.model_copy(update={"log": PARQUET.log.model_copy(update={"columns": columns})})
    rows = attempts(message_id=[1, 1, 1], gate=["", None, "a"])
    assert figures(count_logs({DAY: [("a.parquet", parquet(rows))]}, gated))[0] == 2


def test_a_bad_row_of_parquet_is_refused_with_its_number(count_logs) -> None:
    content = parquet(attempts(state=["OK", "WHAT", "OK"], status=["0901888484", "84836106872", None]))
    counts = count_logs({DAY: [("a.parquet", content)]}, PARQUET)
    assert refused(counts) == ["row 2 unknown_status", "row 3 bad_number"]
    assert "WHAT" in counts.refused["content"][0] and "a text" not in counts.refused["content"][0]
    assert figures(counts)[0] == 1


def test_damaged_and_foreign_parquet_files_are_refused_alone(count_logs) -> None:
    good = parquet(attempts())
    files = [
        ("a.parquet", good[:-9]),
        ("b.parquet", good[:4] + bytes(byte ^ 0xFF for byte in good[4:40]) + good[40:]),
        ("c.parquet", b"some text\n"),
        ("d.parquet", parquet({name: values for name, values in attempts().items() if name != "state"})),
        ("e.parquet", good),
    ]
    counts = count_logs({DAY: files}, PARQUET)
    assert refused(counts) == [*["file unreadable_file"] * 3, "file wrong_header"]
    assert "missing columns: state" in counts.refused["reason"][3]
    assert figures(counts)[0] == 3


# --- JSON Lines ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        '{"SmsId": "a"',
        "[1, 2]",
        '"text"',
        "7",
        "{'SmsId': 'a'}",
        '{"SmsId":"a"} {"SmsId":"b"}',
        '{"SmsId":"a\x02b"}',
    ],
)
def test_a_line_that_is_no_object_is_refused_alone(line: str, count_logs) -> None:
    operator, sample = example("esms")
    first = sample.splitlines(keepends=True)[0]
    counts = count_logs({DAY: [("a", b"\xef\xbb\xbf" + first + b"\n" + line.encode() + b"\n")]}, operator)
    assert refused(counts) == ["line 3 wrong_layout"]
    assert figures(counts)[0] == 1


def test_a_value_inside_an_object_is_found_by_its_path(count_logs) -> None:
    operator, _ = example("esms")
    columns = operator.log.columns.model_copy(update={"recipient": "$.to.number", "service": 'odd "key"'})
    inside = operator.model_copy(update={"log": operator.log.model_copy(update={"columns": columns})})
    text = (
        '{"SmsId":1,"to":{"number":84901888484},"SentTime":"/Date(1597719600000+0700)/","SendStatus":5,'
        '"SendResult":1,"odd \\"key\\"":"x"}\n'
    )
    assert figures(count_logs({DAY: [("a", text.encode())]}, inside))[:4] == [1, 1, 1, 1]


# --- gateways --------------------------------------------------------------------------------------------------------


def kannel(layout: str | None = None, **log: object) -> Operator:
    form = {"format": "kannel", "access_log_format": layout, "status_map": {"1": "delivered", "2": "failed"}}
    return Operator.model_validate({"operator_code": "gateway", "name": "Gateway", "log": form | log})


def test_a_layout_need_not_tell_the_connection_nor_the_text(count_logs) -> None:
    operator = kannel("%T;%l;%F;%p;%P;%d", access_log_clean=True)
    text = "1597719600;Sent SMS;7;BLUEZONE;0901888484;31\n1597719609;Receive DLR;7;x;0901888484;2\n"
    counts = count_logs({DAY: [("a", text.encode())]}, operator)
    assert figures(counts)[:5] == [1, 1, 1, 0, 1]
    assert counts.daily["latency_p50_seconds"].isna().all()


def test_the_default_layout_declared_as_a_layout_is_read_the_same(count_logs) -> None:
    folder = Path(__file__).parent / "kannel"
    files = {
        date(2026, 11, 24): [(name, (folder / name).read_bytes()) for name in ("access.log.1", "access.log")]
    }
    default = kannel().model_copy(
        update={"number_plan": "international", "time_zone": "UTC", "lone_receipts": "message"}
    )
    default = default.model_copy(
        update={
            "log": default.log.model_copy(
                update={
                    "status_map": {"1": "delivered", "2": "failed", "34": "failed"}
                    | dict.fromkeys("48", "pending")
                }
            )
        }
    )
    layout = (
        "%l [SMSC:%i] [SVC:%n] [ACT:%A] [BINF:%B] [FID:%F] [META:%D] [from:%p] [to:%P] "
        "[flags:%m:%c:%M:%C:%d] [msg:%L:%b] [udh:%U:%u]"
    )
    declared = default.model_copy(
        update={"log": default.log.model_copy(update={"access_log_format": layout})}
    )
    first, second = (count_logs(files, operator, campaigns=()) for operator in (default, declared))
    assert first.account == second.account
    assert first.account.read > 1000
    pd.testing.assert_frame_equal(first.daily, second.daily)
    assert refused(first) == refused(second)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (
            "id:9 sub:001 dlvrd:001 submit date:2008181000 done date:2008181001 stat:DELIVRD err:000 text:x",
            "delivered",
        ),
        (
            "id:9 sub:001 dlvrd:001 submit date:2008181000 done date:2008181001 stat:REJECTD err:000",
            "rejected",
        ),
        ("id:9 stat:EXPIRED err:0 Text:id:9 stat:DELIVRD", "expired"),
        ("ACK/", "pending"),
        ("NACK/8/Invalid", "rejected"),
    ],
)
def test_the_receipt_in_a_kannel_line_may_give_the_state(body: str, status: str, count_logs) -> None:
    operator = kannel(status_from="receipt", status_map={})
    head = "2020-08-18 10:00:0{} {} [SMSC:c] [SVC:] [ACT:] [BINF:] [FID:7] [META:] [from:BLUEZONE] [to:0901888484] "
    text = head.format(0, "Sent SMS") + "[flags:-1:0:-1:-1:31] [msg:1:x] [udh:0:]\n"
    text += head.format(5, "Receive DLR") + f"[flags:-1:-1:-1:-1:1] [msg:{len(body)}:{body}] [udh:0:]\n"
    counts = count_logs({DAY: [("a", text.encode())]}, operator)
    assert counts.refused.empty
    assert counts.daily[f"{status}_count"].tolist() == [1]


JASMIN = Operator.model_validate({"operator_code": "jasmin", "name": "Jasmin", "log": {"format": "jasmin"}})


def jasmin_sent(content: str, smpp_id: str = "b'1F'", behind: str = "") -> str:
    return (
        f"2020-08-18 10:00:00 INFO     1 SMS-MT [cid:c1] [queue-msgid:q] [smpp-msgid:{smpp_id}] "
        "[status:CommandStatus.ESME_ROK] [prio:0] [dlr:X] [validity:none] [from:b'BLUEZONE'] [to:b'84901888484'] "
        f"[content:{content}]{behind}\n"
    )


@pytest.mark.parametrize(
    ("content", "segments"),
    [
        ("b''", 1),
        (f"b'{'x' * 160}'", 1),
        (f"b'{'x' * 161}'", 2),
        (f'b"{"it" * 79}\'s"', 1),
        (repr(b"a\n\\'\"" * 32), 1),
        (repr(("Tiếng Việt " * 40)[:353].encode("utf-16-be")), 6),
        (repr(("Tiếng Việt " * 40)[:70].encode("utf-16-be")), 1),
        ("** 160 byte content **", 1),
        ("** 161 byte content **", 2),
        ("plain text of an old version", 1),
        (f"b'{'x' * 150}] [tlvs:x'", 1),
    ],
)
@pytest.mark.parametrize("behind", ["", " [tlvs:{<Tag.vendor: 1>: b'x'}]"], ids=["without tlvs", "with tlvs"])
def test_segments_follow_from_what_jasmin_logs_of_the_text(
    content: str, segments: int, behind: str, count_logs
) -> None:
    counts = count_logs({DAY: [("messages.log", jasmin_sent(content, behind=behind).encode())]}, JASMIN)
    assert counts.refused.empty
    assert counts.daily["segment_count"].tolist() == [segments]


def test_jasmins_other_entries_are_read_and_not_counted(count_logs) -> None:
    text = (
        "2020-08-18 10:00:00 INFO     1 SMS-MO [cid:c1] [queue-msgid:q] [status:x] [from:a] [to:b] [content:b'x']\n"
        "2020-08-18 10:00:00 WARNING  1 DLR for msgid[x] is not checked, no valid RC were found\n"
        + jasmin_sent("b'x'")
        + jasmin_sent("b'x'").replace("ESME_ROK", "ESME_ROK")[:90]
        + "\n"
    )
    counts = count_logs({DAY: [("messages.log", text.encode())]}, JASMIN)
    assert refused(counts) == ["line 4 wrong_layout"]
    assert (counts.account.loaded, figures(counts)[0]) == (3, 1)
