"""Decoding image files, in parallel, into one array of small square images."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import torch
from numpy.typing import NDArray

from clr_tui.engine.cores import usable_cores
from clr_tui.engine.errors import UserError
from clr_tui.engine.tasks.decode_process import DecodeProcess
from clr_tui.engine.tasks.devices import memory_of
from clr_tui.engine.tasks.pictures import read_pictures
from clr_tui.engine.words import many

CHUNK = 32
"""Files decoded at a time."""
PROCESSES = 16
"""Maximum: each takes some 30 MB, and disks have limits."""
Reader = Callable[[Sequence[str], int], "list[bytes | str]"]


@dataclass(frozen=True)
class Decoded:
    """The result of decoding a list of files."""

    images: NDArray[np.uint8]
    """(k, channels, size, size), of the k readable files in order; 1 channel if all are grey, else
    3 (RGB)."""
    readable: NDArray[np.bool_]
    """(n,), for each file."""
    reasons: list[str]
    """What is wrong with each unreadable file, in order."""


def decode(files: Sequence[Path], size: int, progress: Callable[[int], None]) -> Decoded:
    """Decodes files on all cores of this machine, in this process and in child processes.

    Args:
        files, size: see `read_pictures`.
        progress: called in this thread with the number of files done. What it raises ends the work.

    Raises:
        UserError: the images do not fit into this machine's memory (field "image_size").
    """
    _check_memory(len(files), size)
    images = np.empty((len(files), 3, size, size), dtype=np.uint8)
    results: list[bool | str] = []
    # A reader too many costs almost nothing, one too few may cost minutes.
    count = min(usable_cores(), PROCESSES, -(-len(files) // CHUNK))
    with _readers(count) as readers:
        idle: SimpleQueue[Reader] = SimpleQueue()
        for reader in readers:
            idle.put(reader)

        def part(start: int) -> list[bool | str]:
            names = [os.fspath(file) for file in files[start : start + CHUNK]]
            reader = idle.get()
            try:
                found = reader(names, size)
            finally:
                idle.put(reader)
            return [_fill(images[row], one) for row, one in enumerate(found, start)]

        pool = ThreadPoolExecutor(len(readers))
        try:
            for done in pool.map(part, range(0, len(files), CHUNK)):
                results += done
                progress(len(results))
        finally:
            pool.shutdown(cancel_futures=True)
    readable = np.array([isinstance(result, bool) for result in results], dtype=np.bool_)
    if not readable.all():
        images = images[readable]
    if all(result is True or isinstance(result, str) for result in results):
        images = images[:, :1].copy()
    return Decoded(images, readable, [result for result in results if isinstance(result, str)])


def _fill(out: NDArray[np.uint8], picture: bytes | str) -> bool | str:
    """Fills `out` (3, size, size); returns whether the picture is grey, or why there is none."""
    if isinstance(picture, str):
        return picture
    values = np.frombuffer(picture, np.uint8).reshape(-1, *out.shape[1:])
    out[:] = values  # a grey picture fills all three channels
    return len(values) == 1


@contextlib.contextmanager
def _readers(count: int) -> Iterator[list[Reader]]:
    """`count` readers, or fewer if processes cannot be started; the first works in this process."""
    readers: list[Reader] = [read_pictures]
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            while len(readers) < count:
                process = DecodeProcess()
                stack.callback(process.close)
                readers.append(process.read_pictures)
        yield readers


def _check_memory(count: int, size: int) -> None:
    # For a moment there are two copies: all images, and those of the parts.
    needed = 2 * count * 3 * size * size
    physical = memory_of(torch.device("cpu"))
    if needed > physical:
        raise UserError(
            f"{many(count, 'image')} of {size}x{size} pixels need {needed / 1e9:.1f} GB of memory, "
            f"and this machine has {physical / 1e9:.1f} GB: choose a smaller image size",
            "image_size",
        )
