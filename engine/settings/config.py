"""The settings of a run: the content of `run.json`.

    {"id": ..., "created": ..., "version": ..., "schema": 2, "task": {...},
     "job": {"kind": "range-test" or "train" or "compare", ...}, ...}

`run.json` is written once, atomically, before the worker starts, and never changes. Unknown
fields are ignored on reading, so that an older reader can open a newer run.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated, Any, Literal, Optional, TypeVar, Union, get_args

import msgspec

from clr_tui.engine.settings.catalogue import SOURCES, STUDIES
from clr_tui.engine.settings.limits import MAX_COUNT
from clr_tui.engine.settings.table import described
from clr_tui.engine.settings.task_place import TaskPlace

Policy = Literal[
    "triangular",
    "triangular2",
    "exp-range",
    "exp-range-amplitude",
    "linear-decay",
    "one-cycle",
    "cosine",
    "warmup-stable-decay",
    "constant",
]
POLICIES: tuple[Policy, ...] = get_args(Policy)
ARTICLE = ("adagrad", "adadelta", "rmsprop", "adam", "adamax", "sgd+clr")
"""The six that the article compares, each as an entry of a comparison."""
FACTOR = 6.0
"""Default of max_lr / base_lr (Smith 2017, section 3.3: 3 or 4; the article: 6)."""
GAMMA = 0.99994
"""Decay per step of the exp-range policies (Smith 2017, section 4.1.1)."""
WARMUP, DECAY = 0.05, 0.2
"""Default shares of a training (Hägele et al. 2024, section 3, decay over 10 to 20 %)."""
SMOOTHING = 0.05
"""The weight of a new loss in a smoothed curve."""
SUBSET_SAMPLES = 512
"""Validation samples, at most, that a sweep is evaluated on."""
RATE: dict[str, Any] = {"gt": 0, "ge": 1e-30, "le": 1e6}
"""Limits of a learning rate: far beyond what can train, and well within float32."""
COUNT: dict[str, Any] = {"ge": 1, "le": MAX_COUNT}
LENGTH: dict[str, Any] = {"gt": 0, "ge": 1e-6, "le": MAX_COUNT}
"""In epochs."""
RATE_WORDS = ("default", "tuned")
GRID, AROUND = "grid:", "around:"
"""Beginnings of a text for several rates: see `engine.settings.rate_grid`."""
TIME: dict[str, Any] = {"ge": 5, "le": 30 * 86400, "unit": "seconds"}
MAX_TRIALS = 1000
"""A comparison of more would take too long."""
Option = Union[bool, int, float, str, None, list[Optional[float]]]  # noqa: UP007, UP045 - msgspec wants it
"""The value of an optimizer's keyword argument."""
_Plain = Union[bool, int, float, str, None]  # noqa: UP007
Value = Union[bool, int, float, str, None, list[_Plain]]  # noqa: UP007
"""The value of a parameter of a user's task."""


_FIRST = [*SOURCES][:3]


class TaskConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The data, the model and how they are used."""

    task: Annotated[
        str,
        described(
            "your own task: FILE.py or package.module, with :FUNC if not 'task'",
            title="own task",
            metavar="FILE.py[:FUNC]",
            example="mytask.py",
            empty="use data and model",
        ),
    ] = ""
    """In `run.json` the path of a file is absolute, and the function is always named."""
    parameters: Annotated[
        dict[str, Value],
        described(
            "a parameter of your task's function; may be repeated",
            option="--set",
            metavar="NAME=VALUE",
            format="parameters",
            empty="the function's own",
        ),
    ] = {}
    """Those that were given; the others have their defaults."""
    data: Annotated[
        str,
        described(
            f"{', '.join(_FIRST)} or {len(SOURCES) - len(_FIRST)} more data sets by name,"
            " hf:NAME or a folder",
            metavar="DIR",
            by_name=True,
        ),
    ] = "digits"
    """In `run.json` the path of a folder is absolute."""
    model: Annotated[
        str,
        described(
            "cnn, resnet34 (all but its last block frozen), any of torchvision, timm:NAME",
            metavar="NAME",
            by_name=True,
        ),
    ] = "cnn"
    weights: Annotated[
        str,
        described(
            "initial weights: imagenet (if the model has them), none, a training, a file",
            metavar="W",
            by_name=True,
        ),
    ] = "imagenet"
    """In `run.json` an absolute path, if not a name."""
    freeze: Annotated[
        str,
        described(
            "what not to train: none, all-but-last, or a layer (by name) and all before it",
            metavar="LAYER",
            by_name=True,
            empty="none; resnet34: all before its last block",
            rare=True,
        ),
    ] = ""
    image_size: Annotated[
        int | None,
        described(
            "width and height of the images, in pixels",
            ge=8,
            le=4096,
            unit="pixels",
            example="64",
            empty="by data and model: 64 (cnn), mostly 224",
            by_name=True,
        ),
    ] = None
    batch_size: Annotated[int, described("images per step", ge=2)] = 64
    last_batch: Annotated[
        Literal["drop", "keep"],
        described("whether an epoch uses the images that do not fill a batch", rare=True),
    ] = "drop"
    device: Annotated[
        str,
        described(
            "where to run: auto (the fastest available), cpu, mps, cuda or cuda:N", metavar="D"
        ),
    ] = "auto"
    augment: Annotated[
        bool,
        described(
            "small random shifts and rotations; photos are also flipped",
            title="augmentation",
            rare=True,
            by_name=True,
        ),
    ] = True
    seed: Annotated[
        int,
        described(
            "the same seed gives the same weights, data order and augmentation",
            title="first seed",
            ge=0,
            le=2**63 - 1,
            rare=True,
        ),
    ] = 0
    """Trial i draws everything (weights, order, augmentation) from `seed + i`."""
    compile: Annotated[
        bool,
        described(
            "use torch.compile on CUDA; for long runs, since compiling takes a while",
            rare=True,
        ),
    ] = False

    @property
    def data_name(self) -> str:
        """What people call the own task or the data: its name, or that of its file or folder."""
        if self.task:
            return TaskPlace.split(self.task).name
        return PurePath(self.data).name or self.data

    @property
    def model_name(self) -> str:
        """The model's name; empty if an own task brings it, or if it is unknown."""
        return "" if self.task else self.model


class OptimizerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The optimizer without its learning rate."""

    name: str = "sgd"
    """A class of torch.optim in lower case (`adamw`), or `package.module:Class`."""
    momentum: Annotated[float, described("momentum, for sgd only", ge=0, lt=1)] = 0.9
    weight_decay: Annotated[
        float,
        described(
            "weight decay; optimizers other than sgd have their own default", ge=0, example="1e-4"
        ),
    ] = 0.0
    """Passed to the optimizer if not 0."""
    options: dict[str, Option] = {}
    """Extra keyword arguments of its class, such as `betas` or `nesterov`."""


_Optimizer = Annotated[
    OptimizerConfig,
    described(
        "a torch.optim class or a.module:Class, such as 'adamw(weight_decay=0.05)'",
        format="optimizer",
        example="adamw",
    ),
]
_WholeCycles = Annotated[bool, described("round the length up to whole cycles", rare=True)]
_StepSize = Annotated[
    float, described("half a cycle in epochs (Smith 2017: 2 to 10)", title="step size", **LENGTH)
]
_Gamma = Annotated[float, described("decay per step in the exp-range policies", gt=0, le=1)]
_Warmup = Annotated[
    float,
    described("share of the training that warms up, in cosine and warmup-stable-decay", ge=0, le=1),
]
_Decay = Annotated[
    float, described("share of the training that decays, in warmup-stable-decay", ge=0, le=1)
]
_Factor = Annotated[
    float, described("upper bound / lower bound, if no lower bound is given", gt=1, rare=True)
]


class RangeTest(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="range-test"):
    """A learning-rate range test (Smith 2017, section 3.3), swept exponentially."""

    start_lr: Annotated[
        float, described("first learning rate, too low to learn anything", **RATE)
    ] = 1e-7
    end_lr: Annotated[
        float, described("last learning rate, unless the loss diverges first", **RATE)
    ] = 1.0
    epochs: Annotated[float, described("length in epochs, but at least 100 steps", **LENGTH)] = 2.0
    """Of the training part."""
    seeds: Annotated[
        int, described("number of sweeps, each from new weights", **COUNT, example="3")
    ] = 1
    time: Annotated[
        float | None,
        described(
            "time to spend, such as 90s or 5m, which sets length and number of sweeps",
            **TIME,
            metavar="TIME",
            format="duration",
            example="5m",
            empty="use epochs and seeds",
        ),
    ] = None
    """In seconds, from the start of the run."""
    accuracy: Annotated[
        bool, described("also measure accuracy on a validation subset, as Smith does")
    ] = False
    steps: Annotated[
        int | None,
        described(
            "length in steps instead of epochs",
            **COUNT,
            example="200",
            empty="use epochs",
            rare=True,
        ),
    ] = None
    smoothing: Annotated[
        float,
        described(
            "weight of a new loss in the smoothed curve; 1 means no smoothing",
            gt=0,
            le=1,
            rare=True,
        ),
    ] = SMOOTHING
    """The smoothed curve determines the early end."""
    divergence: Annotated[
        float,
        described(
            "stop when the smoothed loss exceeds this multiple of its minimum", gt=1, rare=True
        ),
    ] = 4.0
    optimizer: _Optimizer = OptimizerConfig()


class Train(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="train"):
    """CLR training between two bounds."""

    base_lr: Annotated[
        float,
        described(
            "lower bound of the learning rate",
            **RATE,
            example="6e-4",
            empty="max lr / factor",
            derive=lambda job: job.max_lr / job.factor,
        ),
    ]
    max_lr: Annotated[
        float,
        described(
            "upper bound of the learning rate; a range test finds one", **RATE, example="3.6e-3"
        ),
    ]
    policy: Annotated[Policy, described("how the learning rate moves between the bounds")] = (
        "triangular"
    )
    step_size_epochs: _StepSize = 4.0
    epochs: Annotated[int, described("length of the training in epochs", **COUNT)] = 16
    gamma: _Gamma = GAMMA
    warmup: _Warmup = WARMUP
    decay: _Decay = DECAY
    scheduler: Annotated[
        str,
        described(
            "a torch.optim.lr_scheduler class that moves the rate, in place of a policy",
            format="scheduler",
            metavar="S",
            example="MultiStepLR(milestones=[8,12])",
            empty="none",
            rare=True,
        ),
    ] = ""
    """As text; the policy is then `constant`."""
    min_momentum: Annotated[
        float | None,
        described(
            "momentum (or first beta) at max_lr; it moves against the rate",
            ge=0,
            lt=1,
            example="0.85",
            empty="constant momentum",
            rare=True,
        ),
    ] = None
    """At `base_lr` the momentum is the optimizer's own."""
    whole_cycles: _WholeCycles = True
    factor: _Factor = FACTOR
    optimizer: _Optimizer = OptimizerConfig()

    def __post_init__(self) -> None:
        """Makes the policy `constant` if a scheduler moves the rate."""
        if self.scheduler:
            msgspec.structs.force_setattr(self, "policy", "constant")

    @property
    def schedule(self) -> str:
        """The name of what moves the rate, for people: a policy, or a scheduler of torch."""
        return self.scheduler.partition("(")[0] or self.policy


class EntryConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a comparison: an optimizer with its options, and a policy."""

    label: str
    """Its text, unique in the comparison: "adamw(weight_decay=0.05)+one-cycle"."""
    optimizer: OptimizerConfig
    policy: Policy = "constant"
    lr: float | None = None
    """The rate, or the upper bound of a policy; None: see `Compare.rates`."""
    base_lr: float | None = None
    """The lower bound; None: `lr` / factor."""
    min_momentum: float | None = None
    """The momentum at the top of a cycle; None: it is constant."""
    scheduler: str = ""
    """A scheduler of torch as text, instead of the policy, which is then `constant`."""

    @property
    def schedule(self) -> str:
        """The name of what moves its rate, for people: a policy, or a scheduler of torch."""
        return self.scheduler.partition("(")[0] or self.policy


class Compare(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="compare"):
    """A comparison of optimizers, each trained from the same seeds."""

    entries: Annotated[
        list[EntryConfig],
        described(
            "e.g. adam, sgd(lr=0.1)+clr, adamw(weight_decay=0.05)+one-cycle, a.b:Opt",
            name="optimizers",
            format="entries",
            example=", ".join(ARTICLE),
            empty="the article's six",
            metavar="LIST",
        ),
    ]
    seeds: Annotated[
        int, described("trials per optimizer; intervals need at least two", **COUNT, example="3")
    ] = 3
    """Seeds `task.seed`, `task.seed + 1`, ..."""
    time: Annotated[
        float | None,
        described(
            "time to spend, such as 5m or 1h30m, on as many seeds as fit in it",
            **TIME,
            metavar="TIME",
            format="duration",
            example="30m",
            empty="use seeds",
        ),
    ] = None
    """In seconds, from the start of the run; `seeds` then plays no part."""
    epochs: Annotated[int, described("length of each trial in epochs", **COUNT)] = 16
    rates: Annotated[
        Union[float, str],  # noqa: UP007 - msgspec wants it
        described(
            "rate without lr=: default, tuned, a number, grid:1e-4..0.1x7 or around:RUN",
            name="lr",
            **RATE,
            example="1e-3",
            metavar="X",
            words=RATE_WORDS,
            beginnings=(GRID, AROUND),
        ),
    ] = "default"
    """For entries without a rate: `default`, that of the class (a policy with bounds has none, and
    is tuned); `tuned`, each by a range test of the same length; this rate; or a grid, whose rates
    the entries of a run have already (`grid:1e-4..0.1x7`)."""
    target: Annotated[
        float | None,
        described(
            "validation metric to reach; the result says how long each optimizer takes",
            ge=-1e30,
            le=1e30,
            metavar="X%",
            format="target",
            example="65% or 0.65",
            empty="none",
        ),
    ] = None
    """Of the primary metric: an accuracy is a share, 0 to 1."""
    jobs: Annotated[
        int | None,
        described(
            "trials to run in parallel",
            **COUNT,
            example="2",
            empty="as cores, GPUs and memory allow",
        ),
    ] = None
    halving: Annotated[
        bool,
        described("end rates of a grid early that cannot be the best any more"),
    ] = False
    """See `engine.comparing.halving`."""
    step_size_epochs: _StepSize = 4.0
    gamma: _Gamma = GAMMA
    warmup: _Warmup = WARMUP
    decay: _Decay = DECAY
    whole_cycles: _WholeCycles = True
    """Applies to all entries, if any of them has cycles."""
    factor: _Factor = FACTOR
    threads: Annotated[
        int,
        described(
            "CPU threads per trial; changing it may change the last bits of results",
            **COUNT,
            rare=True,
        ),
    ] = 1
    study: Annotated[
        str,
        described(
            "repeat the article's study of this model; other settings override it",
            choices=STUDIES,
            empty="none",
            rare=True,
        ),
    ] = ""
    range_test: RangeTest = RangeTest(end_lr=10.0)
    """The sweep that tunes rates, with each entry's optimizer instead of its own."""
    advice: dict[str, float] = {}
    """What each rule of a range test said, by name, if the grid is around its recommendation."""
    advised: str = ""
    """The name of the rule that was recommended."""
    swept: OptimizerConfig | None = None
    """The optimizer of that range test, in the form of an entry's."""
    swept_in: str = ""
    """The id of that range test."""
    swept_on: TaskConfig | None = None
    """Its task: what it advises holds for no other."""
    paired: bool = True
    """Whether the same seed means the same weights and order of data: not for imported curves."""

    def lr_of(self, entry: EntryConfig) -> float | None:
        """The rate that was given for an entry, or for all; None if it is still to be found."""
        shared = None if isinstance(self.rates, str) else self.rates
        return shared if entry.lr is None else entry.lr

    @property
    def trials(self) -> int:
        """The number of trainings: one for each entry and seed."""
        return len(self.entries) * self.seeds

    @property
    def most_seeds(self) -> int:
        """The most seeds there may be: with a time to spend, their number is not known before."""
        if self.time is None:
            return self.seeds
        return max(MAX_TRIALS // max(len(self.entries), 1), 1)

    def trial_number(self, entry: int, seed: int) -> int:
        """The number of the training of an entry and a seed, both from 0.

        They are counted entry by entry; with a time to spend, when the number of seeds is not known
        before, seed by seed.
        """
        if self.time is not None:
            return seed * len(self.entries) + entry
        return entry * self.seeds + seed

    def sweep_number(self, entry: int) -> int:
        """The number of the sweep that tunes an entry's rate: after those of all trainings."""
        return len(self.entries) * self.most_seeds + entry

    def entry_and_seed(self, trial: int) -> tuple[int, int]:
        """The inverse of `trial_number`; the entry of a sweep is none of the entries."""
        if self.time is not None:
            count = max(len(self.entries), 1)
            seed, entry = divmod(trial, count)
            return (entry, seed) if seed < self.most_seeds else (count, 0)
        return divmod(trial, max(self.seeds, 1))  # a damaged run.json may say 0


Job = Union[RangeTest, Train, Compare]  # noqa: UP007 - a value too
JOBS: dict[str, type[Job]] = {"range-test": RangeTest, "train": Train, "compare": Compare}
"""The jobs of runs, by kind."""
J = TypeVar("J")


def kind_of(job: Job) -> str:
    """The kind of a job: its key in `JOBS`."""
    return str(job.__struct_config__.tag)


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    created: float
    """Unix time, seconds."""
    version: str
    """Of the clr-tui that created the run."""
    schema: int = 2
    task: TaskConfig = TaskConfig()
    parent: str | None = None
    """The run whose bounds or settings this one uses."""
    folder: str = ""
    """The user's working directory, an additional folder to import modules from."""


class RunConfig(_Asked, frozen=True, kw_only=True):
    """The content of `run.json`."""

    job: Job

    @property
    def kind(self) -> str:
        """The kind of the job: a key of `JOBS`."""
        return kind_of(self.job)

    def asked(self, kind: type[J]) -> J:
        """The job, for callers that handle one kind of run; raises TypeError for another kind."""
        if not isinstance(self.job, kind):
            raise TypeError(f"{self.id} is a {self.kind} run, not a {kind.__name__}")
        return self.job


def decode_run(text: bytes) -> RunConfig:
    """Decodes a `run.json` of schema 1 or 2, with any job in `JOBS`.

    Raises:
        msgspec.DecodeError: it is not a `run.json`, or the kind of its job is not in `JOBS`.
    """
    fields = msgspec.json.decode(text, type=dict[str, Any])
    if kind := str(fields.get("kind") or ""):  # schema 1: the job is in the field of its kind
        job = fields.get(kind.replace("-", "_"))
    else:
        job = msgspec.convert(fields.get("job"), dict[str, Any])
        kind = str(job.get("kind"))
    if kind not in JOBS:
        raise msgspec.ValidationError(f"kind '{kind}' is none of {', '.join(JOBS)}")
    asked = msgspec.structs.asdict(msgspec.convert(fields, _Asked))
    return RunConfig(**asked, job=msgspec.convert(job, JOBS[kind]))
