"""What models take and return: a tensor, or tuples, lists and dicts of such."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

Tree = Any
"""A tensor, or a tuple, list or dict whose members are trees."""


def tree_map(function: Callable[[Tensor], Tensor], tree: Tree) -> Tree:
    """A tree of the same shape, with `function` of each tensor; what is no tensor stays."""
    if isinstance(tree, Tensor):
        return function(tree)
    if isinstance(tree, dict):
        return {key: tree_map(function, member) for key, member in tree.items()}
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):  # a named tuple
        return type(tree)(*(tree_map(function, member) for member in tree))
    if isinstance(tree, tuple | list):
        return type(tree)(tree_map(function, member) for member in tree)
    return tree


def tensors(tree: Tree) -> list[Tensor]:
    """The tensors of a tree, in order."""
    found: list[Tensor] = []

    def note(tensor: Tensor) -> Tensor:
        found.append(tensor)
        return tensor

    tree_map(note, tree)
    return found


def call(model: nn.Module | Callable[..., Tree], inputs: Tree) -> Tree:
    """The model's outputs: `model(*inputs)` of a tuple, `model(**inputs)` of a dict."""
    if isinstance(inputs, tuple):
        return model(*inputs)
    if isinstance(inputs, dict):
        return model(**inputs)
    return model(inputs)
