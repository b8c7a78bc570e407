"""The handler for pytorch-ignite, on real engines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from recorded import column, ending, events, names, only_run, order, settings
from torch import nn

pytest.importorskip("ignite")
from ignite.engine import Engine, Events
from ignite.metrics import Average, MeanSquaredError

import clr_tui
from clr_tui.callbacks.ignite import ClrTuiHandler
from clr_tui.engine.log.commands import SetBounds, Stop
from clr_tui.engine.log.events import BoundsChanged

BATCHES = 6


def batches() -> list[Any]:
    inputs = torch.randn(BATCHES, 8, 4, generator=torch.Generator().manual_seed(0))
    return [(x, x.sum(1, keepdim=True)) for x in inputs]


class Setup:
    """A trainer, an evaluator after each epoch, and what they have seen."""

    def __init__(self, between: Callable[[int], None] = lambda iteration: None) -> None:
        self.model = nn.Linear(4, 1)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)
        self.schedule = clr_tui.CLR(self.optimizer, 0.06, step_size=4)
        self.losses: list[float] = []
        self.rates: list[float] = []
        self.validations: list[float] = []

        def update(engine: Engine, batch: Any) -> Any:
            between(engine.state.iteration)
            self.rates.append(self.optimizer.param_groups[0]["lr"])
            loss = nn.functional.mse_loss(self.model(batch[0]), batch[1])
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.schedule.step()
            self.losses.append(float(loss.detach()))
            return loss.detach()

        self.trainer = Engine(update)
        Average().attach(self.trainer, "mean")
        self.evaluator = Engine(lambda _, batch: (self.model(batch[0]).detach(), batch[1]))
        MeanSquaredError().attach(self.evaluator, "mse")

        @self.trainer.on(Events.EPOCH_COMPLETED)
        def validate() -> None:
            self.evaluator.run(batches())
            self.validations.append(self.evaluator.state.metrics["mse"])


def test_a_run_has_every_iteration_and_the_metrics_of_each_epoch(runs: Path) -> None:
    setup = Setup()
    handler = ClrTuiHandler("houses", config={"batch": 8})
    handler.attach(setup.trainer, setup.optimizer, evaluators=setup.evaluator)
    setup.trainer.run(batches(), max_epochs=2)
    run = only_run(runs)
    assert run.id == "houses-1"
    assert column(run, "loss") == dict(enumerate(setup.losses, 1))
    assert column(run, "lr") == dict(enumerate(setup.rates, 1))
    assert column(run, "epoch") == {1: 0, BATCHES + 1: 1}
    ends = (BATCHES, 2 * BATCHES)
    assert column(run, "val_mse") == dict(zip(ends, setup.validations, strict=True))
    means = [sum(setup.losses[i : i + BATCHES]) / BATCHES for i in (0, BATCHES)]
    assert column(run, "train_mean") == pytest.approx(dict(zip(ends, means, strict=True)))
    assert settings(run) == {"batch": "8"}
    assert ending(run).outcome == "done"


def test_outputs_and_evaluators_may_be_several(runs: Path) -> None:
    setup = Setup()
    ClrTuiHandler("a").attach(
        setup.trainer,
        evaluators={"test": setup.evaluator},
        output=lambda loss: {"loss": loss, "root": loss.sqrt()},
    )
    setup.trainer.run(batches(), max_epochs=1)
    assert names(only_run(runs)) == {"loss", "root", "epoch", "train_mean", "test_mse"}


def test_a_stop_from_the_screen_terminates_the_engine(runs: Path) -> None:
    handler = ClrTuiHandler()

    def between(iteration: int) -> None:
        if iteration == 4:
            order(runs, handler._training, Stop(reason="stopped by request"))

    setup = Setup(between)
    handler.attach(setup.trainer, setup.optimizer)
    setup.trainer.run(batches(), max_epochs=50)
    assert setup.trainer.state.iteration == 4
    assert list(column(only_run(runs), "loss")) == [1, 2, 3, 4]
    assert ending(only_run(runs)).outcome == "stopped"


def test_bounds_from_the_screen_move_the_schedule(runs: Path) -> None:
    handler = ClrTuiHandler()

    def between(iteration: int) -> None:
        if iteration == 3:
            order(runs, handler._training, SetBounds(base_lr=0.001, max_lr=0.002))

    setup = Setup(between)
    handler.attach(setup.trainer, setup.optimizer, schedule=setup.schedule)
    setup.trainer.run(batches(), max_epochs=1)
    assert len(events(only_run(runs), BoundsChanged)) == 1
    expected = [0.01, 0.0225, 0.035, 0.00175, 0.002, 0.00175]
    assert list(column(only_run(runs), "lr").values()) == pytest.approx(expected)


def failing(iteration: int) -> None:
    if iteration == 3:
        raise ZeroDivisionError("no batch")


def test_an_error_fails_the_run_and_is_still_raised(runs: Path) -> None:
    setup = Setup(failing)
    ClrTuiHandler().attach(setup.trainer)
    with pytest.raises(ZeroDivisionError):
        setup.trainer.run(batches(), max_epochs=1)
    end = ending(only_run(runs))
    assert end.outcome == "failed"
    assert "ZeroDivisionError: no batch" in end.message


def test_an_error_that_the_user_s_handler_takes_is_not_raised(runs: Path) -> None:
    setup, seen = Setup(failing), []
    ClrTuiHandler().attach(setup.trainer)
    setup.trainer.add_event_handler(Events.EXCEPTION_RAISED, lambda _, error: seen.append(error))
    setup.trainer.run(batches(), max_epochs=1)
    assert len(seen) == 1
    assert ending(only_run(runs)).outcome == "failed"
