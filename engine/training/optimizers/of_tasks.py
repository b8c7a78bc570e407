"""Optimizers and parameter groups that a user's task makes itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from clr_tui.engine.tasks.own_checks import task_mistake
from clr_tui.engine.training.optimizers.making import Groups
from clr_tui.engine.training.optimizers.modes import set_mode
from clr_tui.engine.training.optimizers.rates import note_ratios, set_rate
from clr_tui.engine.words import type_in_words


def tasks_optimizer(
    make: Callable[[nn.Module], Optimizer], model: nn.Module, lr: float | None
) -> Optimizer:
    """Makes the optimizer of a task; the ratios of its groups' rates are kept.

    Args:
        lr: the rate of its first group; None for the one that it is made with.

    Raises:
        UserError: it is no optimizer of this model (field "task").
    """
    made: object = make(model)
    if not isinstance(made, Optimizer):
        raise task_mistake(
            f"optimizer(model) returned {type_in_words(made)}, not a torch Optimizer", make
        )
    known = {id(parameter) for parameter in model.parameters()}
    if not all(id(p) in known for group in made.param_groups for p in group["params"]):
        raise task_mistake(
            "optimizer(model) uses parameters that are not those of the model it is called with",
            make,
        )
    rates = [float(group["lr"]) for group in made.param_groups if group.get("lr")]
    if len(rates) < len(made.param_groups):
        raise task_mistake("optimizer(model) has a group without a learning rate above 0", make)
    note_ratios(made, rates[0])
    set_rate(made, rates[0] if lr is None else lr)
    set_mode(made, "train")
    return made


def parameter_groups(make: Callable[[nn.Module], Iterable[Any]], model: nn.Module) -> Groups:
    """The parameter groups that a task makes of a model, without frozen parameters."""
    given = list(make(model))
    if given and not isinstance(given[0], dict):
        given = [{"params": given}]
    groups = [{**group, "params": _trainable(group["params"])} for group in given]
    groups = [group for group in groups if group["params"]]
    if not groups:
        raise task_mistake("parameters(model) returned no trainable parameters", make)
    return groups


def _trainable(parameters: Any) -> list[nn.Parameter]:
    every: Iterable[Any] = [parameters] if isinstance(parameters, Tensor) else parameters
    # Named parameters come as pairs.
    bare = [p[1] if isinstance(p, tuple) else p for p in every]
    return [p for p in bare if p.requires_grad]
