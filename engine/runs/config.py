"""What a run was asked to do: the content of `run.json`.

`run.json` is written once, atomically, before the worker starts, and never changes. Unknown
fields are ignored on reading, so that an older reader can open a newer run.
"""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

Kind = Literal["range-test", "train"]
Policy = Literal[
    "triangular",
    "triangular2",
    "exp-range",
    "exp-range-amplitude",
    "linear-decay",
    "one-cycle",
    "constant",
]
POLICIES: tuple[Policy, ...] = get_args(Policy)
MODELS = ("cnn", "resnet34")


class TaskConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What is trained, and on what."""

    data: str = "digits"
    """`digits`, or the absolute path of a folder of images, one folder a class."""
    model: str = "cnn"
    """`cnn` or `resnet34`."""
    weights: str = "imagenet"
    """For `resnet34`: `imagenet`, `none`, or the path of a state dict. The CNN has none to load."""
    image_size: int | None = None
    """Side of the square images, pixels; None: 8 for digits, else 64 (cnn) or 224 (resnet34)."""
    batch_size: int = 64
    augment: bool = True
    device: str = "auto"
    """`auto`, `cpu`, `mps`, `cuda` or `cuda:N`."""
    seed: int = 0
    """The first seed; trial i draws everything (weights, order, augmentation) from `seed + i`."""


class OptimizerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The optimizer, all but its learning rate."""

    name: str = "sgd"
    momentum: float = 0.9
    """For `sgd` only."""
    weight_decay: float = 0.0


class RangeTestConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A learning-rate range test (Smith 2017, section 3.3), swept exponentially."""

    start_lr: float = 1e-7
    end_lr: float = 1.0
    epochs: float = 2.0
    """Length of a sweep in epochs of the training part; it is never under 100 steps."""
    steps: int | None = None
    """Length in steps; where given it takes the place of `epochs`."""
    seeds: int = 1
    accuracy: bool = False
    """Also measure accuracy on a fixed validation subset (Smith's own reading)."""
    smoothing: float = 0.05
    """The weight `a` of a new loss in the smoothed curve that decides the early end."""
    divergence: float = 4.0
    """The sweep ends when the smoothed loss passes this multiple of its best."""
    optimizer: OptimizerConfig = OptimizerConfig()


class TrainConfig(msgspec.Struct, frozen=True, kw_only=True):
    """CLR training between two bounds."""

    base_lr: float
    max_lr: float
    policy: Policy = "triangular"
    step_size_epochs: float = 4.0
    """Half a cycle, in epochs (Smith 2017, section 3.2: 2 to 10)."""
    epochs: int = 16
    whole_cycles: bool = True
    """Round the length up to whole cycles."""
    gamma: float = 0.99994
    """Decay per step of the exp-range policies."""
    optimizer: OptimizerConfig = OptimizerConfig()


class RunConfig(msgspec.Struct, frozen=True, kw_only=True):
    """All of `run.json`. Exactly the part that `kind` names is set."""

    id: str
    kind: Kind
    created: float
    """Unix time, seconds."""
    version: str
    """The clr-tui that made the run."""
    schema: int = 1
    task: TaskConfig = TaskConfig()
    range_test: RangeTestConfig | None = None
    train: TrainConfig | None = None
    parent: str | None = None
    """The run whose bounds or settings this one took."""

    @property
    def optimizer(self) -> OptimizerConfig:
        """The optimizer of whichever job this is."""
        job = self.range_test or self.train
        return job.optimizer if job else OptimizerConfig()
