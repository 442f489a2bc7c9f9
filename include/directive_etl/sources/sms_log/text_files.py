"""Text files as they come: plain, gzip or zstd, whole or damaged, one line per row or not."""

import gzip
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from isal import isal_zlib

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_BLOCK_SIZE = 1 << 20
_ISAL_ERROR = cast(type[Exception], isal_zlib.IsalError)  # its stub takes the class for an instance


class DamagedFileError(ValueError):
    """A compressed file that is cut off, does not match its checksum, or has something else behind it."""


class TooLargeError(ValueError):
    """A file that unpacks to more than is allowed."""


@dataclass(frozen=True)
class TextFile:
    """A file to read.

    Attributes:
        path: where it is.
        compression: `gzip`, `zstd` or `none`, by its first bytes and not by its name.
        file_no: position among the files read; later files have higher numbers.
    """

    path: Path
    compression: str
    file_no: int

    @classmethod
    def of(cls, path: Path, file_no: int) -> "TextFile":
        """Look at a file's first bytes."""
        with path.open("rb") as stream:
            first = stream.read(max(map(len, _MAGIC)))
        compression = next((name for magic, name in _MAGIC.items() if first.startswith(magic)), "none")
        return cls(path, compression, file_no)

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open the text.

        Raises:
            DamagedFileError: it cannot be decompressed; may come with any read.
        """
        try:
            if self.compression == "gzip":
                with gzip.open(self.path) as stream:
                    yield cast(BinaryIO, stream)
            elif self.compression == "zstd":
                with zstd.open(self.path) as unpacked:
                    yield cast(BinaryIO, unpacked)
            else:
                with self.path.open("rb") as plain:
                    yield plain
        except (EOFError, zlib.error, gzip.BadGzipFile, zstd.ZstdError) as error:
            raise DamagedFileError(str(error)) from error


@dataclass(frozen=True)
class Inspection:
    """What the bytes of a text say before it is parsed.

    Attributes:
        line_count: lines, with an unfinished last one.
        has_nul: there is a NUL byte.
        is_plainly_ended: every line ends the same way, by LF or by CR LF.
    """

    line_count: int
    has_nul: bool
    is_plainly_ended: bool


def inspect_text(file: TextFile, most_bytes: int) -> Inspection:
    """Read a file to its end, as DuckDB does not: it takes damaged archives as they come, and NUL as a letter.

    Raises:
        DamagedFileError: it cannot be decompressed to its end, or its checksum is wrong.
        TooLargeError: it unpacks to more than `most_bytes`.
    """
    line_feeds = carriage_returns = pairs = size = 0
    has_nul = False
    last = b""
    for block in _iter_blocks(file):
        size += len(block)
        if size > most_bytes:
            raise TooLargeError(f"more than {most_bytes / 1e6:.0f} MB")
        line_feeds += block.count(b"\n")
        has_nul = has_nul or b"\0" in block
        if b"\r" in block:
            carriage_returns += block.count(b"\r")
            pairs += block.count(b"\r\n")
        pairs += last == b"\r" and block.startswith(b"\n")
        last = block[-1:]
    is_unfinished = last not in (b"", b"\n")
    is_plainly_ended = carriage_returns == pairs and pairs in (0, line_feeds)
    return Inspection(line_feeds + is_unfinished, has_nul, is_plainly_ended)


def _iter_blocks(file: TextFile) -> Iterator[bytes]:
    """Yield the text in blocks. gzip.open would do, at twice the cost."""
    with file.path.open("rb") as stream:
        if file.compression == "none":
            yield from iter(lambda: stream.read(_BLOCK_SIZE), b"")
            return
        unpack = _unpack_gzip if file.compression == "gzip" else _unpack_zstd
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
        raise DamagedFileError("the file ends in the middle of its compressed text")
