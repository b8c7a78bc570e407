"""Where the images of a data set are held: in the device's memory, the machine's, or on disk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from clr_tui.engine.tasks.dataset import Dataset, Indices, Notify, channel_statistics
from clr_tui.engine.tasks.parts import Rows
from clr_tui.engine.tasks.room import MakeRoom, fits_in_memory, is_mapped, tensor_of

DEVICE_SHARE = 1 / 2
"""Of a device's free memory, at most, for the images; the rest is for training."""
_BLOCK = 64 << 20
"""Bytes of images, as float32, that are resized at a time."""


def resized(dataset: Dataset, size: int, make_room: MakeRoom) -> Dataset:
    """The data set with images of this side, one part after another; as it is if they have it.

    The statistics are those of its own images.
    """
    images, own = dataset.images, dataset.images.shape[-1]
    if own == size:
        return dataset
    order = np.concatenate([dataset.train, dataset.validation, dataset.test])
    found = make_room((len(order), images.shape[1], size, size))
    step = max(1, _BLOCK // (4 * images.shape[1] * max(own, size) ** 2))
    for start in range(0, len(order), step):
        block = order[start : start + step]
        some = functional.interpolate(
            torch.from_numpy(images[block]).float(),
            size=(size, size),
            mode="bilinear",
            align_corners=False,
            antialias=True,
        )
        found[start : start + step] = some.round().to(torch.uint8).numpy()
    ends = np.cumsum([len(dataset.train), len(dataset.validation)])
    train, validation, test = np.split(np.arange(len(order)), ends)
    return replace(
        dataset,
        images=found,
        labels=dataset.labels[order],
        train=train,
        validation=validation,
        test=test,
        statistics=dataset.statistics or channel_statistics(images[dataset.train]),
    )


def image_parts(
    dataset: Dataset, channels: int, device: torch.device, note: Notify
) -> tuple[Rows, Rows, Rows]:
    """The training, validation and test part, for batches on `device`.

    They are in its memory if they take at most `DEVICE_SHARE` of what is free there. Else they stay
    where they are, and each batch is gathered there, and copied to the device.

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
