"""Land what an operator dropped for a day: bytes as sent."""

import logging
from datetime import date
from fnmatch import fnmatch
from pathlib import Path

from directive_etl.errors import SourceUnavailableError
from directive_etl.landing import LandedFile, land_file
from directive_etl.masking import mask_digits
from directive_etl.registry.operators import Operator

log = logging.getLogger(__name__)

SOURCE = "sms_log"


def land_drop_day(drop: Path, landing: Path, operator: Operator, day: date) -> list[LandedFile]:
    """Land the files of one folder of the drop.

    Args:
        drop: root of the drop; the folder is sms/<operator_code>/<day>.
        landing: root of the landing zone.
        operator: whose folder it is; only files that match its patterns land. Hidden files are not yet ready.
        day: the folder.

    Returns:
        The landed files, in order of time known, then hash.

    Raises:
        SourceUnavailableError: the folder is absent, or holds no file of the operator's.
    """
    folder = drop / "sms" / operator.operator_code / day.isoformat()
    where = f"{SOURCE} {operator.operator_code} {day}"
    if not folder.is_dir():
        raise SourceUnavailableError(f"{where}: the operator has not dropped a folder yet")
    dropped = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    chosen = []
    for path in dropped:
        if path.is_symlink() or not path.is_file():
            # A link may point anywhere on this machine, and what it points to would land as the operator's word.
            log.warning("%s: %s is no plain file and is left", where, mask_digits(path.name))
        elif not any(fnmatch(path.name, pattern) for pattern in operator.file_patterns):
            log.warning(
                "%s: %s matches none of the operator's file_patterns and is left",
                where,
                mask_digits(path.name),
            )
        else:
            chosen.append(path)
    if not chosen:
        patterns = ", ".join(operator.file_patterns)
        raise SourceUnavailableError(f"{where}: the folder holds no file that matches {patterns}")
    landed = [land_file(landing, SOURCE, operator.operator_code, day, path) for path in chosen]
    return sorted(
        {file.sha256: file for file in landed}.values(), key=lambda file: (file.known_at, file.sha256)
    )
