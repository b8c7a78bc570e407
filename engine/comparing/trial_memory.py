"""How much memory a trial needs, and how much there is; rather too much than too little."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from torch import Tensor, nn

from clr_tui.engine.tasks.devices import memory_of
from clr_tui.engine.tasks.features import SHARE, FrozenTrunk
from clr_tui.engine.tasks.part import Part
from clr_tui.engine.tasks.task import Task
from clr_tui.engine.training.evaluate import EVALUATION_BATCH, evaluation_mode

MEMINFO = Path("/proc/meminfo")
CGROUP = Path("/sys/fs/cgroup")
STATM = Path("/proc/self/statm")

COPIES = 7
"""Of the weights: themselves, their gradients, three in the optimizer (amsgrad), the best epoch's,
and the model that is made of those for the test."""
_PROBE = 2
"""Images in the batch by which a layer's output is measured."""
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
    """Images and labels of all parts."""
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
    image = 4 * task.channels * task.image_size**2
    passing = _LAYERS * (largest + image)
    # What the backward pass needs is kept for it, and it makes a gradient of the same size.
    kept = 2 * sum(size for size, needed in layers if needed)
    return TrialNeed(
        process=_resident() + (0 if "torch._dynamo" in sys.modules else _OPTIMIZER),
        data=sum(_size(part.images) + _size(part.labels) for part in _parts(task)),
        training=COPIES * weights
        + max(batch_size * (kept + passing), EVALUATION_BATCH * passing)
        + _features(model, task)
        + _SLACK,
    )


def _parts(task: Task) -> list[Part]:
    return [task.train, task.validation, task.test]


def _size(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def _layers(model: nn.Module, task: Task) -> list[tuple[int, bool]]:
    """Of each layer, the bytes that it puts out for an image, and whether they are kept for the
    backward pass: those of frozen layers are not.
    """
    layers: list[tuple[int, bool]] = []

    def note(_module: nn.Module, _inputs: object, output: object) -> None:
        if isinstance(output, Tensor):
            layers.append((_size(output) // _PROBE, output.requires_grad))

    leaves = [module for module in model.modules() if not list(module.children())]
    hooks = [leaf.register_forward_hook(note) for leaf in leaves]
    with evaluation_mode(model):
        model(_probe(task))
    for hook in hooks:
        hook.remove()
    return layers


def _features(model: nn.Module, task: Task) -> int:
    """Bytes that the features of frozen layers take, of all images that are not augmented."""
    if task.features is None:
        return 0
    each = _size(cast(FrozenTrunk, model).trunk(_probe(task))) // _PROBE
    limit = int(SHARE * memory_of(task.device))
    parts = _parts(task) if task.augment is None else _parts(task)[1:]
    return sum(min(limit, each * len(part)) for part in parts)


def _probe(task: Task) -> Tensor:
    """A small batch."""
    return task.normalise(task.train.images[:1].expand(_PROBE, -1, -1, -1))


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
