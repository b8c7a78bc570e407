"""One part of the data, in memory on the device."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Part:
    """Images and labels of the training, validation or test part."""

    images: Tensor
    """uint8, (n, channels, height, width), on the device."""
    labels: Tensor
    """int64, (n,), on the device; indices into `Task.classes`."""

    def __len__(self) -> int:
        return len(self.labels)
