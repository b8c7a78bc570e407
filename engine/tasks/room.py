"""Room for images: in memory, or, for more than fits there comfortably, in files mapped into it."""

from __future__ import annotations

import mmap
import os
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clr_tui.engine.errors import UserError
from clr_tui.engine.free_memory import available_memory
from clr_tui.engine.regular import make_private_folder
from clr_tui.engine.tasks.devices import memory_of
from clr_tui.engine.words import many

MEMORY_SHARE = 1 / 4
"""The largest share of free memory for one array: there may be two for a moment, or other runs."""
_BLOCK = 64 << 20
"""Bytes copied at a time."""
Images = NDArray[np.uint8]
"""(n, channels, size, size)."""
Shape = tuple[int, int, int, int]
MakeRoom = Callable[[Shape], Images]
"""Makes an array whose content is not defined yet."""


def fits_in_memory(count: int) -> bool:
    """Whether an array of `count` bytes should be in memory."""
    free = available_memory()
    return count <= MEMORY_SHARE * (memory_of(torch.device("cpu")) if free is None else free)


def in_memory(shape: Shape) -> Images:
    """Makes an array in memory."""
    return np.empty(shape, dtype=np.uint8)


def room_in(folder: Path) -> MakeRoom:
    """Makes arrays in memory, or in files without a name in `folder`, which end with the arrays.

    What is returned raises:
        UserError: there is no room on the disk either (field `image_size`).
    """

    def make(shape: Shape) -> Images:
        count = int(np.prod(shape, dtype=np.int64))
        if fits_in_memory(count):
            return in_memory(shape)
        try:
            return _on_disk(folder, count).reshape(shape)
        except OSError as error:
            raise UserError(
                f"{many(shape[0], 'image')} of {shape[2]}x{shape[3]} pixels need "
                f"{count / 1e9:.1f} GB, more than the free memory, and '{folder}' cannot hold them "
                f"({error.strerror or error}): free some space there, choose a smaller image "
                "size, or set XDG_CACHE_HOME to a folder on a larger disk",
                "image_size",
            ) from error

    return make


def _on_disk(folder: Path, count: int) -> NDArray[np.uint8]:
    make_private_folder(folder)
    with tempfile.TemporaryFile(dir=folder) as file:
        # A full disk must be found now: writing to a mapped file would kill the process.
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, count)
        else:
            os.truncate(file.fileno(), count)
        return np.frombuffer(mmap.mmap(file.fileno(), count), dtype=np.uint8)


def mapped(descriptor: int, offset: int, shape: Shape) -> Images:
    """The images in an open file, which are read as they are used; the array is read-only."""
    content = mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
    return np.frombuffer(content, dtype=np.uint8, offset=offset).reshape(shape)


def is_mapped(images: Images) -> bool:
    """Whether these are in a file, and take no memory that others could not have."""
    base: object = images
    while isinstance(base, np.ndarray | memoryview):
        base = base.base if isinstance(base, np.ndarray) else base.obj
    return isinstance(base, mmap.mmap)


def picked(images: Images, rows: NDArray[np.int64], channels: int, make_room: MakeRoom) -> Images:
    """Some rows, in this order, with their first `channels` channels.

    Returns:
        `images` itself if it is all of it, else a copy.
    """
    if channels == images.shape[1] and np.array_equal(rows, np.arange(len(images))):
        return images
    found = make_room((len(rows), channels, *images.shape[2:]))
    step = max(1, _BLOCK // max(1, images[:1].nbytes))
    for start in range(0, len(rows), step):
        block = slice(start, start + step)
        found[block] = images[rows[block], :channels]
    return found


def tensor_of(images: Images) -> Tensor:
    """A tensor of the same memory."""
    with warnings.catch_warnings():
        # Mapped images are read-only, which torch has no notion of. Nothing writes to images.
        warnings.filterwarnings("ignore", message=".*not writable")
        return torch.from_numpy(images)
