"""The forms in which a user's task gives its data, and what each means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset, TensorDataset

from clr_tui.engine.errors import UserError
from clr_tui.engine.tasks.own_checks import FIELD
from clr_tui.engine.tasks.parts import Batch
from clr_tui.engine.tasks.prefetch import from_numpy
from clr_tui.engine.tasks.trees import Tree, rows, tensors
from clr_tui.engine.words import type_in_words

TARGETS = ("target", "targets", "label", "labels")
"""Keys of a dict that hold the targets, in any capitalisation."""


def as_rows(data: Any) -> Tree | None:
    """A tree of tensors with one sample per row, if `data` is one, or a `TensorDataset`."""
    if isinstance(data, TensorDataset):
        return data.tensors
    if isinstance(data, Subset) and isinstance(data.dataset, TensorDataset):
        chosen = torch.as_tensor(list(data.indices))
        return tuple(tensor[chosen] for tensor in data.dataset.tensors)
    return _as_tensors(data)


def _as_tensors(data: Any) -> Tree | None:
    if isinstance(data, Tensor):
        return data if data.dim() else None
    if not isinstance(data, np.generic) and callable(getattr(data, "__array__", None)):
        data = np.asarray(data)  # columns of a table too
        return from_numpy(data) if data.ndim and data.dtype.kind in "biufc" else None
    if isinstance(data, dict) and data:
        members = {key: _as_tensors(member) for key, member in data.items()}
        return None if any(m is None for m in members.values()) else members
    if isinstance(data, tuple) and data:
        made = tuple(_as_tensors(member) for member in data)
        return None if any(m is None for m in made) else made
    return None


def not_rows(data: tuple[Any, ...], what: str) -> UserError:
    """The mistake of a tuple of which not all members are tensors or arrays."""
    wrong = [type_in_words(member) for member in data if _as_tensors(member) is None]
    held = wrong[0] if wrong else "nothing"
    words = f"{what} is a tuple with {held}: give tensors or arrays with one sample per row"
    return UserError(words, FIELD)


def check_rows(tree: Tree, what: str) -> None:
    """Raises a UserError if the tensors have no rows, or not as many each."""
    lengths = sorted({len(tensor) for tensor in tensors(tree)})
    if len(lengths) > 1:
        numbers = " and ".join(map(str, lengths))
        raise UserError(f"the tensors of {what} have {numbers} rows: give as many of each", FIELD)
    if lengths == [0]:
        raise no_data(what)


def is_dataset(data: Any) -> bool:
    """Whether it gives samples by index: a `Dataset`, an object like one, or a list of samples."""
    if isinstance(data, list):
        return bool(data) and not all(_may_be_batch(member) for member in data[:2])
    if isinstance(data, (str, tuple, Mapping, DataLoader, IterableDataset)):
        return False
    return hasattr(data, "__getitem__") and hasattr(data, "__len__")


def _may_be_batch(member: Any) -> bool:
    """Whether a list's member may be a batch: all it holds has the same number of rows."""
    counts = set(_row_counts(member))
    return len(counts) == 1 and None not in counts


def _row_counts(tree: Any) -> Iterator[int | None]:
    """The rows of each tensor and the length of each list of other things; None: it has neither."""
    if isinstance(tree, (Tensor, np.ndarray)):
        yield len(tree) if tree.ndim else None
    elif callable(getattr(tree, "to", None)):  # packed sequences, graphs
        return
    elif isinstance(tree, list) and not any(
        isinstance(each, (Tensor, np.ndarray)) for each in tree
    ):
        yield len(tree)
    elif isinstance(tree, (Mapping, tuple, list)):
        for member in tree.values() if isinstance(tree, Mapping) else tree:
            yield from _row_counts(member)
    else:
        yield None


def split_batch(batch: Any) -> Batch:
    """A batch as inputs and targets; see `clr_tui.Task.train`.

    Raises:
        UserError: it has no targets.
    """
    if isinstance(batch, Mapping):
        key = next((key for key in batch if str(key).lower() in TARGETS), None)
        if key is None:
            raise UserError(
                f"a batch is a dict with the keys {', '.join(map(str, batch))}: name the targets "
                "target or label, or write a step(model, batch)",
                FIELD,
            )
        return {name: value for name, value in batch.items() if name != key}, batch[key]
    if isinstance(batch, (tuple, list)) and len(batch) > 1:
        *inputs, targets = batch
        return (tuple(inputs) if len(inputs) > 1 else as_tuple(inputs[0])), targets
    raise UserError(
        f"a batch is {type_in_words(batch)} without targets: give (inputs, targets), or write a "
        "step(model, batch)",
        FIELD,
    )


def as_tuple(tree: Tree) -> Tree:
    """A list as a tuple, whose members are arguments of the model."""
    return tuple(tree) if isinstance(tree, list) else tree


def held_out(data: Any, seed: int, share: float = 0.1) -> tuple[Any, Any] | None:
    """Samples divided at random into training and validation data; None if `data` is batches."""
    tree = as_rows(data)
    if tree is None and not is_dataset(data):
        return None
    if tree is not None:
        check_rows(tree, "train")
    n = len(tensors(tree)[0]) if tree is not None else len(data)
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    count = max(1, round(share * n))
    kept, held = order[count:], order[:count]
    if tree is not None:
        return rows(tree, kept), rows(tree, held)
    samples = cast("Dataset[Any]", data)
    return Subset(samples, kept.tolist()), Subset(samples, held.tolist())


def no_data(what: str) -> UserError:
    """The error for a part without samples."""
    return UserError(f"{what} has no data", FIELD)
