"""Applies the policies of `engine.policies` to a torch optimizer through `LambdaLR`."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from clr_tui.engine.errors import UserError
from clr_tui.engine.policies import lr_at, momentum_at
from clr_tui.engine.settings.config import DECAY, GAMMA, WARMUP, Policy
from clr_tui.engine.settings.lr_bounds import bounds_mistakes


@dataclass(eq=False)
class PolicyRate:
    """The learning rate as a function of the step, for `LambdaLR`.

    An object, not a closure, so that `LambdaLR.state_dict` holds its attributes: all plain values,
    so a checkpoint contains the bounds and loads with `weights_only=True`.
    """

    policy: Policy
    _: KW_ONLY
    base_lr: float
    max_lr: float
    step_size: float
    total_steps: int
    gamma: float = GAMMA
    warmup: float = WARMUP
    decay: float = DECAY

    def __call__(self, step: int) -> float:
        """The rate at step `step`, from 0."""
        return lr_at(step=step, **vars(self))

    def momentum(self, step: int, low: float, high: float) -> float:
        """The momentum at step `step`, from `high` at the bottom of a cycle to `low` at its top."""
        shape = {name: value for name, value in vars(self).items() if not name.endswith("_lr")}
        return momentum_at(step=step, low=low, high=high, **shape)


class PolicyScheduler(LambdaLR):
    """Sets the rate of every parameter group, and its momentum if that is to be cycled.

    Args:
        optimizer: the optimizer.
        rate: the rate as a function of the step.
        min_momentum: the momentum at the top of a cycle, for SGD, RMSprop and the first beta of
            Adam and others like it; None leaves the momentum alone.

    Raises:
        UserError: the optimizer has no momentum above `min_momentum` (field "min_momentum").
    """

    def __init__(
        self, optimizer: Optimizer, rate: PolicyRate, min_momentum: float | None = None
    ) -> None:
        self._rate = rate
        self._min_momentum = min_momentum
        if min_momentum is not None:
            for group in optimizer.param_groups:
                # In the group, as torch's CyclicLR keeps it, so that a checkpoint has it.
                group.setdefault("max_momentum", momentum_of(group))
                check_momentum(optimizer, group["max_momentum"], min_momentum)
        super().__init__(optimizer, rate)

    def get_lr(self) -> list[Any]:
        """The rate of each group; sets the momentum too, as torch's `CyclicLR` does."""
        if self._min_momentum is not None:
            for group in self.optimizer.param_groups:
                high = group["max_momentum"]
                momentum = self._rate.momentum(self.last_epoch, self._min_momentum, high)
                set_momentum_of(group, momentum)
        return super().get_lr()

    def end_epoch(self, value: float | None) -> None:
        """Does nothing: policies count steps."""

    def set_bounds(self, *, base_lr: float, max_lr: float) -> None:
        """Moves the bounds during a run. The phase stays: the next step uses the new bounds.

        Raises:
            UserError: the bounds are invalid; the old ones stay.
        """
        for mistake in bounds_mistakes(base_lr, max_lr):
            raise mistake
        self._rate.base_lr, self._rate.max_lr = base_lr, max_lr
        for group in self.optimizer.param_groups:
            group["lr"] = group["initial_lr"] * self._rate(self.last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """The state without the rate, which is in `lr_lambdas` already."""
        return {name: value for name, value in super().state_dict().items() if name != "_rate"}


def set_momentum(optimizer: Optimizer, momentum: float) -> None:
    """Sets the momentum, or the first beta, of each group."""
    for group in optimizer.param_groups:
        set_momentum_of(group, momentum)


def set_momentum_of(group: dict[str, Any], momentum: float) -> None:
    """Sets the momentum, or the first beta, of a parameter group."""
    if "betas" in group:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum


def momentum_of(group: dict[str, Any]) -> float | None:
    """The momentum, or the first beta, of a parameter group; None if it has neither."""
    betas = group.get("betas")
    momentum = betas[0] if betas else group.get("momentum")
    return momentum if isinstance(momentum, float) else None


def check_momentum(optimizer: Optimizer, own: float | None, low: float) -> None:
    """Raises a UserError (field "min_momentum") if `own` momentum cannot move down to `low`."""
    name = type(optimizer).__name__
    if not own:
        raise UserError(f"{name} has no momentum here that min_momentum could move", "min_momentum")
    if low >= own:
        raise UserError(
            f"min_momentum {low:g} is not below the momentum of {name}, {own:g}", "min_momentum"
        )


def make_scheduler(
    optimizer: Optimizer, rate: PolicyRate, min_momentum: float | None = None
) -> PolicyScheduler:
    """Makes a scheduler that sets each parameter group to its share of `rate(step)`.

    `LambdaLR` multiplies the initial rate of a group by its function. `make_optimizer` has set it
    to the group's ratio, which is 1 unless a class makes groups of its own: the function then
    returns the rate itself, to the last bit.
    """
    for group in optimizer.param_groups:
        group["lr"] = group.setdefault("initial_lr", 1.0)
    return PolicyScheduler(optimizer, rate, min_momentum)
