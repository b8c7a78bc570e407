"""A short mark of a task's data, by which data that has changed is recognised."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

from clr_tui.engine.errors import UserError
from clr_tui.engine.tasks.parts import Part, Rows
from clr_tui.engine.tasks.task import Task
from clr_tui.engine.tasks.trees import tensors

MOST_BYTES = 1 << 22
"""Of each tensor: of a larger one, rows at equal distances are looked at."""


def data_mark(task: Task) -> str:
    """A text that is another one, most likely, if the data is.

    It depends on the number and shape of all samples, and on the values of all or, of much data,
    some. Those of a stream are not looked at, as they may be drawn at random.
    """
    digest = hashlib.sha256()
    for part in (task.train, task.validation, task.test):
        _add(digest, part)
    return digest.hexdigest()[:32]


def check_data(mark: str, task: Task) -> None:
    """Raises UserError if the data has another mark."""
    if data_mark(task) != mark:
        raise UserError(
            "the data is not what it was when the run began: start a new run, or put it back",
            "data",
        )


def _add(digest: hashlib._Hash, part: Part) -> None:
    digest.update(f"{type(part).__name__} {len(part)}".encode())
    if not isinstance(part, Rows):
        digest.update(f"{part.steps} {part.batch_size}".encode())
    values = (part.inputs, part.targets) if isinstance(part, Rows) else part.example
    for tensor in tensors(values):
        digest.update(f"{tensor.dtype}".encode())
        if isinstance(part, Rows) and len(tensor):
            digest.update(f"{tuple(tensor.shape)}".encode())
            digest.update(_some_rows(tensor))


def _some_rows(tensor: Tensor) -> bytes:
    size = max(tensor[:1].nbytes, 1)
    count = max(1, min(len(tensor), MOST_BYTES // size))
    places = torch.linspace(0, len(tensor) - 1, count, dtype=torch.float64).round().long()
    chosen = tensor[places.to(tensor.device)].contiguous().cpu()
    return bytes(chosen.flatten().view(torch.uint8).numpy())
