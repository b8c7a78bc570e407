"""Steps before the stopwatch starts, as on an accelerator: undone, and not timed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import pytest
import torch
from frozen_bench import frozen_task
from torch import Tensor
from training_bench import Bench, make_task

from clr_tui.engine.log.events import Steps
from clr_tui.engine.settings.config import OptimizerConfig, RangeTest
from clr_tui.engine.tasks.image_task import ImageTask
from clr_tui.engine.tasks.parts import Batch, Stream
from clr_tui.engine.training import session as session_module
from clr_tui.engine.training.evaluate import evaluate
from clr_tui.engine.training.range_test import run_range_test
from clr_tui.engine.training.session import Session
from clr_tui.engine.training.trainee import Trainee, make_trainee
from clr_tui.engine.training.warm_up import warm_up

Make = Callable[..., Bench]


def trainee(task: ImageTask, name: str) -> Trainee:
    torch.manual_seed(3)
    made = make_trainee(
        task, OptimizerConfig(name=name), lr=0.01, batch_size=10, seed=0, precision="float32"
    )
    made.model.train()
    return made


@pytest.mark.parametrize("name", ["sgd", "adam", "lbfgs"])
@pytest.mark.parametrize("frozen", [False, True])
def test_a_training_is_the_same_bit_for_bit_after_a_warm_up(name: str, frozen: bool) -> None:
    def losses(warm: bool) -> list[float]:
        made = trainee(frozen_task(augmented=False) if frozen else make_task(), name)
        if warm:
            warm_up(made, made.task.validation)
        steps = [float(made.step()[0]) for _ in range(9)]
        return [*steps, float(evaluate(made, made.task.validation)[0])]

    assert losses(True) == losses(False)


def test_what_is_slow_at_first_is_not_in_the_times_of_the_log(
    make_bench: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = make_bench(RangeTest(steps=20, divergence=1e9), tick=0.0)
    step, made = Trainee.step, 0

    def stepping(trainee: Trainee) -> object:
        nonlocal made
        made += 1
        bench.clock.now += 100.0 if made == 1 else 1.0
        return step(trainee)

    monkeypatch.setattr(Trainee, "step", stepping)
    monkeypatch.setattr(Session, "starts_slowly", True)
    run_range_test(bench.session, bench.session.config.job)
    assert max(told.elapsed for told in bench.script.of(Steps)) == 20
    assert made > 20


def test_the_cpu_needs_no_warm_up(make_bench: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = make_bench(RangeTest(steps=20))
    monkeypatch.setattr(session_module, "warm_up", lambda *_: pytest.fail("on the CPU"))
    bench.session.trainee(OptimizerConfig(), 0, lr=None)


def test_no_pass_over_a_stream_is_begun() -> None:
    def begun() -> Iterator[Batch]:
        raise AssertionError("a pass was begun")

    task = make_task()
    batch = (task.inputs(task.train, slice(0, 10)), task.train.targets_at(slice(0, 10)))
    stream = Stream(begun, 7, 10, 70, torch.device("cpu"), batch)
    made = trainee(dataclasses.replace(task, train=stream), "adam")
    before: list[Tensor] = [p.clone() for p in made.model.parameters()]
    warm_up(made, stream)
    assert all(map(torch.equal, before, made.model.parameters()))
    assert not made.optimizer.state
