"""A classifier of sequences of any length for clr-tui.

It runs as it is, on sequences that it makes itself:

    clr-tui range-test --task FILE.py --end-lr 10      find the learning rate
    clr-tui train --task FILE.py --max-lr 0.1          train with it
    clr-tui compare --task FILE.py --seeds 3           compare optimizers
    clr-tui range-test --task FILE.py --set width=64   with another value of a parameter
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import Dataset

import clr_tui

TOKENS = 30
"""Different tokens, numbered from 1; 0 fills up shorter sequences."""
CLASSES = 3


class Sequences(Dataset[tuple[Tensor, int]]):
    """Your data: pairs of a sequence of tokens, of any length, and a class.

    Here one token in two is from the class's own third of all tokens, the others are any.
    """

    def __init__(self, count: int, seed: int) -> None:
        draw = torch.Generator().manual_seed(seed)
        self.sequences = []
        self.classes = []
        for length in torch.randint(4, 25, (count,), generator=draw).tolist():
            kind = int(torch.randint(CLASSES, (), generator=draw))
            tokens = torch.randint(1, TOKENS + 1, (length,), generator=draw)
            own = 1 + CLASSES * ((tokens - 1) // CLASSES) + kind
            mine = torch.rand(length, generator=draw) < 0.5
            self.sequences.append(torch.where(mine, own, tokens))
            self.classes.append(kind)

    def __len__(self) -> int:
        return len(self.classes)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.sequences[index], self.classes[index]


def padded(samples: list[tuple[Tensor, int]]) -> tuple[Tensor, Tensor, Tensor]:
    """Makes a batch: (tokens, lengths, classes). All but the last are inputs of the model."""
    sequences, classes = zip(*samples, strict=True)
    lengths = torch.tensor([len(sequence) for sequence in sequences])
    return pad_sequence(list(sequences), batch_first=True), lengths, torch.tensor(classes)


class Net(nn.Module):
    """Your model, called as model(tokens, lengths)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(TOKENS + 1, width, padding_idx=0)
        self.recurrent = nn.GRU(width, width, batch_first=True)
        self.head = nn.Linear(width, CLASSES)

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        packed = pack_padded_sequence(
            self.embedding(tokens), lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        _, state = self.recurrent(packed)
        return self.head(state[-1])


def accuracy(outputs: Tensor, classes: Tensor) -> Tensor:
    """A metric: its mean over a batch."""
    return (outputs.argmax(1) == classes).float().mean()


def task(width: int = 32, sequences: int = 3000) -> clr_tui.Task:
    """What clr-tui calls. Its parameters are fields of the form, and set by --set NAME=VALUE."""
    return clr_tui.Task(
        model=lambda: Net(width),
        train=Sequences(sequences, seed=0),
        validation=Sequences(500, seed=1),
        test=Sequences(500, seed=2),
        collate=padded,
        loss=nn.functional.cross_entropy,
        metrics={"accuracy": (accuracy, "max")},
        clip=1.0,
        samples="sequences",
    )
