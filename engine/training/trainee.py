"""The training step, and what it changes: model, optimizer and position in the data."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from clr_tui.engine.settings.config import OptimizerConfig
from clr_tui.engine.tasks.measure import Counted
from clr_tui.engine.tasks.parts import Part
from clr_tui.engine.tasks.task import Task
from clr_tui.engine.tasks.trees import Tree, call
from clr_tui.engine.training.batches import Batches, make_batches
from clr_tui.engine.training.optimizers import make_optimizer
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
        loss, outputs, targets = self.gradients()
        self.optimizer.step()
        with torch.no_grad():
            return loss.detach().float(), self.task.measured(outputs, targets)

    def gradients(self) -> tuple[Tensor, Tree, Tree]:
        """Does a step without the update: draws a batch and computes its gradients.

        Returns:
            Loss, outputs and targets of the batch, on the device.
        """
        batch = self.batches.draw()
        # Before the model computes: CUDA graphs write new gradients in place of the old ones.
        self.optimizer.zero_grad(set_to_none=True)
        with self.autocast():
            loss, outputs = self.task.result(self.forward or partial(call, self.model), batch)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss, outputs, batch[1]


def make_trainee(
    task: Task,
    optimizer: OptimizerConfig,
    *,
    batch_size: int,
    seed: int,
    precision: str,
    folder: str = "",
) -> Trainee:
    """Makes a model, an optimizer and an order of data that depend only on `seed`.

    Args:
        folder: an additional folder to import an optimizer from.

    Raises:
        UserError: the optimizer is unknown, or a batch is larger than the training part.
    """
    batches = make_batches(task, batch_size, seed)
    model = task.make_model(stream(seed, "weights"))
    made = make_optimizer(optimizer, model.parameters(), folder)
    return Trainee(task, model, made, batches, precision)
