"""Decoding image files, in parallel, into one array of small square images."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

import numpy as np
from numpy.typing import NDArray

from clr_tui.engine.cores import usable_cores
from clr_tui.engine.free_memory import available_memory
from clr_tui.engine.tasks.decode_process import DecodeProcess
from clr_tui.engine.tasks.picture_notes import PictureNotes
from clr_tui.engine.tasks.pictures import Large, Picture, read_pictures
from clr_tui.engine.tasks.room import MakeRoom, in_memory, picked

CHUNK = 32
"""Files decoded at a time."""
PROCESSES = 16
"""Maximum: each takes some 30 MB, and disks have limits."""
Reader = Callable[[Sequence[str], int], "list[Picture | Large | str]"]
MEMORY_SHARE = 1 / 2
"""The largest share of free memory that decoding one image may take."""


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
    notes: list[str]
    """Sentences about images that were not used exactly as they are stored."""


def decode(
    files: Sequence[Path],
    size: int,
    progress: Callable[[int], None],
    make_room: MakeRoom = in_memory,
) -> Decoded:
    """Decodes files on all cores of this machine, in this process and in child processes.

    Args:
        files, size: see `read_pictures`.
        progress: called in this thread with the number of files done. What it raises ends the work.
        make_room: makes the arrays of images; by default in memory.
    """
    images = make_room((len(files), 3, size, size))
    results: list[Picture | str] = []
    notes = PictureNotes()
    # A reader too many costs almost nothing, one too few may cost minutes.
    count = min(usable_cores(), PROCESSES, -(-len(files) // CHUNK))
    with _readers(count) as readers, contextlib.closing(_LargeReader(size)) as large:
        idle: SimpleQueue[Reader] = SimpleQueue()
        for reader in readers:
            idle.put(reader)

        def part(start: int) -> list[Picture | str]:
            names = [os.fspath(file) for file in files[start : start + CHUNK]]
            reader = idle.get()
            try:
                found = reader(names, size)
            finally:
                idle.put(reader)
            read = (
                large.read(name, one) if isinstance(one, Large) else one
                for name, one in zip(names, found, strict=True)
            )
            return [_moved(one, images[row]) for row, one in enumerate(read, start)]

        pool = ThreadPoolExecutor(len(readers))
        try:
            for done in pool.map(part, range(0, len(files), CHUNK)):
                for row, one in enumerate(done, len(results)):
                    if isinstance(one, Picture):
                        notes.add(row, one)
                results += done
                progress(len(results))
        finally:
            pool.shutdown(cancel_futures=True)
    notes.rescale(images)
    readable = np.array([isinstance(result, Picture) for result in results], dtype=np.bool_)
    all_grey = all(isinstance(result, str) or result.is_grey for result in results)
    images = picked(images, np.flatnonzero(readable), 1 if all_grey else 3, make_room)
    reasons = [result for result in results if isinstance(result, str)]
    return Decoded(images, readable, reasons, notes.sentences())


class _LargeReader:
    """Decodes large images one at a time, in a process that does not keep the memory."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._process: DecodeProcess | None = None

    def read(self, file: str, image: Large) -> Picture | str:
        """Decodes a file, or says why not."""
        with self._lock:
            free = available_memory()
            if free is not None and image.needs > MEMORY_SHARE * free:
                pixels = f"{image.width}x{image.height} pixels" if image.width else "its file"
                return (
                    f"{pixels} would take about {image.needs / 1e9:.1f} GB of memory to decode, but"
                    f" {free / 1e9:.1f} GB are free"
                )
            try:
                self._process = self._process or DecodeProcess()
            except OSError as error:
                return f"no process can be started to decode it: {error.strerror}"
            found = self._process.read_large(file, self._size)
            if isinstance(found, str):  # the process may be lost
                self.close()
            return found

    def close(self) -> None:
        """Ends the process, if there is one."""
        if self._process is not None:
            self._process.close()
            self._process = None


def _moved(picture: Picture | str, out: NDArray[np.uint8]) -> Picture | str:
    """Moves the values of a picture to `out` (3, size, size); returns the rest of it."""
    if isinstance(picture, str):
        return picture
    # A grey picture fills all three channels.
    out[:] = np.frombuffer(picture.values, np.uint8).reshape(-1, *out.shape[1:])
    return picture._replace(values=b"")


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
