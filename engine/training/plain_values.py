"""Tensors and plain values only: what a file may hold that loads with `weights_only=True`."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import Parameter

_PLAIN = (type(None), bool, int, float, complex, str, bytes, torch.dtype, torch.device)
_BASES: tuple[Any, ...] = (int, float, complex, str, bytes)
_LEFT_OUT = object()


def plain_values(value: Any, name: str) -> tuple[Any, list[str]]:
    """Converts numbers and arrays of numpy, deques and similar values to plain ones.

    Args:
        name: of `value`, for the names of what is left out.

    Returns:
        The converted value, and the names of what is left out, such as "optimizer.scale": functions
        and other objects. An item of a list that is left out becomes None.
    """
    left_out: list[str] = []
    found = _plain(value, name, left_out)
    return (None if found is _LEFT_OUT else found), left_out


def _plain(value: Any, name: str, left_out: list[str]) -> Any:
    kind = type(value)
    if kind in _PLAIN or kind is Tensor or kind is Parameter:
        return value
    if isinstance(value, np.generic):
        return _plain(value.item(), name, left_out)
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return torch.from_numpy(value.copy())
    if isinstance(value, Tensor):
        return value.as_subclass(Tensor)
    if isinstance(value, Mapping):
        items = {
            key: _plain(one, f"{name}.{key}", left_out)
            for key, one in value.items()
            if _is_key(key, f"{name}.{key}", left_out)
        }
        return {key: one for key, one in items.items() if one is not _LEFT_OUT}
    if isinstance(value, (list, tuple, set, frozenset, deque)):
        values = [_plain(one, f"{name}[{i}]", left_out) for i, one in enumerate(value)]
        values = [None if one is _LEFT_OUT else one for one in values]
        return tuple(values) if isinstance(value, tuple) else values
    for base in _BASES:  # a subclass, such as of an enumeration
        if isinstance(value, base):
            return base(value)
    left_out.append(name)
    return _LEFT_OUT


def _is_key(key: object, name: str, left_out: list[str]) -> bool:
    plain = all(type(one) in _PLAIN for one in (key if isinstance(key, tuple) else (key,)))
    if not plain:
        left_out.append(name)
    return plain
