"""No number and no text of a message leaves the landing zone, whatever the form of the log and wherever they stand.

Canary numbers are planted in every field of every form, in good and refused rows, in broken lines and in file names,
and hunted in all that a run leaves behind: every table of the warehouse, log records, what functions return, the report
of `operator check`, the reach store and the temporary folders.
"""

import io
import logging
import os
import re
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars
import pytest
import sqlalchemy as sa
from tests.sources.sms_log.conftest import CAMPAIGN

from directive_etl.landing.place import LocalPlace
from directive_etl.quality.suites import check_frame
from directive_etl.registry.operators import Operator, load_operator, operator
from directive_etl.sources.sms_log import load
from directive_etl.sources.sms_log.count import count_drop_day
from directive_etl.sources.sms_log.land import land_drop_day
from directive_etl.sources.sms_log.rules import RULES
from directive_etl.sources.sms_log.try_out import iter_trial

DAY = date(2020, 8, 18)
EXAMPLES = Path(__file__).parents[3] / "docs" / "sources" / "examples" / "sms_log"
# Nine digits, of which no other number of these tests has seven in a row.
CANARIES = [f"90{number:07}" for number in range(3141590, 3141590 + 60)]
WORDS = ["BiMatCuaToi", "loinhanrieng"]
SPELLINGS = ("+84 {} {} {}", "0{}{}{}", "84{}{}{}", "0084-{}-{}-{}", "({}) {}.{}")


def spelled(canary: str, place: int) -> str:
    return SPELLINGS[place % len(SPELLINGS)].format(canary[:2], canary[2:5], canary[5:])


def hunt(text: str) -> list[str]:
    """Return the canaries and words that a text holds, however a number is grouped."""
    bare = re.sub(r"(?<=\d)[\s.\-()]{1,2}(?=\d)", "", text)
    return [canary for canary in CANARIES if canary[2:] in bare] + [word for word in WORDS if word in text]


class Canaries:
    """Gives the next canary, in the next spelling."""

    def __init__(self) -> None:
        self._given = 0

    def next(self) -> str:
        self._given += 1
        return spelled(CANARIES[self._given % len(CANARIES)], self._given)


def planted(values: list[str], joint: str, canaries: Canaries) -> Iterator[str]:
    """Yield a good row, and rows in which each value in turn is a canary, or holds one."""
    yield joint.join(values)
    for place in range(len(values)):
        for canary in (canaries.next(), f"x{canaries.next()}y", f"b'{canaries.next()}'"):
            yield joint.join([*values[:place], canary, *values[place + 1 :]])
    broken = joint.join([*values[:3], canaries.next(), WORDS[1]])
    yield broken[: len(broken) - 4]
    yield f"{WORDS[0]} {canaries.next()} {WORDS[1]}"
    yield f"{canaries.next()}\0{WORDS[0]}"
    yield f'"{canaries.next()} {WORDS[0]}'
    yield f"{WORDS[0]}\x01{canaries.next()}\udcff"


def gateway_lines(sample: str, canaries: Canaries) -> list[str]:
    """Plant in the fields of gateway lines: each value in brackets in turn."""
    lines = []
    for line in sample.splitlines():
        for field in re.finditer(r"\[([^:\]]+):([^\]]*)\]", line):
            lines.append(line[: field.start(2)] + canaries.next() + line[field.end(2) :])
            lines.append(line[: field.start(2)] + f"{WORDS[0]}{canaries.next()}{WORDS[1]}"[3:])
        lines.append(f"{canaries.next()} {line}")
    return lines


def forms(canaries: Canaries) -> Iterator[tuple[Operator, str, bytes]]:
    """Yield each form of log with a file full of canaries."""
    body = f"{WORDS[0]} {{}} {WORDS[1]}"
    for name, joint in (("etelecom", ","), ("smpp", "|"), ("restcomm", ","), ("esms_callback", ";")):
        declared = load_operator(EXAMPLES / f"{name}.yaml")
        sample = {"etelecom": "etelecom.csv", "smpp": "smpp.log", "restcomm": "cdr_restcomm.csv"}.get(
            name, "callback.csv"
        )
        first, second, *_ = (EXAMPLES / sample).read_text().splitlines()
        values = second.split(joint)
        text = "\n".join([first, *planted(values, joint, canaries)])
        if name == "smpp":
            receipt = f"id:10 done date:2008180301 stat:{{}} err:000 text:{body}"
            text += "".join(f"\n|c1||||{receipt.format(canaries.next(), canaries.next())}" for _ in range(3))
        yield declared, sample, (text + "\n").encode("utf-8", "surrogateescape")
    declared = load_operator(EXAMPLES / "esms.yaml")
    first = (EXAMPLES / "esms.jsonl").read_text().splitlines()[0].replace("Cài đặt Bluezone", WORDS[0])
    lines = [first, first[:-30], f"[{canaries.next()}]", f'"{WORDS[0]}']
    for field in re.finditer(r'":("[^"]*"|\d+)', first):
        lines.append(first[: field.start(1)] + f'"{canaries.next()}"' + first[field.end(1) :])
    yield declared, "esms.jsonl", "\n".join(lines).encode()
    for name, sample in (("kannel", "kannel.log"), ("jasmin", "messages.log")):
        text = "\n".join(gateway_lines((EXAMPLES / sample).read_text(), canaries))
        yield load_operator(EXAMPLES / f"{name}.yaml"), sample, text.encode()
    default = operator("viettel").model_copy(update={"connections": ()})
    text = "\n".join(
        gateway_lines((Path(__file__).parent / "kannel" / "access.log").read_text()[:8000], canaries)
    )
    yield default, "access.log", text.encode()
    columns = {
        "message_id": "id",
        "recipient": "to",
        "submitted_at": "sent",
        "status": "state",
        "sender": "from",
    }
    log = {"format": "parquet", "columns": columns, "time_format": "%Y", "status_map": {"OK": "delivered"}}
    log["time_format"] = "%Y-%m-%d %H:%M:%S"
    parquet = Operator.model_validate({"operator_code": "parquet", "name": "P", "log": log})
    good = {
        "id": "1",
        "to": canaries.next(),
        "sent": "2020-08-18 10:00:00",
        "state": "OK",
        "from": "BLUEZONE",
    }
    rows = [{**good, "body": WORDS[0]}, *({**good, name: canaries.next(), "body": WORDS[1]} for name in good)]
    stream = io.BytesIO()
    polars.DataFrame(rows).write_parquet(stream)
    yield parquet, "log.parquet", stream.getvalue()


