"""The SMS truth equals what the slow reader of conftest.py finds in the log files, faults included."""

import gzip
import re
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import phonenumbers
import pytest

from directive_etl.demo_city.sms import simulate_sms, write_sms_logs
from directive_etl.demo_city.sms_texts import TEXTS
from directive_etl.periods import LOCAL_ZONE, close_of, day_end, days_between
from directive_etl.registry.campaigns import campaigns

DAYS = days_between(date(2020, 8, 18), date(2020, 8, 25))
OPERATORS = ("viettel", "vinaphone", "mobifone", "vietnamobile")
CAMPAIGN = next(c for c in campaigns() if c.campaign_code == "bluezone-2020")
KEYS = ["report_date", "operator_code", "campaign_code"]


def nearest_rank(values: list[float], share: float) -> float:
    values = sorted(values)
    return next(value for count, value in enumerate(values, start=1) if count >= share * len(values) - 1e-9)


def count_group(messages: list, is_final: bool) -> dict[str, object]:
    ends = [message.end() for message in messages]
    states = [state for state, _ in ends]
    latencies = [seconds for state, seconds in ends if state == "delivered" and seconds is not None]
    delivered = {
        message.number for message, state in zip(messages, states, strict=True) if state == "delivered"
    }
    return {
        "message_count": len(messages),
        "segment_count": sum(message.segments for message in messages),
        "delivered_count": states.count("delivered"),
        "failed_count": states.count("failed"),
        "expired_count": states.count("expired"),
        "rejected_count": states.count("rejected"),
        "pending_count": 0 if is_final else states.count(None),
        "unknown_count": states.count(None) if is_final else 0,
        "recipient_count": len({message.number for message in messages}),
        "delivered_recipient_count": len(delivered),
        "latency_p50_seconds": nearest_rank(latencies, 0.50),
        "latency_p95_seconds": nearest_rank(latencies, 0.95),
        "maturity": "final" if is_final else "open",
    }


def test_true_sms_daily_equals_a_recount_of_the_logs(sms_simulation, sms_recounted):
    rows = []
    for day in DAYS:
        through = min(day + timedelta(days=3), DAYS[-1])
        for operator in OPERATORS:
            for campaign_code, sender in (("-", "CSKH"), ("bluezone-2020", "BLUEZONE")):
                messages = [m for m in sms_recounted[operator, day, through] if m.sender == sender]
                counts = count_group(messages, is_final=through == day + timedelta(days=3))
                rows.append(
                    {"report_date": day, "operator_code": operator, "campaign_code": campaign_code} | counts
                )
    expected = pd.DataFrame(rows).sort_values(KEYS, ignore_index=True)
    pd.testing.assert_frame_equal(sms_simulation.true_sms_daily(), expected, check_dtype=False)


def reached(recounted, day: date, through: date) -> int:
    numbers = set()
    for sent in days_between(DAYS[0], day):
        for operator in OPERATORS:
            for message in recounted[operator, sent, min(through, sent + timedelta(days=3))]:
                if message.sender == "BLUEZONE" and message.end()[0] == "delivered":
                    numbers.add(message.number)
    return len(numbers)


def test_every_revision_of_the_observations_equals_a_recount_of_the_logs(
    sms_simulation, sms_folders, sms_recounted
):
    expected = []
    for day in DAYS:
        last: dict[tuple[str, str], tuple[int, str]] = {}
        for through in days_between(day, min(day + timedelta(days=3), DAYS[-1])):
            status = "A" if through == day + timedelta(days=3) else "P"
            used = {
                o: [sms_folders[o, d] for d in DAYS if through - timedelta(days=3) <= d <= through]
                for o in OPERATORS
            }
            known_at = {o: max(folder.known_at for folder in of_operator) for o, of_operator in used.items()}
            figures, total = {}, 0
            for operator in OPERATORS:
                messages = [m for m in sms_recounted[operator, day, through] if m.sender == "BLUEZONE"]
                delivered = sum(message.end()[0] == "delivered" for message in messages)
                figures["sms_message_count", operator] = (len(messages), known_at[operator])
                figures["sms_delivered_count", operator] = (delivered, known_at[operator])
                total += len(messages)
            latest = max(known_at.values())
            figures["sms_reached_subscriber_count", "bluezone-2020"] = (
                reached(sms_recounted, day, through),
                latest,
            )
            figures["sms_subscriber_count", "bluezone-2020"] = (CAMPAIGN.subscriber_count, latest)
            figures["sms_wave_count", "bluezone-2020"] = (int(total >= CAMPAIGN.wave_min_messages), latest)
            for (measure, category), (value, moment) in figures.items():
                if last.get((measure, category)) != (value, status):
                    expected.append(("STTTT", measure, category, day, value, moment, status))
                    last[measure, category] = (value, status)
    got = sms_simulation.true_observations()
    assert got["known_at"].dt.tz is not None
    rows = [(*row[:5], row[5].astimezone(UTC), row[6]) for row in got.itertuples(index=False)]
    assert sorted(rows) == sorted(expected)


