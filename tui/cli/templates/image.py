"""An image classifier for clr-tui.

It runs as it is, on drawings that it makes itself:

    clr-tui range-test --task FILE.py --end-lr 10      find the learning rate
    clr-tui train --task FILE.py --max-lr 0.1          train with it
    clr-tui compare --task FILE.py --seeds 3           compare optimizers
    clr-tui range-test --task FILE.py --set width=64   with another value of a parameter
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

import clr_tui

CLASSES = ("bar", "column", "cross", "ring")
SIZE = 32
"""Width and height of the images, in pixels."""


class Net(nn.Module):
    """Your model. Here: three convolutions, then the mean over the image."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *self._block(3, width),
            *self._block(width, 2 * width),
            *self._block(2 * width, 4 * width),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(4 * width, len(CLASSES)),
        )

    @staticmethod
    def _block(before: int, after: int) -> tuple[nn.Module, ...]:
        convolution = nn.Conv2d(before, after, 3, padding=1, bias=False)
        return convolution, nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2)

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)


def drawings(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Your data: (images, classes), (count, 3, 32, 32) floats and (count,) integers.

    For folders of images, one per class, return this instead:

        from torchvision import datasets, transforms

        resized = transforms.Compose([transforms.Resize((SIZE, SIZE)), transforms.ToTensor()])
        return datasets.ImageFolder("photos/train", resized)
    """
    draw = torch.Generator().manual_seed(seed)
    classes = torch.randint(len(CLASSES), (count,), generator=draw)
    images = 0.3 * torch.rand(count, 3, SIZE, SIZE, generator=draw)
    y, x = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    for image, kind in zip(images, classes.tolist(), strict=True):
        middle_y, middle_x = torch.randint(8, SIZE - 8, (2,), generator=draw).tolist()
        far_y, far_x = (y - middle_y).abs(), (x - middle_x).abs()
        bar, column = (far_y < 2) & (far_x < 8), (far_x < 2) & (far_y < 8)
        ring = ((far_x**2 + far_y**2).sqrt() - 6).abs() < 1.5
        shape = (bar, column, bar | column, ring)[kind]
        image[:, shape] += 0.4 * torch.rand(3, 1, generator=draw)
    return images, classes


def flipped(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Your augmentation, of a training batch on the device: mirrors half of the images."""
    images, classes = batch
    half = torch.rand(len(images), 1, 1, 1, device=images.device) < 0.5
    return torch.where(half, images.flip(-1), images), classes


def accuracy(outputs: Tensor, classes: Tensor) -> Tensor:
    """A metric: its mean over a batch."""
    return (outputs.argmax(1) == classes).float().mean()


def task(width: int = 16, dropout: float = 0.1, images: int = 2000) -> clr_tui.Task:
    """What clr-tui calls. Its parameters are fields of the form, and set by --set NAME=VALUE."""
    return clr_tui.Task(
        model=lambda: Net(width, dropout),
        train=drawings(images, seed=0),
        validation=drawings(400, seed=1),
        test=drawings(400, seed=2),
        loss=nn.functional.cross_entropy,
        metrics={"accuracy": (accuracy, "max")},
        augment=flipped,
        samples="images",
    )
