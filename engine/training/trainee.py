"""What a training step changes - model, optimizer, place in the data - and the step itself."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from clr_tui.engine.settings.config import OptimizerConfig
from clr_tui.engine.tasks.measure import Counted
from clr_tui.engine.tasks.part import Part
from clr_tui.engine.tasks.task import Task
from clr_tui.engine.tasks.trees import Tree, call
from clr_tui.engine.training.batches import Batches
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
    """The model's own function as compiled code, for training steps alone; None: the model."""

    @property
    def device(self) -> torch.device:
        """Where all of it lies."""
        return self.task.device

    def autocast(self) -> AbstractContextManager[object]:
        """The context in which the model computes."""
        return torch.autocast(
            self.device.type, dtype=torch.bfloat16, enabled=self.precision == "bfloat16"
        )

    def prepare(self, *parts: Part) -> None:
        """Computes what serves all trials before the time of this one is taken.

        Else the first trial, which happens to pay for it, would look slower than the others.
        """
        with torch.no_grad(), self.autocast():
            for part in parts:
                self.task.prepare(self.model, part)

    def step(self) -> tuple[Tensor, tuple[Counted, ...]]:
        """Draws a batch and updates the model on it, at the rate that the optimizer holds.

        Nothing here waits for the device. The model must be in training mode.

        Returns:
            Of the batch, before the update: the loss, a float32 scalar on the device, and the
            metrics, in the task's order.
        """
        loss, outputs, targets = self.gradients()
        self.optimizer.step()
        with torch.no_grad():
            return loss.detach().float(), self.task.measured(outputs, targets)

    def gradients(self) -> tuple[Tensor, Tree, Tree]:
        """All of a step but the update: draws a batch, and computes the gradients on it.

        Returns:
            Loss, outputs and targets of the batch, on the device.
        """
        inputs, targets = self.batches.draw()
        # Before the model computes: CUDA graphs write the new gradients where the old ones lie.
        self.optimizer.zero_grad(set_to_none=True)
        with self.autocast():
            outputs = call(self.model, inputs) if self.forward is None else self.forward(inputs)
            loss = self.task.loss(outputs, targets)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss, outputs, targets


def make_trainee(
    task: Task,
    optimizer: OptimizerConfig,
    *,
    batch_size: int,
    seed: int,
    precision: str,
    folder: str = "",
) -> Trainee:
    """A new model, optimizer and order of data, all drawn from `seed` and nothing else.

    Args:
        folder: where an optimizer's import path is looked for too.

    Raises:
        UserError: for an unknown optimizer, or a batch larger than the training part.
    """
    batches = Batches(task, batch_size, seed)
    model = task.make_model(stream(seed, "weights"))
    made = make_optimizer(optimizer, model.parameters(), folder)
    return Trainee(task, model, made, batches, precision)
