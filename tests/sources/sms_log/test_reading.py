"""One bad line, or one bad file, is refused alone, with its place and reason; the rest is counted."""

import gzip
import random
from datetime import date

import pandas as pd
import pytest

from directive_etl.registry.operators import Operator

DAY = date(2020, 8, 18)
HEADER = "id,from,to,sent,state,done\n"


def operator(**log: object) -> Operator:
    form = {
        "format": "delimited",
        "delimiter": ",",
        "quote": '"',
        "columns": {
            "message_id": "id",
            "sender": "from",
            "recipient": "to",
            "submitted_at": "sent",
            "status": "state",
            "done_at": "done",
        },
        "time_format": "%Y-%m-%d %H:%M:%S",
        "status_map": {"SENT": "pending", "OK": "delivered", "NO": "failed"},
    }
    return Operator.model_validate({"operator_code": "op", "name": "Op", "log": form | log})


def row(number: int = 1, **changed: str) -> str:
    values = {
        "id": f"m{number}",
        "from": "BLUEZONE",
        "to": f"8490{number:07}",
        "sent": "2020-08-18 10:00:00",
        "state": "OK",
        "done": "2020-08-18 10:00:05",
    }
    return ",".join((values | changed).values()) + "\n"


def places(counts) -> list[tuple[str, str]]:
    return list(zip(counts.refused["place"], counts.refused["reason_code"], strict=True))


def delivered(counts) -> int:
    return int(counts.daily["delivered_count"].sum())


@pytest.mark.parametrize(
    ("bad", "reason_code"),
    [
        (row(2, sent="18/08/2020 10:00:00"), "bad_time"),
        (row(2, sent="2020-02-30 10:00:00"), "bad_time"),
        (row(2, sent="", done=""), "bad_time"),
        (row(2, done="soon"), "bad_time"),
        (row(2, sent="2020-12-18 10:00:00"), "bad_time"),
        (row(2, sent="0020-08-18 10:00:00"), "bad_time"),
        (row(2, done=""), "missing_time"),
        (row(2, state="WHAT"), "unknown_status"),
        (row(2, state=""), "unknown_status"),
        (row(2, id=""), "missing_id"),
        (row(2, to="8490"), "bad_number"),
        (row(2, to=""), "bad_number"),
        (row(2, to="1900"), "bad_number"),
        (row(2, id="m\0"), "nul_byte"),
        # Other control characters are letters like any; no number, time or status has one.
        (row(2, to="8490\x020000002"), "bad_number"),
        (row(2, sent="2020-08-18 10:00:00\x1b"), "bad_time"),
        (row(2, state="OK\x07"), "unknown_status"),
        (row(2)[:-1] + ",more\n", "wrong_column_count"),
        ("m2,BLUEZONE,8490\n", "wrong_column_count"),
        ("just some words\n", "wrong_column_count"),
        (row(2, id="m\udcff"), "invalid_utf8"),
        (row(2, id='"m2'), "bad_quote"),
        (row(2, id='"m"2'), "bad_quote"),
    ],
)
def test_a_bad_line_is_refused_alone(count_logs, bad: str, reason_code: str) -> None:
    text = HEADER + row(1) + "\n" + bad + row(3) + row(4)
    counts = count_logs({DAY: [("log.csv", text.encode("utf-8", "surrogateescape"))]}, operator())
    assert places(counts) == [("line 4", reason_code)]
    assert delivered(counts) == 3
    assert (counts.account.read, counts.account.loaded, counts.account.refused) == (4, 3, 1)


def test_a_receipt_need_not_repeat_the_submission(count_logs) -> None:
    text = HEADER + row(1, state="SENT", done="") + row(1, sent="") + row(2, sent="")
    counts = count_logs({DAY: [("log.csv", text.encode())]}, operator())
    assert counts.daily["message_count"].tolist() == [1]
    assert delivered(counts) == 1
    assert counts.account.loaded == 3


def test_a_quote_that_nothing_closes_does_not_swallow_the_rest(count_logs) -> None:
    good = "".join(row(number) for number in range(10, 400))
    text = HEADER + row(1) + row(2, id='"m2') + good + row(3, id='"m3') + good.replace("m", "n")
    counts = count_logs({DAY: [("log.csv", text.encode())]}, operator())
    assert places(counts) == [("line 3", "bad_quote"), ("line 394", "bad_quote")]
    assert delivered(counts) == 1 + 2 * 390


