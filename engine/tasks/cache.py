"""A cache of decoded images on disk, so that a folder is decoded once.

Two files per folder and image size: an array for `numpy.load` (uint8, (n, channels, size, size),
one part after another), and JSON about the images, with a key that changes with any image file. A
cache with another key, or a damaged one, is not used.

The array is read, not mapped, as long as it fits into memory comfortably: SIGBUS kills a training
on a mapped file that is truncated or whose network drive disconnects.
"""

from __future__ import annotations

import hashlib
import io
import math
import os
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import platformdirs
from numpy.typing import NDArray

from clr_tui.engine.atomic import replacing
from clr_tui.engine.regular import make_private_folder, open_regular, read_regular
from clr_tui.engine.settings.image_folders import ClassFolder, FolderLayout
from clr_tui.engine.tasks.dataset import Indices, Notify, Statistics
from clr_tui.engine.tasks.decode import Decoded
from clr_tui.engine.tasks.room import fits_in_memory, is_mapped, mapped

VERSION = 4
"""Of the decoding; raising it invalidates older caches."""
_BLOCK = 4096
"""Bytes summed for the checksum. Disks and systems lose whole blocks of this size."""
_SUMMED = _BLOCK << 14
"""Bytes summed at a time."""
_MAX_JSON_BYTES = 1 << 28
"""Bytes."""

Shape = tuple[int, int, int, int]


class _CacheInfo(msgspec.Struct, frozen=True):
    """The JSON file."""

    key: str
    shape: Shape
    """Of the array."""
    files: int
    unreadable: list[tuple[int, str]]
    """The indices of files, and what is wrong with them."""
    notes: list[str]
    """See `Decoded`."""
    mean: list[float]
    std: list[float]
    checksum: int = 0
    """Of the images and all fields above."""


@dataclass(frozen=True)
class CachedImages(Decoded):
    """Decoded images in the order of their parts: training, validation, test."""

    statistics: Statistics
    """Of the training part."""


def cache_path(cache_dir: Path | None, root: Path, size: int) -> Path:
    """The array's path; the JSON is beside it.

    Args:
        cache_dir: None for the user's cache directory.
        root: the folder of images, or a data set's name.
        size: side of the decoded images, pixels.
    """
    name = re.sub(r"[^A-Za-z0-9_-]", "_", root.name)[:40]
    place = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:8]
    folder = cache_dir or platformdirs.user_cache_path("clr-tui") / "images"
    return folder / f"{name}-{place}-{size}.npy"


def cache_key(root: Path, layout: FolderLayout, order: Indices) -> str:
    """A hash of the names and states (see `_state`) of all image files, and of the split.

    Args:
        root: the folder of images.
        layout: its content.
        order: (n,), indices of the training files, then of validation and test, if all are
            readable: another release may split them differently.
    """
    content = hashlib.sha256(f"{VERSION}".encode())
    for classes in layout.parts.values():
        for inside in classes.values():
            content.update(_states(root, inside))
    content.update(order.astype("<i8").tobytes())
    return content.hexdigest()


def _states(root: Path, folder: ClassFolder) -> bytes:
    """The folder, relative to the root, and the names and states of its files."""
    # Concatenated by hand: str(path) takes nearly as long as os.stat.
    start = f"{folder.path}{os.sep}"
    states = "\0".join([f"{name}\0{_state(start + name)}" for name in folder.names])
    return os.fsencode(f"\0\0{folder.path.relative_to(root)}\0{states}")


def _state(file: str) -> str:
    """Values that change with a file's content, and with the file that a name refers to.

    Tools such as rsync and cp -p reset the modification time, but nothing resets the time of the
    last status change (ctime): a rewrite updates it, and so does a chmod, which may make a file
    readable. The inode distinguishes files created at the same moment, even if their folders swap
    names, which touches no file. The device number is left out: it may change with every mount.
    """
    try:
        stat = os.stat(file)
    except OSError:
        return "gone"
    return f"{stat.st_size}\0{stat.st_mtime_ns}\0{stat.st_ctime_ns}\0{stat.st_ino}"


