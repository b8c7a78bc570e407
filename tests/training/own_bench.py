"""A user's task in a session, in memory; and torch's own loop over the same data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from training_bench import Script

import clr_tui
from clr_tui.engine.settings.config import RangeTest, RunConfig, TaskConfig, Train
from clr_tui.engine.tasks.own_training import OwnTask, own_task
from clr_tui.engine.training.control import Control, StopFlag
from clr_tui.engine.training.session import Session

CPU = torch.device("cpu")


def made(given: clr_tui.Task, notes: list[str] | None = None, **config: Any) -> OwnTask:
    """The engine's task; batches of 10 samples."""
    asked = TaskConfig(task="/mine.py:task", **{"batch_size": 10, **config})
    note = (notes if notes is not None else []).append
    return own_task(given, asked, CPU, lambda *_: None, note)


def session(
    given: clr_tui.Task, job: RangeTest | Train, folder: Path = Path(), **config: Any
) -> tuple[Session, Script]:
    script = Script()
    asked = TaskConfig(task="/mine.py:task", **{"batch_size": 10, **config})
    run = RunConfig(id="own-1", created=0.0, version="0", task=asked, job=job)
    control = Control(script.poll, StopFlag(), script.emit)
    task = made(given, **config)
    return Session(run, task, "float32", script.emit, control, folder), script


def torchs_losses(
    model: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    loss_of: Callable[[Any, Any], Tensor],
    steps: int,
    lr: float = 0.01,
) -> list[float]:
    """Losses of the loop that torch's tutorials write, with SGD and momentum 0.9."""
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    model.train()
    losses: list[float] = []
    while len(losses) < steps:
        for inputs, targets in batches:
            optimizer.zero_grad()
            loss = loss_of(model(inputs), targets)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            if len(losses) == steps:
                break
    return losses


def endless(batches: Callable[[], Iterable[Any]]) -> Iterator[Any]:
    while True:
        yield from batches()
