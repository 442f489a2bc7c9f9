"""A log that a real Kannel wrote, against what independent code counted in it."""

import json
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from directive_etl.registry.operators import Operator

FOLDER = Path(__file__).parent / "kannel"
# 19:15 UTC on the 23rd.
DAY = date(2026, 11, 24)
NAMES = ("access.log.1", "access.log")


def gateway(connection: str) -> Operator:
    """The test peers number some phones abroad, FAKE logs no ids, and one connection lost log lines to the rotation."""
    return Operator.model_validate(
        {
            "operator_code": "gateway",
            "name": "Gateway of the sample",
            "connections": (connection,),
            "other_connections": "ignore",
            "number_plan": "international",
            "lone_receipts": "message",
            "time_zone": "UTC",
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


@pytest.fixture(params=[NAMES, NAMES[::-1]], ids=["older file first", "newer file first"])
def files(request: pytest.FixtureRequest) -> list[tuple[str, bytes]]:
    return [(name, (FOLDER / name).read_bytes()) for name in request.param]


@pytest.fixture
def truth() -> dict[str, dict[str, int]]:
    return json.loads((FOLDER / "log_truth.json").read_text())


def test_states_by_connection_equal_the_truth(files, truth, count_logs) -> None:
    # The truth names the state of type 34, 2|32, failed: the sample's peers expire by failing.
    found: Counter[str] = Counter()
    for connection in ("VIETTEL-01", "MOBI-02", "VNPT-HNI", "FAKE"):
        daily = count_logs({DAY: files}, gateway(connection), campaigns=()).daily
        assert daily["report_date"].unique().tolist() == [DAY]
        row = daily.sum(numeric_only=True)
        found[f"{connection} DELIVERED"] += int(row["delivered_count"])
        found[f"{connection} FAILED"] += int(row["failed_count"] + row["expired_count"])
        found[f"{connection} NO_FINAL"] += int(row["pending_count"])
        found["messages"] += int(row["message_count"])
    assert found.pop("messages") == truth["distinct messages"]
    assert +found == truth["by smsc and final state"]


def test_every_line_is_accounted_for(files, truth, count_logs) -> None:
    counts = count_logs({DAY: files}, gateway("VIETTEL-01"), campaigns=())
    assert counts.account.read == sum(content.count(b"\n") for _, content in files)
    assert counts.account.read == counts.account.loaded + counts.account.duplicate
    assert counts.refused.empty


def test_receipts_by_type_equal_the_truth(files, truth, count_logs) -> None:
    """An operator without the type in its map refuses exactly the lines of that type."""
    for kind, count in truth["dlr types"].items():
        connection, _, number = kind.partition(" type ")
        if connection == "FAKE":
            continue  # some of its receipts carry no id, so they are no messages of ours
        operator = gateway(connection)
        left = {status: state for status, state in operator.log.status_map.items() if status != number}
        if "delivered" not in left.values():
            left["none"] = "delivered"
        narrowed = operator.model_copy(update={"log": operator.log.model_copy(update={"status_map": left})})
        refused = count_logs({DAY: files}, narrowed, campaigns=()).refused
        assert refused["reason_code"].tolist() == ["unknown_status"] * count
