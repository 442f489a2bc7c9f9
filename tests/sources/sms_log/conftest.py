"""Logs written to real files, landed and counted, for the tests of the SMS source."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Protocol

import pytest

from directive_etl.landing import LandedFile, land_file
from directive_etl.landing.endings import inspect_packed
from directive_etl.periods import close_of
from directive_etl.registry.campaigns import Campaign
from directive_etl.registry.operators import Operator
from directive_etl.sources.sms_log.count import DropDayCounts, count_drop_day

HASH_KEY = "a key that only tests use"

CAMPAIGN = Campaign.model_validate(
    {
        "campaign_code": "bluezone-2020",
        "name_vi": "Chiến dịch",
        "name_en": "Campaign",
        "subscriber_count": 1000,
        "is_assumed": True,
        "matches": ({"field": "sender", "value": "BLUEZONE"},),
        "wave_min_messages": 10,
    }
)


class CountLogs(Protocol):
    """Writes the files of some folders, lands them, and counts the drop day, by default the last folder.

    With `inspected`, what landing finds out about gzip texts is known; with `as_large`, all cores read the files, which
    are said to be large.
    """

    def __call__(
        self,
        folders: Mapping[date, Sequence[tuple[str, bytes]]],
        operator: Operator,
        *,
        drop_day: date | None = None,
        campaigns: Sequence[Campaign] = (CAMPAIGN,),
        shuffle_list: bool = False,
        most_bytes: int = ...,
        hash_key: str = HASH_KEY,
        inspected: bool = False,
        as_large: bool = False,
    ) -> DropDayCounts: ...


@pytest.fixture
def reach_root(tmp_path: Path) -> Path:
    return tmp_path / "reach"


@pytest.fixture
def count_logs(tmp_path_factory: pytest.TempPathFactory, reach_root: Path) -> CountLogs:
    def count(
        folders: Mapping[date, Sequence[tuple[str, bytes]]],
        operator: Operator,
        *,
        drop_day: date | None = None,
        campaigns: Sequence[Campaign] = (CAMPAIGN,),
        shuffle_list: bool = False,
        most_bytes: int = 1_000_000_000,
        hash_key: str = HASH_KEY,
        inspected: bool = False,
        as_large: bool = False,
    ) -> DropDayCounts:
        root = tmp_path_factory.mktemp("logs")
        landed: dict[date, list[LandedFile]] = {}
        for day, files in folders.items():
            # Files become known one minute after the other, the last at the close of the day.
            for place, (name, content) in enumerate(reversed(files)):
                path = root / "drop" / day.isoformat() / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
                moment = close_of(day).timestamp() - 60 * place
                os.utime(path, (moment, moment))
                file = land_file(root / "landing", "sms_log", operator.operator_code, day, path)
                if inspected:
                    file = replace(file, inspection=inspect_packed(file.path))
                if as_large:
                    file = replace(file, size_bytes=1 << 30)
                landed.setdefault(day, []).append(file)
        if shuffle_list:
            landed = {day: landed[day][::-1] for day in reversed(landed)}
        return count_drop_day(
            landed,
            operator,
            campaigns,
            drop_day or max(folders),
            hash_key=hash_key,
            memory_limit="128MB",
            reach_root=reach_root,
            most_bytes=most_bytes,
        )

    return count
