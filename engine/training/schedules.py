"""Applies the policies of `engine.policies` to a torch optimizer through `LambdaLR`."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from clr_tui.engine.policies import lr_at
from clr_tui.engine.settings.config import GAMMA, Policy
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

    def __call__(self, step: int) -> float:
        """The rate at step `step`, from 0."""
        return lr_at(step=step, **vars(self))


def make_scheduler(optimizer: Optimizer, rate: PolicyRate) -> LambdaLR:
    """Makes a scheduler that sets every parameter group to its share of `rate(step)`.

    `LambdaLR` multiplies the initial rate of a group by its function. `make_optimizer` has set it
    to the group's ratio, which is 1 unless a class makes groups of its own: the function then
    returns the rate itself, to the last bit.
    """
    for group in optimizer.param_groups:
        group["lr"] = group.setdefault("initial_lr", 1.0)
    return LambdaLR(optimizer, rate)


def set_bounds(scheduler: LambdaLR, *, base_lr: float, max_lr: float) -> None:
    """Moves the bounds during a run. The phase stays: the next step uses the new bounds.

    Raises:
        UserError: the bounds are invalid; the old ones stay.
    """
    for mistake in bounds_mistakes(base_lr, max_lr):
        raise mistake
    for group, rate in zip(scheduler.optimizer.param_groups, scheduler.lr_lambdas, strict=True):
        assert isinstance(rate, PolicyRate)
        rate.base_lr, rate.max_lr = base_lr, max_lr
        group["lr"] = group["initial_lr"] * rate(scheduler.last_epoch)
