"""Whether a compressed file is there to its end."""

import os
import struct
from pathlib import Path
from typing import BinaryIO

from directive_etl.landing.texts import (
    CutOffError,
    DamagedFileError,
    Inspection,
    TooLargeError,
    compression_of,
    inspect_text,
)

_ZSTD_MAGIC = 0xFD2FB528
_SKIPPABLE_MAGIC = range(0x184D2A50, 0x184D2A60)
# A file that unpacks to more is a bomb; what reads it has its own limit and says so.
_MOST_UNPACKED = 64 << 30
_DICTIONARY_BYTES = (0, 1, 2, 4)
_SIZE_BYTES = (0, 2, 4, 8)
_RLE_BLOCK = 1


def inspect_packed(path: Path) -> Inspection | None:
    """Make sure that a gzip or zstd file, known by its first bytes, has its end; other files always have.

    A file that is damaged in another way is not cut off: it will not be better tomorrow.

    Returns:
        What the text of a gzip file says, for only unpacking tells that such a file is whole; None for every other
        file, and for one that is damaged or unpacks to too much.

    Raises:
        CutOffError: it lacks its end.
    """
    match compression_of(path):
        case "gzip" as compression:
            try:
                return inspect_text(path, compression, _MOST_UNPACKED)
            except CutOffError:
                raise
            except (DamagedFileError, TooLargeError):
                return None
        case "zstd":
            with path.open("rb") as stream:
                if _zstd_is_cut_off(stream, path.stat().st_size):
                    raise CutOffError(f"{path}: the frames end before their end")
    return None


def _zstd_is_cut_off(stream: BinaryIO, size: int) -> bool:
    """Walk over the frames and their blocks (RFC 8878, section 3.1) without unpacking them."""
    while stream.tell() < size:
        head = stream.read(4)
        if len(head) < 4:
            return True
        magic = struct.unpack("<I", head)[0]
        if magic in _SKIPPABLE_MAGIC:
            length = stream.read(4)
            if len(length) < 4:
                return True
            stream.seek(struct.unpack("<I", length)[0], os.SEEK_CUR)
        elif magic != _ZSTD_MAGIC:
            return False
        elif not _pass_frame(stream, size):
            return True
    return stream.tell() > size


def _pass_frame(stream: BinaryIO, size: int) -> bool:
    """Move behind a frame; False when the file ends before it does."""
    descriptor = stream.read(1)
    if not descriptor:
        return False
    flags = descriptor[0]
    is_single_segment = bool(flags & 0x20)
    size_bytes = _SIZE_BYTES[flags >> 6] or int(is_single_segment)
    stream.seek((not is_single_segment) + _DICTIONARY_BYTES[flags & 3] + size_bytes, os.SEEK_CUR)
    while True:
        block = stream.read(3)
        if len(block) < 3:
            return False
        header = int.from_bytes(block, "little")
        kind, length = header >> 1 & 3, header >> 3
        stream.seek(1 if kind == _RLE_BLOCK else length, os.SEEK_CUR)
        if header & 1:
            break
    stream.seek(4 if flags & 4 else 0, os.SEEK_CUR)
    return stream.tell() <= size
