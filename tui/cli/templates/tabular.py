"""A classifier of table rows for clr-tui.

It runs as it is, on a table that it makes itself:

    clr-tui range-test --task FILE.py --end-lr 10      find the learning rate
    clr-tui train --task FILE.py --max-lr 0.1          train with it
    clr-tui compare --task FILE.py --seeds 3           compare optimizers
    clr-tui range-test --task FILE.py --set width=128  with another value of a parameter
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

import clr_tui

NUMBERS = 6
"""Columns of numbers."""
CATEGORIES = 12
"""Different values of the column of categories, coded as 0 to 11."""

Table = tuple[dict[str, Tensor], Tensor]


class Net(nn.Module):
    """Your model. It gets the inputs by name: one argument for each key of the dict below."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.embedding = nn.Embedding(CATEGORIES, 8)
        self.layers = nn.Sequential(
            nn.Linear(NUMBERS + 8, width),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Linear(width, 2),
        )

    def forward(self, numbers: Tensor, category: Tensor) -> Tensor:
        return self.layers(torch.cat([numbers, self.embedding(category)], dim=1))


def table(rows: int, seed: int) -> Table:
    """Your data: (inputs by name, classes), one row per sample.

    From a CSV file, with pandas:

        rows = pandas.read_csv("table.csv")
        numbers = torch.tensor(rows[["age", "income"]].to_numpy("float32"))
        category = torch.tensor(rows["city"].astype("category").cat.codes.to_numpy("int64"))
        classes = torch.tensor(rows["bought"].to_numpy("int64"))
    """
    draw = torch.Generator().manual_seed(seed)
    numbers = torch.randn(rows, NUMBERS, generator=draw)
    category = torch.randint(CATEGORIES, (rows,), generator=draw)
    noise = 0.3 * torch.randn(rows, generator=draw)
    score = numbers[:, 0] + numbers[:, 1] * (category % 3) - numbers[:, 2].abs() + noise
    return {"numbers": numbers, "category": category}, (score > 0).long()


def split(everything: Table, *parts: int) -> list[Table]:
    """Cuts shuffled rows into parts of these lengths."""
    inputs, classes = everything
    order = torch.randperm(len(classes), generator=torch.Generator().manual_seed(0))
    return [
        ({name: column[chosen] for name, column in inputs.items()}, classes[chosen])
        for chosen in order.split(parts)
    ]


def standardized(tables: list[Table]) -> list[Table]:
    """Scales the numbers so that those of the first part have mean 0 and deviation 1."""
    numbers = tables[0][0]["numbers"]
    mean, deviation = numbers.mean(0), numbers.std(0).clamp_min(1e-8)
    return [
        ({**inputs, "numbers": (inputs["numbers"] - mean) / deviation}, classes)
        for inputs, classes in tables
    ]


def accuracy(outputs: Tensor, classes: Tensor) -> Tensor:
    """A metric: its mean over a batch."""
    return (outputs.argmax(1) == classes).float().mean()


def task(width: int = 64, dropout: float = 0.1) -> clr_tui.Task:
    """What clr-tui calls. Its parameters are fields of the form, and set by --set NAME=VALUE."""
    train, validation, test = standardized(split(table(6000, seed=0), 4000, 1000, 1000))
    return clr_tui.Task(
        model=lambda: Net(width, dropout),
        train=train,
        validation=validation,
        test=test,
        loss=nn.functional.cross_entropy,
        metrics={"accuracy": (accuracy, "max")},
        samples="rows",
    )