def read_cache(path: Path, key: str) -> CachedImages | None:
    """Reads cached images; None if there are none, or they are damaged or have another key."""
    try:
        about = msgspec.json.decode(
            read_regular(path.with_suffix(".json"), _MAX_JSON_BYTES), type=_CacheInfo
        )
        images = _read_images(path, about.shape) if about.key == key else None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if images is None:
        return None
    # Summing up what is mapped would read all of a large file.
    if not is_mapped(images) and _checksum(about, images) != about.checksum:
        return None
    readable = np.ones(about.files, dtype=np.bool_)
    readable[[row for row, _ in about.unreadable]] = False
    if readable.sum() != len(images):
        return None
    reasons = [reason for _, reason in about.unreadable]
    statistics = (np.array(about.mean), np.array(about.std))
    return CachedImages(images, readable, reasons, about.notes, statistics)


def write_cache(path: Path, key: str, images: CachedImages) -> None:
    """Writes decoded images, replacing those of the same folder.

    Raises:
        OSError: the directory cannot be written, or the disk is full.
    """
    count, channels, height, width = images.images.shape
    mean, std = images.statistics
    unreadable = np.flatnonzero(~images.readable).tolist()
    about = _CacheInfo(
        key=key,
        shape=(count, channels, height, width),
        files=len(images.readable),
        unreadable=list(zip(unreadable, images.reasons, strict=True)),
        notes=images.notes,
        mean=mean.tolist(),
        std=std.tolist(),
    )
    about = msgspec.structs.replace(about, checksum=_checksum(about, images.images))
    make_private_folder(path.parent)
    with replacing(path) as file:
        np.save(file, images.images)
    with replacing(path.with_suffix(".json")) as file:
        file.write(msgspec.json.encode(about))


def keep(path: Path, key: str, images: CachedImages, note: Notify) -> CachedImages:
    """Writes decoded images to the cache; if that fails, it is only a note.

    Returns:
        The same images; if they are in a file that ends with this process, those of the cache.
    """
    try:
        write_cache(path, key, images)
    except OSError as error:
        folder = os.fsencode(path.parent).decode("utf-8", errors="replace")
        note(
            f"the decoded images cannot be cached in '{folder}' "
            f"({error.strerror or error}); they will be decoded again next time"
        )
        return images
    return (read_cache(path, key) if is_mapped(images.images) else None) or images


def _read_images(path: Path, shape: Shape) -> NDArray[np.uint8] | None:
    # Compared, not parsed: numpy.load would parse a damaged header.
    expected = io.BytesIO()
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(expected, header)
    with os.fdopen(open_regular(path), "rb") as file:
        size = os.fstat(file.fileno()).st_size
        header_bytes = file.read(len(expected.getvalue()))
        if header_bytes != expected.getvalue() or size != len(header_bytes) + math.prod(shape):
            return None
        if not fits_in_memory(size):
            return mapped(file.fileno(), len(header_bytes), shape)
        return np.fromfile(file, np.uint8).reshape(shape)


def _checksum(about: _CacheInfo, images: NDArray[np.uint8]) -> int:
    """CRC-32 of the JSON without its checksum, and of the sums of all blocks of the images.

    Any change of one word in a block changes its sum (changes of several would have to cancel out
    modulo 2^64). CRC-32 of all bytes would take four to six times as long.
    """
    data = images.ravel()
    whole = len(data) // _BLOCK * _BLOCK
    check = zlib.crc32(msgspec.json.encode(msgspec.structs.replace(about, checksum=0)))
    for start in range(0, whole, _SUMMED):
        part = data[start : min(start + _SUMMED, whole)].view("<u8").reshape(-1, _BLOCK // 8)
        check = zlib.crc32(part.sum(axis=1, dtype="<u8").data, check)
    return zlib.crc32(data[whole:].data, check)
