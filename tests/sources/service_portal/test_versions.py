"""What was known at a moment, against a plain look at one telling after the other."""

from datetime import UTC, datetime, timedelta

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from directive_etl.sources.service_portal.versions import Tellings

START = datetime(2020, 8, 20, tzinfo=UTC)
FEW = st.integers(0, 3)


def hours(count: int) -> datetime:
    return START + timedelta(hours=count)


def frame(tellings: list[tuple[int, int, int, bool]]) -> pd.DataFrame:
    """Tellings of (dossier, hour of the change, hour in which it was told, whether it says withdrawn)."""
    told = pd.DataFrame(tellings, columns=["dossier_key", "changed_at", "known_at", "is_withdrawn"])
    times = {
        name: pd.to_datetime(told[name].map(hours), utc=True).astype("datetime64[us, UTC]")
        for name in ("changed_at", "known_at")
    }
    return told.assign(**times).astype({"dossier_key": "int64", "is_withdrawn": "bool"})


def plain_look(tellings: list[tuple[int, int, int, bool]], moment: int) -> list[int]:
    """The rows that hold at the moment: of each version the last one, of withdrawn dossiers none."""
    withdrawn: dict[int, bool] = {}
    rows: dict[tuple[int, int], int] = {}
    for row in sorted(range(len(tellings)), key=lambda row: tellings[row][2]):
        dossier, changed_at, known_at, is_withdrawn = tellings[row]
        if known_at <= moment:
            withdrawn[dossier] = is_withdrawn
            if not is_withdrawn:
                rows[dossier, changed_at] = row
    return [row for (dossier, _), row in sorted(rows.items()) if not withdrawn[dossier]]


@settings(max_examples=300, deadline=None)
@given(tellings=st.lists(st.tuples(FEW, FEW, FEW, st.sampled_from([False, False, True]))), moment=FEW)
def test_what_was_known_equals_a_plain_look(tellings, moment):
    known = Tellings(frame(tellings)).known_by(hours(moment))
    assert known.tolist() == plain_look(tellings, moment)


def test_a_dossier_that_came_back_has_its_old_versions_again():
    tellings = frame([(1, 0, 0, False), (1, 0, 1, True), (1, 2, 2, False)])
    known = [Tellings(tellings).known_by(hours(moment)).tolist() for moment in range(3)]
    assert known == [[0], [], [0, 2]]
