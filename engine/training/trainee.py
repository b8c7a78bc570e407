"""The training step, and what it changes: model, optimizer and position in the data."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from clr_tui.engine.settings.config import OptimizerConfig
from clr_tui.engine.tasks.measure import Counted, added
from clr_tui.engine.tasks.parts import Batch, Part, batch_length
from clr_tui.engine.tasks.task import Task
from clr_tui.engine.tasks.trees import Tree
from clr_tui.engine.training.batch_norm import single_sample_statistics, untracked_statistics
from clr_tui.engine.training.batches import Batches, make_batches
from clr_tui.engine.training.optimizers.of_tasks import parameter_groups, tasks_optimizer
from clr_tui.engine.training.optimizers.rates import RememberedRate
from clr_tui.engine.training.optimizers.recipes import make_optimizer, recipe, remembers
from clr_tui.engine.training.optimizers.stepping import Stepping, steppings, take_step
from clr_tui.engine.training.randomness import stream

_Result = tuple[Tensor, Tree, Tree]
"""Loss, outputs and targets of a batch."""


@dataclass(frozen=True)
class Trainee:
    """A model in training."""

    task: Task
    model: nn.Module
    optimizer: Optimizer
    batches: Batches
    precision: str = "float32"
    """`bfloat16`: autocast to it; the weights stay float32. Empty: as around the step."""
    stepping: Stepping = "once"
    remembered: RememberedRate = field(default_factory=RememberedRate)
    """The copies of its initial rate that the optimizer keeps; for sweeps."""
    ignores_rate: bool = False
    """Whether the optimizer's steps are the same whatever its rate is."""
    own_optimizer: str = ""
    """The class of `optimizer` if the task made it; else empty."""
    forward: Callable[[Tree], Tree] | None = None
    """Compiled code of the model, only for training steps; None: the model itself."""
    others: tuple[nn.Module, ...] = ()
    """What else its steps change, such as a loss with weights of its own."""

    @property
    def device(self) -> torch.device:
        """The device of model and data."""
        return self.task.device

    def autocast(self) -> AbstractContextManager[object]:
        """The context in which the model computes."""
        if not self.precision:
            return nullcontext()
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
        batches = (self.batches.draw() for _ in range(self.task.accumulate))
        if self.stepping != "once":
            return self._step_by_closure(list(batches))
        results = self.gradients(batches)
        self.optimizer.step()
        return self._together(results)

    def _together(self, results: list[_Result]) -> tuple[Tensor, tuple[Counted, ...]]:
        """The mean loss and the metrics of the batches of a step."""
        with torch.no_grad():
            measured = [self.task.measured(outputs, targets) for _, outputs, targets in results]
            losses = [loss.detach().float() for loss, _, _ in results]
        loss = losses[0] if len(losses) == 1 else torch.stack(losses).mean()
        return loss, added(measured)

    def _step_by_closure(self, batches: list[Batch]) -> tuple[Tensor, tuple[Counted, ...]]:
        """A step that may compute the gradients of its batches several times."""
        first: list[tuple[Tensor, tuple[Counted, ...]]] = []

        def gradients(*, graph: bool = False, again: bool = False) -> Tensor:
            # Statistics at other weights are not those of the model (see D. Samuel's SAM).
            quiet = untracked_statistics(self.model) if again else nullcontext()
            with torch.enable_grad(), quiet:
                loss, measured = self._together(self.gradients(batches, graph=graph))
            if not first:
                # A copy: CUDA graphs write the next loss in its place.
                first.append((loss.clone(), measured))
            return loss

        take_step(self.optimizer, self.stepping, gradients)
        return first[0]

    def gradients(self, batches: Iterable[Batch], *, graph: bool = False) -> list[_Result]:
        """Does a step without the update: computes the mean gradients of batches.

        Args:
            batches: `task.accumulate` of them, as drawn from `batches`.
            graph: whether the gradients will be differentiated.

        Returns:
            Loss, outputs and targets of each batch, on the device.
        """
        # Before the model computes: CUDA graphs write new gradients in place of the old ones.
        self.optimizer.zero_grad(set_to_none=True)
        results: list[_Result] = []
        for batch in batches:
            alone = batch_length(batch) == 1
            statistics = single_sample_statistics(self.model) if alone else nullcontext()
            with self.autocast(), statistics:
                loss, outputs = self.task.result(self.model, batch, self.forward)
            share = loss if self.task.accumulate == 1 else loss / self.task.accumulate
            share.backward(create_graph=graph)  # type: ignore[no-untyped-call]
            results.append((loss, outputs, batch[1]))
        if self.task.clip is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.task.clip)
        return results

    @property
    def steps_per_epoch(self) -> int:
        """Updates per epoch."""
        return updates_per_epoch(self.task, self.batches)


def updates_per_epoch(task: Task, batches: Batches) -> int:
    """Updates per epoch: fewer than batches if gradients are accumulated."""
    return max(1, batches.steps_per_epoch // task.accumulate)


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
    if task.optimizer is not None and optimizer == OptimizerConfig():  # no other was asked for
        made = tasks_optimizer(task.optimizer, model, lr)
        return Trainee(
            task,
            model,
            made,
            batches,
            precision,
            stepping=steppings(type(made))[0],
            own_optimizer=type(made).__name__,
        )
    found = recipe(optimizer, folder)
    found.arrange(model)
    groups = parameter_groups(task.parameters, model) if task.parameters else None
    made = make_optimizer(optimizer, model, lr, folder, groups=groups)
    remembered = RememberedRate() if lr else remembers(optimizer, made, model, folder, groups)
    return Trainee(
        task,
        model,
        made,
        batches,
        precision,
        found.stepping,
        remembered,
        ignores_rate=found.ignores_rate,
    )
