"""What the bytes of a text say before anything parses it; the text is plain, gzip or zstd, whole or damaged."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from isal import isal_zlib

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_BLOCK_SIZE = 1 << 20
_LINE_FEED = ord("\n")
_ISAL_ERROR = cast(type[Exception], isal_zlib.IsalError)  # its stub takes the class for an instance


class DamagedFileError(ValueError):
    """A compressed file that is cut off, does not match its checksum, or has something else behind it."""


class CutOffError(DamagedFileError):
    """A compressed file that ends before its end; what is there is sound."""


class TooLargeError(ValueError):
    """A file that unpacks to more than is allowed."""

    def __init__(self, most_bytes: int) -> None:
        super().__init__(f"more than {most_bytes / 1e6:.0f} MB")


@dataclass(frozen=True)
class Inspection:
    """What the bytes of a whole and sound text say.

    Attributes:
        size_bytes: of the text, unpacked.
        line_count: lines, with an unfinished last one.
        has_nul: there is a NUL byte.
        is_plainly_ended: every line ends the same way, by LF or by CR LF.
    """

    size_bytes: int
    line_count: int
    has_nul: bool
    is_plainly_ended: bool


def compression_of(path: Path) -> str:
    """Return `gzip`, `zstd` or `none`, by a file's first bytes and not by its name."""
    with path.open("rb") as stream:
        first = stream.read(max(map(len, _MAGIC)))
    return next((name for magic, name in _MAGIC.items() if first.startswith(magic)), "none")


def inspect_text(path: Path, compression: str, most_bytes: int) -> Inspection:
    """Read a file to its end, and check what it was packed with.

    Args:
        path: the file.
        compression: from `compression_of`.
        most_bytes: that it may unpack to.

    Raises:
        CutOffError: it lacks its end.
        DamagedFileError: it cannot be decompressed to its end, or its checksum is wrong.
        TooLargeError: it unpacks to more than `most_bytes`.
    """
    import numpy as np  # not where DAGs are parsed

    line_feeds = carriage_returns = pairs = size = 0
    has_nul = False
    last = b""
    for block in _iter_blocks(path, compression):
        size += len(block)
        if size > most_bytes:
            raise TooLargeError(most_bytes)
        # Of short lines three times faster than bytes.count.
        line_feeds += int(np.count_nonzero(np.frombuffer(block, np.uint8) == _LINE_FEED))
        has_nul = has_nul or b"\0" in block
        if b"\r" in block:
            carriage_returns += block.count(b"\r")
            pairs += block.count(b"\r\n")
        pairs += last == b"\r" and block.startswith(b"\n")
        last = block[-1:]
    is_unfinished = last not in (b"", b"\n")
    is_plainly_ended = carriage_returns == pairs and pairs in (0, line_feeds)
    return Inspection(size, line_feeds + is_unfinished, has_nul, is_plainly_ended)


def _iter_blocks(path: Path, compression: str) -> Iterator[bytes]:
    """Yield the text in blocks. gzip.open would do, at twice the cost."""
    with path.open("rb") as stream:
        if compression == "none":
            yield from iter(lambda: stream.read(_BLOCK_SIZE), b"")
            return
        unpack = _unpack_gzip if compression == "gzip" else _unpack_zstd
        try:
            yield from unpack(iter(lambda: stream.read(_BLOCK_SIZE // 8), b""))
        except (_ISAL_ERROR, zstd.ZstdError) as error:
            raise DamagedFileError(str(error)) from error


def _unpack_gzip(packed_blocks: Iterator[bytes]) -> Iterator[bytes]:
    unpack = isal_zlib.decompressobj(wbits=31)
    for packed in packed_blocks:
        while packed:
            if unpack.eof:  # several members in a row are one text
                unpack = isal_zlib.decompressobj(wbits=31)
            yield unpack.decompress(packed, _BLOCK_SIZE)
            packed = unpack.unused_data if unpack.eof else unpack.unconsumed_tail
    _check_ended(unpack.eof)


def _unpack_zstd(packed_blocks: Iterator[bytes]) -> Iterator[bytes]:
    unpack = zstd.ZstdDecompressor()
    for packed in packed_blocks:
        while packed:
            if unpack.eof:
                unpack = zstd.ZstdDecompressor()
            yield unpack.decompress(packed, _BLOCK_SIZE)
            while not unpack.eof and not unpack.needs_input:
                yield unpack.decompress(b"", _BLOCK_SIZE)
            packed = unpack.unused_data if unpack.eof else b""
    _check_ended(unpack.eof)


def _check_ended(is_ended: bool) -> None:
    if not is_ended:
        raise CutOffError("the file ends in the middle of its compressed text")
