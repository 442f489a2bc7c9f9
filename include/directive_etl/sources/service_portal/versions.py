"""What is known of each dossier at a moment: tellings that are news, dossiers that have vanished. Pure
frames.

A telling is a row of core.portal_dossier_version: what a pull said of one change of a dossier, and when
it said it.
A telling with `is_withdrawn` says that the dossier was missing from a list that should have held it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

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


def _news_among(versions: pd.DataFrame, stored: pd.DataFrame) -> list[int]:
    """Return the positions of the versions that differ from what was told last before them."""
    content = [
        column for column in versions.columns if column not in (*VERSION_KEY, "known_at", "system_code")
    ]
    columns = [*VERSION_KEY, "known_at", *content]
    both = pd.concat(
        [stored[columns].assign(row=-1), versions[columns].assign(row=range(len(versions)))],
        ignore_index=True,
    ).sort_values(["known_at", "row"], kind="stable")
    told_before = both.groupby(VERSION_KEY, sort=False)[content].shift()
    was_told = both.groupby(VERSION_KEY, sort=False).cumcount() > 0
    is_same = was_told
    for name in content:
        before, now = told_before[name], both[name]
        is_same &= (before == now).fillna(False).astype(bool) | (before.isna() & now.isna())
    was_withdrawn = both.groupby("dossier_key", sort=False)["is_withdrawn"].shift(fill_value=False)
    is_news = (both["row"] >= 0) & (~is_same | was_withdrawn)
    return sorted(both.loc[is_news, "row"].tolist())


def known_by(tellings: pd.DataFrame, known_at: datetime) -> pd.DataFrame:
    """Return one row per version as known at a moment, of one system; withdrawn dossiers are left out with all
    their versions.
    """
    known = tellings[tellings["known_at"] <= pd.Timestamp(known_at)]
    is_withdrawn = known["is_withdrawn"].to_numpy(dtype=bool)
    if is_withdrawn.any():
        touched = known[known["dossier_key"].isin(known.loc[is_withdrawn, "dossier_key"])]
        last = touched.sort_values("known_at", kind="stable").drop_duplicates("dossier_key", keep="last")
        gone = last.loc[last["is_withdrawn"].astype(bool), "dossier_key"]
        known = known[~is_withdrawn & ~known["dossier_key"].isin(gone)]
    if known["known_at"].nunique() > 1:
        known = known.sort_values("known_at", kind="stable")
    return known.drop_duplicates(VERSION_KEY, keep="last")


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
        known = known_by(pd.concat([unseen, *found]), pull.known_at)
        last = known.sort_values("changed_at", kind="stable").drop_duplicates("dossier_key", keep="last")
        start, end = (pd.Timestamp(moment) for moment in pull.window)
        is_due = (last["changed_at"] >= start) & (last["changed_at"] < end)
        gone = last[is_due & ~last["dossier_key"].isin(seen)]
        found.append(gone.assign(known_at=pd.Timestamp(pull.known_at).tz_convert("UTC"), is_withdrawn=True))
    return pd.concat(found, ignore_index=True).drop_duplicates([*VERSION_KEY, "known_at"])
