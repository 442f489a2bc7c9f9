"""Text files as they come: plain, gzip or zstd, whole or damaged, one line per row or not."""

import gzip
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from directive_etl.landing.texts import DamagedFileError, compression_of

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


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
        return cls(path, compression_of(path), file_no)

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
