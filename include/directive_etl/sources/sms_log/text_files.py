"""Text files as they come: plain or gzip, whole or damaged, one line per row or not."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

_GZIP_MAGIC = b"\x1f\x8b"
_BLOCK_SIZE = 1 << 20


class DamagedFileError(ValueError):
    """A compressed file that is cut off, does not match its checksum, or has something else behind it."""


@dataclass(frozen=True)
class TextFile:
    """A file to read.

    Attributes:
        path: where it is.
        compression: `gzip` or `none`, by its first bytes and not by its name.
        file_no: position among the files read; later files have higher numbers.
    """

    path: Path
    compression: str
    file_no: int

    @classmethod
    def of(cls, path: Path, file_no: int) -> "TextFile":
        """Look at a file's first bytes."""
        with path.open("rb") as stream:
            is_gzip = stream.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
        return cls(path, "gzip" if is_gzip else "none", file_no)

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
            else:
                with self.path.open("rb") as plain:
                    yield plain
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
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


def inspect_text(file: TextFile) -> Inspection:
    """Read a file to its end, as DuckDB does not: it takes damaged gzip as it comes, and NUL as a letter.

    Raises:
        DamagedFileError: it cannot be decompressed to its end, or its checksum is wrong.
    """
    line_feeds = carriage_returns = pairs = 0
    has_nul = False
    last = b""
    for block in _iter_blocks(file):
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
        unpack = zlib.decompressobj(wbits=31)
        try:
            for packed in iter(lambda: stream.read(_BLOCK_SIZE // 8), b""):
                while packed:
                    if unpack.eof:  # several members in a row are one text
                        unpack = zlib.decompressobj(wbits=31)
                    yield unpack.decompress(packed, _BLOCK_SIZE)
                    packed = unpack.unused_data if unpack.eof else unpack.unconsumed_tail
        except zlib.error as error:
            raise DamagedFileError(str(error)) from error
        if not unpack.eof:
            raise DamagedFileError("the file ends in the middle of its compressed text")
