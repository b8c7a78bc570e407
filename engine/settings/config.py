"""What a run was asked to do: the content of `run.json`.

    {"id": ..., "created": ..., "version": ..., "schema": 2, "task": {...},
     "job": {"kind": "range-test" or "train" or "compare", ...}, ...}

`run.json` is written once, atomically, before the worker starts, and never changes. Unknown
fields are ignored on reading, so that an older reader can open a newer run.
"""

from __future__ import annotations

from typing import Literal, Optional, TypeVar, Union, get_args

import msgspec

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
Rates = Literal["default", "tuned"]
Option = Union[bool, int, float, str, None, list[Optional[float]]]  # noqa: UP007, UP045 - msgspec wants it
"""What an optimizer's keyword argument can be."""


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
    compile: bool = False
    """Train through torch.compile, where that can be had."""
    device: str = "auto"
    """`auto`, `cpu`, `mps`, `cuda` or `cuda:N`."""
    seed: int = 0
    """The first seed; trial i draws everything (weights, order, augmentation) from `seed + i`."""


class OptimizerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The optimizer, all but its learning rate."""

    name: str = "sgd"
    """A class of torch.optim in small letters (`adamw`), or `package.module:Class`."""
    momentum: float = 0.9
    """For `sgd` only."""
    weight_decay: float = 0.0
    """Given to the optimizer where it is not 0; each has a default of its own."""
    options: dict[str, Option] = {}
    """Further keyword arguments of its class, as `betas` or `nesterov`."""


class RangeTest(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="range-test"):
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


class Train(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="train"):
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


class EntryConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One contestant of a comparison: an optimizer, its options, and how its rate moves."""

    label: str
    """As it was asked for: "adamw(weight_decay=0.05)+one-cycle". No two entries share one."""
    optimizer: OptimizerConfig
    policy: Policy = "constant"
    lr: float | None = None
    """Its rate, or the upper bound of a policy that moves; None: see `Compare.rates`."""
    base_lr: float | None = None
    """The lower bound; None: `lr` / factor."""


class Compare(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="compare"):
    """Optimizers against one another, each trained from the same seeds."""

    entries: list[EntryConfig]
    seeds: int = 3
    """Trials of each entry: seeds `task.seed`, `task.seed + 1`, ..."""
    epochs: int = 16
    whole_cycles: bool = True
    """Round the length up to whole cycles, for all entries alike, where one of them has cycles."""
    rates: Rates = "default"
    """Where an entry gives no rate: `default`, torch's own (a policy with bounds has none, and is
    tuned); `tuned`, each by a range test, all of one length."""
    factor: float = 6.0
    """lr / base_lr of policies with bounds."""
    step_size_epochs: float = 4.0
    gamma: float = 0.99994
    range_test: RangeTest = RangeTest(end_lr=10.0)
    """The sweep by which rates are tuned; each entry's own optimizer takes the place of its own."""
    jobs: int | None = None
    """Trials side by side; None: as many as cores, GPUs and memory allow."""
    threads: int = 1
    """Of each trial on the CPU: another number may give other last bits."""
    target: float | None = None
    """Accuracy, 0 to 1, the way to which is timed."""
    paired: bool = True
    """The same seed means the same weights and order of data. False of imported curves."""
    study: str = ""
    """The article's study that this repeats, `cnn` or `resnet34`; empty: none."""

    @property
    def trials(self) -> int:
        """How many trainings there are: one for each entry and seed."""
        return len(self.entries) * self.seeds

    def trial_number(self, entry: int, seed: int) -> int:
        """The trial of an entry (its place) and seed (from 0): they are numbered entry by entry.

        Sweeps, one for an entry, have the numbers after all trainings.
        """
        return entry * self.seeds + seed

    def entry_and_seed(self, trial: int) -> tuple[int, int]:
        """The inverse of `trial_number`."""
        return divmod(trial, max(self.seeds, 1))  # a damaged run.json may say 0


Job = Union[RangeTest, Train, Compare]  # noqa: UP007 - a value too
JOBS: dict[str, type[Job]] = {"range-test": RangeTest, "train": Train, "compare": Compare}
"""What a run can be asked to do, by its kind."""
J = TypeVar("J")


def kind_of(job: Job) -> str:
    """What kind of job this is: its key in `JOBS`."""
    return str(job.__struct_config__.tag)


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    created: float
    """Unix time, seconds."""
    version: str
    """The clr-tui that made the run."""
    schema: int = 2
    task: TaskConfig = TaskConfig()
    parent: str | None = None
    """The run whose bounds or settings this one took."""
    folder: str = ""
    """The working directory of whoever asked: where import paths are looked for too."""


class RunConfig(_Asked, frozen=True, kw_only=True):
    """All of `run.json`."""

    job: Job

    @property
    def kind(self) -> str:
        """What kind of job this is: a key of `JOBS`."""
        return kind_of(self.job)

    def asked(self, kind: type[J]) -> J:
        """The job, for callers that deal with one kind of run alone.

        Raises:
            TypeError: the job is of another kind.
        """
        if not isinstance(self.job, kind):
            raise TypeError(f"{self.id} is a {self.kind} run, not a {kind.__name__}")
        return self.job


class _Stored(_Asked, frozen=True, kw_only=True):
    job: msgspec.Raw = msgspec.Raw(b"null")
    # Schema 1: the job stands in the field of its kind, of which the other two are null.
    kind: str = ""
    range_test: msgspec.Raw = msgspec.Raw(b"null")
    train: msgspec.Raw = msgspec.Raw(b"null")
    compare: msgspec.Raw = msgspec.Raw(b"null")


class _Tag(msgspec.Struct):
    kind: str


def decode_run(text: bytes) -> RunConfig:
    """What a `run.json` says, of this schema or the one before; its job by the table `JOBS`.

    Raises:
        msgspec.DecodeError: it is no `run.json`, or its job is of a kind that is not in `JOBS`.
    """
    stored = msgspec.json.decode(text, type=_Stored)
    kind, job = stored.kind, stored.job
    if kind:
        first = {"range-test": stored.range_test, "train": stored.train, "compare": stored.compare}
        job = first.get(kind, job)
    else:
        kind = msgspec.json.decode(job, type=_Tag).kind
    if kind not in JOBS:
        raise msgspec.ValidationError(f"kind '{kind}' is none of {', '.join(JOBS)}")
    fields = {name: getattr(stored, name) for name in _Asked.__struct_fields__}
    return RunConfig(**fields, job=msgspec.json.decode(job, type=JOBS[kind]))
