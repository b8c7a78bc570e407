"""Schedulers of torch.optim.lr_scheduler, applied to the optimizer of a training."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn
from torch.optim import SGD, Optimizer, lr_scheduler
from torch.optim.lr_scheduler import LRScheduler

from clr_tui.engine.errors import UserError
from clr_tui.engine.metrics import LOSS, Metric
from clr_tui.engine.settings.config import RunConfig, Train
from clr_tui.engine.settings.entries import parse_scheduler
from clr_tui.engine.settings.torch_schedulers import EACH_STEP, FIELD
from clr_tui.engine.training.optimizers.rates import set_rate
from clr_tui.engine.training.optimizers.recipes import try_optimizer
from clr_tui.engine.training.schedules import momentum_of, set_momentum


class TorchSchedule:
    """A scheduler of torch that moves an optimizer's rate from `max_lr` of its training.

    It is stepped after each epoch, or after each step if it is one that counts steps. The scheduler
    itself runs on a stand-in with one group, whose rate and momentum are then given to each group
    of the optimizer: to rates in the ratio of the groups.

    Args:
        optimizer: the optimizer, made at the training's rate.
        config: the training, with the scheduler as text.
        epochs: length of the training.
        per_epoch: steps per epoch.
        metric: the metric that `end_epoch` is given.

    Raises:
        UserError: the scheduler cannot be made with these options (field "scheduler").
    """

    def __init__(
        self, optimizer: Optimizer, config: Train, *, epochs: int, per_epoch: int, metric: Metric
    ) -> None:
        self._optimizer = optimizer
        self.name, options = parse_scheduler(config.scheduler)
        momentum = momentum_of(optimizer.param_groups[0])
        self._stand_in = SGD(
            [nn.Parameter(torch.zeros(1))], lr=config.max_lr, momentum=momentum or 0.0
        )
        defaults: dict[str, dict[str, Any]] = {
            "CosineAnnealingLR": {"T_max": epochs},
            "CyclicLR": {
                "base_lr": config.base_lr,
                "max_lr": config.max_lr,
                "step_size_up": max(1, round(config.step_size_epochs * per_epoch)),
                "cycle_momentum": bool(momentum),
            },
            "OneCycleLR": {
                "max_lr": config.max_lr,
                "total_steps": epochs * per_epoch,
                "cycle_momentum": bool(momentum),
            },
            "ReduceLROnPlateau": {"mode": "max" if metric.sign > 0 else "min"},
        }
        try:
            self._scheduler: LRScheduler = getattr(lr_scheduler, self.name)(
                self._stand_in, **{**defaults.get(self.name, {}), **options}
            )
        except Exception as error:  # torch may raise anything for a wrong option
            why = " ".join(str(error).split()).replace(f"{self.name}.__init__() ", "")
            raise UserError(f"{self.name} cannot be made: {why}", FIELD) from error
        self._moves_momentum = bool(momentum) and "cycle_momentum" in vars(self._scheduler)
        self._apply()

    def step(self) -> None:
        """Counts a step of the training."""
        if self.name in EACH_STEP:
            self._advance()

    def end_epoch(self, value: float | None) -> None:
        """Counts an epoch.

        Args:
            value: the primary metric on the validation part; None if it is not finite.
        """
        if self.name == "ReduceLROnPlateau":
            self._advance(math.nan if value is None else value)
        elif self.name not in EACH_STEP:
            self._advance()

    def set_bounds(self, *, base_lr: float, max_lr: float) -> None:
        """Raises UserError: there are no bounds."""
        raise UserError(f"{self.name} moves the rate: it has no bounds that could be changed")

    def _advance(self, *value: float) -> None:
        self._stand_in.step()  # torch warns of a scheduler that is stepped before its optimizer
        self._scheduler.step(*value)  # type: ignore[arg-type]  # a metric, not an epoch
        self._apply()

    def _apply(self) -> None:
        group = self._stand_in.param_groups[0]
        set_rate(self._optimizer, float(group["lr"]))
        if self._moves_momentum:
            set_momentum(self._optimizer, float(group["momentum"]))

    def state_dict(self) -> dict[str, Any]:
        """The scheduler's state, and the rate and momentum of its stand-in."""
        return {
            "scheduler": self._scheduler.state_dict(),
            "stand_in": self._stand_in.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restores the state that `state_dict` returned."""
        self._scheduler.load_state_dict(state["scheduler"])
        self._stand_in.load_state_dict(state["stand_in"])
        self._apply()


def try_training(config: RunConfig) -> None:
    """Makes the optimizer and the scheduler of a training, to find mistakes before data is read.

    Raises:
        UserError: one of them cannot be made (field "optimizer" or "scheduler").
    """
    try_optimizer(config)
    try_scheduler(config.asked(Train))


def try_scheduler(job: Train) -> None:
    """Makes the scheduler of a training over a stand-in; raises what `TorchSchedule` raises."""
    if not job.scheduler:
        return
    sgd = SGD([nn.Parameter(torch.zeros(1))], lr=job.max_lr, momentum=0.9)
    sgd.param_groups[0]["initial_lr"] = 1.0
    TorchSchedule(sgd, job, epochs=job.epochs, per_epoch=100, metric=LOSS)
