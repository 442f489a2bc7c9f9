"""What is known of each dossier at a moment: tellings that are news, dossiers that have vanished. Pure
frames.

A telling is a row of core.portal_dossier_version: what a pull said of one change of a dossier, and when
it said it.
A telling with `is_withdrawn` says that the dossier was missing from a list that should have held it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import pandas as pd

DOSSIER_KEY = ["system_code", "dossier_key"]
VERSION_KEY = [*DOSSIER_KEY, "changed_at"]


@dataclass(frozen=True)
class Pull:
    """One pull of a system as the warehouse holds it.

    seen_keys: the dossiers in its list; empty where the caller did not ask for them.
    """

    day: date
    known_at: datetime
    window: tuple[datetime, datetime]
    is_proven: bool
    seen_keys: Collection[int] = ()


def new_versions(versions: pd.DataFrame, stored: pd.DataFrame) -> pd.DataFrame:
    """Return the tellings that say something not known just before they came.

    Args:
        versions: of one pull, one row per dossier version; columns as core.portal_dossier_version.
        stored: all tellings held of the dossiers in `versions`.

    Returns:
        Rows of `versions`. A version told last with the same content is no news, unless its dossier was
        taken for
        withdrawn since.
    """
    # Only dossiers that are held already can be no news: the others need no comparison.
    is_held = versions["dossier_key"].isin(stored["dossier_key"])
    held_rows = np.flatnonzero(is_held.to_numpy())
    news = set(np.flatnonzero(~is_held.to_numpy()).tolist())
    if len(held_rows):
        told = stored[stored["dossier_key"].isin(versions["dossier_key"])]
        news |= set(held_rows[_news_among(versions.iloc[held_rows], told)].tolist())
    return versions.iloc[sorted(news)]


def _news_among(versions: pd.DataFrame, stored: pd.DataFrame) -> list[int]:
    """Return the positions of the versions that differ from what was told last before them."""
    content = [column for column in versions.columns if column not in (*VERSION_KEY, "known_at")]
    both = pd.concat(
        [
            _as_text(stored, content).assign(row=-1),
            _as_text(versions, content).assign(row=range(len(versions))),
        ],
        ignore_index=True,
    ).sort_values(["known_at", "row"], kind="stable")
    told_before = both.groupby(VERSION_KEY, sort=False)[content].shift()
    is_same = (told_before == both[content]).fillna(False).all(axis=1)
    was_withdrawn = (both.groupby(DOSSIER_KEY, sort=False)["is_withdrawn"].shift() == "True").fillna(False)
    is_news = (both["row"] >= 0) & (~is_same | was_withdrawn)
    return sorted(both.loc[is_news, "row"].tolist())


def known_by(tellings: pd.DataFrame, known_at: datetime) -> pd.DataFrame:
    """Return one row per version as known at a moment; withdrawn dossiers are left out with all their
    versions.
    """
    known = tellings[tellings["known_at"] <= pd.Timestamp(known_at)].sort_values("known_at", kind="stable")
    if known["is_withdrawn"].any():
        last = known.drop_duplicates(DOSSIER_KEY, keep="last")
        gone = last.loc[last["is_withdrawn"].astype(bool), "dossier_key"]
        known = known[~known["dossier_key"].isin(gone)]
        known = known[~known["is_withdrawn"].astype(bool)]
    return known.drop_duplicates(VERSION_KEY, keep="last")


def vanished(tellings: pd.DataFrame, pulls: Collection[Pull]) -> pd.DataFrame:
    """Return a telling for each dossier that a proven list should have held and did not.

    Args:
        tellings: of one system.
        pulls: with their seen keys, in any order; each is judged by what was known when it came.

    Returns:
        Rows like those of `tellings`, is_withdrawn, known when the pull was: the last version of each
        such dossier.
    """
    found = [tellings.iloc[:0]]
    for pull in sorted(pulls, key=lambda one: one.known_at):
        if not pull.is_proven:
            continue
        known = known_by(pd.concat([tellings, *found]), pull.known_at)
        last = known.sort_values("changed_at", kind="stable").drop_duplicates(DOSSIER_KEY, keep="last")
        start, end = (pd.Timestamp(moment) for moment in pull.window)
        is_due = (last["changed_at"] >= start) & (last["changed_at"] < end)
        gone = last[is_due & ~last["dossier_key"].isin(list(pull.seen_keys))]
        found.append(gone.assign(known_at=pd.Timestamp(pull.known_at).tz_convert("UTC"), is_withdrawn=True))
    return pd.concat(found, ignore_index=True).drop_duplicates([*VERSION_KEY, "known_at"])


def _as_text(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Make the named columns comparable: dates and numbers come from two places with two types."""
    texts = {name: frame[name].astype("string").fillna("") for name in columns if name not in VERSION_KEY}
    keys = {name: frame[name] for name in [*VERSION_KEY, "known_at"]}
    return pd.DataFrame(keys | texts)
