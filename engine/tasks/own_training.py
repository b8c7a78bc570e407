"""A user's task as the engine trains it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from clr_tui.engine.errors import UserError
from clr_tui.engine.metrics import Metric, direction_is_clear, known_by_name
from clr_tui.engine.settings.config import TaskConfig
from clr_tui.engine.tasks import own_task as public
from clr_tui.engine.tasks.data_forms import held_out, split_batch
from clr_tui.engine.tasks.dataset import Notify, Progress
from clr_tui.engine.tasks.measure import Counted, Measure
from clr_tui.engine.tasks.own_checks import (
    FIELD,
    check_first_loss,
    check_scalar,
    check_task,
    checked_loss,
    checked_step,
)
from clr_tui.engine.tasks.own_data import DataReader
from clr_tui.engine.tasks.own_model import ModelMaker, seeded
from clr_tui.engine.tasks.parts import Batch, Part, Rows, batch_length
from clr_tui.engine.tasks.task import Task
from clr_tui.engine.tasks.trees import Tree, call, sent, tensors, tree_to

NOTHING = Rows(torch.empty(0), torch.empty(0))
"""A part that the task does not have."""


class StepOutputs(NamedTuple):
    """The results of the user's own step for a batch."""

    metrics: Mapping[str, Tensor | float]
    """Means over the batch."""
    samples: int
    device: torch.device


@dataclass(frozen=True, kw_only=True)
class OwnTask(Task):
    """A `clr_tui.Task`; see `own_task`."""

    given: public.Task
    batch_size: int
    """The size of batches made of samples."""

    def make_model(self, seed: int) -> nn.Module:
        """Like `Task.make_model`; Python's and numpy's generators are seeded too."""
        with seeded(seed):
            model = self.build()
        return model.to(self.device)

    def batches(self, part: Part, size: int) -> Iterator[tuple[Batch, int]]:
        """Like `Task.batches`, but not larger than in training: samples may be of any size."""
        return super().batches(part, min(size, self.batch_size))

    def training_batch(self, part: Rows, chosen: Tensor, generator: torch.Generator) -> Batch:
        """Like `Task.training_batch`, augmented by the user's function."""
        batch = super().training_batch(part, chosen, generator)
        if self.given.augment is None:
            return batch
        if self.given.step is None:
            return split_batch(self.given.augment(batch))
        return self.given.augment(batch[0]), ()

    def result(
        self, model: nn.Module, batch: Batch, forward: Callable[[Tree], Tree] | None = None
    ) -> tuple[Tensor, Tree]:
        """Like `Task.result`; from a step of the user's own, the outputs are `StepOutputs`."""
        step = self.given.step
        if step is None:
            loss, outputs = super().result(model, batch, forward)
            return checked_loss(loss, self.loss), outputs
        loss, metrics = checked_step(step(model, batch[0]), step)
        return loss, StepOutputs(metrics, batch_length(batch), loss.device)


def own_task(
    given: public.Task,
    config: TaskConfig,
    device: torch.device,
    progress: Progress,
    note: Notify,
) -> OwnTask:
    """Makes a user's task ready to be trained, and tries it on one batch.

    Args:
        config: its batch size is that of samples; batches are used as they are.
        device: for the data and the models.
        progress: called while data is read or counted. What it raises ends the work.
        note: takes sentences for the user.

    Raises:
        UserError: the task cannot be trained (field "task").
    """
    check_task(given)
    _move_modules(given, device)
    with seeded(config.seed):
        train, validation, test = _parts(given, config, device, progress, note)
    task = OwnTask(
        name=given.name or config.data_name,
        model_name="",
        train=train,
        validation=validation,
        test=test,
        build=ModelMaker(given.model, partial(_materialise, given, _example(train)), note),
        loss=given.loss or _no_loss,
        measures=tuple(_measure(name, asked) for name, asked in given.metrics.items()),
        samples=given.samples,
        keep_last=config.last_batch == "keep",
        accumulate=given.accumulate,
        clip=given.clip,
        precision=given.precision,
        calls_model=given.step is not None,
        compile=_compile(given, device, note),
        parameters=given.parameters,
        optimizer=given.optimizer,
        given=given,
        batch_size=config.batch_size,
    )
    return _tried(task, config, note)


def _parts(
    given: public.Task, config: TaskConfig, device: torch.device, progress: Progress, note: Notify
) -> tuple[Part, Part, Part]:
    reader = DataReader(
        device=device,
        batch_size=config.batch_size,
        keep_last=config.last_batch == "keep",
        split=split_batch if given.step is None else _whole,
        augment=given.augment,
        collate=given.collate,
        cache=given.cache,
        workers=given.workers,
        progress=progress,
        note=note,
    )
    train, validation = given.train, given.validation
    if validation is None and (divided := held_out(train, config.seed)) is not None:
        train, validation = divided
        note(
            f"the task has no validation data: a tenth of its training {given.samples}, drawn at"
            " random by the first seed, is used for that instead"
        )
    return (
        reader.part(train, "train", training=True, steps=given.steps_per_epoch),
        NOTHING if validation is None else reader.part(validation, "validation", training=False),
        NOTHING if given.test is None else reader.part(given.test, "test", training=False),
    )