def test_a_value_of_several_lines_is_one_row(count_logs) -> None:
    text = (
        HEADER + row(1, id='"m\n\n1"') + row(2, to="8490") + row(3, id='"m""3, ""x\n""y"') + row(4, state="?")
    )
    counts = count_logs({DAY: [("log.csv", text.encode())]}, operator())
    assert places(counts) == [("line 5", "bad_number"), ("line 8", "unknown_status")]
    assert delivered(counts) == 2


@pytest.mark.parametrize("quote", ['"', None])
@pytest.mark.parametrize("as_large", [False, True], ids=["one thread", "all cores"])
def test_refused_lines_keep_their_numbers_in_a_large_file(
    count_logs, quote: str | None, as_large: bool
) -> None:
    chance = random.Random(4)
    lines, truth, written = [HEADER.encode()], [], 1
    for number in range(60_000):
        kind = chance.random()
        if kind < 0.003:
            line = chance.choice([b"\n", b"\n", b"\n\n"]) + row(number).encode()
        elif kind > 0.998:
            truth.append(written + 1)
            bad = [
                row(number, to="8490"),
                row(number, state="?"),
                "few,columns\n",
                row(number, id="\udcff"),
                row(number, sent="x"),
            ]
            line = chance.choice(bad).encode("utf-8", "surrogateescape")
        elif quote and kind > 0.99:
            line = row(
                number, **{"from": chance.choice(['"BLUEZONE"', '"a\nb"', '"a\n\n""b"', 'a"b'])}
            ).encode()
        else:
            line = row(number).encode()
        lines.append(line)
        written += line.count(b"\n")
    packed = gzip.compress(b"".join(lines), 1)
    counts = count_logs({DAY: [("log.csv.gz", packed)]}, operator(quote=quote), as_large=as_large)
    assert counts.refused["place"].tolist() == [f"line {line}" for line in truth]
    assert counts.account.read == 60_000


