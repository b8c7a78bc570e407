"""A model, its optimizer, a loss and data that a caller has, for a range test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, get_args

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.events import Event, Note
from clr_tui.engine.tasks import own_task as public
from clr_tui.engine.tasks.data_forms import as_tuple, split_batch
from clr_tui.engine.tasks.given_data import has_length, no_progress
from clr_tui.engine.tasks.own_data import DataReader
from clr_tui.engine.tasks.own_training import NOTHING, OwnTask
from clr_tui.engine.tasks.parts import Batch, Part, Rows
from clr_tui.engine.tasks.trees import Tree, call
from clr_tui.engine.training.optimizers.stepping import Stepping, steppings
from clr_tui.engine.words import type_in_words


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a caller gives to `range_test`, which describes each field."""

    model: nn.Module
    optimizer: Optimizer
    loss: Callable[[Any, Any], Tensor] | None
    step: Callable[[nn.Module, Any], Any] | None
    data: Any
    batch_size: int
    collate: Callable[[list[Any]], Any] | None
    accumulate: int
    clip: float | None
    precision: str | None
    stepping: Stepping | None

    def check(self) -> None:
        """Raises a UserError if the objects cannot be trained together."""
        self._check_settings()
        model: object = self.model
        if not isinstance(model, nn.Module):
            raise UserError(f"model is {type_in_words(model)}, not a torch.nn.Module", "model")
        optimizer: object = self.optimizer
        if not isinstance(optimizer, Optimizer):
            words = type_in_words(optimizer)
            raise UserError(f"optimizer is {words}, not a torch Optimizer", "optimizer")
        for name, value in (("loss", self.loss), ("step", self.step)):
            if value is not None and not callable(value):
                raise UserError(f"{name} is {type_in_words(value)}, not a function", name)
        if self.loss is not None and self.step is not None:
            raise UserError("loss and step are given: give one of them", "loss")
        if not any(p.requires_grad and id(p) in self._swept for p in self.model.parameters()):
            raise UserError(
                "the optimizer has no trainable parameter of this model: make it from the model's"
                " parameters()",
                "optimizer",
            )

    def _check_settings(self) -> None:
        for name, count in (("batch_size", self.batch_size), ("accumulate", self.accumulate)):
            if not (isinstance(count, int) and count >= 1):
                raise UserError(f"{name} is {count!r}: give a whole number, at least 1", name)
        if self.clip is not None and not self.clip > 0:
            raise UserError(
                f"clip is {self.clip!r}: give the largest norm of the gradients, above 0", "clip"
            )
        for name, word, words in (
            ("precision", self.precision, ("float32", "bfloat16")),
            ("stepping", self.stepping, get_args(Stepping)),
        ):
            if word is not None and word not in words:
                known = ", ".join(map(repr, words))
                raise UserError(f"{name} is {word!r}: give one of {known}", name)

    @property
    def _swept(self) -> dict[int, nn.Parameter]:
        groups = self.optimizer.param_groups
        return {id(parameter): parameter for group in groups for parameter in group["params"]}

    @property
    def device(self) -> torch.device:
        """The device of the model, which batches are moved to."""
        return next(self.model.parameters()).device

    @property
    def others(self) -> tuple[nn.Module, ...]:
        """What steps change besides the model: a loss with a state, parameters of nobody else."""
        others = [self.loss] if isinstance(self.loss, nn.Module) else []
        known = {id(p) for module in (self.model, *others) for p in module.parameters()}
        more = [parameter for key, parameter in self._swept.items() if key not in known]
        return (*others, nn.ParameterList(more)) if more else tuple(others)

    @property
    def way_to_step(self) -> Stepping:
        """How the optimizer is stepped: as is asked for, or judged by its class."""
        return self.stepping or steppings(type(self.optimizer))[0]

    def task(self, emit: Callable[[Event], object], steps: int) -> OwnTask:
        """The task of training the model on the data.

        Args:
            emit: takes notes on the data.
            steps: batches to read of data without a length.

        Raises:
            UserError: the data cannot be used.
        """
        step = self.step or (_models_own_loss if self.loss is None else None)

        def note(text: str) -> None:
            emit(Note(level="warning", text=text))

        reader = DataReader(
            device=self.device,
            batch_size=self.batch_size,
            split=_whole if step else split_batch,
            collate=self.collate,
            progress=no_progress,
            note=note,
        )
        batches = None if has_length(self.data) else steps * self.accumulate
        part = reader.part(self.data, "data", training=True, steps=batches)
        return OwnTask(
            name=type(self.model).__name__,
            model_name=type(self.model).__name__,
            train=part,
            validation=NOTHING,
            test=NOTHING,
            build=lambda: self.model,
            loss=self.loss or _no_loss,
            accumulate=self.accumulate,
            clip=self.clip,
            calls_model=True,
            given=public.Task(model=self.model, train=self.data, loss=self.loss, step=step),
            batch_size=_batch_size(self.batch_size, part),
        )


def _batch_size(asked: int, part: Part) -> int:
    """The size of batches of rows: at most as many as there are."""
    return min(asked, len(part)) if isinstance(part, Rows) else asked


def _whole(batch: Any) -> Batch:
    return batch, ()


def _no_loss(_outputs: Tree, _targets: Tree) -> Tensor:
    raise AssertionError("the step has a loss of its own")


def _models_own_loss(model: nn.Module, batch: Any) -> Any:
    """The loss that models of Hugging Face return if a batch holds the labels."""
    outputs = model(**batch) if isinstance(batch, Mapping) else call(model, as_tuple(batch))
    if isinstance(outputs, Mapping) and "loss" in outputs:
        return outputs["loss"]
    loss = getattr(outputs, "loss", None)
    if not isinstance(loss, Tensor):
        raise UserError(
            f"the model returns {type_in_words(outputs)} without a loss: give loss, a function of"
            " outputs and targets, or step, a function of the model and a batch",
            "loss",
        )
    return loss


@contextmanager
def ratios_of_groups(optimizer: Optimizer) -> Iterator[None]:
    """Gives each group the ratio of its rate to the first one's, which `set_rate` keeps.

    The rates are those that a scheduler started from, if there is one.

    Raises:
        UserError: no group has a rate above 0.
    """
    groups = optimizer.param_groups
    if not all("lr" in group for group in groups):
        name = type(optimizer).__name__
        raise UserError(f"{name} has no lr that can be set at each step", "optimizer")
    before = [{key: group[key] for key in ("initial_lr",) if key in group} for group in groups]
    rates = [float(group.get("initial_lr", group["lr"])) for group in groups]
    first = next((rate for rate in rates if rate > 0), None)
    if first is None:
        raise UserError(
            "all learning rates of the optimizer are 0: give it any other, which sets the ratios of"
            " its parameter groups",
            "optimizer",
        )
    for group, rate in zip(groups, rates, strict=True):
        group["initial_lr"] = rate / first
    try:
        yield
    finally:
        for group, kept in zip(groups, before, strict=True):
            group.pop("initial_lr", None)
            group.update(kept)
