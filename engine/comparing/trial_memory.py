"""Estimating the memory that a trial needs (rather too high than too low), and what is free."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from clr_tui.engine.tasks.parts import Batch, batch_length
from clr_tui.engine.tasks.task import Task
from clr_tui.engine.tasks.trees import Tree, tensors
from clr_tui.engine.training.evaluate import EVALUATION_BATCH, evaluation_mode

STATM = Path("/proc/self/statm")

COPIES = 7
"""Of the weights: themselves, their gradients, three in the optimizer (amsgrad), the best epoch's,
and the model made from those for the test."""
_PROBE = 2
"""Samples in the batch that measures the layers' outputs."""
_LAYERS = 3
"""Outputs of the largest layer in memory at once if none is kept: the input, the output, and a
working copy in another layout."""
_SLACK = 256 << 20
"""Bytes for everything else: working memory of kernels, parts of torch that load with the first
step, memory that an allocator holds back. Measured with the CNN: 10 to 60 MiB."""
_OPTIMIZER = 160 << 20
"""Bytes that torch loads with the first optimizer of a process. Measured (2.14): 150 MiB."""
_CONTEXT = 700 << 20
"""Bytes that a process takes on an accelerator before it allocates anything."""
_CUDA_LIBRARIES = 2 << 30
"""Bytes of the machine's memory that CUDA's libraries take in a process: 1 to 2 GiB by others'
reports; not measured here."""
_UNKNOWN = 1 << 30
"""Assumed bytes of a process if the system does not report them."""


@dataclass(frozen=True)
class TrialNeed:
    """Peak memory of one trial, bytes."""

    process: int
    """Of the machine's memory before training: libraries and, on the CPU, the data."""
    data: int
    """Inputs and targets of all parts that are in the accelerator's memory."""
    training: int
    """Weights, optimizer state and activations."""

    @property
    def on_cpu(self) -> int:
        """Of the machine's memory, if the trial computes on the CPU."""
        return self.process + self.training

    @property
    def on_host_of_cuda(self) -> int:
        """Of the machine's memory, if the trial computes on a CUDA device."""
        return self.process + _CUDA_LIBRARIES

    @property
    def on_accelerator(self) -> int:
        """Of the accelerator's memory."""
        return _CONTEXT + self.data + self.training


def trial_need(task: Task, batch_size: int) -> TrialNeed:
    """Estimates the memory of a trial from a small batch and this process.

    `task` is loaded in this process as in each trial's process.
    """
    model = task.make_model(0)
    weights = sum(_size(t) for t in (*model.parameters(), *model.buffers()))
    batch = task.probe(_PROBE)
    samples = batch_length(batch)
    layers = _layers(model, task, batch)
    largest = max((size for size, _ in layers), default=0)
    sample = _size_of(batch[0]) // samples
    passing = _LAYERS * (largest + sample)
    # The backward pass needs these outputs, and makes gradients of the same size.
    kept = 2 * sum(size for size, needed in layers if needed)
    return TrialNeed(
        process=_resident_bytes(task.mapped_bytes)
        + (0 if "torch._dynamo" in sys.modules else _OPTIMIZER),
        data=sum(part.device_bytes for part in (task.train, task.validation, task.test)),
        training=COPIES * weights
        + max(batch_size * (kept + passing), EVALUATION_BATCH * passing)
        + task.kept_bytes(model)
        + _SLACK,
    )


def _size_of(tree: Tree) -> int:
    return sum(map(_size, tensors(tree)))


def _size(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def _layers(model: nn.Module, task: Task, batch: Batch) -> list[tuple[int, bool]]:
    """The bytes of each layer's output per sample, and whether the backward pass keeps them.

    Those of frozen layers are not kept.
    """
    layers: list[tuple[int, bool]] = []
    samples = batch_length(batch)

    def note(_module: nn.Module, _inputs: object, output: object) -> None:
        if isinstance(output, Tensor):
            layers.append((_size(output) // samples, output.requires_grad))

    leaves = [module for module in model.modules() if not list(module.children())]
    hooks = [leaf.register_forward_hook(note) for leaf in leaves]
    with evaluation_mode(model):
        task.result(model, batch)
    for hook in hooks:
        hook.remove()
    return layers


def _resident_bytes(mapped: int, statm: Path = STATM) -> int:
    """The bytes of this process in memory, without those of `mapped` bytes in files."""
    try:
        _, resident, of_files, *_ = map(int, statm.read_text().split())
    except (OSError, ValueError):  # not Linux
        return _UNKNOWN
    page = os.sysconf("SC_PAGE_SIZE")
    return resident * page - min(mapped, of_files * page)
