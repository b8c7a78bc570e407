"""Random augmentation of whole batches on the device, with separate draws for each image.

A CPU generator makes the draws, so that a checkpoint can hold its state and a run is the same on
every device. They are sent to the device without waiting for it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from clr_tui.engine.tasks.trees import sent


@dataclass(frozen=True)
class RandomAffine:
    """Flip, padded crop and small rotation, as one resampling (bilinear).

    A padded crop of the same size is a shift by whole pixels. Pixels from outside the image are
    set by `fill`.
    """

    flip: bool = True
    """Left to right, half of the images."""
    shift: int = 4
    """At most this many pixels in each direction: the padding of a padded crop."""
    degrees: float = 10.0
    """At most this far in each direction."""
    fill: Literal["zeros", "reflection"] = "reflection"

    def __call__(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Augments a batch.

        Args:
            batch: (n, channels, size, size), uint8 (or float), values 0 to 255.
            generator: on the CPU. It advances by the same amount for every batch of n images.

        Returns:
            float32, the same shape, on the batch's device, values 0 to 255.
        """
        theta = self._transforms(len(batch), batch.shape[-1], generator)
        return resampled(batch, sent(theta, batch.device), self.fill)

    def _transforms(self, n: int, size: int, generator: torch.Generator) -> Tensor:
        """(n, 2, 3): from output to input coordinates, both -1 to 1 across the image."""
        draw = torch.rand((4, n), generator=generator)
        sign = torch.where(draw[0] < 0.5, -1.0, 1.0) if self.flip else torch.ones(n)
        angle = (draw[1] * 2 - 1) * math.radians(self.degrees)
        # Whole pixels: a shift alone leaves values unchanged.
        shift = torch.floor(draw[2:] * (2 * self.shift + 1)) - self.shift
        offset = shift * (2 / size)
        cos, sin = angle.cos(), angle.sin()
        return torch.stack(
            [
                torch.stack([sign * cos, -sin, offset[0]], dim=1),
                torch.stack([sign * sin, cos, offset[1]], dim=1),
            ],
            dim=1,
        )


def resampled(batch: Tensor, theta: Tensor, fill: str) -> Tensor:
    """Moves the pixels of square images, (n, channels, size, size); `theta` as in `sampling_grid`.

    On the CPU curves keep the last bits that they have always had.
    """
    if batch.device.type == "cpu":
        grid = functional.affine_grid(theta, list(batch.shape), align_corners=False)
    else:
        grid = sampling_grid(theta, batch.shape[-1])
    return functional.grid_sample(
        batch.float(), grid, mode="bilinear", padding_mode=fill, align_corners=False
    )


def sampling_grid(theta: Tensor, size: int) -> Tensor:
    """Like torch's `affine_grid`, for square images, but by sums and products of single numbers.

    `affine_grid` multiplies matrices, which a GPU may do in tf32: positions are then off by up to a
    tenth of a pixel, and a shift alone would change values.

    Args:
        theta: (n, 2, 3), from output to input coordinates, both -1 to 1 across the image.
        size: of a side, pixels.

    Returns:
        (n, size, size, 2): the place, x and y, from which each pixel is read.
    """
    centres = (2 * torch.arange(size, device=theta.device) + 1) / size - 1
    of_x, of_y, offset = theta.view(-1, 1, 1, 2, 3).unbind(-1)
    x, y = centres.view(1, -1, 1), centres.view(-1, 1, 1)
    return torch.addcmul(torch.addcmul(offset, of_y, y), of_x, x)
