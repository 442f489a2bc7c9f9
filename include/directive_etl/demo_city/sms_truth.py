"""What is true of the demo city's messages after each day, counted from the simulation, not from its logs."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from directive_etl.demo_city.sms_receipts import (
    DELIVERED,
    FINAL_STATES,
    NO_STATE,
    RECEIPT,
    SUBMISSION,
    UNMATCHED_RECEIPT,
)
from directive_etl.demo_city.sms_rows import DEFECTS, SOUND, Rows
from directive_etl.demo_city.sms_subscribers import (
    MOBIFONE,
    OPERATOR_CODES,
    VIETNAMOBILE,
    VIETTEL,
    BoolArray,
    IntArray,
)
from directive_etl.demo_city.sms_texts import TEXTS
from directive_etl.demo_city.sms_traffic import SECOND, Messages

# Receipts are awaited for three days after the day of submission.
WINDOW_DAYS = 3


@dataclass(frozen=True)
class MessageStates:
    """The messages as the logs show them 0, 1, 2 and 3 days (the lag) after the day of submission.

    Attributes:
        is_known: [lag, message] the logs tell of the message.
        state: [lag, message] last final state, NO_STATE without.
        latency: [lag, message] milliseconds from submission to the receipt that gives the state.
    """

    is_known: npt.NDArray[np.bool_]
    state: npt.NDArray[np.int64]
    latency: npt.NDArray[np.int64]


def shown_time(operator: IntArray, moment: IntArray) -> IntArray:
    """Return the moments as the operators' logs show them: whole seconds, but RestComm's milliseconds."""
    return np.where(operator == VIETNAMOBILE, moment, moment // SECOND * SECOND)


def follow_messages(messages: Messages, rows: Rows) -> MessageStates:
    """Follow each message through the readable rows of its own day and of each of the three days after it."""
    told = rows.take((rows.defect == SOUND) & (rows.kind <= RECEIPT))
    lag = told.folder - messages.day[told.message]
    shape = (WINDOW_DAYS + 1, len(messages))
    is_known, state, latency = (
        np.zeros(shape, dtype=bool),
        np.full(shape, NO_STATE),
        np.zeros(shape, dtype=np.int64),
    )
    tells_existence = (told.kind == SUBMISSION) | (told.operator == VIETNAMOBILE)
    submitted = shown_time(messages.operator, messages.submitted)
    at = shown_time(told.operator, told.at)
    final = np.flatnonzero((told.kind == RECEIPT) & np.isin(told.state, FINAL_STATES))
    # By time shown, then by place in the logs: the last assignment to a message is its last final receipt.
    final = final[np.lexsort((final, at[final]))]
    for days in range(WINDOW_DAYS + 1):
        is_known[days, told.message[tells_existence & (lag <= days)]] = True
        seen = final[lag[final] <= days]
        state[days, told.message[seen]] = told.state[seen]
        latency[days, told.message[seen]] = at[seen] - submitted[told.message[seen]]
    state[~is_known] = NO_STATE
    return MessageStates(is_known, state, latency)


def count_messages(messages: Messages, states: MessageStates, day_count: int) -> pd.DataFrame:
    """Count per day of submission, count-through day, operator and campaign.

    Returns:
        day, through int (positions of days), operator int, is_campaign bool, the counts of
        reporting.sms_daily, latency_p50_seconds and latency_p95_seconds (nearest rank; NaN when nothing was
        delivered).
    """
    parts = []
    segments = np.array([text.segment_count for text in TEXTS])[messages.text]
    for lag in range(WINDOW_DAYS + 1):
        frame = pd.DataFrame(
            {
                "day": messages.day,
                "operator": messages.operator,
                "is_campaign": messages.is_campaign,
                "segment_count": segments,
                "state": states.state[lag],
                "latency": states.latency[lag],
                "subscriber": messages.subscriber,
            }
        )[states.is_known[lag]]
        frame = frame[frame["day"] + lag < day_count]
        parts.append(_count_group_states(frame).assign(lag=lag))
    counts = pd.concat(parts, ignore_index=True)
    counts["through"] = counts["day"] + counts["lag"]
    return counts.drop(columns="lag").sort_values(
        ["day", "through", "operator", "is_campaign"], ignore_index=True
    )


def _count_group_states(frame: pd.DataFrame) -> pd.DataFrame:
    keys = ["day", "operator", "is_campaign"]
    names = dict(
        zip(FINAL_STATES, ("delivered_count", "failed_count", "expired_count", "rejected_count"), strict=True)
    )
    names[NO_STATE] = "awaited_count"
    for state, name in names.items():
        frame[name] = frame["state"] == state
    counts = frame.groupby(keys).agg(
        message_count=("state", "size"),
        segment_count=("segment_count", "sum"),
        **{name: (name, "sum") for name in names.values()},
        recipient_count=("subscriber", "nunique"),
    )
    delivered = frame[frame["state"] == DELIVERED].groupby(keys)
    counts["delivered_recipient_count"] = (
        delivered["subscriber"].nunique().reindex(counts.index, fill_value=0)
    )
    for percent in (50, 95):
        ranked = delivered["latency"].agg(_nearest_rank, percent=percent) / SECOND
        counts[f"latency_p{percent}_seconds"] = ranked.reindex(counts.index)
    return counts.reset_index()


def _nearest_rank(values: pd.Series, percent: int) -> int:
    """Return the smallest value with at least `percent` of all values at or below it."""
    rank = -(-percent * len(values) // 100)
    return int(np.sort(values.to_numpy())[rank - 1])


def count_reach(
    messages: Messages, states: MessageStates, subscriber_count: int, day_count: int
) -> pd.DataFrame:
    """Count the distinct subscribers to whom a campaign message of the first day .. `day` was delivered.

    Returns:
        day, through int (positions of days; through is day .. day + 3), reached_subscriber_count.
    """
    rows = []
    for day in range(day_count):
        for through in range(day, min(day + WINDOW_DAYS, day_count - 1) + 1):
            is_reached: BoolArray = np.zeros(subscriber_count, dtype=bool)
            for sent in range(day + 1):
                lag = min(through - sent, WINDOW_DAYS)
                counted = messages.is_campaign & (messages.day == sent) & (states.state[lag] == DELIVERED)
                is_reached[messages.subscriber[counted]] = True
            rows.append((day, through, int(is_reached.sum())))
    return pd.DataFrame(rows, columns=["day", "through", "reached_subscriber_count"])


def account_rows(messages: Messages, rows: Rows) -> pd.DataFrame:
    """Account for the rows of each operator's folders, and count the planted defects.

    Returns:
        operator, folder int, read_count, loaded_count, refused_count, duplicate_count, unchanged_count, and
        one column per defect (truncated_count ...). Header lines are no rows; Kannel's `Log begins` and `Log
        ends` are.
    """
    is_refused = rows.defect != SOUND
    frame = pd.DataFrame(
        {
            "operator": rows.operator,
            "folder": rows.folder,
            "message": rows.message,
            "kind": rows.kind,
            "state": rows.state,
            "at": shown_time(rows.operator, rows.at),
        }
    )
    is_event = rows.kind < UNMATCHED_RECEIPT
    sound = frame[~is_refused & is_event]
    frame["is_duplicate"] = sound.duplicated().reindex(frame.index, fill_value=False)
    frame["is_refused"] = is_refused
    frame["file"] = rows.file
    for position, name in enumerate(DEFECTS[1:], start=1):
        frame[f"{name}_count"] = rows.defect == position
    defects = {f"{name}_count": (f"{name}_count", "sum") for name in DEFECTS[1:]}
    account = (
        frame.groupby(["operator", "folder"])
        .agg(
            read_count=("kind", "size"),
            refused_count=("is_refused", "sum"),
            duplicate_count=("is_duplicate", "sum"),
            file_count=("file", lambda file: file.max() + 1),
            **defects,
        )
        .reset_index()
    )
    is_kannel = account["operator"].isin([VIETTEL, MOBIFONE])
    account["read_count"] += 2 * account["file_count"] * is_kannel
    account["loaded_count"] = account["read_count"] - account["refused_count"] - account["duplicate_count"]
    account["unchanged_count"] = 0
    account.insert(0, "operator_code", [OPERATOR_CODES[o] for o in account["operator"]])
    return account.drop(columns=["operator", "file_count"])
