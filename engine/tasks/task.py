"""A task to train: data in three parts, a model factory, a loss and named metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from clr_tui.engine.errors import UserError
from clr_tui.engine.metrics import Metric, primary_of
from clr_tui.engine.tasks.measure import Counted, Measure
from clr_tui.engine.tasks.parts import Batch, Part, Rows, batch_length
from clr_tui.engine.tasks.trees import Tree, call


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task of any kind, ready to be trained: everything that the jobs know of it.

    See `ImageTask` for images, and `own_task` for what a user's file describes.
    """

    name: str
    """A short name to show: "digits", "flowers"."""
    model_name: str
    train: Part
    validation: Part
    test: Part
    build: Callable[[], nn.Module]
    """Makes the model on the CPU, drawing its weights from torch's global CPU generator."""
    loss: Callable[[Tree, Tree], Tensor]
    """(outputs, targets) of a batch -> the mean loss, a scalar."""
    measures: tuple[Measure, ...] = ()
    """The metrics, the primary one first; if empty, the loss takes its place."""
    samples: str = "samples"
    """The plural noun for samples: "images"."""
    keep_last: bool = False
    """Whether an epoch of rows ends with a smaller batch of what is left; else that is skipped."""
    skipped: int = 0
    """Files that could not be read."""
    mapped_bytes: int = 0
    """Bytes of the data that are in files mapped into memory, and make room when it is needed."""
    accumulate: int = 1
    """Batches whose gradients are averaged for each update."""
    clip: float | None = None
    """The largest norm of all gradients together."""
    precision: str | None = None
    """See `Trainee`; None: the device's own choice."""
    calls_model: bool = False
    """Whether `result` has to call the model itself, not compiled code in its place."""
    compile: bool | None = None
    """Whether to compile the model; None: as in the settings."""
    parameters: Callable[[nn.Module], Iterable[Any]] | None = None
    """The parameters, or parameter groups, to train; the rates of groups are factors."""
    optimizer: Callable[[nn.Module], Optimizer] | None = None
    """The optimizer of a model, instead of one that is not asked for by name."""

    @property
    def device(self) -> torch.device:
        """The device of the data and the models."""
        return self.train.device

    @property
    def metrics(self) -> list[Metric]:
        """The metrics that `measured` returns, in order."""
        return [measure.metric for measure in self.measures]

    @property
    def primary(self) -> Metric:
        """The metric by which the best epoch is chosen and optimizers are ranked."""
        return primary_of(self.metrics)

    def make_model(self, seed: int) -> nn.Module:
        """Makes a model on the task's device.

        The weights depend only on `seed`, and are the same on every device, as they are drawn on
        the CPU. No global generator changes.
        """
        with torch.random.fork_rng(devices=[]):
            # torch.manual_seed would also seed the generators of accelerators.
            torch.default_generator.manual_seed(seed)
            model = self.build()
        return model.to(self.device)

    def inputs(self, part: Rows, chosen: Tensor | slice) -> Tree:
        """The model's inputs for samples of `part`, not augmented; see `trees.call`.

        Args:
            chosen: indices, int64 (n,) on the device that holds them, or a range.
        """
        return part.inputs_at(chosen)

    def training_batch(self, part: Rows, chosen: Tensor, generator: torch.Generator) -> Batch:
        """A batch of samples of the training part, augmented.

        Args:
            chosen: indices, int64 (n,) on the device that holds them.
            generator: on the CPU; the source of all randomness.
        """
        return self.inputs(part, chosen), part.targets_at(chosen)

    def batches(self, part: Part, size: int) -> Iterator[tuple[Batch, int]]:
        """All of `part` in its order, not augmented, for evaluation.

        Args:
            part: rows, or a stream, which gives batches of its own size.
            size: samples in a batch of rows, except the last.

        Returns:
            Each batch with its number of samples.
        """
        if not isinstance(part, Rows):
            yield from ((batch, batch_length(batch)) for batch in part.open())
            return
        for start in range(0, len(part), size):
            block = slice(start, start + size)
            batch = (self.inputs(part, block), part.targets_at(block))
            yield batch, min(size, len(part) - start)

    def result(
        self, model: nn.Module, batch: Batch, forward: Callable[[Tree], Tree] | None = None
    ) -> tuple[Tensor, Tree]:
        """The mean loss of a batch, a scalar, and the outputs of the model.

        Args:
            forward: compiled code of the model, which takes its inputs.
        """
        inputs, targets = batch
        outputs = call(model, inputs) if forward is None else forward(inputs)
        return self.loss(outputs, targets), outputs

    def check_validation(self) -> None:
        """Raises a UserError (field "task") if there is no validation data."""
        if not len(self.validation):
            raise UserError(
                "the task has no validation data, and none can be held out of batches: give"
                " validation, of any kind that train may be",
                "task",
            )

    def samples_per_step(self, batch_size: int) -> int:
        """Samples of an update; `batch_size` is that of rows, a stream has its own."""
        of_batch = batch_size if isinstance(self.train, Rows) else self.train.batch_size
        return of_batch * self.accumulate

    def measured(self, outputs: Tree, targets: Tree) -> tuple[Counted, ...]:
        """The metrics of a batch, in the order of `measures`, on the device."""
        return tuple(measure.of(outputs, targets) for measure in self.measures)

    def prepare(self, model: nn.Module, part: Part) -> None:
        """Precomputes and caches, for later trials, what the task can: by default nothing."""

    def trained(self, model: nn.Module) -> tuple[Callable[..., Tree], Callable[[Tree], Tree]]:
        """The function that training steps run, and how to get its inputs from the model's."""
        return model, lambda inputs: inputs

    def probe(self, n: int) -> Batch:
        """Some batch, to inspect the model: of `n` samples, or, from a stream, of any number."""
        if not isinstance(self.train, Rows):
            return self.train.example
        some = torch.zeros(n, dtype=torch.int64, device=self.train.held_on)
        return self.inputs(self.train, some), self.train.targets_at(some)

    def kept_bytes(self, model: nn.Module) -> int:
        """Maximum bytes on the device that `prepare` takes for all parts."""
        return 0

    def facts(self) -> dict[str, Any]:
        """Facts that users of a checkpoint's weights need, as plain values."""
        return {}

    def details(self) -> dict[str, Any]:
        """Fields of the `task-ready` event that are specific to this kind of task."""
        return {}
