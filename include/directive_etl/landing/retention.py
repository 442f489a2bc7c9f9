"""Retention: SMS logs hold phone numbers and portal pages name applicants, so their bytes are deleted in time.

Unit reports hold counts of the units' own and are the evidence of every figure: they stay. docs/channels.md says why.
"""

import shutil
from datetime import date
from pathlib import Path

# Sources whose landed bytes are about persons.
PERSONAL_SOURCES = ("sms_log", "service_portal")


def delete_days_before(source_folder: Path, first_kept: date) -> int:
    """Delete the landed files of every part and day before a day.

    Args:
        source_folder: landing/<source_code>; its parts have one folder a day.
        first_kept: the first day that stays.

    Returns:
        How many folders of one part and day were deleted.
    """
    deleted = 0
    for folder in sorted(source_folder.glob("*/????-??-??")):
        if date.fromisoformat(folder.name) < first_kept:
            shutil.rmtree(folder)
            deleted += 1
    return deleted
