"""A task to train: data in three parts, a model factory, a loss and named metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from clr_tui.engine.metrics import Metric, primary_of
from clr_tui.engine.tasks.measure import Counted, Measure
from clr_tui.engine.tasks.trees import Tree, rows, tensors


@dataclass(frozen=True)
class Part:
    """The samples of the training, validation or test part, in memory on the device.

    All tensors have one sample per row, so their first dimensions are equal.
    """

    inputs: Tree
    """Not augmented or normalised; for images uint8 (n, channels, height, width)."""
    targets: Tree
    """For a classification labels, int64 (n,), indices into its classes."""

    def __len__(self) -> int:
        return len(tensors(self.targets)[0])

    def take(self, chosen: Tensor | slice) -> Part:
        """The samples at these indices, int64 (m,) on the device, or in this range."""
        return Part(rows(self.inputs, chosen), rows(self.targets, chosen))


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task of any kind, ready to be trained: everything that the jobs know of it.

    Its data is on the device, as trees of tensors. See `ImageTask` for images.
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
    skipped: int = 0
    """Files that could not be read."""

    @property
    def device(self) -> torch.device:
        """The device of the data and the models."""
        return tensors(self.train.inputs)[0].device

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

    def inputs(self, part: Part, chosen: Tensor | slice) -> Tree:
        """The model's inputs for samples of `part`, not augmented; see `trees.call`.

        Args:
            chosen: indices, int64 (n,) on the device, or a range.
        """
        return rows(part.inputs, chosen)

    def training_inputs(self, chosen: Tensor, generator: torch.Generator) -> Tree:
        """The model's inputs for samples of the training part, augmented.

        Args:
            chosen: indices, int64 (n,) on the device.
            generator: on the CPU; the source of all randomness.
        """
        return self.inputs(self.train, chosen)

    def targets(self, part: Part, chosen: Tensor | slice) -> Tree:
        """The targets of samples of `part`; `chosen` as for `inputs`."""
        return rows(part.targets, chosen)

    def measured(self, outputs: Tree, targets: Tree) -> tuple[Counted, ...]:
        """The metrics of a batch, in the order of `measures`, on the device."""
        return tuple(measure.of(outputs, targets) for measure in self.measures)

    def prepare(self, model: nn.Module, part: Part) -> None:
        """Precomputes and caches, for later trials, what the task can: by default nothing."""

    def trained(self, model: nn.Module) -> tuple[Callable[..., Tree], Callable[[Tree], Tree]]:
        """The function that training steps run, and how to get its inputs from the model's."""
        return model, lambda inputs: inputs

    def probe(self, n: int) -> Tree:
        """The model's inputs for some `n` samples, to inspect the model."""
        return self.inputs(self.train, torch.zeros(n, dtype=torch.int64, device=self.device))

    def kept_bytes(self, model: nn.Module) -> int:
        """Maximum bytes on the device that `prepare` takes for all parts."""
        return 0

    def details(self) -> dict[str, Any]:
        """Fields of the `task-ready` event that are specific to this kind of task."""
        return {}
