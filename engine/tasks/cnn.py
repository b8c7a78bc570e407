"""The CNN, for any image size and number of channels."""

from __future__ import annotations

from torch import nn

WIDTH = 32
"""Channels of the first block; each later block has twice as many, up to `MAX_WIDTH`."""
MAX_WIDTH = 256
HIDDEN = 1024
"""Width of the linear layer. With less, the rate where a range test turns varies more by seed."""
DROPOUT = 0.5
MIN_SIZE = 2
"""Blocks are added while the pooled image is at least this many pixels wide."""


def build_cnn(channels: int, image_size: int, classes: int) -> nn.Module:
    """Blocks of convolution, batch norm, max pooling and ReLU, then linear layers with dropout.

    32x32 images get four blocks (32, 64, 128, 256 channels), 8x8 digits two.

    Args:
        channels: of the images, 1 or more.
        image_size: side of the images, pixels, 8 or more.
        classes: number of logits.
    """
    layers: list[nn.Module] = []
    width, size = WIDTH, image_size
    while size // 2 >= MIN_SIZE:
        layers += _block(channels, width)
        channels, width, size = width, min(width * 2, MAX_WIDTH), size // 2
    return nn.Sequential(
        *layers,
        nn.Flatten(),
        nn.Linear(channels * size * size, HIDDEN),
        nn.ReLU(inplace=True),
        nn.Dropout(DROPOUT),
        nn.Linear(HIDDEN, classes),
    )


def _block(channels: int, width: int) -> list[nn.Module]:
    return [
        # Batch norm has a bias of its own.
        nn.Conv2d(channels, width, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        # Bit for bit the same as ReLU before pooling, but on a quarter of the values.
        nn.MaxPool2d(2),
        nn.ReLU(inplace=True),
    ]
