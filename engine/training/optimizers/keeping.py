"""Restoring everything that steps change in an optimizer and in optimizers inside it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from torch import nn
from torch.optim import Optimizer


def keep_optimizer(optimizer: Optimizer, model: nn.Module) -> Callable[[], None]:
    """Copies an optimizer's state, groups and attributes; returns what puts them back.

    Some keep their state in attributes, or in an inner optimizer. Attributes that cannot be copied
    stay unchanged. Functions and tables of hooks stay the same objects: hooks may belong to objects
    of any size, and the handle that removes one refers to its table.
    """
    owners = list(_with_inner(optimizer))
    lists: list[list[dict[str, Any]]] = [owner.param_groups for owner in owners]
    groups = [group for groups in lists for group in groups]
    places: list[dict[Any, Any]] = [*groups, *(owner.state for owner in owners), *map(vars, owners)]
    places += [table for owner in owners for table in _hooks(owner)]
    parameters = [p for group in groups for p in group["params"]]
    same = [*owners, *lists, *places, *parameters, *model.modules(), *model.parameters()]
    memo = {id(one): one for one in same}
    contents = [(place, {key: _copy(one, memo) for key, one in place.items()}) for place in places]
    members = [(groups, list(groups)) for groups in lists]

    def put_back() -> None:
        for place, content in contents:
            place.clear()
            place.update(content)
        for groups, kept in members:
            groups[:] = kept

    return put_back


def _with_inner(optimizer: Optimizer) -> Iterator[Optimizer]:
    yield optimizer
    for value in vars(optimizer).values():
        for one in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(one, Optimizer) and one is not optimizer:
                yield from _with_inner(one)


def _hooks(optimizer: Optimizer) -> Iterator[dict[Any, Any]]:
    tables = (value for name, value in vars(optimizer).items() if name.endswith("_hooks"))
    yield from (table for table in tables if isinstance(table, dict))


def _copy(value: Any, memo: dict[int, Any]) -> Any:
    if callable(value):
        return value
    try:
        return copy.deepcopy(value, memo)
    except Exception:  # noqa: BLE001 - objects of any kind
        return value
