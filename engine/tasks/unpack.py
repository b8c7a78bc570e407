"""Unpacking archives, with progress; what is unpacked appears only when all of it is there."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO

from clr_tui.engine.tasks.staging import staging_folder

_OPENERS: dict[str, Callable[[IO[bytes]], gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile]] = {
    ".gz": lambda file: gzip.GzipFile(fileobj=file),
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
}
_TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_DAMAGES = (
    *(tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, lzma.LZMAError, zlib.error),
    *(EOFError, KeyError),
)
_BLOCK = 1 << 20
"""Bytes decompressed at a time."""
Done = Callable[[int, int], None]
"""Takes how many bytes of the archive are done, and their total. What it raises ends the work."""


class DamagedArchiveError(Exception):
    """A file that is no complete archive."""


def unpack(archive: Path, into: Path, done: Done, inner: str = "") -> None:
    """Unpacks a tar or zip archive, or decompresses a single file.

    Args:
        into: the folder that receives its content; what is there already under the same name is
            replaced.
        inner: a pattern such as `gzip/*.gz`: only the archives within that match are of interest,
            and are unpacked in turn.

    Raises:
        DamagedArchiveError: it cannot be read to its end.
        OSError: the content cannot be written.
    """
    with staging_folder(into) as staging:
        content = staging / "content"
        content.mkdir()
        try:
            if inner:
                outer = staging / "outer"
                outer.mkdir()
                _extract(archive, outer, done)
                for found in sorted(outer.glob(inner)):
                    _extract(found, content, done)
            else:
                _extract(archive, content, done)
        except _DAMAGES as error:
            raise DamagedArchiveError(str(error) or type(error).__name__) from error
        _move(content, into)


def _move(source: Path, target: Path) -> None:
    """Moves a file or a folder; folders are merged, as several archives may fill the same."""
    if source.is_dir() and target.is_dir():
        for entry in source.iterdir():
            _move(entry, target / entry.name)
    else:
        source.replace(target)


def _extract(archive: Path, into: Path, done: Done) -> None:
    total = archive.stat().st_size
    if archive.suffix == ".zip":
        _extract_zip(archive, into, done)
    elif archive.name.endswith(_TARS):
        with open(archive, "rb") as file, tarfile.open(fileobj=file, mode="r:*") as tar:
            _refuse_escapes(tar)
            for member in tar:
                tar.extract(member, into)
                done(file.tell(), total)
    else:
        opened = _OPENERS[archive.suffix]
        target = into / archive.stem
        with open(archive, "rb") as file, opened(file) as source, open(target, "wb") as out:
            while block := source.read(_BLOCK):
                out.write(block)
                done(file.tell(), total)


def _refuse_escapes(tar: tarfile.TarFile) -> None:
    """Lets no member be written outside the folder, where this Python can see to it."""
    if hasattr(tarfile, "data_filter"):  # in security releases of Python 3.10 and 3.11
        tar.extraction_filter = staticmethod(tarfile.data_filter)


def _extract_zip(archive: Path, into: Path, done: Done) -> None:
    with zipfile.ZipFile(archive) as file:
        total, read = sum(member.compress_size for member in file.infolist()), 0
        for member in file.infolist():
            file.extract(member, into)
            read += member.compress_size
            done(read, total)