def test_true_sms_reach_is_the_reach_of_the_last_folder(sms_simulation, sms_recounted):
    got = sms_simulation.true_sms_reach()
    counts = [reached(sms_recounted, day, min(day + timedelta(days=3), DAYS[-1])) for day in DAYS]
    assert got["reached_subscriber_count"].tolist() == counts
    assert got["days_since_last_wave"].tolist() == [0, 1, 2, 0, 1, 2, 3, 0]


def test_the_row_account_equals_a_count_of_the_lines(sms_simulation, sms_folders):
    account = sms_simulation.true_row_account().set_index(["operator_code", "report_date"])
    for key, folder in sms_folders.items():
        row = account.loc[key]
        got = (row["read_count"], row["refused_count"], row["duplicate_count"])
        assert got == (folder.read, folder.refused, folder.duplicates), key
        assert (
            row["read_count"]
            == row[["loaded_count", "refused_count", "duplicate_count", "unchanged_count"]].sum()
        )
        assert row["refused_count"] > 0


def test_every_kind_of_fault_is_planted(sms_simulation, sms_folders):
    account = sms_simulation.true_row_account()
    for kind in ("truncated", "bad_date", "bad_number", "bad_utf8", "wrong_columns"):
        assert account[f"{kind}_count"].sum() > 0, kind
    events = [event for folder in sms_folders.values() for event in folder.events]
    assert {"FAILED Receive DLR", "Receive SMS", "Sent SMS", "log"} <= {event.kind for event in events}
    order = {}
    for folder in sms_folders.values():
        for event in folder.events:
            order.setdefault(event.message_id, []).append(event)
    assert any(rows[0].kind == "receipt 1" and rows[-1].kind == "sent" for rows in order.values()), (
        "receipt first"
    )
    finals = [[e.state for e in rows if e.state not in ("sent", "pending")] for rows in order.values()]
    assert any(set(states) == {"failed", "delivered"} for states in finals), "contradicting receipts"
    assert any(len(states) == 2 and len(set(states)) == 1 for states in finals), (
        "the same receipt again later"
    )


def test_receipts_come_up_to_three_days_late(sms_folders, sms_recounted):
    lags = {
        (folder_day - event.submitted_at.date()).days
        for (operator, folder_day), folder in sms_folders.items()
        if operator == "vinaphone"
        for event in folder.events
    }
    assert {0, 1, 2, 3} <= lags
    assert max(lags) > 3, "a few come after the count is final"


def test_folders_are_delivered_between_midnight_and_the_close(sms_drop):
    for operator in OPERATORS:
        for day in DAYS:
            for path in (sms_drop / operator / day.isoformat()).iterdir():
                moment = datetime.fromtimestamp(path.stat().st_mtime, LOCAL_ZONE)
                assert day_end(day) < moment < close_of(day)


def test_ids_repeat_across_connections_and_senders_write_the_long_notice(sms_drop):
    text = "".join(
        gzip.decompress(path.read_bytes()).decode(errors="replace")
        for path in sorted((sms_drop / "viettel" / "2020-08-18").iterdir())
    )
    ids = {smsc: set(re.findall(rf"\[SMSC:{smsc}\].*?\[FID:(\d+)\]", text)) for smsc in ("VT-01", "VT-02")}
    assert len(ids["VT-01"] & ids["VT-02"]) > 100
    assert (len(TEXTS[0].body), TEXTS[0].segment_count) == (353, 6)
    assert TEXTS[0].logged_body in text


def test_every_number_is_a_vietnamese_mobile_number_of_nine_digits(sms_simulation):
    numbers = sms_simulation.true_phone_numbers()
    assert len(numbers) == len(sms_simulation.subscribers.number)
    for number in sorted(numbers)[::25]:
        parsed = phonenumbers.parse(f"+84{number}")
        assert phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.MOBILE, number


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(sms_drop, sms_simulation, tmp_path):
    again, other = (
        (simulate_sms(seed, DAYS[:2], subscriber_count=300) for seed in (3, 3)),
        simulate_sms(4, DAYS[:2], 300),
    )
    contents = []
    for number, run in enumerate((*again, other)):
        paths = write_sms_logs(run, tmp_path / str(number))
        contents.append(
            [
                (path.relative_to(tmp_path / str(number)), path.read_bytes(), path.stat().st_mtime)
                for path in paths
            ]
        )
    assert contents[0] == contents[1]
    assert [content[1] for content in contents[0]] != [content[1] for content in contents[2]]


def test_days_with_a_gap_are_refused():
    with pytest.raises(ValueError, match="consecutive"):
        simulate_sms(1, [DAYS[0], DAYS[2]])
