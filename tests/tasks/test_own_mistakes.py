"""What is wrong with a user's task is said in one sentence, before anything is trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import clr_tui
from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.config import TaskConfig
from clr_tui.engine.tasks.own_training import _move_modules, own_task

HERE = Path(__file__).name
X = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
Y = X.sum(1, keepdim=True)


def net() -> nn.Module:
    return nn.Linear(3, 1)


def task(**changes: Any) -> clr_tui.Task:
    usual: dict[str, Any] = {
        "model": net,
        "train": (X, Y),
        "validation": (X, Y),
        "loss": functional.mse_loss,
    }
    return clr_tui.Task(**{**usual, **changes})


def prepared(given: clr_tui.Task, notes: list[str] | None = None) -> Any:
    note = (notes if notes is not None else []).append
    config = TaskConfig(task="/mine.py:task", batch_size=5)
    return own_task(given, config, torch.device("cpu"), lambda *_: None, note)


def mistake(given: clr_tui.Task) -> str:
    with pytest.raises(UserError) as told:
        prepared(given)
    assert told.value.field == "task"
    return told.value.message


def unreduced(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs - targets).square()


def nothing(model: nn.Module, batch: Any) -> None:
    model(batch[0])


def no_loss(model: nn.Module, batch: Any) -> dict[str, Tensor]:
    return {"mae": (model(batch[0]) - batch[1]).abs().mean()}


def whole_output(model: nn.Module, batch: Any) -> Any:
    class Output:
        loss = functional.mse_loss(model(batch[0]), batch[1])

    return Output()


def of_each(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs - targets).abs()


def mean_gap(outputs: Tensor, targets: Tensor) -> Tensor:
    return of_each(outputs, targets).mean()


def detached(outputs: Tensor, targets: Tensor) -> Tensor:
    return functional.mse_loss(outputs.detach(), targets)


def with_nan(rows: Tensor) -> Tensor:
    rows = rows.clone()
    rows[3:5] = torch.nan
    return rows


def no_batches() -> Iterator[Any]:
    return iter(())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model": None}, ["model is None"]),
        ({"model": lambda: "net"}, ["model() returned a str"]),
        ({"train": None}, ["no training data"]),
        ({"train": (X[:0], Y[:0])}, ["train has no data"]),
        ({"train": []}, ["train has no data"]),
        ({"train": no_batches}, ["train has no data"]),
        ({"validation": (X[:0], Y[:0])}, ["validation has no data"]),
        ({"train": (X, Y[:7])}, ["20", "7", "rows"]),
        ({"train": (X, with_nan(Y))}, ["2 of the 20", "not finite"]),
        ({"train": (with_nan(X), Y)}, ["first batch is nan", "inputs"]),
        ({"train": X}, ["without targets"]),
        ({"train": (X.tolist(), Y)}, ["train is a tuple with a list", "tensors or arrays"]),
        ({"train": (X, ["a"] * 20)}, ["train is a tuple with a list"]),
        ({"train": {"x": X, "z": Y}}, ["keys x, z", "target"]),
        ({"train": iter([(X, Y)])}, ["iterator", "only once"]),
        ({"loss": None}, ["neither of loss and step"]),
        ({"step": no_loss}, ["both of loss and step"]),
        ({"loss": unreduced}, ["shape (8, 1)", HERE, "in unreduced"]),
        ({"loss": lambda outputs, targets: 1.0}, ["returned a float", HERE]),
        ({"loss": None, "step": whole_output}, ["object of type Output", "return its .loss", HERE]),
        ({"loss": detached}, ["does not depend", HERE, "in detached"]),
        ({"loss": None, "step": nothing}, ["nothing returned None", HERE, "in nothing"]),
        ({"loss": None, "step": no_loss}, ["no loss", HERE, "in no_loss"]),
        ({"metrics": {"each": of_each}}, ["metric each", "shape (8, 1)", HERE, "in of_each"]),
        ({"metrics": {"mae": "min"}}, ["metric mae", "neither a function"]),
        ({"metrics": {"loss": of_each}}, ["named loss"]),
        ({"accumulate": 0}, ["accumulate is 0"]),
        ({"clip": -1.0}, ["clip is -1.0"]),
        ({"precision": "half"}, ["precision is 'half'"]),
    ],
    ids=lambda value: "" if isinstance(value, dict) else " ".join(value),
)
def test_one_sentence(changes: dict[str, Any], said: list[str]) -> None:
    message = mistake(task(**changes))
    assert "\n" not in message
    assert [word for word in said if word not in message] == []


@pytest.mark.parametrize(
    ("metrics", "guessed"),
    [
        ({"gap": mean_gap}, True),
        ({"gap": (mean_gap, "min")}, False),
        ({"mae": mean_gap, "gap": mean_gap}, False),
    ],
)
def test_a_direction_that_no_name_gives_is_noted(metrics: dict[str, Any], guessed: bool) -> None:
    notes: list[str] = []
    prepared(task(metrics=metrics), notes)
    said = "higher values of the metric gap are taken for better: give 'min' or 'max' with it"
    assert any(note.startswith(said) for note in notes) == guessed


def test_no_line_of_a_library_is_named() -> None:
    frozen = nn.Linear(3, 1).requires_grad_(False)
    message = mistake(task(model=frozen))
    assert message == "the loss does not depend on the model's trainable parameters"


def test_a_loss_that_broadcasts_is_noted() -> None:
    notes: list[str] = []
    with pytest.warns(UserWarning, match="Using a target size"):
        prepared(task(train=(X, X.sum(1))), notes)
    assert [note for note in notes if "different shapes" in note]


@pytest.mark.parametrize("where", ["train", "model"])
def test_an_error_of_the_users_own_code_is_passed_on(where: str) -> None:
    """The worker names its frames."""

    def fails() -> Any:
        raise ZeroDivisionError("mine")

    given: Callable[[], Any] = fails
    with pytest.raises(ZeroDivisionError, match="mine"):
        prepared(task(**{where: given}))


def test_a_loss_and_metrics_that_are_modules_are_moved_to_the_device() -> None:
    """On a device without values, since there may be no other here."""
    loss, metric = nn.CrossEntropyLoss(weight=torch.ones(2)), nn.BCELoss(weight=torch.ones(2))
    given = task(loss=loss, metrics={"bce": (metric, "min")})
    _move_modules(given, torch.device("meta"))
    assert loss.weight is not None
    assert metric.weight is not None
    assert {loss.weight.device.type, metric.weight.device.type} == {"meta"}
