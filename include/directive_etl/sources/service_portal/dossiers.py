"""How the dossiers of one system stood at the end of days, as known at moments; days and moments share the sorting."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from directive_etl.periods import day_end
from directive_etl.sources.service_portal.faults import CLOSED_STATUSES
from directive_etl.sources.service_portal.versions import Tellings, last_of_run, to_instant

NEWLY_REGISTERED = 1

# A version as counting reads it: texts as numbers, days as days, and the time for which it stood, [changed_at, until).
_ROW = np.dtype(
    [
        ("dossier_key", "int64"),
        ("changed_at", "datetime64[us]"),
        ("until", "datetime64[us]"),
        ("unit", "int32"),
        ("procedure", "int32"),
        ("channel_code", "int16"),
        ("status_code", "int16"),
        ("received_date", "datetime64[D]"),
        ("due_date", "datetime64[D]"),
        ("finished_date", "datetime64[D]"),
        ("returned_date", "datetime64[D]"),
        ("closed_date", "datetime64[D]"),
    ]
)
_AS_TOLD = ("dossier_key", "changed_at", "channel_code", "status_code")
_DATES = ("received_date", "due_date", "finished_date", "returned_date")
_FOREVER = np.datetime64(np.iinfo("int64").max, "us")


@dataclass(frozen=True)
class Versions:
    """Versions of received dossiers of one system.

    rows: a structured array. dossier_key, channel_code, status_code; unit and procedure are places in `unit_codes` and
    `procedure_codes`, both sorted; received_date, due_date, finished_date, returned_date and closed_date (the finished
    date of a closed dossier) are local days, NaT for none; each version stands from changed_at to before until.
    """

    system_code: str
    rows: npt.NDArray[Any]
    unit_codes: "pd.Index[str]"
    procedure_codes: "pd.Index[str]"

    def at_end(self, day: date) -> "State":
        """Return the state of each dossier when a day ended: its last version with a change before the end."""
        end = to_instant(day_end(day))
        stood = self.rows[(self.rows["changed_at"] < end) & (self.rows["until"] >= end)]
        return State(self.system_code, stood, self.unit_codes, self.procedure_codes, day)


@dataclass(frozen=True)
class State(Versions):
    """One version per received dossier: how it stood when the day ended."""

    day: date


class Dossiers:
    """All tellings of one system, from which the versions known at any moment are taken.

    Args:
        system_code: the system.
        tellings: columns as core.portal_dossier_version, in any order.
    """

    def __init__(self, system_code: str, tellings: pd.DataFrame) -> None:
        self._system_code = system_code
        self._tellings = Tellings(tellings)
        self._rows = np.empty(len(tellings), _ROW)
        for name in _AS_TOLD:
            self._rows[name] = tellings[name].to_numpy(dtype=_ROW[name])
        for name in _DATES:
            self._rows[name] = pd.to_datetime(tellings[name]).to_numpy(dtype="datetime64[D]")
        self._rows["unit"], self._unit_codes = _numbered(tellings["unit_code"])
        self._rows["procedure"], self._procedure_codes = _numbered(tellings["procedure_code"])
        is_closed = np.isin(self._rows["status_code"], list(CLOSED_STATUSES))
        self._rows["closed_date"] = np.where(is_closed, self._rows["finished_date"], np.datetime64("NaT"))

    def known_by(self, known_at: datetime) -> Versions:
        """Return the versions of received dossiers as known at a moment; those of status 1 are not received yet."""
        known = self._rows[self._tellings.known_by(known_at)]
        rows = known[(known["status_code"] != NEWLY_REGISTERED) & ~np.isnat(known["received_date"])]
        is_last = last_of_run(rows["dossier_key"])
        rows["until"] = np.where(is_last, _FOREVER, np.roll(rows["changed_at"], -1))
        return Versions(self._system_code, rows, self._unit_codes, self._procedure_codes)


def _numbered(codes: pd.Series) -> tuple[npt.NDArray[np.intp], "pd.Index[str]"]:
    """Return the place of each text among all, and all of them, sorted."""
    return pd.factorize(codes, sort=True)
