"""The demo city's logs, landed and counted day by day, give exactly what the simulation says is true."""

import gzip
import re
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from directive_etl.demo_city.sms import SmsSimulation, simulate_sms, write_sms_logs
from directive_etl.landing import LandedFile
from directive_etl.landing.place import LocalPlace
from directive_etl.periods import days_between
from directive_etl.registry.campaigns import campaigns
from directive_etl.registry.operators import operators
from directive_etl.sources.sms_log.count import DropDayCounts, count_drop_day
from directive_etl.sources.sms_log.land import land_drop_day
from directive_etl.sources.sms_log.reach import count_reached

DAYS = days_between(date(2020, 8, 18), date(2020, 8, 26))
KEYS = ["report_date", "operator_code", "campaign_code"]


@pytest.fixture(scope="module")
def simulation() -> SmsSimulation:
    return simulate_sms(11, DAYS, subscriber_count=3_000)


@pytest.fixture(scope="module")
def reach_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reach")


@pytest.fixture(scope="module")
def root(simulation: SmsSimulation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("city")
    write_sms_logs(simulation, root / "drop" / "sms")
    return root


@pytest.fixture(scope="module")
def counts(root: Path, reach_root: Path) -> dict[tuple[str, date], DropDayCounts]:
    counted = {}
    for operator in operators():
        landed: dict[date, list[LandedFile]] = {}
        for day in DAYS:
            landed[day] = land_drop_day(LocalPlace(root / "drop"), root / "landing", operator, day).files
            counted[operator.operator_code, day] = count_drop_day(
                landed,
                operator,
                campaigns(),
                day,
                hash_key="a key that only tests use",
                memory_limit="256MB",
                reach_root=reach_root,
            )
    return counted


def test_every_figure_equals_the_truth(
    simulation: SmsSimulation, counts: dict[tuple[str, date], DropDayCounts]
) -> None:
    # A later count of a day replaces an earlier one.
    daily = pd.concat([counted.daily for counted in counts.values()]).sort_values([*KEYS, "counted_through"])
    newest = daily.drop_duplicates(KEYS, keep="last").drop(columns="counted_through").reset_index(drop=True)
    pd.testing.assert_frame_equal(newest, simulation.true_sms_daily(), check_dtype=False)


def test_every_row_is_accounted_for(
    simulation: SmsSimulation, counts: dict[tuple[str, date], DropDayCounts]
) -> None:
    truth = simulation.true_row_account().set_index(["operator_code", "report_date"])
    for key, counted in counts.items():
        parts = ["read", "loaded", "refused", "duplicate", "unchanged"]
        assert [getattr(counted.account, part) for part in parts] == [
            truth.at[key, f"{part}_count"] for part in parts
        ]
        assert len(counted.refused) == counted.account.refused


def test_late_receipts_are_those_of_messages_whose_day_was_final(
    root: Path, counts: dict[tuple[str, date], DropDayCounts]
) -> None:
    late = {"viettel": 0, "vinaphone": 0}
    for operator_code in late:
        submitted: dict[tuple[str, str], date] = {}
        receipts: list[tuple[date, tuple[str, str]]] = []
        for drop_day in DAYS:
            for path in sorted((root / "drop" / "sms" / operator_code / str(drop_day)).iterdir()):
                packed = path.read_bytes()
                text = (gzip.decompress(packed) if packed[:2] == b"\x1f\x8b" else packed).decode(
                    "utf-8", "replace"
                )
                for line in text.splitlines():
                    read = read_kannel if operator_code == "viettel" else read_columns
                    if (event := read(line)) is None:
                        continue
                    key, day, is_final_receipt = event
                    if day is not None:
                        submitted[key] = day
                    if is_final_receipt:
                        receipts.append((drop_day, key))
        window = timedelta(days=3)
        late[operator_code] = sum(
            key in submitted and submitted[key] < drop_day - window for drop_day, key in receipts
        )
        assert sum(counts[operator_code, day].late_count for day in DAYS) == late[operator_code]
    assert min(late.values()) > 0


Event = tuple[tuple[str, str], date | None, bool]


def read_kannel(line: str) -> Event | None:
    found = re.match(
        r"([0-9-]{10}) .{8} (Sent SMS|Receive DLR) \[SMSC:(.*?)\] .*? \[FID:(.+?)\] .*? \[to:([^\]]*)\]"
        r" \[flags:.*?:(\d+)\] \[msg:.*\]$",
        line,
    )
    if found is None or "\0" in line or "\ufffd" in line:
        return None
    day, event, connection, number, recipient, kind = found.groups()
    if len(re.sub(r"\D", "", recipient)) < 9:
        return None
    is_sent = event == "Sent SMS"
    return (
        (connection, number),
        date.fromisoformat(day) if is_sent else None,
        not is_sent and kind in ("1", "2", "16", "34"),
    )


def read_columns(line: str) -> Event | None:
    parts = line.split(";")
    if len(parts) != 7 or not re.fullmatch(r"\d\d/\d\d/2020 \d\d:\d\d:\d\d", parts[3]) or "\ufffd" in line:
        return None
    if len(re.sub(r"\D", "", parts[2])) < 9:
        return None
    day, month, year = parts[3][:10].split("/")
    is_final = parts[5] in ("SUCCESS", "FAIL", "EXPIRED", "REJECT") and bool(parts[6])
    return ("", parts[0]), date(int(year), int(month), int(day)), is_final


def test_reach_equals_the_truth_after_every_drop_day(
    simulation: SmsSimulation, counts: dict[tuple[str, date], DropDayCounts], reach_root: Path
) -> None:
    history = simulation.true_observations().query("measure_code == 'sms_reached_subscriber_count'")
    last = history.groupby("figure_date")["value"].last()
    assert count_reached(reach_root, "bluezone-2020", DAYS, DAYS[-1], DAYS[0]) == {
        day: last[day] for day in DAYS
    }
    for day in DAYS:
        through = min(DAYS[-1], day + timedelta(days=3))
        assert count_reached(reach_root, "bluezone-2020", [day], through, DAYS[0])[day] <= last[day]


def test_no_number_is_in_what_leaves_the_landing_zone(
    simulation: SmsSimulation, counts: dict[tuple[str, date], DropDayCounts]
) -> None:
    numbers = simulation.true_phone_numbers()
    refused = pd.concat([counted.refused for counted in counts.values()])
    assert len(refused) > 0
    texts = "\n".join(refused.astype(str).agg(" ".join, axis=1))
    assert not [number for number in numbers if number in texts]
