"""What is trained: data in three parts, a model factory, a loss and metrics by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from clr_tui.engine.metrics import Metric, primary_of
from clr_tui.engine.tasks.measure import Counted, Measure
from clr_tui.engine.tasks.part import Part
from clr_tui.engine.tasks.trees import Tree, tensors, tree_map


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task that is ready to be trained, of any kind: the jobs know nothing else.

    Its data lies on the device, a tree of tensors a part. See `ImageTask` for images.
    """

    name: str
    """A short name to show: "digits", "flowers"."""
    model_name: str
    train: Part
    validation: Part
    test: Part
    build: Callable[[], nn.Module]
    """Makes the model on the CPU, its weights drawn from torch's global CPU generator."""
    loss: Callable[[Tree, Tree], Tensor]
    """(outputs, targets) of a batch -> the mean loss, a scalar."""
    measures: tuple[Measure, ...] = ()
    """The metrics, the primary one first; without any the task is judged by its loss."""
    samples: str = "samples"
    """What the samples are, in the plural: "images"."""
    skipped: int = 0
    """Files that could not be read."""

    @property
    def device(self) -> torch.device:
        """Where the data lies and the models are put."""
        return tensors(self.train.inputs)[0].device

    @property
    def metrics(self) -> list[Metric]:
        """How to read what `measured` gives, in its order."""
        return [measure.metric for measure in self.measures]

    @property
    def primary(self) -> Metric:
        """The metric by which the best epoch is chosen and optimizers are ranked."""
        return primary_of(self.metrics)

    def make_model(self, seed: int) -> nn.Module:
        """A new model on the task's device.

        The weights depend on `seed` alone; every global generator is left as it was found. (They
        are drawn on the CPU, so they are the same on every device.)
        """
        with torch.random.fork_rng(devices=[]):
            # torch.manual_seed would seed the generators of the accelerators too.
            torch.default_generator.manual_seed(seed)
            model = self.build()
        return model.to(self.device)

    def inputs(self, part: Part, chosen: Tensor | slice) -> Tree:
        """What the model takes for samples of `part` as they are, not augmented; see `trees.call`.

        Args:
            chosen: indices, int64 (n,) on the device, or a range.
        """
        return tree_map(lambda tensor: tensor[chosen], part.inputs)

    def training_inputs(self, chosen: Tensor, generator: torch.Generator) -> Tree:
        """What the model takes for samples of the training part, augmented.

        Args:
            chosen: indices, int64 (n,) on the device.
            generator: on the CPU; all that is random is drawn from it.
        """
        return self.inputs(self.train, chosen)

    def targets(self, part: Part, chosen: Tensor | slice) -> Tree:
        """What the model is to find for samples of `part`; `chosen` as for `inputs`."""
        return tree_map(lambda tensor: tensor[chosen], part.targets)

    def measured(self, outputs: Tree, targets: Tree) -> tuple[Counted, ...]:
        """The metrics of a batch, in the order of `measures`, on the device."""
        return tuple(measure.of(outputs, targets) for measure in self.measures)

    def prepare(self, model: nn.Module, part: Part) -> None:
        """Computes what can be kept for later trials of all of `part`: nothing, of most tasks."""

    def trained(self, model: nn.Module) -> tuple[Callable[..., Tree], Callable[[Tree], Tree]]:
        """The function that training steps run, and what makes its inputs of the model's."""
        return model, lambda inputs: inputs

    def probe(self, n: int) -> Tree:
        """The inputs of a batch of `n` samples, whatever they are: to see what a model does."""
        return self.inputs(self.train, torch.zeros(n, dtype=torch.int64, device=self.device))

    def kept_bytes(self, model: nn.Module) -> int:
        """The memory on the device that `prepare` and its like take, at most."""
        return 0

    def details(self) -> dict[str, Any]:
        """Fields of the `task-ready` event that only tasks of this kind have."""
        return {}
