"""Whether a compressed file is there to its end."""

import os
import struct
from pathlib import Path
from typing import BinaryIO, cast

from isal import isal_zlib

_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = 0xFD2FB528
_SKIPPABLE_MAGIC = range(0x184D2A50, 0x184D2A60)
_PACKED_BLOCK = 1 << 17
_TEXT_BLOCK = 1 << 20
# A file that unpacks to more is a bomb; what reads it has its own limit and says so.
_MOST_UNPACKED = 64 << 30
_DICTIONARY_BYTES = (0, 1, 2, 4)
_SIZE_BYTES = (0, 2, 4, 8)
_RLE_BLOCK = 1
_DAMAGED = cast(type[Exception], isal_zlib.IsalError)  # its stub takes the class for an instance


def is_cut_off(path: Path) -> bool:
    """Say whether a gzip or zstd file, known by its first bytes, lacks its end; other files never do.

    A file that is damaged in another way is not cut off: it will not be better tomorrow.
    """
    with path.open("rb") as stream:
        head = stream.read(4)
        stream.seek(0)
        if head.startswith(_GZIP_MAGIC):
            return _gzip_is_cut_off(stream)
        if len(head) == 4 and struct.unpack("<I", head)[0] == _ZSTD_MAGIC:
            return _zstd_is_cut_off(stream, path.stat().st_size)
    return False


def _gzip_is_cut_off(stream: BinaryIO) -> bool:
    # Only unpacking tells: nothing at the end of a gzip file says that it is one. isal unpacks three times faster.
    unpack = isal_zlib.decompressobj(wbits=31)
    unpacked = 0
    try:
        for packed in iter(lambda: stream.read(_PACKED_BLOCK), b""):
            while packed:
                if unpack.eof:  # several members in a row are one text
                    unpack = isal_zlib.decompressobj(wbits=31)
                unpacked += len(unpack.decompress(packed, _TEXT_BLOCK))
                packed = unpack.unused_data if unpack.eof else unpack.unconsumed_tail
            if unpacked > _MOST_UNPACKED:
                return False
    except _DAMAGED:
        return False
    return not unpack.eof


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
