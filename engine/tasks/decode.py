"""From image files to one array of small square images."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from clr_tui.engine.errors import UserError
from clr_tui.engine.tasks.devices import memory_of

CHUNK = 32
"""Files that a thread takes at a time."""


@dataclass(frozen=True)
class Decoded:
    """What became of a list of files."""

    images: NDArray[np.uint8]
    """(k, channels, size, size), of the k readable files, in the files' order. 1 channel where
    all of them are grey, else 3 (RGB)."""
    readable: NDArray[np.bool_]
    """(n,), of each file."""
    reasons: list[str]
    """Of each unreadable file, in the files' order: what is wrong with it."""


def decode(files: Sequence[Path], size: int, progress: Callable[[int], None]) -> Decoded:
    """Decodes files in all threads of this machine.

    Args:
        files: in any format that Pillow reads.
        size: side of the resulting images, pixels; they are scaled until they cover that square,
            and cut at its edges evenly.
        progress: is told, in this thread, how many files are done. What it raises ends the work.

    Raises:
        UserError: the images are more than this machine's memory holds (field "image_size").
    """
    _check_memory(len(files), size)
    images = np.empty((len(files), 3, size, size), dtype=np.uint8)
    results: list[bool | str] = []
    Image.init()  # loads the plugins once, before there are threads
    pool = ThreadPoolExecutor(_threads())
    try:
        starts = range(0, len(files), CHUNK)
        for part in pool.map(lambda i: _decode_some(files, images, i), starts):
            results += part
            progress(len(results))
    finally:
        pool.shutdown(cancel_futures=True)
    readable = np.array([isinstance(result, bool) for result in results], dtype=np.bool_)
    if not readable.all():
        images = images[readable]
    if all(result is True or isinstance(result, str) for result in results):
        images = images[:, :1].copy()
    return Decoded(images, readable, [result for result in results if isinstance(result, str)])


def _decode_some(files: Sequence[Path], images: NDArray[np.uint8], start: int) -> list[bool | str]:
    """Fills rows of `images`; of each file, whether it is grey, or why it cannot be read."""
    results: list[bool | str] = []
    for row in range(start, min(start + CHUNK, len(files))):
        try:
            results.append(_decode_one(files[row], images[row]))
        # Pillow's plugins raise whatever their parsers stumble over in a damaged file.
        except Exception as error:  # noqa: BLE001
            results.append(_reason(error))
    return results


def _decode_one(file: Path, out: NDArray[np.uint8]) -> bool:
    """Fills `out` (3, size, size) and says whether the image is grey."""
    size = out.shape[-1]
    with Image.open(file) as image:
        # JPEG can be decoded at a half, a quarter or an eighth for much less; twice the size that
        # is wanted leaves the filter below enough to work on.
        image.draft(None, (2 * size, 2 * size))
        ImageOps.exif_transpose(image, in_place=True)
        if image.mode == "I" or image.mode.startswith("I;16"):
            plain = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
        else:
            plain = image.convert("L" if image.mode in ("1", "L", "LA", "La", "F") else "RGB")
    width, height = plain.size
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, left + side, top + side)
    small = plain.resize((size, size), Image.Resampling.BILINEAR, box=box, reducing_gap=2.0)
    # A grey image fills all three channels.
    out[:] = np.atleast_3d(np.asarray(small)).transpose(2, 0, 1)
    return small.mode == "L"


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "not an image, or a damaged one"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    # A name in it may hold what no log and no cache can.
    return str(error).encode(errors="replace").decode() or type(error).__name__


def _threads() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1


def _check_memory(count: int, size: int) -> None:
    # For a moment there are two copies: all images, and those of the parts.
    needed = 2 * count * 3 * size * size
    physical = memory_of(torch.device("cpu"))
    if needed > physical:
        raise UserError(
            f"{count} images of {size}x{size} pixels need {needed / 1e9:.1f} GB of memory, and "
            f"this machine has {physical / 1e9:.1f} GB: choose a smaller image size",
            "image_size",
        )
