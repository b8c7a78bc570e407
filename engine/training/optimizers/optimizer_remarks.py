"""Notes for users on how an optimizer is used here."""

from __future__ import annotations

from torch.optim import Optimizer

from clr_tui.engine.training.optimizers.adapted_rate import finds_own_rate
from clr_tui.engine.training.optimizers.matrices import MatricesAndAdamW


def remarks(name: str, optimizer: Optimizer, *, swept: bool, ignores_rate: bool) -> list[str]:
    """Sentences on an optimizer that `name` was given for.

    Args:
        swept: whether a range test moves its rate.
        ignores_rate: see `Recipe`.
    """
    said = []
    if ignores_rate:
        said.append(
            f"{name} takes the same steps at any rate with these options: neither a range test nor"
            " a policy has an effect on it"
        )
    if isinstance(optimizer, MatricesAndAdamW) and len(optimizer.parts) > 1:
        share = optimizer.parts[1].param_groups[0]["initial_lr"]
        said.append(
            f"{name} updates matrices and kernels of convolutions: the other parameters are trained"
            f" by AdamW at {share:.3g} times its rate (adamw_lr= sets it)"
        )
    if swept and finds_own_rate(optimizer):
        said.append(
            f"{name} finds its own rate, which the rate of this range test multiplies: the curve"
            " shows which factors it tolerates, and its authors leave the factor at 1"
        )
    return said
