"""The demo city's SMS traffic: simulated messages, the operators' log folders, and what is true of them.

The folders have the form that `docs/sources/sms_log.md` describes. Everything is drawn from one seed, and the
truth is counted from the simulation: nothing here reads a log or uses the pipeline's readers and counters.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from directive_etl.demo_city.sms_files import FolderWriter
from directive_etl.demo_city.sms_receipts import draw_events
from directive_etl.demo_city.sms_rows import Rows, lay_out_rows
from directive_etl.demo_city.sms_subscribers import OPERATOR_CODES, Subscribers, draw_subscribers
from directive_etl.demo_city.sms_traffic import Messages, draw_messages
from directive_etl.demo_city.sms_truth import (
    WINDOW_DAYS,
    MessageStates,
    account_rows,
    count_messages,
    count_reach,
    follow_messages,
)
from directive_etl.periods import day_end, days_between
from directive_etl.registry.campaigns import Campaign, campaigns

CAMPAIGN_CODE = "bluezone-2020"
NO_CAMPAIGN_CODE = "-"
UNIT_CODE = "STTTT"

OBSERVATION_COLUMNS = [
    "unit_code",
    "measure_code",
    "category_code",
    "figure_date",
    "value",
    "known_at",
    "obs_status",
]

_STATE_COUNTS = ["delivered_count", "failed_count", "expired_count", "rejected_count"]
_DAILY_COLUMNS = [
    "report_date",
    "operator_code",
    "campaign_code",
    "message_count",
    "segment_count",
    *_STATE_COUNTS,
    "pending_count",
    "unknown_count",
    "recipient_count",
    "delivered_recipient_count",
    "latency_p50_seconds",
    "latency_p95_seconds",
    "maturity",
]

# A folder is complete between half an hour after midnight and a good while before the close at 08:00.
_FIRST_DELIVERY = timedelta(minutes=30)
_LATEST_DELIVERY_MINUTES = 330


@dataclass(frozen=True)
class SmsSimulation:
    """All that happened, and what is true of it.

    Attributes:
        days: consecutive reporting days; day positions elsewhere count from the first.
        delivered_at: [operator, folder] time the folder's last file was delivered (its mtime).
    """

    days: list[date]
    subscribers: Subscribers
    messages: Messages
    rows: Rows
    delivered_at: list[list[datetime]]

    @cached_property
    def _states(self) -> MessageStates:
        return follow_messages(self.messages, self.rows)

    @cached_property
    def _counts(self) -> pd.DataFrame:
        return count_messages(self.messages, self._states, len(self.days))

    @cached_property
    def _reach(self) -> pd.DataFrame:
        return count_reach(self.messages, self._states, len(self.subscribers.number), len(self.days))

    def true_observations(self) -> pd.DataFrame:
        """Return every revision of every figure (OBSERVATION_COLUMNS), in order of day, measure and time.

        A figure gets a row when its value or its status changes: P while receipts are awaited, then A. Its
        `known_at` (aware) is the delivery of the newest folder counted in.
        """
        history = pd.concat([self._operator_history(), self._campaign_history()], ignore_index=True)
        history["obs_status"] = np.where(history["through"] - history["day"] == WINDOW_DAYS, "A", "P")
        keys = ["measure_code", "category_code", "day"]
        history = history.sort_values([*keys, "through"])
        before = history.groupby(keys)[["value", "obs_status"]].shift()
        history = history[
            (before["value"] != history["value"]) | (before["obs_status"] != history["obs_status"])
        ]
        history = history.assign(unit_code=UNIT_CODE, figure_date=[self.days[d] for d in history["day"]])
        return history.sort_values(["day", "measure_code", "category_code", "through"])[
            OBSERVATION_COLUMNS
        ].reset_index(drop=True)

    def true_sms_daily(self) -> pd.DataFrame:
        """Return reporting.sms_daily as of the last day, without delivered_pct, in order of its keys."""
        last = self._counts.groupby(["day", "operator", "is_campaign"]).tail(1)
        is_final = (last["through"] - last["day"] == WINDOW_DAYS).to_numpy()
        daily = last.assign(
            report_date=[self.days[d] for d in last["day"]],
            operator_code=[OPERATOR_CODES[o] for o in last["operator"]],
            campaign_code=np.where(last["is_campaign"], CAMPAIGN_CODE, NO_CAMPAIGN_CODE),
            pending_count=np.where(is_final, 0, last["awaited_count"]),
            unknown_count=np.where(is_final, last["awaited_count"], 0),
            maturity=np.where(is_final, "final", "open"),
        )
        return daily[_DAILY_COLUMNS].sort_values(_DAILY_COLUMNS[:3], ignore_index=True)

    def true_sms_reach(self) -> pd.DataFrame:
        """Return reporting.sms_reach as of the last day: one row per campaign and day.

        `reach_pct` has 2 decimals. Before the first wave, `days_since_last_wave` counts from the first day.
        """
        last = self._reach.groupby("day").tail(1)
        is_wave = self._message_counts_through(0)
        waves = [d for d in range(len(self.days)) if is_wave[d] >= _campaign().wave_min_messages]
        total = _campaign().subscriber_count
        return pd.DataFrame(
            {
                "campaign_code": CAMPAIGN_CODE,
                "report_date": self.days,
                "reached_subscriber_count": last["reached_subscriber_count"].to_numpy(),
                "subscriber_count": total,
                "reach_pct": [_percent(count, total) for count in last["reached_subscriber_count"]],
                "days_since_last_wave": [
                    d - max((w for w in waves if w <= d), default=0) for d in range(len(self.days))
                ],
            }
        )

    def true_row_account(self) -> pd.DataFrame:
        """Return the row account of each operator's folders, with the planted defects (see account_rows)."""
        account = account_rows(self.messages, self.rows)
        account.insert(1, "report_date", [self.days[f] for f in account["folder"]])
        return account.drop(columns="folder")

    def true_phone_numbers(self) -> set[str]:
        """Return the national significant number (9 digits) of every subscriber, for the hunt for leaks."""
        return {str(number) for number in self.subscribers.number.tolist()}

    def _operator_history(self) -> pd.DataFrame:
        """Return day, through, measure_code, category_code, value, known_at of the operators' figures."""
        campaign = self._counts[self._counts["is_campaign"]].set_index(["operator", "day", "through"])
        every = [(o, d, t) for o in range(len(OPERATOR_CODES)) for d, t in self._day_and_through()]
        index = pd.MultiIndex.from_tuples(every, names=["operator", "day", "through"])
        counted = campaign[["message_count", "delivered_count"]].reindex(index, fill_value=0)
        history = counted.add_prefix("sms_").reset_index().melt(index.names, var_name="measure_code")
        history["category_code"] = [OPERATOR_CODES[o] for o in history["operator"]]
        history["known_at"] = [
            max(self.delivered_at[o][max(0, t - WINDOW_DAYS) : t + 1])
            for o, t in zip(history["operator"], history["through"], strict=True)
        ]
        return history.drop(columns="operator")

    def _campaign_history(self) -> pd.DataFrame:
        """Return the same of the campaign's figures: reach, subscribers, waves."""
        history = self._reach.rename(columns={"reached_subscriber_count": "sms_reached_subscriber_count"})
        history["sms_subscriber_count"] = _campaign().subscriber_count
        sent = [
            self._message_counts_through(t - d)[d]
            for d, t in zip(history["day"], history["through"], strict=True)
        ]
        history["sms_wave_count"] = (np.array(sent) >= _campaign().wave_min_messages).astype(int)
        history = history.melt(["day", "through"], var_name="measure_code").assign(
            category_code=CAMPAIGN_CODE
        )
        history["known_at"] = [
            max(at for folders in self.delivered_at for at in folders[: t + 1]) for t in history["through"]
        ]
        return history

    def _message_counts_through(self, lag: int) -> list[int]:
        """Return the campaign messages of each day that are known `lag` days after it, over all operators."""
        is_known = self._states.is_known[lag] & self.messages.is_campaign
        counts = np.bincount(self.messages.day[is_known], minlength=len(self.days))
        return [int(count) for count in counts]

    def _day_and_through(self) -> Iterator[tuple[int, int]]:
        for day in range(len(self.days)):
            for through in range(day, min(day + WINDOW_DAYS, len(self.days) - 1) + 1):
                yield day, through


