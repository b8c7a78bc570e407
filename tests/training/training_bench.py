"""A tiny task, a scripted source of commands and a run's session, all in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from clr_tui.engine.log.commands import Command
from clr_tui.engine.log.events import Event, Steps
from clr_tui.engine.settings.config import RangeTest, RunConfig, TaskConfig, Train
from clr_tui.engine.tasks.image_task import ImageTask
from clr_tui.engine.tasks.parts import Rows
from clr_tui.engine.training.control import Control, StopFlag
from clr_tui.engine.training.session import Session
from clr_tui.engine.training.stopwatch import Stopwatch

CLASSES = 3
SIZE = 8


def tiny_model() -> nn.Module:
    """Everything that a sweep must put back: batch norm, dropout, a frozen layer."""
    model = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(4),
        nn.Flatten(),
        nn.Dropout(0.25),
        nn.Linear(64, 16),
        nn.ReLU(),
        nn.Linear(16, CLASSES),
    )
    model[6].weight.requires_grad_(False)
    return model


def shift_a_little(batch: Tensor, generator: torch.Generator) -> Tensor:
    """Brightness of each image by a draw of its own."""
    draw = torch.rand(len(batch), 1, 1, 1, generator=generator)
    return batch.float() * (0.8 + 0.2 * draw.to(batch.device))


def part(n: int, seed: int) -> Rows:
    """Noise, and the class as the brightness of a stripe."""
    g = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, CLASSES, (n,), generator=g)
    images = torch.randint(0, 120, (n, 2, SIZE, SIZE), generator=g)
    images[:, 0, 2:4] += (labels * 60).view(-1, 1, 1)
    return Rows(inputs=images.to(torch.uint8), targets=labels)


def make_task(train: int = 70, build: Callable[[], nn.Module] = tiny_model) -> ImageTask:
    return ImageTask(
        name="tiny",
        model_name="cnn",
        classes=["a", "b", "c"],
        train=part(train, 1),
        validation=part(30, 2),
        test=part(20, 3),
        channels=2,
        image_size=SIZE,
        mean=torch.tensor([0.3, 0.25]),
        std=torch.tensor([0.2, 0.2]),
        build=build,
        augment=shift_a_little,
    )


class Script:
    """A command source, and the sink of events: commands are queued when a step was told of."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.at_step: dict[int, list[Command]] = {}
        self.at_event: list[tuple[type[Event], Callable[[], None]]] = []
        self.at_poll: list[Callable[[], None]] = []
        self._due: list[Command] = []

    def emit(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, Steps):
            for step in event.step:
                self._due += self.at_step.pop(step, [])
        for kind, action in list(self.at_event):
            if isinstance(event, kind):
                self.at_event.remove((kind, action))
                action()

    def order(self, *commands: Command) -> None:
        self._due += commands

    def poll(self) -> list[Command]:
        while self.at_poll:
            self.at_poll.pop()()
        due, self._due = self._due, []
        return due

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

    def column(self, name: str) -> list[Any]:
        return [value for event in self.of(Steps) for value in getattr(event, name)]


class Clock:
    """A second passes at each look, so that each step is told of at once."""

    def __init__(self, tick: float = 1.0) -> None:
        self.now = 0.0
        self.tick = tick

    def __call__(self) -> float:
        self.now += self.tick
        return self.now


@dataclass
class Bench:
    """A session over the tiny task, with its ends in hand."""

    session: Session
    script: Script
    stop: StopFlag
    clock: Clock
    folder: Path = field(default_factory=Path)


def make_bench(
    job: RangeTest | Train,
    folder: Path,
    *,
    task: ImageTask | None = None,
    seed: int = 0,
    tick: float = 1.0,
) -> Bench:
    """A bench for one job; batches of 10 images."""
    config = RunConfig(
        id="tiny-1",
        created=0.0,
        version="0",
        task=TaskConfig(batch_size=10, seed=seed),
        job=job,
    )
    script, stop, clock = Script(), StopFlag(), Clock(tick)
    control = Control(script.poll, stop, script.emit, spent=Stopwatch(clock))
    session = Session(config, task or make_task(), "float32", script.emit, control, folder, clock)
    return Bench(session, script, stop, clock, folder)
