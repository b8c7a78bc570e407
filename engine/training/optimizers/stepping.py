"""The ways in which optimizers want to be stepped."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Literal, Protocol

from torch import Tensor
from torch.optim import Optimizer

Stepping = Literal["once", "closure", "perturbed", "graph"]
"""`once`: gradients, then a step. `closure`: the step computes the gradients, as often as it wants
to (L-BFGS). `perturbed`: gradients, then a step that computes them again at weights nearby (SAM,
Foret et al. 2021, algorithm 1). `graph`: gradients that can be differentiated, then a step
(AdaHessian)."""


class Gradients(Protocol):
    """Clears the gradients, computes those of one batch, and returns its loss."""

    def __call__(self, *, graph: bool = False, again: bool = False) -> Tensor:
        """Computes the gradients.

        Args:
            graph: whether they will be differentiated.
            again: whether those of this batch were computed before, at other weights.
        """


def take_step(optimizer: Optimizer, stepping: Stepping, gradients: Gradients) -> None:
    """Updates the parameters on one batch."""
    if stepping == "once":
        gradients()
        optimizer.step()
    elif stepping == "closure":
        optimizer.step(gradients)  # type: ignore[arg-type]
    elif stepping == "perturbed":
        gradients()
        optimizer.step(_again(gradients))
    else:
        gradients(graph=True)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)  # gradients that refer to their own graph stay alive


def _again(gradients: Gradients) -> Callable[[], Any]:
    return lambda: gradients(again=True)


def steppings(made: type[Optimizer]) -> tuple[Stepping, ...]:
    """The ways to try, the likeliest first, judged by the methods of a class.

    If a class can be stepped without a closure only by its signature, its first step says so.
    """
    if callable(getattr(made, "first_step", None)) and callable(getattr(made, "second_step", None)):
        return ("perturbed",)
    closure = next(iter([*inspect.signature(made.step).parameters.values()][1:]), None)
    if closure is not None and closure.default is inspect.Parameter.empty:
        return ("closure",)
    return ("once", "closure", "graph")