def simulate_sms(seed: int, days: list[date], subscriber_count: int = 90_000) -> SmsSimulation:
    """Simulate the SMS traffic of some consecutive days.

    Args:
        seed: the same seed gives the same traffic, files and truth.
        days: consecutive reporting days. Waves go out on sms_traffic.WAVE_DATES.
        subscriber_count: subscribers in the city; about 3.3 messages each over 18 to 31 August 2020.

    Raises:
        ValueError: the days are not consecutive.
    """
    if not days or days != days_between(days[0], days[-1]):
        raise ValueError(f"simulate_sms: give consecutive days, first to last, not {days}")
    rng = np.random.default_rng([seed, 1])
    subscribers = draw_subscribers(rng, subscriber_count)
    messages = draw_messages(rng, subscribers, days)
    events, fate = draw_events(rng, messages, subscribers)
    rows = lay_out_rows(rng, messages, events, fate, len(days))
    minutes = rng.integers(0, _LATEST_DELIVERY_MINUTES, (len(OPERATOR_CODES), len(days))).tolist()
    delivered_at = [
        [day_end(day) + _FIRST_DELIVERY + timedelta(minutes=m) for day, m in zip(days, row, strict=True)]
        for row in minutes
    ]
    return SmsSimulation(days, subscribers, messages, rows, delivered_at)


def write_sms_logs(simulation: SmsSimulation, drop: Path) -> list[Path]:
    """Write every operator's folders, drop/<operator_code>/<day>/*, with the mtimes of their delivery.

    Args:
        simulation: what happened.
        drop: the drop folder of the SMS logs; made when absent. Files of the same names are replaced.

    Returns:
        The files written.
    """
    rows = simulation.rows
    position = rows.operator * len(simulation.days) + rows.folder
    written = []
    for operator, code in enumerate(OPERATOR_CODES):
        writer = FolderWriter(operator, simulation.messages, simulation.subscribers, simulation.days[0])
        for folder, day in enumerate(simulation.days):
            place = operator * len(simulation.days) + folder
            # Rows are sorted by operator and folder, so a folder is one slice.
            inside = np.arange(*np.searchsorted(position, [place, place + 1]))
            delivered_at = simulation.delivered_at[operator][folder]
            written += writer.write(drop / code / day.isoformat(), rows.take(inside), delivered_at)
    return written


def _campaign() -> Campaign:
    return next(campaign for campaign in campaigns() if campaign.campaign_code == CAMPAIGN_CODE)


def _percent(part: int, whole: int) -> float:
    """Return a percentage with 2 decimals, half away from zero, as the reporting views round."""
    exact = Decimal(100 * int(part)) / Decimal(whole)
    return float(exact.quantize(Decimal("0.01"), ROUND_HALF_UP))
