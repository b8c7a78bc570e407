"""A regression whose inputs are a dict and whose primary metric is better where it is less."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from clr_tui.engine.comparing import compare_job, trial_runner
from clr_tui.engine.comparing.executor import Order, TrialEvent, TrialWork
from clr_tui.engine.comparing.protocol import Setup, decode_report
from clr_tui.engine.comparing.trial_runner import TrialRunner
from clr_tui.engine.metrics import Metric
from clr_tui.engine.settings.config import RunConfig
from clr_tui.engine.tasks.measure import Counted, Measure
from clr_tui.engine.tasks.parts import Rows
from clr_tui.engine.tasks.task import Task
from clr_tui.engine.training import job

MAE = Metric("mae", "number", "min")
NEAR = Metric("near", "share", "max")


class Sum(nn.Module):
    """Takes its inputs by name."""

    def __init__(self) -> None:
        super().__init__()
        self.from_a, self.from_b = nn.Linear(3, 1), nn.Linear(2, 1)

    def forward(self, *, a: Tensor, b: Tensor) -> Tensor:
        return (self.from_a(a) + self.from_b(b)).squeeze(1)


def part(n: int, seed: int) -> Rows:
    generator = torch.Generator().manual_seed(seed)
    a, b = (torch.randn(n, width, generator=generator) for width in (3, 2))
    return Rows(inputs={"a": a, "b": b}, targets=a.sum(1) - 2 * b.sum(1) + 3)


def toy_task(*_: Any) -> Task:
    def mae(outputs: Tensor, targets: Tensor) -> Counted:
        return Counted((outputs - targets).abs().sum(), len(targets))

    def near(outputs: Tensor, targets: Tensor) -> Counted:
        return Counted(((outputs - targets).abs() < 0.5).sum(), len(targets))

    return Task(
        name="toy",
        model_name="sum",
        train=part(200, 1),
        validation=part(300, 2),
        test=part(60, 3),
        build=Sum,
        loss=functional.mse_loss,
        measures=(Measure(MAE, mae), Measure(NEAR, near)),
        samples="rows",
    )


class _Here:
    """An executor in this process: each trial is done when it is asked after."""

    jobs = 1

    def __init__(self, config: RunConfig, folder: Path, data: str, **_: object) -> None:
        self._work: list[TrialWork] = []
        self._events: deque[bytes] = deque()
        threads = torch.get_num_threads()
        setup = Setup(config=config, device="cpu", threads=1, folder=str(folder), data=data)
        self._runner = TrialRunner(setup, self, self)
        torch.set_num_threads(threads)

    def orders(self, _trial: int) -> list[Any]:
        return []

    def send_bytes(self, packet: bytes) -> None:
        self._events.append(packet)

    def submit(self, work: TrialWork) -> None:
        self._work.append(work)

    def poll(self, _seconds: float) -> list[TrialEvent]:
        told = []
        while self._work:
            work = self._work.pop(0)
            self._runner.do(work)
            told += [TrialEvent(work.trial, decode_report(packet)) for packet in self._events]
            self._events.clear()
        return told

    def order(self, trial: int, order: Order) -> None:
        pass

    def close(self) -> None:
        pass


def instead_of_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs on any data train the toy, in this process."""
    monkeypatch.setattr(job, "load_task", toy_task)
    monkeypatch.setattr(trial_runner, "load_task", toy_task)
    monkeypatch.setattr(compare_job, "Pool", _Here)
