"""The training step, and what it changes: model, optimizer and position in the data."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from clr_tui.engine.settings.config import OptimizerConfig
from clr_tui.engine.tasks.measure import Counted
from clr_tui.engine.tasks.parts import Part
from clr_tui.engine.tasks.task import Task
from clr_tui.engine.tasks.trees import Tree, call
from clr_tui.engine.training.batch_norm import untracked_statistics
from clr_tui.engine.training.batches import Batches, make_batches
from clr_tui.engine.training.optimizers.rates import RememberedRate
from clr_tui.engine.training.optimizers.recipes import make_optimizer, recipe, remembers
from clr_tui.engine.training.optimizers.stepping import Stepping, take_step
from clr_tui.engine.training.randomness import stream


@dataclass(frozen=True)
class Trainee:
    """A model in training."""

    task: Task
    model: nn.Module
    optimizer: Optimizer
    batches: Batches
    precision: str = "float32"
    """`bfloat16`: autocast to it; the weights stay float32."""
    stepping: Stepping = "once"
    remembered: RememberedRate = field(default_factory=RememberedRate)
    """What the optimizer keeps of the rate that it was made with; for sweeps."""
    forward: Callable[[Tree], Tree] | None = None
    """Compiled code of the model, only for training steps; None: the model itself."""

    @property
    def device(self) -> torch.device:
        """The device of model and data."""
        return self.task.device

    def autocast(self) -> AbstractContextManager[object]:
        """The context in which the model computes."""
        return torch.autocast(
            self.device.type, dtype=torch.bfloat16, enabled=self.precision == "bfloat16"
        )

    def prepare(self, *parts: Part) -> None:
        """Computes what all trials share before timing starts.

        Otherwise the first trial, which pays for it, would look slower than the others.
        """
        with torch.no_grad(), self.autocast():
            for part in parts:
                self.task.prepare(self.model, part)

    def step(self) -> tuple[Tensor, tuple[Counted, ...]]:
        """Draws a batch and updates the model on it, at the optimizer's current rate.

        Does not wait for the device. The model must be in training mode.

        Returns:
            The loss of the batch before the update, a float32 scalar on the device, and its
            metrics, in the task's order.
        """
        batch = self.batches.draw()
        if self.stepping != "once":
            return self._step_by_closure(batch)
        loss, outputs, targets = self.gradients(batch)
        self.optimizer.step()
        with torch.no_grad():
            return loss.detach().float(), self.task.measured(outputs, targets)

    def _step_by_closure(self, batch: tuple[Tree, Tree]) -> tuple[Tensor, tuple[Counted, ...]]:
        """A step that may compute the gradients of its batch several times."""
        first: list[tuple[Tensor, tuple[Counted, ...]]] = []

        def gradients(*, graph: bool = False, again: bool = False) -> Tensor:
            # Statistics at other weights are not those of the model (see D. Samuel's SAM).
            quiet = untracked_statistics(self.model) if again else nullcontext()
            with torch.enable_grad(), quiet:
                loss, outputs, targets = self.gradients(batch, graph=graph)
            if not first:
                with torch.no_grad():
                    measured = self.task.measured(outputs, targets)
                # A copy: CUDA graphs write the next loss in its place.
                first.append((loss.detach().float().clone(), measured))
            return loss

        take_step(self.optimizer, self.stepping, gradients)
        return first[0]

    def gradients(
        self, batch: tuple[Tree, Tree], *, graph: bool = False
    ) -> tuple[Tensor, Tree, Tree]:
        """Does a step without the update: computes the gradients of a batch.

        Args:
            batch: as drawn from `batches`.
            graph: whether the gradients will be differentiated.

        Returns:
            Loss, outputs and targets of the batch, on the device.
        """
        # Before the model computes: CUDA graphs write new gradients in place of the old ones.
        self.optimizer.zero_grad(set_to_none=True)
        with self.autocast():
            loss, outputs = self.task.result(self.forward or partial(call, self.model), batch)
        loss.backward(create_graph=graph)  # type: ignore[no-untyped-call]
        return loss, outputs, batch[1]


def make_trainee(
    task: Task,
    optimizer: OptimizerConfig,
    *,
    lr: float | None = None,
    batch_size: int,
    seed: int,
    precision: str,
    folder: str = "",
) -> Trainee:
    """Makes a model, an optimizer and an order of data that depend only on `seed`.

    Args:
        lr: the optimizer's rate: of a policy, its upper bound; None for a sweep.
        folder: an additional folder to import an optimizer from.

    Raises:
        UserError: the optimizer is unknown, or a batch is larger than the training part.
    """
    batches = make_batches(task, batch_size, seed)
    model = task.make_model(stream(seed, "weights"))
    found = recipe(optimizer, folder)
    found.arrange(model)
    made = make_optimizer(optimizer, model, lr, folder)
    remembered = RememberedRate() if lr else remembers(optimizer, made, model, folder)
    return Trainee(task, model, made, batches, precision, found.stepping, remembered)
