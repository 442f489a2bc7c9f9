"""Hand files over to a place on the network; what cannot be handed over now stays for the next time."""

from pathlib import Path

from directive_etl.landing.place import Place


def deliver_files(staged: Path, place: Place) -> int:
    """Move every file of `staged/<folder>/` to the same folder of a place.

    Returns:
        How many were handed over.

    Raises:
        SourceUnavailableError: the place cannot be reached; the files not yet handed over are still here.
    """
    count = 0
    for path in sorted(staged.glob("*/*")):
        if path.name.startswith(".") or not path.is_file():
            continue
        place.write(path.parent.name, path.name, path.read_bytes())
        path.unlink(missing_ok=True)
        count += 1
    return count
