"""The landing zone: bytes exactly as sent, write-once, with their SHA-256, origin and time."""

from directive_etl.landing.files import LandedFile, iter_landed, land_bytes, land_file

__all__ = ["LandedFile", "iter_landed", "land_bytes", "land_file"]
