"""Accuracies are shares of counted images: exact, however the images are batched."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from training_bench import Bench, make_task, part

from clr_tui.engine.log.events import EpochFinished, Evaluated, Steps
from clr_tui.engine.settings.config import OptimizerConfig, RangeTest, Train
from clr_tui.engine.training import evaluate as evaluate_module
from clr_tui.engine.training.evaluate import evaluate
from clr_tui.engine.training.range_test import run_range_test
from clr_tui.engine.training.session import Session
from clr_tui.engine.training.trainee import make_trainee
from clr_tui.engine.training.training import run_training

Make = Callable[..., Bench]


class SaysA(nn.Module):
    """Always the first class; its weight changes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self, images: Tensor) -> Tensor:
        logits = torch.zeros(len(images), 3)
        logits[:, 0] = 1.0
        return logits + 0 * self.weight


def task_with(right: int, of: int):
    """So many images of the validation and the test part are of the first class; and all of the
    training part."""
    labels = (torch.arange(of) >= right).long()
    some = dataclasses.replace(part(of, 2), targets=labels)
    train = dataclasses.replace(part(70, 1), targets=torch.zeros(70, dtype=torch.int64))
    return dataclasses.replace(make_task(build=SaysA), train=train, validation=some, test=some)


@pytest.mark.parametrize("block", [1, 3, 7, 64])
@pytest.mark.parametrize(("right", "of"), [(19, 20), (49, 49), (33, 110), (100, 101)])
def test_all_batches_are_added_up_as_counts(
    monkeypatch: pytest.MonkeyPatch, block: int, right: int, of: int
) -> None:
    monkeypatch.setattr(evaluate_module, "EVALUATION_BATCH", block)
    task = task_with(right, of)
    trainee = make_trainee(task, OptimizerConfig(), batch_size=10, seed=0, precision="float32")
    ((correct, count),) = evaluate(trainee, task.validation)[1]
    assert (correct.dtype, int(correct), count) == (torch.int64, right, of)


@pytest.mark.parametrize("eager", [True, False])
def test_a_training_tells_exact_shares(
    make_bench: Make, monkeypatch: pytest.MonkeyPatch, eager: bool
) -> None:
    monkeypatch.setattr(Session, "is_synchronous", eager)
    monkeypatch.setattr(evaluate_module, "EVALUATION_BATCH", 7)
    job = Train(base_lr=0.01, max_lr=0.05, epochs=2, whole_cycles=False)
    bench = make_bench(job, task=task_with(19, 20))
    assert run_training(bench.session, job).headline == "95.0 %, epoch 1"
    assert [e.value("accuracy") for e in bench.script.of(Evaluated)] == [0.95] * 4
    epochs = bench.script.of(EpochFinished)
    assert [(e.train_value("accuracy"), e.best_value) for e in epochs] == [(1.0, 0.95)] * 2
    assert [a for e in bench.script.of(Steps) for a in e.metrics["accuracy"]] == [1.0] * 14


@pytest.mark.parametrize("eager", [True, False])
def test_a_sweep_tells_exact_shares(
    make_bench: Make, monkeypatch: pytest.MonkeyPatch, eager: bool
) -> None:
    monkeypatch.setattr(Session, "is_synchronous", eager)
    job = RangeTest(steps=8, accuracy=True, divergence=1e9)
    bench = make_bench(job, task=task_with(19, 20))
    run_range_test(bench.session, job)
    assert {e.value("accuracy") for e in bench.script.of(Evaluated)} == {0.95}
