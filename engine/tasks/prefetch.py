"""Moving batches of any form to the device, one batch ahead."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from clr_tui.engine.tasks.parts import Batch
from clr_tui.engine.tasks.trees import sent


def moved(batch: Any, device: torch.device) -> Any:
    """A batch on the device: tensors, arrays and whatever has a method `to`, in any nesting.

    Anything else stays, such as strings and numbers.
    """
    if isinstance(batch, Tensor):
        return sent(batch, device)
    if isinstance(batch, np.ndarray) and batch.dtype.kind in "biufc":
        return sent(from_numpy(batch), device)
    if callable(getattr(batch, "to", None)):  # packed sequences, graphs, encodings of tokenizers
        return batch.to(device)
    if isinstance(batch, Mapping):
        return {key: moved(member, device) for key, member in batch.items()}
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*(moved(member, device) for member in batch))
    if isinstance(batch, (tuple, list)):
        return type(batch)(moved(member, device) for member in batch)
    if dataclasses.is_dataclass(batch) and not isinstance(batch, type):
        members = {f.name: moved(getattr(batch, f.name), device) for f in dataclasses.fields(batch)}
        return dataclasses.replace(batch, **members)
    return batch


def from_numpy(array: np.ndarray[Any, Any]) -> Tensor:
    """A tensor of an array; float32 for float64, which is numpy's default but no model's."""
    return torch.from_numpy(np.ascontiguousarray(array, dtype=_DTYPES.get(array.dtype.str[1:])))


_DTYPES: dict[str, Any] = {"f8": np.float32, "u2": np.int32, "u4": np.int64}
"""Types that are converted: float64, and those that torch does not fully support."""


class Ahead(Iterator[Batch]):
    """Copies the next batch to a CUDA device, on a separate stream, while one is in use.

    Args:
        batches: on the host; the copies overlap best from pinned memory.
        move: makes the copy of a batch on the device.
    """

    def __init__(
        self, batches: Iterator[Any], move: Callable[[Any], Batch], device: torch.device
    ) -> None:
        self._batches = batches
        self._move = move
        self._device = device
        self._copying = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._next = self._copied()

    def _copied(self) -> Batch | None:
        # Memory of earlier batches is reused: computations that read them must end first.
        self._copying.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(self._copying):
            return next((self._move(batch) for batch in self._batches), None)

    def __next__(self) -> Batch:
        if self._next is None:
            raise StopIteration
        batch = self._next
        torch.cuda.current_stream(self._device).wait_stream(self._copying)
        self._next = self._copied()
        return batch
