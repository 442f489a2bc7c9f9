"""Random histories of messages, written to real files in every format, give what a simple count of them gives."""

import math
from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta

import pandas as pd
import pytest
from hypothesis import given
from tests.sources.sms_log.histories import (
    FIRST_DAY,
    SOME_HISTORIES,
    SOME_LATE_HISTORIES,
    WINDOW_DAYS,
    Event,
    History,
    histories,
    late_histories,
)
from tests.sources.sms_log.history_formats import ATTEMPTS, FORMS, Format, Written, write_history

from directive_etl.periods import LOCAL_ZONE


def count_plainly(history: History, written: Written, form: Format, drop_day: int) -> pd.DataFrame:
    """Count message by message, in the order of files and lines."""
    first_folder = max(drop_day - WINDOW_DAYS, min(day for day in folder_numbers(written)))
    seen: dict[int, list[Event]] = defaultdict(list)
    for folder, event in written.sound:
        if drop_day - WINDOW_DAYS <= folder <= drop_day:
            seen[event.message].append(event)
    rows: dict[tuple[date, str], dict[str, object]] = {}
    for folder in folder_numbers(written):
        if drop_day - WINDOW_DAYS <= folder <= drop_day:
            rows[FIRST_DAY + timedelta(days=folder), "bluezone-2020"] = new_row()
    for number, events in seen.items():
        message = history.messages[number]
        day = message.sent_at // 86_400
        if (
            not (form.is_told_by_all or any(event.state is None for event in events))
            or not first_folder <= day <= drop_day
        ):
            continue
        campaign = "bluezone-2020" if message.sender == "BLUEZONE" else "-"
        row = rows.setdefault((FIRST_DAY + timedelta(days=day), campaign), new_row())
        row["messages"] += 1
        row["segments"] += message.segments
        row["recipients"].add(message.number)
        final = [event for event in events if event.state not in (None, "pending")]
        last = max(final, key=lambda event: event.at) if final else None
        for event in final:  # the last of those with the latest time
            if event.at == last.at:
                last = event
        row[last.state if last else "none"] += 1
        if last and last.state == "delivered":
            row["reached"].add(message.number)
            fraction = 0.125 if form is ATTEMPTS else 0
            row["waits"].append(last.at - message.sent_at + fraction)
    return pd.DataFrame(
        [
            {
                "report_date": day,
                "campaign_code": campaign,
                "message_count": row["messages"],
                "segment_count": row["segments"],
                "delivered_count": row["delivered"],
                "failed_count": row["failed"],
                "expired_count": row["expired"],
                "rejected_count": row["rejected"],
                "pending_count": 0 if is_final(day, drop_day) else row["none"],
                "unknown_count": row["none"] if is_final(day, drop_day) else 0,
                "recipient_count": len(row["recipients"]),
                "delivered_recipient_count": len(row["reached"]),
                "latency_p50_seconds": nearest_rank(row["waits"], 50),
                "latency_p95_seconds": nearest_rank(row["waits"], 95),
                "maturity": "final" if is_final(day, drop_day) else "open",
            }
            for (day, campaign), row in sorted(rows.items())
        ]
    )


def folder_numbers(written: Written) -> list[int]:
    return [(day - FIRST_DAY).days for day in written.folders]


def is_final(day: date, drop_day: int) -> bool:
    return FIRST_DAY + timedelta(days=drop_day) >= day + timedelta(days=WINDOW_DAYS)


def new_row() -> dict[str, object]:
    counts = dict.fromkeys(("messages", "segments", "delivered", "failed", "expired", "rejected", "none"), 0)
    return {**counts, "recipients": set(), "reached": set(), "waits": []}


def nearest_rank(values: list[float], percent: int) -> float:
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1] if values else math.nan


def count_repeats(written: Written, form: Format, drop_day: int) -> int:
    """Count the lines of a folder that repeat one of it, or of a folder of the window before it."""
    seen = set()
    repeats = 0
    for folder, event in written.sound:
        # An attempt at the time of submission looks the same, whether more was to be told or not.
        identity = (event.message, event.state or ("pending" if form is ATTEMPTS else None), event.at)
        if drop_day - WINDOW_DAYS <= folder <= drop_day:
            repeats += folder == drop_day and identity in seen
            seen.add(identity)
    return repeats


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.operator.operator_code)
@SOME_HISTORIES
@given(history=histories())
def test_a_history_is_counted_as_by_hand(history: History, form: Format, count_logs) -> None:
    written = write_history(history, form)
    for day in written.folders:
        drop_day = (day - FIRST_DAY).days
        folders = {other: files for other, files in written.folders.items() if other <= day}
        counts = count_logs(folders, form.operator)

        truth = count_plainly(history, written, form, drop_day)
        pd.testing.assert_frame_equal(counts.daily[truth.columns.tolist()], truth, check_dtype=False)

        account = counts.account
        assert account.read == written.row_counts[day] == account.loaded + account.refused + account.duplicate
        assert account.duplicate == count_repeats(written, form, drop_day)
        refused = counts.refused
        assert len(refused) == account.refused == len(written.refused[day])
        assert sorted(refused["place"]) == sorted(f"line {line}" for _, line in written.refused[day])
        assert counts.known_at == datetime.combine(day + timedelta(days=1), time(8), LOCAL_ZONE).astimezone(
            UTC
        )


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.operator.operator_code)
@SOME_LATE_HISTORIES
@given(pair=late_histories())
def test_receipts_up_to_72_hours_late_in_any_order_converge_to_the_same_final_figures(
    pair: tuple[History, History], form: Format, count_logs
) -> None:
    operator = form.operator.model_copy(update={"window_days": 3})
    at_once, later = (count_logs(write_history(history, form).folders, operator) for history in pair)
    assert set(at_once.daily.query("report_date == @FIRST_DAY")["maturity"]) == {"final"}
    pd.testing.assert_frame_equal(at_once.daily, later.daily)
    assert at_once.refused.empty and later.refused.empty
