"""`clr_tui.CLR`: the policies as a scheduler of torch, for loops of anybody's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from clr_tui.engine.errors import UserError
from clr_tui.engine.policies import WITHOUT_CYCLES, step_size_steps
from clr_tui.engine.settings.config import DECAY, FACTOR, GAMMA, WARMUP, Policy, Train
from clr_tui.engine.settings.lr_bounds import bounds_mistakes
from clr_tui.engine.settings.table import setting_of
from clr_tui.engine.training.schedules import (
    PolicyRate,
    check_momentum,
    momentum_of,
    set_momentum_of,
)
from clr_tui.engine.words import many

STEP_SIZE_EPOCHS = 4.0
"""Default of half a cycle, in epochs (Smith 2017, section 3.2: 2 to 10)."""
_WITH_AN_END: tuple[Policy, ...] = ("one-cycle", "cosine", "warmup-stable-decay", "linear-decay")

PerGroup = float | Sequence[float]
"""One number for all parameter groups, or one for each."""


class CLR(LRScheduler):
    """Cyclical learning rates: moves the rate between `base_lr` and `max_lr` (L. N. Smith, 2017).

    Call `step()` after each `optimizer.step()`. The rate is a function of the number of steps: a
    scheduler that loads the `state_dict` of another one goes on with the same rates.

    Args:
        optimizer: the optimizer, of torch or of another package.
        max_lr: the highest rate, such as `range_test` recommends; a list has one for each
            parameter group.
        base_lr: the lowest rate, likewise; None: a sixth of `max_lr`.
        policy: the shape, a name of `clr-tui train --policy`: `triangular`, `triangular2`,
            `exp-range`, `exp-range-amplitude`, `linear-decay`, `one-cycle`, `cosine`,
            `warmup-stable-decay` or `constant`. docs/training.md describes each.
        step_size: half a cycle, in steps; not needed by policies without cycles.
        step_size_epochs: half a cycle in epochs, instead; 4 if only `steps_per_epoch` is given.
        steps_per_epoch: steps in an epoch, such as `len(loader)`, for lengths in epochs.
        total_steps: length of the training in steps, for policies that end with it; the last rate
            stays beyond it.
        epochs: the same in epochs, instead.
        gamma: decay per step of the exp-range policies.
        warmup: share of the steps spent rising in `cosine` and `warmup-stable-decay`.
        decay: share of the steps spent falling in `warmup-stable-decay`.
        min_momentum: the momentum, or first beta, where the rate is highest (Smith 2018, section
            4.3); one for each group if it is a list. None leaves the momentum alone.
        max_momentum: the momentum where the rate is lowest; None: the group's own.
        last_epoch: steps that were done before, less one, as for every scheduler of torch.

    Raises:
        UserError: an argument is missing or out of range.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: PerGroup,
        *,
        base_lr: PerGroup | None = None,
        policy: Policy = "triangular",
        step_size: float | None = None,
        step_size_epochs: float | None = None,
        steps_per_epoch: int | None = None,
        total_steps: int | None = None,
        epochs: float | None = None,
        gamma: float = GAMMA,
        warmup: float = WARMUP,
        decay: float = DECAY,
        min_momentum: PerGroup | None = None,
        max_momentum: PerGroup | None = None,
        last_epoch: int = -1,
    ) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
        for name, value in {
            "policy": policy,
            "step_size_epochs": step_size_epochs,
            "gamma": gamma,
            "warmup": warmup,
            "decay": decay,
        }.items():
            _check(name, value)
        groups = len(optimizer.param_groups)
        highest = _each("max_lr", max_lr, groups)
        lowest = _each("base_lr", base_lr, groups) if base_lr is not None else None
        half = _half_cycle(policy, step_size, step_size_epochs, steps_per_epoch)
        length = _length(policy, total_steps, epochs, steps_per_epoch)
        self._rates = [
            PolicyRate(
                policy,
                base_lr=high / FACTOR if lowest is None else lowest[i],
                max_lr=high,
                step_size=half,
                total_steps=length,
                gamma=gamma,
                warmup=warmup,
                decay=decay,
            )
            for i, high in enumerate(highest)
        ]
        for rate in self._rates:
            _check_bounds(rate.base_lr, rate.max_lr)
        self._momenta = _momenta(optimizer, min_momentum, max_momentum)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = [rate.base_lr for rate in self._rates]

    def get_lr(self) -> list[Any]:
        """The rate of each group; sets the momentum too, as torch's `CyclicLR` does."""
        for group, rate, ends in zip(
            self.optimizer.param_groups, self._rates, self._momenta, strict=False
        ):
            set_momentum_of(group, rate.momentum(self.last_epoch, *ends))
        return [rate(self.last_epoch) for rate in self._rates]

    def set_bounds(self, *, base_lr: PerGroup, max_lr: PerGroup) -> None:
        """Moves the bounds at once. The phase stays: the rate is that of the same step.

        Args:
            base_lr: the lowest rate. One number is that of the first parameter group: the others
                keep their ratios to it.
            max_lr: the highest rate, likewise.

        Raises:
            UserError: they are out of range; the old ones stay.
        """
        lowest = _moved("base_lr", base_lr, [rate.base_lr for rate in self._rates])
        highest = _moved("max_lr", max_lr, [rate.max_lr for rate in self._rates])
        for low, high in zip(lowest, highest, strict=True):
            _check_bounds(low, high)
        for rate, low, high in zip(self._rates, lowest, highest, strict=True):
            rate.base_lr, rate.max_lr = low, high
        self.base_lrs = [*lowest]
        self._last_lr = [rate(self.last_epoch) for rate in self._rates]
        for group, lr in zip(self.optimizer.param_groups, self._last_lr, strict=True):
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(lr)
            else:
                group["lr"] = lr

    def state_dict(self) -> dict[str, Any]:
        """The state in plain values, which loads with `torch.load(..., weights_only=True)`."""
        return {**super().state_dict(), "_rates": [dict(vars(rate)) for rate in self._rates]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over the state of another scheduler, bounds and policy included.

        Load the optimizer's state too: it holds the rate and momentum of the current step.
        """
        rates = [PolicyRate(**rate) for rate in state_dict["_rates"]]
        if len(rates) != len(self.optimizer.param_groups):
            raise UserError(
                f"the state is that of {many(len(rates), 'parameter group')}, but the optimizer has"
                f" {len(self.optimizer.param_groups)}"
            )
        super().load_state_dict({**state_dict, "_rates": rates})


def _check(name: str, value: object) -> None:
    """Raises the mistake of a setting of trainings, if its value is one."""
    mistake = setting_of(Train, name).mistake(value)
    if mistake is not None:
        raise mistake


def _each(name: str, given: PerGroup | None, groups: int) -> list[float]:
    """One number for each parameter group."""
    if given is None:
        hint = ": the range test recommends none" if name == "max_lr" else ""
        raise UserError(f"{name} is None, not a number{hint}", name)
    values = list(given) if isinstance(given, (list, tuple)) else [given] * groups
    if len(values) != groups:
        raise UserError(
            f"{name} has {many(len(values), 'number')}, but the optimizer has"
            f" {many(groups, 'parameter group')}",
            name,
        )
    try:
        return [float(value) for value in values]  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise UserError(f"{name} is {given!r}, not a number", name) from None


def _moved(name: str, given: PerGroup, before: list[float]) -> list[float]:
    """The bound of each group: as given, or in the ratio that it has to the first group's."""
    if isinstance(given, (list, tuple)):
        return _each(name, given, len(before))
    (first,) = _each(name, given, 1)
    return [first * (bound / before[0]) for bound in before]


def _check_bounds(base_lr: float, max_lr: float) -> None:
    _check("max_lr", max_lr)  # first, since base_lr may follow from it
    for mistake in bounds_mistakes(base_lr, max_lr):
        raise mistake


def _half_cycle(
    policy: Policy, steps: float | None, epochs: float | None, per_epoch: int | None
) -> float:
    """Half a cycle in steps; 1 for policies without cycles."""
    if steps is not None and epochs is not None:
        raise UserError("give step_size or step_size_epochs, not both", "step_size")
    if steps is not None:
        (half,) = _each("step_size", steps, 1)
        if not half >= 1:
            raise UserError(
                f"step_size is {steps}: give half a cycle in steps, at least 1", "step_size"
            )
        return half
    if per_epoch is not None and policy not in WITHOUT_CYCLES:
        return step_size_steps(epochs or STEP_SIZE_EPOCHS, _per_epoch(per_epoch))
    if policy in WITHOUT_CYCLES:
        return 1.0
    raise UserError(
        f"{policy} needs the length of half a cycle: give step_size in steps, or steps_per_epoch",
        "step_size",
    )


def _length(policy: Policy, steps: int | None, epochs: float | None, per_epoch: int | None) -> int:
    """Steps in the training; 1 for policies that do not depend on it."""
    if steps is not None and epochs is not None:
        raise UserError("give total_steps or epochs, not both", "total_steps")
    if epochs is not None and per_epoch is not None:
        steps = round(epochs * _per_epoch(per_epoch))
    if steps is not None:
        if steps < 1:
            raise UserError(f"the training has {steps} steps: give at least 1", "total_steps")
        return int(steps)
    if policy not in _WITH_AN_END:
        return 1
    raise UserError(
        f"{policy} needs the length of the training: give total_steps, or epochs and"
        " steps_per_epoch",
        "total_steps",
    )


def _per_epoch(steps: int) -> int:
    if steps < 1:
        raise UserError(f"steps_per_epoch is {steps}: give at least 1", "steps_per_epoch")
    return int(steps)


def _momenta(
    optimizer: Optimizer, lowest: PerGroup | None, highest: PerGroup | None
) -> list[tuple[float, float]]:
    """The lowest and highest momentum of each group; empty if it is not moved.

    The highest is kept in the group, as torch's CyclicLR does, so that it is known to a scheduler
    made for an optimizer whose momentum is in the middle of a cycle.
    """
    groups = optimizer.param_groups
    if lowest is None:
        if highest is not None:
            raise UserError("max_momentum is given without min_momentum", "min_momentum")
        return []
    low = _each("min_momentum", lowest, len(groups))
    for momentum in low:
        _check("min_momentum", momentum)
    own = [group.get("max_momentum") or momentum_of(group) for group in groups]
    high = _each("max_momentum", highest, len(groups)) if highest is not None else own
    for i, group in enumerate(groups):
        check_momentum(optimizer, own[i] and high[i], low[i])
        group["max_momentum"] = high[i]
    return [(low[i], group["max_momentum"]) for i, group in enumerate(groups)]