def _move_modules(given: public.Task, device: torch.device) -> None:
    """Moves loss, augmentation and metrics that are modules, as they may hold tensors."""
    for asked in (given.loss, given.augment, *given.metrics.values()):
        function = asked[0] if isinstance(asked, tuple) else asked
        if isinstance(function, nn.Module):
            function.to(device)


def _compile(given: public.Task, device: torch.device, note: Notify) -> bool | None:
    if given.compile and device.type != "cuda":
        note(f"the model is not compiled: compile needs CUDA, but this run uses {device}")
        return False
    return given.compile


def _whole(batch: Any) -> Batch:
    return batch, ()


def _no_loss(_outputs: Tree, _targets: Tree) -> Tensor:
    raise UserError("the task has a step of its own, which gives the loss", FIELD)


def _example(part: Part) -> Batch:
    """The first training batch, not augmented."""
    if not isinstance(part, Rows):
        return part.example
    first = slice(0, min(len(part), _EXAMPLE))
    return part.inputs_at(first), part.targets_at(first)


_EXAMPLE = 8
"""Samples with which a task is tried; batch norm needs more than one."""


def _materialise(given: public.Task, batch: Batch, model: nn.Module) -> None:
    """Gives lazy modules their parameters, by a forward pass that changes nothing else."""
    device = next(iter(model.parameters())).device
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    inputs = tree_to(batch[0], device)
    with torch.no_grad():
        if given.step is None:
            call(model, inputs)
        else:
            given.step(model, inputs)
    for module, training in modes:
        module.training = training


def _measure(name: str, asked: Any) -> Measure:
    """The measure of a metric that is a function; those of a step come with its outputs."""
    function, direction = asked if isinstance(asked, tuple) else (asked, None)

    def of(outputs: Tree, targets: Tree) -> Counted:
        value = function(outputs, targets)
        check_scalar(name, value, function)
        device = tensors((outputs, targets))[0].device
        return _counted(value, batch_length((outputs, targets)), device)

    return Measure(_metric(name, direction), of)


def _step_measure(name: str, direction: Any) -> Measure:
    def of(outputs: StepOutputs, _targets: Tree) -> Counted:
        return _counted(outputs.metrics[name], outputs.samples, outputs.device)

    return Measure(_metric(name, direction), of)


def _metric(name: str, direction: Any) -> Metric:
    known = known_by_name(name)
    return Metric(name, known.unit, direction or known.direction)


def _counted(mean: Tensor | float, samples: int, device: torch.device) -> Counted:
    if not isinstance(mean, Tensor):
        return Counted(torch.full((), mean * samples, device=device), samples)
    total = sent(mean.detach().float(), device).reshape(()) * samples
    return Counted(total, samples)


def _tried(task: OwnTask, config: TaskConfig, note: Notify) -> OwnTask:
    """The task with the name of its model and the metrics of its step, after one batch of each."""
    given, function = task.given, task.given.step or task.loss
    task.make_model(config.seed)  # the second call shows whether the function makes new ones
    with seeded(config.seed), _noting_shapes(note):
        model = task.make_model(config.seed)
        model.train()
        inputs, targets = _example(task.train)
        loss, outputs = task.result(model, (inputs, targets))
        check_first_loss(loss, function)
        if isinstance(outputs, StepOutputs):
            asked = [*given.metrics, *(n for n in outputs.metrics if n not in given.metrics)]
            measures = tuple(_step_measure(name, given.metrics.get(name)) for name in asked)
            task = replace(task, measures=measures)
        _note_guess(task, note)
        with torch.no_grad():
            task.measured(outputs, targets)
            if len(task.validation):
                model.eval()
                batch = _example(task.validation)
                task.measured(task.result(model, batch)[1], batch[1])
    return replace(task, model_name=type(model).__name__)


def _note_guess(task: OwnTask, note: Notify) -> None:
    """Says that a direction was guessed, if the name of the primary metric does not give it."""
    metric = task.primary
    asked = task.given.metrics.get(metric.name)
    direction = asked[1] if isinstance(asked, tuple) else asked
    if direction not in ("min", "max") and not direction_is_clear(metric.name):
        note(
            f"higher values of the metric {metric.name} are taken for better: give 'min' or 'max'"
            " with it in metrics"
        )


@contextmanager
def _noting_shapes(note: Notify) -> Iterator[None]:
    """Notes torch's warning that a loss broadcasts its targets, which makes the loss wrong."""
    show = warnings.showwarning

    def showing(message: Warning | str, *args: Any, **kwargs: Any) -> None:
        text = str(message)
        if text.startswith("Using a target size"):
            note(f"the loss compares tensors of different shapes: {text.rstrip('.')}")
        show(message, *args, **kwargs)

    with warnings.catch_warnings():
        warnings.showwarning = showing
        yield
