"""Somebody's folder of training code is used as it is, through a task file of a few lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

MODEL = """
from torch import nn

import utils


class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(utils.INPUTS, width), nn.ReLU(), nn.Linear(width, 3))

    def forward(self, x):
        return self.layers(x)
"""
ENGINE = '''
import torch
from torch import nn
from torch.utils.data import Dataset

import utils
from model import Net


class Blobs(Dataset):
    """Points around one of three centres; read one by one."""

    def __init__(self, count, seed):
        generator = torch.Generator().manual_seed(seed)
        self.labels = torch.randint(0, 3, (count,), generator=generator)
        noise = torch.randn(count, utils.INPUTS, generator=generator)
        self.points = noise + 2 * utils.centres()[self.labels]

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.points[index], int(self.labels[index])


class SmoothedLoss(nn.Module):
    def __init__(self, smoothing):
        super().__init__()
        self.inner = nn.CrossEntropyLoss(label_smoothing=smoothing)

    def forward(self, outputs, targets):
        return self.inner(outputs, targets)


if __name__ == "__main__":
    raise SystemExit("their own training, which must not run")
'''
UTILS = """
import torch

INPUTS = 5


def centres():
    return torch.eye(3, INPUTS)


def accuracy(outputs, targets):
    return (outputs.argmax(1) == targets).float().mean()
"""
TASK = """
import clr_tui
import utils
from engine import Blobs, SmoothedLoss
from model import Net


def task(width: int = 8, smoothing: float = 0.0):
    return clr_tui.Task(
        model=lambda: Net(width),
        train=Blobs(200, 0),
        validation=Blobs(40, 1),
        test=Blobs(40, 2),
        loss=SmoothedLoss(smoothing),
        metrics={"accuracy": (utils.accuracy, "max")},
    )
"""
REGRESSION = """
import clr_tui, torch
from torch import nn

x = torch.randn(300, 4, generator=torch.Generator().manual_seed(0))
y = x.sum(1, keepdim=True)


def mae(outputs, targets):
    return (outputs - targets).abs().mean()


def task():
    return clr_tui.Task(model=lambda: nn.Linear(4, 1), train=(x, y), loss=nn.MSELoss(),
                        metrics={"mae": (mae, "min")})
"""
SEQUENCES = """
import clr_tui, torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader


class Counter(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.head = nn.EmbeddingBag(9, 8, mode="sum", padding_idx=0), nn.Linear(8, 2)

    def forward(self, words):
        return self.head(self.words(words))


def padded(samples):
    words = pad_sequence([words for words, _ in samples], batch_first=True)
    return words, torch.tensor([label for _, label in samples])


def task():
    g = torch.Generator().manual_seed(0)
    texts = [torch.randint(1, 9, (3 + n % 7,), generator=g) for n in range(201)]
    data = [(text, int((text > 4).sum() > 2)) for text in texts]
    return clr_tui.Task(model=Counter, loss=nn.CrossEntropyLoss(),
                        train=DataLoader(data, 20, shuffle=True, collate_fn=padded),
                        validation=DataLoader(data[:50], 20, collate_fn=padded))
"""
TWO_INPUTS = """
import clr_tui, torch
from torch import nn


class Both(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(3, 1), nn.Linear(2, 1)

    def forward(self, a, b):
        return (self.a(a) + self.b(b)).squeeze(1)


def task():
    g = torch.Generator().manual_seed(0)
    a, b = torch.randn(200, 3, generator=g), torch.randn(200, 2, generator=g)
    return clr_tui.Task(model=Both, train=(a, b, a.sum(1) - b.sum(1)), loss=nn.MSELoss())
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The stranger's."""
    made = tmp_path / "theirs"
    made.mkdir()
    files = {"model": MODEL, "engine": ENGINE, "utils": UTILS, "mytask": TASK}
    files |= {"regression": REGRESSION, "sequences": SEQUENCES, "two_inputs": TWO_INPUTS}
    for name, text in files.items():
        (made / f"{name}.py").write_text(text)
    return made


def run(folder: Path, *command: str) -> dict[str, Any]:
    """Runs a command in the folder; returns its results."""
    options = ("--device", "cpu", "--headless", "--json", "--runs-dir", str(folder.parent / "runs"))
    done = subprocess.run(
        [sys.executable, "-m", "clr_tui.tui", *command, *options],
        cwd=folder,
        env={**os.environ, "HOME": str(folder.parent)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_from_range_test_to_training(folder: Path) -> None:
    lines = [line for line in TASK.splitlines() if line]
    assert len(lines) <= 15
    swept = run(folder, "range-test", "--task", "mytask.py", "--set", "width=16", "--steps", "100")
    (seed,) = swept["seeds"]
    assert seed["steps"] > 50
    trained = run(
        folder,
        *("train", "--task", "mytask.py", "--set", "width=16", "--set", "smoothing=0.1"),
        *("--max-lr", "0.1", "--epochs", "2", "--step-size-epochs", "1", "--batch-size", "20"),
    )
    assert trained["best_validation"]["accuracy"] > 0.7


@pytest.mark.slow
def test_a_comparison(folder: Path) -> None:
    found = run(
        folder,
        *("compare", "--task", "mytask.py", "--optimizers", "adam(lr=0.02),sgd(lr=0.1)+clr"),
        *("--seeds", "2", "--epochs", "4", "--step-size-epochs", "1", "--batch-size", "20"),
    )
    assert found["measure"] == "test accuracy, last epoch"
    assert [entry["test_last"]["mean"] > 0.7 for entry in found["entries"]] == [True, True]


@pytest.mark.parametrize("name", ["regression", "sequences", "two_inputs"])
def test_other_kinds(folder: Path, name: str) -> None:
    options = ("--max-lr", "0.05", "--epochs", "2", "--step-size-epochs", "1", "--batch-size", "20")
    trained = run(folder, "train", "--task", f"{name}.py", *options)
    first, *_, last = validated(folder.parent / "runs")
    assert last < first
    assert trained["best_validation"]["loss"] == pytest.approx(min(first, last), rel=1e-6)


def validated(runs: Path) -> list[float]:
    (log,) = runs.glob("*/events.jsonl")
    events = [json.loads(line) for line in log.read_text().splitlines()]
    return [
        event["loss"]
        for event in events
        if event["type"] == "evaluated" and event["part"] == "validation"
    ]
