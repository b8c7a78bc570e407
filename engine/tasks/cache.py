"""Decoded images on disk, so that a folder is decoded once.

One file a folder and image size. Its name holds a hash of the state of all image files (see
`_state`), and of the classes and parts they belong to: when the folder changes another file is
written, and the one it replaces is removed.

The images lie in it as they are wanted in memory, the parts one after the other, so that a start
reads them once and copies nothing: marker, length of the header (4 bytes), its CRC-32 (4), the
header (JSON), the bytes of the images. They are read rather than mapped: training on a mapped
file would die without a word if the file were cut short meanwhile, or taken away on a network
drive.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
import struct
import tempfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import platformdirs
from numpy.typing import NDArray

from clr_tui.engine.cores import usable_cores
from clr_tui.engine.regular import open_regular
from clr_tui.engine.settings.image_folders import ClassFolder, FolderLayout
from clr_tui.engine.tasks.dataset import Indices, Statistics
from clr_tui.engine.tasks.decode import Decoded

VERSION = 2
"""Of what is decoded and how, and of the file: a higher one leaves older caches unused."""
_MARKER = b"clr-tui images\r\n"
_START = struct.Struct("<16sII")
_BLOCK = 4096
"""Bytes that are added up for the checksum: what a disk or the system loses, it loses in these."""
_READERS = 4
"""At a time, at most: more cores than that have no more memory to fetch with."""
_MOST = 1 << 30
"""Bytes asked for at a time: macOS refuses more than 2^31."""
_LEAST = 1 << 22
"""Bytes that a reader is worth its while for."""


class _Header(msgspec.Struct, frozen=True):
    shape: tuple[int, int, int, int]
    files: int
    unreadable: list[tuple[int, str]]
    mean: list[float]
    std: list[float]
    checksum: int


@dataclass(frozen=True)
class Kept(Decoded):
    """As `Decoded`, but the images in the order of their parts: training, validation, test."""

    statistics: Statistics
    """Of the training part."""


def cache_path(
    cache_dir: Path | None, root: Path, size: int, layout: FolderLayout, order: Indices
) -> Path:
    """Where the decoded images of a folder lie, or would.

    Args:
        cache_dir: None for the user's own cache directory.
        root: the folder of images.
        size: side of the decoded images, pixels.
        layout: what lies in `root`.
        order: (n,), which of its files would belong to the training part, then to validation and
            test, if all are readable: another release may part them otherwise.
    """
    folder = cache_dir or platformdirs.user_cache_path("clr-tui") / "images"
    content = hashlib.sha256(f"{VERSION}".encode())
    for classes in layout.parts.values():
        for inside in classes.values():
            content.update(_states(root, inside))
    content.update(order.astype("<i8").tobytes())
    return folder / f"{_stem(root, size)}-{content.hexdigest()[:16]}.images"


def _states(root: Path, folder: ClassFolder) -> bytes:
    """The folder, relative to the root, and the names and states of its files."""
    # Put together by hand: a path's own text takes nearly as long as asking for the file's state.
    start = f"{folder.path}{os.sep}"
    states = "\0".join([f"{name}\0{_state(start + name)}" for name in folder.names])
    return os.fsencode(f"\0\0{folder.path.relative_to(root)}\0{states}")


def _state(file: str) -> str:
    """What changes with a file's content, and with the file that stands behind a name.

    Tools such as rsync and cp -p set the modification time back, but nothing sets the time of the
    last change of status (ctime): a rewrite moves it on, as does a chmod, after which a file may be
    readable at last. The inode tells files apart that were made at the same moment, even where
    their folders trade names, which touches no file. The number of the device is left out: it may
    change with every mount.
    """
    try:
        stat = os.stat(file)
    except OSError:
        return "gone"
    return f"{stat.st_size}\0{stat.st_mtime_ns}\0{stat.st_ctime_ns}\0{stat.st_ino}"


def _stem(root: Path, size: int) -> str:
    name = re.sub(r"[^A-Za-z0-9_-]", "_", root.name)[:40]
    place = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:8]
    return f"{name}-{place}-{size}"


def read_cache(path: Path) -> Kept | None:
    """What was decoded before; None where it is not there or damaged (every byte is checked)."""
    try:
        with os.fdopen(open_regular(path), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            marker, length, check = _START.unpack(file.read(_START.size))
            if marker != _MARKER or length > size:
                return None
            head = file.read(length)
            if zlib.crc32(head) != check:
                return None
            header = msgspec.json.decode(head, type=_Header)
            count = math.prod(header.shape)
            if size != _START.size + length + count:
                return None
            data, checksum = _read(file.fileno(), _START.size + length, count)
    except (OSError, EOFError, struct.error, msgspec.DecodeError):
        return None
    if checksum != header.checksum:
        return None
    readable = np.ones(header.files, dtype=np.bool_)
    readable[[row for row, _ in header.unreadable]] = False
    if readable.sum() != header.shape[0]:
        return None
    reasons = [reason for _, reason in header.unreadable]
    statistics = np.array(header.mean), np.array(header.std)
    return Kept(data.reshape(header.shape), readable, reasons, statistics)


def write_cache(path: Path, kept: Kept) -> None:
    """Keeps what was decoded, atomically, in place of what the same folder gave before.

    Raises:
        OSError: the directory cannot be written, or the disk is full.
    """
    count, channels, height, width = kept.images.shape
    data = kept.images.ravel()
    mean, std = kept.statistics
    unreadable = np.flatnonzero(~kept.readable).tolist()
    head = msgspec.json.encode(
        _Header(
            shape=(count, channels, height, width),
            files=len(kept.readable),
            unreadable=list(zip(unreadable, kept.reasons, strict=True)),
            mean=mean.tolist(),
            std=std.tolist(),
            checksum=_checksum(data, [_sums(data)]),
        )
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".partial")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(_START.pack(_MARKER, len(head), zlib.crc32(head)))
            file.write(head)
            file.write(kept.images.data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
    # Those of older versions end in .npz.
    for old in path.parent.glob(f"{path.stem.rpartition('-')[0]}-*"):
        if old != path:
            old.unlink(missing_ok=True)


def _read(file: int, offset: int, count: int) -> tuple[NDArray[np.uint8], int]:
    """`count` bytes of a file from `offset` on, and their checksum; some cores read side by side.

    Raises:
        EOFError: it is shorter.
    """
    data = np.empty(count, np.uint8)
    readers = max(1, min(usable_cores(), _READERS, count // _LEAST))
    edges = [count * i // readers // _BLOCK * _BLOCK for i in range(readers)] + [count]

    def take(first: int, last: int) -> NDArray[np.uint64]:
        part = data[first:last].data
        while part:
            got = os.preadv(file, [part[:_MOST]], offset + last - len(part))
            if not got:
                raise EOFError("the file has become shorter")
            part = part[got:]
        return _sums(data[first:last])

    if readers == 1:
        return data, _checksum(data, [take(0, count)])
    with ThreadPoolExecutor(readers) as pool:
        return data, _checksum(data, list(pool.map(take, edges[:-1], edges[1:])))


def _checksum(data: NDArray[np.uint8], sums: list[NDArray[np.uint64]]) -> int:
    """Of the bytes (n,): CRC-32 of the sums of all blocks, and of the rest as it is.

    A block of which one word changed has another sum (changes of several would have to cancel out,
    modulo 2^64), and one that lies elsewhere another place in the CRC. CRC-32 of all bytes would
    take four to six times as long.
    """
    check = 0
    for some in sums:
        check = zlib.crc32(some.data, check)
    return zlib.crc32(data[len(data) // _BLOCK * _BLOCK :].data, check)


def _sums(data: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Of the words of each whole block."""
    whole = len(data) // _BLOCK * _BLOCK
    words = data[:whole].view("<u8").reshape(-1, _BLOCK // 8)
    return np.asarray(words.sum(axis=1, dtype="<u8"))
