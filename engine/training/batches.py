"""Training batches whose position can be saved and restored."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor

from clr_tui.engine.errors import UserError
from clr_tui.engine.tasks.parts import Batch, Rows
from clr_tui.engine.tasks.task import Task
from clr_tui.engine.tasks.trees import sent
from clr_tui.engine.training.randomness import generator
from clr_tui.engine.training.stream_batches import StreamBatches
from clr_tui.engine.words import many


class Batches(Protocol):
    """An endless sequence of training batches, whose position can be saved and restored."""

    batch_size: int
    steps_per_epoch: int

    def draw(self) -> Batch:
        """The next batch: augmented inputs of the model, and targets, on the device."""

    def state_dict(self) -> dict[str, Any]:
        """The position in the data, as tensors and plain values."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restores the state that `state_dict` returned."""


def make_batches(task: Task, batch_size: int, seed: int) -> Batches:
    """The training batches of `task`, in an order that depends only on `seed`.

    Args:
        batch_size: samples; a stream of batches has its own.

    Raises:
        UserError: the training part has fewer samples than a batch.
    """
    if isinstance(task.train, Rows):
        return ShuffledRows(task, task.train, batch_size, seed)
    return StreamBatches(task.train)


class ShuffledRows:
    """Rows in memory, shuffled again in each epoch.

    Batches are full: each epoch skips `n % batch_size` samples, different ones each time. With
    `keep_last` of the task they make a last, smaller batch; a single sample joins the batch before
    it, as batch norm cannot train on one. Order and augmentation are drawn from two CPU generators,
    on streams of `seed`.

    Raises:
        UserError: the training part has fewer samples than a batch, and `keep_last` is off.
    """

    def __init__(self, task: Task, rows: Rows, batch_size: int, seed: int) -> None:
        if len(rows) < batch_size and not task.keep_last:
            raise UserError(
                f"a batch of {batch_size} is larger than the training part, "
                f"which has {many(len(rows), task.samples.removesuffix('s'))}",
                "batch_size",
            )
        self._task = task
        self._rows = rows
        self.batch_size = batch_size
        self.steps_per_epoch = len(rows) // batch_size
        if task.keep_last and (len(rows) % batch_size > 1 or not self.steps_per_epoch):
            self.steps_per_epoch += 1
        self._shuffling = generator(seed, "order")
        self._augmenting = generator(seed, "augmentation")
        self._order = torch.empty(0, dtype=torch.int64)
        self._order_there = self._order
        self._position = self.steps_per_epoch

    def draw(self) -> Batch:
        """The next batch: augmented inputs of the model, and targets, on the device.

        For images: float32 (batch_size, channels, size, size) and labels, int64 (batch_size,).
        """
        if self._position >= self.steps_per_epoch:
            self._set_order(torch.randperm(len(self._rows), generator=self._shuffling))
            self._position = 0
        start = self._position * self.batch_size
        self._position += 1
        ends = self._task.keep_last and self._position == self.steps_per_epoch
        chosen = self._order_there[start : None if ends else start + self.batch_size]
        return self._task.training_batch(self._rows, chosen, self._augmenting)

    def _set_order(self, order: Tensor) -> None:
        self._order = order
        # Once per epoch, not once per batch.
        self._order_there = sent(order, self._rows.held_on)

    def state_dict(self) -> dict[str, Any]:
        """The position in the data and both generators, as tensors and plain values."""
        return {
            "order": self._order.clone(),
            "position": self._position,
            "shuffling": self._shuffling.get_state(),
            "augmenting": self._augmenting.get_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restores the state that `state_dict` returned."""
        self._set_order(state["order"].clone())
        self._position = state["position"]
        self._shuffling.set_state(state["shuffling"])
        self._augmenting.set_state(state["augmenting"])