def dump(engine: sa.Engine) -> Iterator[str]:
    """Yield every row of every table of the warehouse as text."""
    with engine.connect() as connection:
        names = connection.execute(
            sa.text(
                "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname in ('ops', 'core')"
            )
        )
        for (name,) in names.all():
            yield from connection.execute(sa.text(f"select t::text from {name} t")).scalars()


def test_no_number_and_no_text_leaves_the_landing_zone(
    tmp_path: Path,
    warehouse: sa.Engine,
    owner_engine: sa.Engine,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    caplog.set_level(logging.DEBUG)
    canaries = Canaries()
    told: list[str] = []
    reasons: set[str] = set()
    for place, (declared, name, content) in enumerate(forms(canaries)):
        # Stored rows name an operator of the registry.
        known = declared.model_copy(update={"operator_code": "viettel", "file_patterns": ("*",)})
        root = tmp_path / str(place)
        folder = root / "drop" / "sms" / "viettel" / DAY.isoformat()
        folder.mkdir(parents=True)
        path = folder / f"{place}-{canaries.next()}-{name}"
        assert len(set(hunt(content.decode("latin-1")))) > 5
        path.write_bytes(content)
        os.utime(path, (1597794000 + place, 1597794000 + place))
        told += list(iter_trial(declared, [CAMPAIGN], path, "128MB", 10**9))
        (folder / f"left-{canaries.next()}").symlink_to(path)
        taken = land_drop_day(LocalPlace(root / "drop"), root / "landing", known, DAY)
        assert taken is not None
        assert [left.reason_code for left in taken.left] == ["link"]
        told += [str(left) for left in taken.left]
        landed = taken.files
        counts = count_drop_day(
            {DAY: landed},
            known,
            [CAMPAIGN],
            DAY,
            hash_key="a key that only tests use",
            memory_limit="128MB",
            reach_root=root / "landing" / "sms_reach",
        )
        reasons |= set(counts.refused["reason_code"])
        told += [repr(counts), counts.daily.to_csv(), counts.refused.to_csv(), repr(landed[0].origin)]
        checks = check_frame(counts.daily, "core.daily_sms", RULES)
        batch = load.operator_batch(known, DAY, {DAY: landed}, counts, checks)
        told += [repr(check) for check in batch.checks]
        load.load_operator_day(warehouse, known, batch, counts, [DAY])
        told += [
            path.read_bytes().decode("latin-1")
            for path in (root / "landing" / "sms_reach").rglob("*.parquet")
        ]
        assert [path.name for path in (root / "landing").rglob(".scratch*")] == []
    assert reasons > {
        "wrong_layout",
        "wrong_column_count",
        "bad_number",
        "bad_time",
        "unknown_status",
        "bad_receipt",
    }
    told += list(dump(owner_engine))
    told += [f"{record.getMessage()} {record.exc_text}" for record in caplog.records]
    assert len(told) > 200
    assert [found for text in told if (found := hunt(text))] == []
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("place", range(len(SPELLINGS)))
def test_the_hunt_finds_a_planted_leak(place: int, owner_engine: sa.Engine, warehouse: sa.Engine) -> None:
    leak = f"line 7: {spelled(CANARIES[7], place)} {WORDS[0]}"
    with owner_engine.begin() as connection:
        connection.execute(
            sa.text(
                "insert into ops.landed_file"
                " (sha256, source_code, part_code, report_date, origin, known_at, size_bytes)"
                " values (:sha256, 'sms_log', 'viettel', '2020-08-18', :leak, now(), 1)"
            ),
            {"leak": leak, "sha256": "0" * 64},
        )
    assert [hunt(text) for text in dump(owner_engine) if hunt(text)] == [[CANARIES[7], WORDS[0]]]
