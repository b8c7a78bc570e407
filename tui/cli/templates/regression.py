"""A regression for clr-tui.

It runs as it is, on measurements that it makes itself:

    clr-tui range-test --task FILE.py --end-lr 10      find the learning rate
    clr-tui train --task FILE.py --max-lr 0.1          train with it
    clr-tui compare --task FILE.py --seeds 3           compare optimizers
    clr-tui range-test --task FILE.py --set width=128  with another value of a parameter
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

import clr_tui

INPUTS = 4


class Net(nn.Module):
    """Your model."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(INPUTS, width),
            nn.SiLU(),
            nn.Linear(width, width),
            nn.SiLU(),
            nn.Linear(width, 1),
        )

    def forward(self, inputs: Tensor) -> Tensor:
        return self.layers(inputs)


def measurements(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Your data: (inputs, targets), (count, 4) and (count, 1).

    Outputs and targets must have the same shape: mse_loss broadcasts (count, 1) and (count,) to
    (count, count). From a file of numbers, the target in the last column:

        rows = torch.from_numpy(numpy.loadtxt("data.csv", delimiter=",", dtype="float32"))
        return rows[:, :-1], rows[:, -1:]
    """
    draw = torch.Generator().manual_seed(seed)
    inputs = 2 * torch.rand(count, INPUTS, generator=draw) - 1
    a, b, c, d = inputs.unbind(1)
    targets = torch.sin(3 * a) + b * c + 0.5 * d**2 + 0.05 * torch.randn(count, generator=draw)
    return inputs, targets[:, None]


def mae(outputs: Tensor, targets: Tensor) -> Tensor:
    """A metric: the mean absolute error over a batch."""
    return (outputs - targets).abs().mean()


def task(width: int = 64, rows: int = 4000) -> clr_tui.Task:
    """What clr-tui calls. Its parameters are fields of the form, and set by --set NAME=VALUE."""
    return clr_tui.Task(
        model=lambda: Net(width),
        train=measurements(rows, seed=0),
        validation=measurements(1000, seed=1),
        test=measurements(1000, seed=2),
        loss=nn.functional.mse_loss,
        metrics={"mae": (mae, "min")},
        samples="measurements",
    )
