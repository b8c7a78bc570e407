"""How much memory a trial needs, and how much there is; rather too much than too little."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from clr_tui.engine.tasks.task import Task
from clr_tui.engine.tasks.trees import Tree, call, tensors
from clr_tui.engine.training.evaluate import EVALUATION_BATCH, evaluation_mode

MEMINFO = Path("/proc/meminfo")
CGROUP = Path("/sys/fs/cgroup")
STATM = Path("/proc/self/statm")

COPIES = 7
"""Of the weights: themselves, their gradients, three in the optimizer (amsgrad), the best epoch's,
and the model that is made of those for the test."""
_PROBE = 2
"""Samples in the batch by which a layer's output is measured."""
_LAYERS = 3
"""Outputs of the largest layer that are there at once where none is kept: what goes in, what comes
out, and a working copy in another layout."""
_SLACK = 256 << 20
"""Bytes that the estimate leaves out: working memory of kernels, parts of torch that load with the
first step, what an allocator holds back. Measured with the CNN: 10 to 60 MiB."""
_OPTIMIZER = 160 << 20
"""Bytes of what torch loads with the first optimizer of a process. Measured (2.14): 150 MiB."""
_CONTEXT = 700 << 20
"""Bytes that a process takes on an accelerator before it puts anything there."""
_UNKNOWN = 1 << 30
"""Bytes of a process, where the system does not tell."""


@dataclass(frozen=True)
class TrialNeed:
    """What one trial needs at its height, bytes."""

    process: int
    """Of the machine's memory before the training begins: libraries and, on the CPU, the data."""
    data: int
    """Inputs and targets of all parts."""
    training: int
    """Weights, what the optimizer keeps, and activations, wherever they lie."""

    @property
    def on_cpu(self) -> int:
        """Where the trial computes on the CPU."""
        return self.process + self.training

    @property
    def on_accelerator(self) -> int:
        """Of the accelerator's own memory."""
        return _CONTEXT + self.data + self.training


def trial_need(task: Task, batch_size: int) -> TrialNeed:
    """Estimates the need of a trial, by this process and a small batch.

    Args:
        task: in this process, which has loaded it as each trial's process will.
        batch_size: of the training.
    """
    model = task.make_model(0)
    weights = sum(_size(t) for t in (*model.parameters(), *model.buffers()))
    layers = _layers(model, task)
    largest = max((size for size, _ in layers), default=0)
    sample = _size_of(task.probe(_PROBE)) // _PROBE
    passing = _LAYERS * (largest + sample)
    # What the backward pass needs is kept for it, and it makes a gradient of the same size.
    kept = 2 * sum(size for size, needed in layers if needed)
    return TrialNeed(
        process=_resident() + (0 if "torch._dynamo" in sys.modules else _OPTIMIZER),
        data=sum(
            _size_of((part.inputs, part.targets))
            for part in (task.train, task.validation, task.test)
        ),
        training=COPIES * weights
        + max(batch_size * (kept + passing), EVALUATION_BATCH * passing)
        + task.kept_bytes(model)
        + _SLACK,
    )


def _size_of(tree: Tree) -> int:
    return sum(map(_size, tensors(tree)))


def _size(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def _layers(model: nn.Module, task: Task) -> list[tuple[int, bool]]:
    """Of each layer, the bytes that it puts out for a sample, and whether they are kept for the
    backward pass: those of frozen layers are not.
    """
    layers: list[tuple[int, bool]] = []

    def note(_module: nn.Module, _inputs: object, output: object) -> None:
        if isinstance(output, Tensor):
            layers.append((_size(output) // _PROBE, output.requires_grad))

    leaves = [module for module in model.modules() if not list(module.children())]
    hooks = [leaf.register_forward_hook(note) for leaf in leaves]
    with evaluation_mode(model):
        call(model, task.probe(_PROBE))
    for hook in hooks:
        hook.remove()
    return layers


def _resident(statm: Path = STATM) -> int:
    """Bytes of memory that this process holds."""
    try:
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):  # not Linux
        return _UNKNOWN


def available_memory(meminfo: Path = MEMINFO, cgroup: Path = CGROUP) -> int | None:
    """Bytes that new processes may take: of the machine, and of the container where there is one.

    Returns:
        None where the system does not tell.
    """
    known = [n for n in (_of_machine(meminfo), _of_container(cgroup)) if n is not None]
    return min(known, default=None)


def _of_machine(meminfo: Path) -> int | None:
    try:
        found = re.search(r"^MemAvailable:\s+(\d+) kB$", meminfo.read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None


def _of_container(cgroup: Path) -> int | None:
    """What the limit leaves; file cache that can be dropped counts as free."""
    try:
        limit = int((cgroup / "memory.max").read_text())
        used = int((cgroup / "memory.current").read_text())
        cache = re.search(r"^inactive_file (\d+)$", (cgroup / "memory.stat").read_text(), re.M)
    except (OSError, ValueError):  # no cgroups here, or no limit ("max")
        return None
    return max(0, limit - used + (int(cache[1]) if cache else 0))
