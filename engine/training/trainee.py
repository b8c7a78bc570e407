"""What a training step changes - model, optimizer, place in the data - and the step itself."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from clr_tui.engine.runs.config import OptimizerConfig
from clr_tui.engine.tasks.task import Task
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

    @property
    def device(self) -> torch.device:
        """Where all of it lies."""
        return self.task.device

    def autocast(self) -> AbstractContextManager[object]:
        """The context in which the model computes."""
        return torch.autocast(
            self.device.type, dtype=torch.bfloat16, enabled=self.precision == "bfloat16"
        )

    def step(self) -> tuple[Tensor, Tensor]:
        """Draws a batch and updates the model on it, at the rate that the optimizer holds.

        Nothing here waits for the device. The model must be in training mode.

        Returns:
            Loss and accuracy of the batch before the update: float32 scalars on the device.
        """
        images, labels = self.batches.draw()
        self.optimizer.zero_grad(set_to_none=True)
        with self.autocast():
            logits = self.model(images)
            loss = self.task.loss(logits, labels)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        with torch.no_grad():
            return loss.detach().float(), self.task.accuracy(logits, labels)


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
