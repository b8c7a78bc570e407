"""Where the images of a data set are held: in the device's memory, the machine's, or on disk."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from clr_tui.engine.tasks.cache import VERSION, CachedImages, keep, read_cache
from clr_tui.engine.tasks.dataset import Dataset, Indices, Notify, channel_statistics
from clr_tui.engine.tasks.parts import Rows
from clr_tui.engine.tasks.room import Images, fits_in_memory, is_mapped, room_in, tensor_of

DEVICE_SHARE = 1 / 2
"""The largest share of a device's free memory for the images; the rest is for training."""
_BLOCK = 64 << 20
"""Bytes of images, as float32, that are resized at a time."""


def resized(dataset: Dataset, size: int, path: Path, note: Notify) -> Dataset:
    """The data set with images of this side, one part after another; unchanged if it has them.

    Args:
        path: of the file that holds the images if they do not fit into memory, for all processes
            and later runs.
        note: takes a sentence if it cannot be written.

    Returns:
        The data set; its statistics are those of its own images.

    Raises:
        UserError: (field `image_size`) there is room neither in memory nor on the disk.
    """
    images = dataset.images
    if images.shape[-1] == size:
        return dataset
    order = np.concatenate([dataset.train, dataset.validation, dataset.test])
    shape = (len(order), images.shape[1], size, size)
    key = f"{zlib.crc32(order.tobytes(), zlib.crc32(np.ascontiguousarray(images).data))} {VERSION}"
    cached = None if fits_in_memory(math.prod(shape)) else read_cache(path, key)
    if cached is None:
        found = room_in(path.parent)(shape)
        _resize(images, order, found)
        statistics = dataset.statistics or channel_statistics(images[dataset.train])
        readable = np.ones(len(order), dtype=np.bool_)
        cached = CachedImages(found, readable, [], [], statistics)
        if is_mapped(found):
            cached = keep(path, key, cached, note)
    ends = np.cumsum([len(dataset.train), len(dataset.validation)])
    train, validation, test = np.split(np.arange(len(order)), ends)
    return replace(
        dataset,
        images=cached.images,
        labels=dataset.labels[order],
        train=train,
        validation=validation,
        test=test,
        statistics=cached.statistics,
    )


def _resize(images: Images, order: Indices, out: Images) -> None:
    """Fills `out` with the images at these indices, some at a time."""
    size = out.shape[-1]
    step = max(1, _BLOCK // (4 * images.shape[1] * max(images.shape[-1], size) ** 2))
    for start in range(0, len(order), step):
        block = order[start : start + step]
        some = functional.interpolate(
            torch.from_numpy(images[block]).float(),
            size=(size, size),
            mode="bilinear",
            align_corners=False,
            antialias=True,
        )
        out[start : start + step] = some.round().to(torch.uint8).numpy()


def image_parts(
    dataset: Dataset, channels: int, device: torch.device, note: Notify
) -> tuple[Rows, Rows, Rows]:
    """The training, validation and test part, for batches on `device`.

    They are moved to its memory if they take at most `DEVICE_SHARE` of what is free there.
    Otherwise they stay in place, and each batch is gathered there and copied to the device.

    Args:
        channels: of the parts; grey images fill all three.
        note: takes a sentence about where images are, if not in the device's memory.
    """
    images = tensor_of(dataset.images).expand(-1, channels, -1, -1)
    held_on = device if _fits(images.numel(), device) else torch.device("cpu")
    try:
        parts = tuple(_parts(dataset, images, held_on, device))
    except torch.OutOfMemoryError:  # another process took what was free
        held_on = torch.device("cpu")
        parts = tuple(_parts(dataset, images, held_on, device))
    if held_on.type == "cpu" and is_mapped(dataset.images):
        note(f"the images ({_gb(images)}) stay on disk, and are read as they are used")
    elif held_on != device:
        note(
            f"the images ({_gb(images)}) are too many for the memory of {device}: they stay in this"
            " machine's"
        )
    train, validation, test = parts
    return train, validation, test


def mapped_bytes(dataset: Dataset) -> int:
    """Bytes of the images that are on disk, not in memory."""
    return dataset.images.nbytes if is_mapped(dataset.images) else 0


def _fits(count: int, device: torch.device) -> bool:
    if device.type == "cuda":
        return count <= DEVICE_SHARE * torch.cuda.mem_get_info(device)[0]
    # Other accelerators share the machine's memory.
    return device.type == "cpu" or fits_in_memory(count)


def _parts(
    dataset: Dataset, images: Tensor, held_on: torch.device, used_on: torch.device
) -> Iterator[Rows]:
    labels = torch.from_numpy(dataset.labels)
    for indices in (dataset.train, dataset.validation, dataset.test):
        rows = _rows(indices)
        yield Rows(images[rows].to(held_on), labels[rows].to(held_on), used_on)


def _gb(images: Tensor) -> str:
    return f"{images.numel() / 1e9:.1f} GB"


def _rows(indices: Indices) -> slice | Tensor:
    """A slice if the indices are consecutive, to avoid a copy on the CPU."""
    first, count = int(indices[0]), len(indices)
    if np.array_equal(indices, np.arange(first, first + count)):
        return slice(first, first + count)
    return torch.from_numpy(indices)
