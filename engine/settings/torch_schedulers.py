"""The classes of torch.optim.lr_scheduler that can be used instead of a policy.

Those of torch 2.6 to 2.14, listed here to avoid importing torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clr_tui.engine.errors import UserError, did_you_mean

FIELD = "scheduler"
_CYCLED_MOMENTUM = {"cycle_momentum", "base_momentum", "max_momentum"}
SCHEDULERS: dict[str, set[str]] = {
    "ConstantLR": {"factor", "total_iters"},
    "CosineAnnealingLR": {"T_max", "eta_min"},
    "CosineAnnealingWarmRestarts": {"T_0", "T_mult", "eta_min"},
    "CyclicLR": {"base_lr", "max_lr", "step_size_up", "step_size_down", "mode", "gamma"}
    | _CYCLED_MOMENTUM,
    "ExponentialLR": {"gamma"},
    "LinearLR": {"start_factor", "end_factor", "total_iters"},
    "MultiStepLR": {"milestones", "gamma"},
    "OneCycleLR": {"max_lr", "total_steps", "pct_start", "anneal_strategy", "three_phase"}
    | {"div_factor", "final_div_factor"}
    | _CYCLED_MOMENTUM,
    "PolynomialLR": {"total_iters", "power"},
    "ReduceLROnPlateau": {"mode", "factor", "patience", "threshold", "threshold_mode"}
    | {"cooldown", "min_lr", "eps"},
    "StepLR": {"step_size", "gamma"},
}
"""Name -> keyword arguments that can be written as text."""
UNUSABLE = {
    "LambdaLR": "it takes a function",
    "MultiplicativeLR": "it takes a function",
    "SequentialLR": "it takes other schedulers",
    "ChainedScheduler": "it takes other schedulers",
}
"""Other classes, and why they cannot be written as text."""
NEEDED = {
    "CosineAnnealingWarmRestarts": "T_0",
    "ExponentialLR": "gamma",
    "MultiStepLR": "milestones",
    "StepLR": "step_size",
}
"""What must be given; what others need comes from the training."""
EACH_STEP = ("CyclicLR", "OneCycleLR")
"""The classes that count steps, by torch's documentation; all others count epochs."""


def scheduler_named(name: str) -> str | None:
    """The class of that name, in any case; None if torch has no such scheduler."""
    known = {one.lower(): one for one in (*SCHEDULERS, *UNUSABLE)}
    return known.get(name.lower())


def check_scheduler(name: str, options: Mapping[str, Any], field: str = FIELD) -> None:
    """Raises UserError if the class, a key of the tables, cannot be used with these options.

    Their values are checked by torch.
    """
    if name in UNUSABLE:
        raise UserError(f"{name} cannot be used: {UNUSABLE[name]}; use a policy instead", field)
    for option in options:
        if option not in SCHEDULERS[name]:
            taken = sorted(SCHEDULERS[name])
            hint = did_you_mean(option, taken) or f": it takes {', '.join(taken)}"
            raise UserError(f"{name} takes no '{option}'{hint}", field)
    if name in NEEDED and NEEDED[name] not in options:
        raise UserError(f"{name} needs {NEEDED[name]}: give {name}({NEEDED[name]}=...)", field)
