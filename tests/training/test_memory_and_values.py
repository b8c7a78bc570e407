"""Errors in a training that need a second look: too little memory, values that are not finite."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from own_bench import session
from torch import Tensor, nn
from torch.nn.functional import mse_loss

import clr_tui
from clr_tui.engine.errors import UserError
from clr_tui.engine.log.events import Diverged, Progress, TrialFinished
from clr_tui.engine.settings.config import OptimizerConfig, RangeTest, Train
from clr_tui.engine.training.control import Stopped
from clr_tui.engine.training.fitting_batch import saying_what_fits
from clr_tui.engine.training.not_finite import source_of_not_finite
from clr_tui.engine.training.range_test import run_range_test
from clr_tui.engine.training.training import run_training

TRAIN = Train(base_lr=0.001, max_lr=0.01, epochs=2, step_size_epochs=1)


class Device(nn.Linear):
    """A model that computes batches of at most `room` samples."""

    room = 10

    def forward(self, x: Tensor) -> Tensor:
        if len(x) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return super().forward(x)


def task(inputs: Tensor | None = None, room: int = 10) -> clr_tui.Task:
    """A regression; its model is a module of one layer."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(100, 3, generator=generator) if inputs is None else inputs
    y = x.nan_to_num().sum(1, keepdim=True)

    def model() -> nn.Module:
        made = Device(3, 1)
        made.room = room
        return made

    return clr_tui.Task(model=model, train=(x, y), validation=(x[:20], y[:20]), loss=mse_loss)


@pytest.mark.parametrize(("asked", "fits"), [(64, 8), (80, 10), (20, 10), (12, 6)])
def test_the_largest_half_that_fits_is_named(tmp_path: Path, asked: int, fits: int) -> None:
    run, script = session(task(), TRAIN, tmp_path, batch_size=asked)
    with (
        pytest.raises(UserError) as caught,
        saying_what_fits(run, OptimizerConfig(), 0.01),
    ):
        run_training(run, TRAIN)
    assert caught.value.field == "batch_size"
    assert caught.value.message.startswith(
        f"the device ran out of memory with batches of {asked} ("
    )
    assert caught.value.message.endswith(f", in forward): about {fits} would fit")
    assert script.of(TrialFinished)[-1].outcome == "failed"
    assert [e.done for e in script.of(Progress) if "looking" in e.what][:2] == [0, 1][: asked // 12]


def test_a_batch_of_which_nothing_fits_gets_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, _ = session(task(), RangeTest(steps=5), tmp_path, batch_size=16)

    def never(_self: Device, _x: Tensor) -> Tensor:
        raise RuntimeError("CUDA error: out of memory")

    monkeypatch.setattr(Device, "forward", never)
    with (
        pytest.raises(UserError, match="try a smaller batch or image size"),
        saying_what_fits(run, OptimizerConfig(), None),
    ):
        run_range_test(run, RangeTest(steps=5))


def test_other_errors_and_stops_are_left_alone(tmp_path: Path) -> None:
    run, _ = session(task(), TRAIN, tmp_path)
    for error in (ValueError("x"), Stopped("stopped by request"), KeyboardInterrupt()):
        with pytest.raises(type(error)), saying_what_fits(run, OptimizerConfig(), None):
            raise error


def data_with(value: float, row: int) -> Tensor:
    x = torch.randn(100, 3, generator=torch.Generator().manual_seed(0))
    x[row, 1] = value
    return x


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_the_sample_that_is_not_finite_is_named(tmp_path: Path, value: float) -> None:
    given = task(data_with(value, row=71), room=100)
    run, script = session(given, TRAIN, tmp_path)
    result = run_training(run, TRAIN)
    assert result.outcome == "failed"
    assert result.message.endswith(": the inputs of training sample 71 are not finite")
    assert script.of(Diverged)[-1].reason == script.of(TrialFinished)[-1].reason == result.message
    sweep = RangeTest(steps=20)
    run, script = session(given, sweep, tmp_path)
    run_range_test(run, sweep)
    assert "training sample 71" in script.of(Diverged)[-1].reason


def test_weights_that_are_not_finite_are_named_before_any_step() -> None:
    class Broken(nn.Linear):
        def __init__(self) -> None:
            super().__init__(3, 1)
            with torch.no_grad():
                self.bias.fill_(torch.inf)

    run, _ = session(task(room=100), TRAIN)
    good = run.task
    object.__setattr__(good, "build", Broken)
    assert source_of_not_finite(good, 0, 0) == "'bias' of the model is not finite before any update"
    assert source_of_not_finite(good, 0, 1) == ""