@pytest.mark.parametrize(
    "damage",
    [
        lambda packed: packed[: len(packed) // 2],
        lambda packed: packed[:-4],
        lambda packed: packed[:-6] + bytes([packed[-6] ^ 1]) + packed[-5:],
        lambda packed: (
            packed[: len(packed) // 2]
            + bytes([packed[len(packed) // 2] ^ 1])
            + packed[len(packed) // 2 + 1 :]
        ),
        lambda packed: packed + b"garbage",
        lambda packed: packed[:2],
    ],
    ids=["cut off", "without trailer", "wrong checksum", "flipped bit", "garbage behind", "only magic"],
)
def test_a_damaged_file_is_refused_alone(count_logs, damage) -> None:
    chance = random.Random(1)
    text = HEADER + "".join(row(chance.randrange(10**7)) for _ in range(3000))
    files = [
        ("0.gz", gzip.compress((HEADER + row(1)).encode())),
        ("1.gz", damage(gzip.compress(text.encode()))),
    ]
    counts = count_logs({DAY: [*files, ("2.csv", (HEADER + row(2)).encode())]}, operator())
    assert places(counts) == [("file", "unreadable_file")]
    assert counts.refused["content"].tolist() == ["1.gz"]
    assert delivered(counts) == 2
    assert counts.account.read == 3


def test_a_file_whose_header_lacks_a_column_is_refused_alone(count_logs) -> None:
    files = [
        ("a.csv", HEADER + row(1)),
        ("b.csv", "id,from,to,sent,status,done\n" + row(2)),
        ("c.csv", HEADER + row(3)),
    ]
    counts = count_logs({DAY: [(name, text.encode()) for name, text in files]}, operator())
    assert places(counts) == [("file", "wrong_header")]
    assert "missing columns: state" in counts.refused["reason"][0]
    assert delivered(counts) == 2


def test_columns_are_found_by_name(count_logs) -> None:
    text = "done;id;to;note;from;sent;state\n2020-08-18 10:00:01;a;0901234567;n;BLUEZONE;2020-08-18 10:00:00;OK\n"
    counts = count_logs(
        {DAY: [("x", text.encode()), ("y", (HEADER.replace(",", ";")).encode())]}, operator(delimiter=";")
    )
    assert delivered(counts) == 1
    assert counts.account.read == 1


@pytest.mark.parametrize(
    "text",
    [
        HEADER + row(1) + row(2),
        (HEADER + row(1) + row(2)).replace("\n", "\r\n"),
        HEADER + row(1).replace("\n", "\r\n") + row(2),
        HEADER + row(1) + row(2).rstrip("\n"),
        "\ufeff" + HEADER + row(1) + row(2),
        "\n\n" + HEADER + row(1) + "\n" + row(2) + "\n\n",
    ],
    ids=["lf", "crlf", "mixed", "no last line end", "byte order mark", "blank lines"],
)
@pytest.mark.parametrize("is_packed", [False, True], ids=["plain", "gzip"])
def test_line_endings_do_not_matter(count_logs, text: str, is_packed: bool) -> None:
    content = gzip.compress(text.encode()) if is_packed else text.encode()
    counts = count_logs({DAY: [("log.csv", content)]}, operator())
    assert counts.refused.empty
    assert (delivered(counts), counts.account.read) == (2, 2)


def test_several_gzip_members_are_one_text(count_logs) -> None:
    content = gzip.compress((HEADER + row(1)).encode()) + gzip.compress(row(2).encode())
    counts = count_logs({DAY: [("log.gz", content)]}, operator())
    assert delivered(counts) == 2


@pytest.mark.parametrize("content", [b"", gzip.compress(b"", mtime=0), HEADER.encode(), b"\n\n"])
def test_a_file_without_rows_is_no_fault(count_logs, content: bytes) -> None:
    counts = count_logs({DAY: [("a.csv", content), ("b.csv", (HEADER + row(1)).encode())]}, operator())
    assert counts.refused.empty
    assert counts.account.read == 1


def test_a_line_of_fifty_megabytes_is_refused_alone(count_logs) -> None:
    text = (HEADER + row(1)).encode() + b"x" * 50_000_000 + b"\n" + row(2).encode()
    counts = count_logs({DAY: [("log.csv", text), ("log.gz", gzip.compress(text, 1))]}, operator())
    assert places(counts) == [("line 3", "line_too_long")] * 2
    assert delivered(counts) == 2
    assert max(counts.refused["content"].str.len()) <= 500


def test_a_file_that_is_no_log_is_refused_line_by_line_or_whole(count_logs) -> None:
    noise = random.Random(2).randbytes(20_000)
    counts = count_logs({DAY: [("noise", noise), ("log.csv", (HEADER + row(1)).encode())]}, operator())
    assert places(counts) == [("file", "wrong_header")]
    without_header = operator(column_order=("id", "from", "to", "sent", "state", "done"))
    counts = count_logs({DAY: [("noise", noise), ("log.csv", row(1).encode())]}, without_header)
    assert len(counts.refused) > 0
    assert delivered(counts) == 1


def test_nothing_refused_shows_a_number(count_logs) -> None:
    texts = [
        row(1, state="?"),
        row(2, state="?", to="+84 90 123 4567"),
        row(3, to="84901234X67"),
        row(4, to="090-1234-567,x"),
    ]
    counts = count_logs({DAY: [("log-0901234567.csv", (HEADER + "".join(texts)).encode())]}, operator())
    shown = " ".join(counts.refused.drop(columns="sha256").astype(str).agg(" ".join, axis=1))
    for digits in ("0000001", "1234567", "123 4567", "901234", "1234-567"):
        assert digits not in shown


def test_counting_again_with_files_in_another_order_changes_nothing(count_logs) -> None:
    """The order that decides a tie is that of the files' times, not of the list."""
    day_before = date(2020, 8, 17)
    files = {
        day_before: [("a", HEADER + row(1, state="SENT", done="", sent="2020-08-17 23:59:59"))],
        DAY: [
            ("a", HEADER + row(1, state="NO", sent="2020-08-17 23:59:59") + row(2)),
            ("b", HEADER + row(1, sent="2020-08-17 23:59:59") + row(3, state="?")),
        ],
    }
    folders = {day: [(name, text.encode()) for name, text in content] for day, content in files.items()}
    first = count_logs(folders, operator())
    again = count_logs(folders, operator(), shuffle_list=True)
    assert first.daily["delivered_count"].tolist() == [1, 1]
    pd.testing.assert_frame_equal(first.daily, again.daily)
    pd.testing.assert_frame_equal(first.refused, again.refused)
    assert (first.account, first.known_at) == (again.account, again.known_at)


def test_rows_of_undeclared_connections_are_refused_or_ignored(count_logs) -> None:
    log = {"columns": operator().log.columns.model_dump() | {"connection": "via"}, "quote": None}
    text = "id,from,to,sent,state,done,via\n" + row(1)[:-1] + ",C1\n" + row(1)[:-1] + ",C2\n"
    declared = operator(**log).model_copy(update={"connections": ("C1",)})
    counts = count_logs({DAY: [("log", text.encode())]}, declared)
    assert places(counts) == [("line 3", "unknown_connection")]
    shared = declared.model_copy(update={"other_connections": "ignore"})
    counts = count_logs({DAY: [("log", text.encode())]}, shared)
    assert (counts.account.loaded, counts.account.refused, delivered(counts)) == (2, 0, 1)
    both = operator(**log)
    assert delivered(count_logs({DAY: [("log", text.encode())]}, both)) == 2
