"""What is known of each dossier at a moment: tellings that are news, dossiers that have vanished. Pure
frames.

A telling is a row of core.portal_dossier_version: what a pull said of one change of a dossier, and when
it said it.
A telling with `is_withdrawn` says that the dossier was missing from a list that should have held it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

# Within one system.
VERSION_KEY = ["dossier_key", "changed_at"]


@dataclass(frozen=True)
class Pull:
    """One pull of a system as the warehouse holds it.

    seen_keys: the dossiers in its list; empty where the caller did not ask for them.
    """

    day: date
    known_at: datetime
    window: tuple[datetime, datetime]
    is_proven: bool
    seen_keys: Sequence[int] | npt.NDArray[np.int64] = ()


def new_versions(versions: pd.DataFrame, stored: pd.DataFrame) -> pd.DataFrame:
    """Return the tellings that say something not known just before they came.

    Args:
        versions: of one pull of one system, one row per dossier version; columns as core.portal_dossier_version.
        stored: all tellings held of the dossiers in `versions`, and any others of the system.

    Returns:
        Rows of `versions`. A version told last with the same content is no news, unless its dossier was
        taken for withdrawn since.
    """
    # Only dossiers that are held already can be no news: the others need no comparison.
    is_held = versions["dossier_key"].isin(stored["dossier_key"])
    if not is_held.any():
        return versions
    held_rows = np.flatnonzero(is_held.to_numpy())
    told = stored[stored["dossier_key"].isin(versions["dossier_key"])]
    news = held_rows[_news_among(versions.iloc[held_rows], told)]
    return versions.iloc[np.sort(np.concatenate([np.flatnonzero(~is_held.to_numpy()), news]))]


def _news_among(versions: pd.DataFrame, stored: pd.DataFrame) -> npt.NDArray[np.intp]:
    """Return the positions of the versions that differ from what was told last before them."""
    content = [
        column for column in versions.columns if column not in (*VERSION_KEY, "known_at", "system_code")
    ]
    columns = [*VERSION_KEY, "known_at", *content]
    both = pd.concat([stored[columns], versions[columns]], ignore_index=True)
    keys = both["dossier_key"].to_numpy(dtype="int64")
    changed_at, known_at = (
        both[name].to_numpy(dtype="datetime64[us]") for name in ("changed_at", "known_at")
    )
    # What was told before of the same version, and of the same dossier, is the row before in these orders.
    by_version, by_dossier = np.lexsort((known_at, changed_at, keys)), np.lexsort((known_at, keys))
    is_same = _continues_run(keys[by_version], changed_at[by_version])
    for name in content:
        told = both[name].to_numpy()[by_version]
        is_same[1:] &= (told[1:] == told[:-1]) | (pd.isna(told[1:]) & pd.isna(told[:-1]))
    was_withdrawn = _continues_run(keys[by_dossier])
    was_withdrawn[1:] &= both["is_withdrawn"].to_numpy(dtype=bool)[by_dossier][:-1]
    is_news = np.empty(len(both), dtype=bool)
    is_news[by_version] = ~is_same
    is_news[by_dossier] |= was_withdrawn
    return np.flatnonzero(is_news[len(stored) :])


class Tellings:
    """Tellings of one system, sorted once: what was known at any moment is found by looking at neighbours."""

    def __init__(self, frame: pd.DataFrame) -> None:
        keys = frame["dossier_key"].to_numpy(dtype="int64")
        changed_at, known_at = (
            frame[name].to_numpy(dtype="datetime64[us]") for name in ("changed_at", "known_at")
        )
        order = np.lexsort((known_at, changed_at, keys))
        self._order = order
        self._changed_at, self._known_at = changed_at[order], known_at[order]
        self._is_withdrawn = frame["is_withdrawn"].to_numpy(dtype=bool)[order]
        is_last = last_of_run(keys[order])
        # Dossiers are numbered from 0 in the order of their keys.
        self._dossier: npt.NDArray[np.intp] = np.cumsum(is_last) - is_last
        self._dossier_count = int(is_last.sum())
        # The tellings of dossiers that were ever withdrawn, in the order in which they were told.
        rows = np.flatnonzero(np.isin(self._dossier, self._dossier[self._is_withdrawn]))
        self._withdrawals = rows[np.lexsort((order[rows], self._known_at[rows], self._dossier[rows]))]

    def known_by(self, known_at: datetime) -> npt.NDArray[np.intp]:
        """Return the rows of the frame that say what was known at a moment.

        Returns:
            One row per version, the one told last, sorted by dossier and change; withdrawn dossiers are left out with
            all their versions.
        """
        is_known = self._known_at <= to_instant(known_at)
        told = self._withdrawals[is_known[self._withdrawals]]
        last = told[last_of_run(self._dossier[told])]
        is_gone = np.zeros(self._dossier_count, dtype=bool)
        is_gone[self._dossier[last]] = self._is_withdrawn[last]
        rows = np.flatnonzero(is_known & ~self._is_withdrawn & ~is_gone[self._dossier])
        return self._order[rows[last_of_run(self._dossier[rows], self._changed_at[rows])]]


def last_of_run(*columns: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Say of each row whether it is the last one of neighbours that are equal in all columns."""
    is_last = np.ones(len(columns[0]), dtype=bool)
    if len(is_last):
        is_last[:-1] = np.logical_or.reduce([column[1:] != column[:-1] for column in columns])
    return is_last


def _continues_run(*columns: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Say of each row whether the one before it is equal in all columns."""
    return np.append(False, ~last_of_run(*columns)[:-1])


def to_instant(moment: datetime) -> np.datetime64:
    """Return an aware moment as numpy holds it: in UTC, to the microsecond."""
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")


def vanished(tellings: pd.DataFrame, pulls: Collection[Pull]) -> pd.DataFrame:
    """Return a telling for each dossier that a proven list should have held and did not.

    Args:
        tellings: of one system, all of each dossier with a change in the window of a pull.
        pulls: with their seen keys, in any order; each is judged by what was known when it came.

    Returns:
        Rows like those of `tellings`, is_withdrawn, known when the pull was: the last version of each
        such dossier.
    """
    found = [tellings.iloc[:0]]
    for pull in sorted(pulls, key=lambda one: one.known_at):
        # A dossier that was seen has not vanished: the others are few.
        seen = np.asarray(pull.seen_keys, dtype="int64")
        unseen = tellings[~tellings["dossier_key"].isin(seen)]
        if not pull.is_proven or unseen.empty:
            continue
        told = pd.concat([unseen, *found])
        last = told.iloc[Tellings(told).known_by(pull.known_at)].drop_duplicates("dossier_key", keep="last")
        start, end = (pd.Timestamp(moment) for moment in pull.window)
        is_due = (last["changed_at"] >= start) & (last["changed_at"] < end)
        gone = last[is_due & ~last["dossier_key"].isin(seen)]
        found.append(gone.assign(known_at=pd.Timestamp(pull.known_at).tz_convert("UTC"), is_withdrawn=True))
    return pd.concat(found, ignore_index=True).drop_duplicates([*VERSION_KEY, "known_at"])
