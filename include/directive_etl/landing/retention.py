"""Retention: SMS logs hold phone numbers, so their bytes are deleted when they are no longer needed."""

import shutil
from datetime import date
from pathlib import Path


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
