"""Inputs and outputs of models: a tensor, or tuples, lists and dicts of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

Tree = Any
"""A tensor, or a tuple, list or dict whose members are trees."""


def tree_map(function: Callable[[Tensor], Tensor], tree: Tree) -> Tree:
    """Applies `function` to each tensor of a tree; anything else stays."""
    if isinstance(tree, Tensor):
        return function(tree)
    if isinstance(tree, dict):
        return {key: tree_map(function, member) for key, member in tree.items()}
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):  # a named tuple
        return type(tree)(*(tree_map(function, member) for member in tree))
    if isinstance(tree, tuple | list):
        return type(tree)(tree_map(function, member) for member in tree)
    return tree


def rows(tree: Tree, chosen: Tensor | slice) -> Tree:
    """The chosen rows of each tensor: indices, int64 (n,) on its device, or a range."""
    return tree_map(lambda tensor: tensor[chosen], tree)


def tree_to(tree: Tree, device: torch.device) -> Tree:
    """Copies a tree to a device, without waiting where its tensors are in pinned memory."""
    return tree_map(lambda tensor: sent(tensor, device), tree)


def sent(tensor: Tensor, device: torch.device) -> Tensor:
    """Copies a tensor to a device, without waiting if that is CUDA.

    CUDA reads memory that is not pinned before it returns, and torch keeps pinned memory until it
    is read. MPS reads any memory later, when it may belong to something else already (pytorch
    issues 139550 and 189690).
    """
    return tensor.to(device, non_blocking=device.type == "cuda")


def tensors(tree: Tree) -> list[Tensor]:
    """The tensors of a tree, in order."""
    found: list[Tensor] = []

    def note(tensor: Tensor) -> Tensor:
        found.append(tensor)
        return tensor

    tree_map(note, tree)
    return found


def call(model: nn.Module | Callable[..., Tree], inputs: Tree) -> Tree:
    """Calls the model: `model(*inputs)` for a tuple, `model(**inputs)` for a dict.

    A named tuple, such as a packed sequence, is one input.
    """
    if isinstance(inputs, tuple) and not hasattr(inputs, "_fields"):
        return model(*inputs)
    if isinstance(inputs, dict):
        return model(**inputs)
    return model(inputs)
