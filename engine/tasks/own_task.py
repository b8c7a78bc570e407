"""The task that a user's own file describes: `clr_tui.Task`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import Dataset

from clr_tui.engine.metrics import Direction
from clr_tui.engine.tasks.trees import Tree

Data = Dataset[Any] | Iterable[Any] | Callable[[], Iterable[Any]] | Tree
"""Samples or batches: see `Task.train`."""
MetricFunction = Callable[[Any, Any], Tensor | float]
"""(outputs, targets) of a batch -> the metric's mean over the batch, a scalar."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """A model to train, with its data, loss and metrics.

    Everything but `model`, `train` and either `loss` or `step` is optional.
    """

    model: nn.Module | Callable[[], nn.Module]
    """A function without arguments that makes the model, so that each seed has weights of its own.
    From a model itself, all trials start with its weights."""
    train: Data
    """The training data, one of:

    - a tuple (inputs, targets) of tensors or arrays with one sample per row; either may be a tuple
      or a dict of them; also a dict with a key `target`, `targets`, `label` or `labels`;
    - a `Dataset`, any other object with `__getitem__` and `__len__`, or a list of samples: a list
      whose members hold tensors with equally many rows, and nothing else, is one of batches;
    - a `DataLoader`, which is used as it is, or any other iterable of batches, which is iterated
      once per epoch;
    - a function without arguments that returns an iterator over the batches of an epoch.

    A batch, like a sample, is (inputs, targets), or (input, input, ..., targets), or a dict with
    one of these keys. The model is called as `model(inputs)`, `model(*inputs)` for several, and
    `model(**inputs)` for a dict. With `step`, batches may have any form.
    """
    validation: Data | None = None
    """Like `train`. None: if the training data is samples, not batches, a tenth of it is held out.
    """
    test: Data | None = None
    """Like `train`; None: no test."""
    loss: Callable[[Any, Any], Tensor] | None = None
    """(outputs, targets) of a batch -> the mean loss, a scalar."""
    step: Callable[[nn.Module, Any], Tensor | Mapping[str, Tensor]] | None = None
    """(model, batch on the device) -> the loss, or a dict of `loss` and of metrics, which are
    means over the batch. Instead of `loss`; also called, without gradients, for evaluation."""
    metrics: Mapping[str, MetricFunction | tuple[MetricFunction, Direction] | Direction] = field(
        default_factory=dict
    )
    """The metrics by name, the primary one first, as a function or (function, "min" or "max").
    Without a direction, names such as mae or error are better if lower, others if higher. For those
    that `step` returns, the direction instead of a function. Without metrics the loss is primary.
    """
    collate: Callable[[list[Any]], Any] | None = None
    """Makes a batch of samples of a `Dataset`; None: torch's `default_collate`."""
    augment: Callable[[Any], Any] | None = None
    """(training batch on the device) -> augmented batch. Draws from torch's global generators."""
    parameters: Callable[[nn.Module], Iterable[Any]] | None = None
    """(model) -> the parameters, or parameter groups, to train; None: all that require a gradient.
    The `lr` of a group is a factor: relative to the first group's, it stays the same in sweeps and
    under policies."""
    optimizer: Callable[[nn.Module], Optimizer] | None = None
    """(model) -> its optimizer, instead of the one in the settings; the ratios of its groups' rates
    stay, as for `parameters`."""
    accumulate: int = 1
    """Batches whose gradients are averaged for each update."""
    clip: float | None = None
    """The largest norm of all gradients together; larger ones are scaled down."""
    precision: Literal["float32", "bfloat16"] | None = None
    """`bfloat16`: autocast to it; the weights stay float32. None: the device's own choice."""
    compile: bool | None = None
    """Whether to use torch.compile; None: as in the settings."""
    cache: bool = False
    """Loads a `Dataset` into the device's memory once, if it fits."""
    workers: int | None = None
    """Processes that load a `Dataset`; None: as many as there are free cores, at most 8."""
    steps_per_epoch: int | None = None
    """Batches per epoch, for data that has no length; None: they are counted in one pass."""
    name: str = ""
    """To show; "": the name of the file."""
    samples: str = "samples"
    """A plural noun for the samples, such as "images"."""
