"""Land what an operator dropped for a day: bytes as sent."""

import logging
from collections.abc import Collection
from datetime import date
from fnmatch import fnmatch
from pathlib import Path

from directive_etl.errors import SourceUnavailableError
from directive_etl.landing.left import fault_of, finished_name, left_entry
from directive_etl.landing.place import Entry, Place
from directive_etl.landing.take import Taken, Wanted, take_files
from directive_etl.registry.operators import Operator

log = logging.getLogger(__name__)

SOURCE = "sms_log"


def land_drop_day(
    drop: Place, landing: Path, operator: Operator, day: date, settle_seconds: float = 0
) -> Taken | None:
    """Land the files of one folder of the drop that are whole.

    Args:
        drop: the drop; the folder is sms/<operator_code>/<day>.
        landing: root of the landing zone.
        operator: whose folder it is; only files that match its patterns land. Hidden files are none of its logs.
        day: the folder.
        settle_seconds: how long a file must rest to be taken for whole.

    Returns:
        The landed files, and those that were left with the reason; None when there is no folder.

    Raises:
        SourceUnavailableError: the drop or the folder cannot be reached or entered.
    """
    where = f"{SOURCE} {operator.operator_code} {day}"
    try:
        entries = drop.look("sms", operator.operator_code, day.isoformat())
    except PermissionError:
        raise SourceUnavailableError(f"{where}: the folder of {drop} may not be entered by us") from None
    if entries is None:
        return None
    dropped = [entry for entry in entries if not entry.is_hidden]
    names = {entry.name for entry in dropped if entry.kind == "file"}
    faults = {entry: _fault(operator, entry, names) for entry in dropped}
    wanted = [Wanted(entry, operator.operator_code, day) for entry in dropped if not faults[entry]]
    taken = take_files(drop, landing, SOURCE, wanted, settle_seconds)
    taken.left += [
        left_entry(entry, operator.operator_code, day, fault) for entry, fault in faults.items() if fault
    ]
    for left in taken.left:
        log.warning("%s: %s", where, left)
    return taken


def require_logs(operator: Operator, day: date, taken: Taken | None) -> None:
    """Make sure that the operator has dropped a log.

    Raises:
        SourceUnavailableError: there is no folder, or no whole file of the operator's in it.
    """
    where = f"{SOURCE} {operator.operator_code} {day}"
    if taken is None:
        raise SourceUnavailableError(f"{where}: the operator has not dropped a folder yet")
    if not taken.landed:
        patterns = ", ".join(operator.file_patterns)
        unfinished = "".join(f"; {left}" for left in taken.left if left.is_unfinished)
        raise SourceUnavailableError(f"{where}: the folder holds no file that matches {patterns}{unfinished}")


def _fault(operator: Operator, entry: Entry, names: Collection[str]) -> str | None:
    fault = fault_of(entry)
    final = finished_name(entry.name)
    if fault not in (None, "unfinished_name"):
        return fault
    if not any(fnmatch(final or entry.name, pattern) for pattern in operator.file_patterns):
        return "other_name"
    return "leftover" if final in names else fault
