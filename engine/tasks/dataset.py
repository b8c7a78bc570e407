"""Images in memory and their split into parts, before they go to the device."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from clr_tui.engine.tasks.room import tensor_of

Progress = Callable[[str, int, int], None]
"""Takes the current work, how much is done, and the total: "decoding images", 512, 4317."""
Notify = Callable[[str], None]
"""Takes a sentence for the user, in plain text."""
Indices = NDArray[np.int64]
Statistics = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Mean and standard deviation per channel, (channels,), in units of the full range (255)."""


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Labelled images in three parts."""

    classes: list[str]
    images: NDArray[np.uint8]
    """(n, channels, size, size); 1 channel (grey) or 3 (RGB)."""
    labels: NDArray[np.int64]
    """(n,), indices into `classes`."""
    train: Indices
    """Indices of this part's images. No image is in two parts."""
    validation: Indices
    test: Indices
    upright: bool
    """Whether images must not be mirrored, and are empty beyond their edges."""
    skipped: int = 0
    """Files that could not be read."""
    statistics: Statistics | None = None
    """Of the training part, if already known."""


def channel_statistics(images: NDArray[np.uint8]) -> Statistics:
    """Computes exact statistics, for any number of images, from counts of the 256 values.

    Args:
        images: (n, channels, size, size), at least one.
    """
    channels = images.shape[1]
    counts = np.zeros((channels, 256), dtype=np.int64)
    # A few at a time, to fit the processor's cache. numpy's bincount first makes an int64 of every
    # pixel: torch's takes a third of the time.
    for some in torch.split(tensor_of(images), 64):
        for channel in range(channels):
            counts[channel] += torch.bincount(some[:, channel].flatten(), minlength=256).numpy()
    values = np.arange(256) / 255
    share = counts / counts.sum(axis=1, keepdims=True)
    mean = share @ values
    variance = (share * (values - mean[:, np.newaxis]) ** 2).sum(axis=1)
    # A constant channel carries no information: any scale but 0 will do.
    return mean, np.maximum(np.sqrt(variance), 1 / 255)
