"""The events of a run: the lines of `events.jsonl`, schema 2.

Each line is one JSON object in UTF-8, ended by a line feed. `type` names the event (the struct's
name in kebab-case), `seq` counts from 0 without gaps, and `time` is Unix time in seconds. The
first event is `run-started`, which states the schema. Readers ignore unknown fields and skip
events of unknown types.

Values that are not finite are written as `null`; a `non-finite` event marks the first such loss
of a trial. Steps count from 0: the loss of step i is measured on batch i, before the update with
`lr[i]`. Epochs count from 1: epoch e ends after step `e * steps_per_epoch - 1`.

Metrics other than the loss are recorded by name; `task-ready` says how to read them. Schema 1
allowed only images, and accuracy as their metric: `engine.log.schema_1` reads it.
"""

from __future__ import annotations

from typing import Literal, Union

import msgspec

from clr_tui.engine.metrics import LOSS, Metric, primary_of

SCHEMA = 2

Part = Literal["validation", "test", "subset"]
"""`subset`: the fixed part of the validation data that sweeps are evaluated on."""
Outcome = Literal["done", "stopped", "failed"]
Role = Literal["train", "sweep"]
RateSource = Literal["default", "tuned", "given"]


def kebab(name: str) -> str:
    """The tag of an event or a command, from the name of its struct."""
    return "".join("-" + c.lower() if c.isupper() else c for c in name).lstrip("-")


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag=kebab):
    """The fields of every event. The writer sets `seq` and `time`."""

    seq: int = -1
    time: float = 0.0


class RunStarted(Event, frozen=True, kw_only=True):
    """The worker started. Always the first event."""

    run: str
    """The id of the run."""
    kind: str
    """`range-test`, `train`, `compare` or `logged`."""
    schema: int = SCHEMA
    version: str = ""
    """The version of clr-tui that wrote the log."""
    host: str = ""
    pid: int = 0
    script: str = ""
    """The path of the program with a user's own loop; empty for a worker."""
    oom_kills: int | None = None
    """Processes that the system had killed by then as memory ran out; null if it does not say."""


class Progress(Event, frozen=True, kw_only=True):
    """Progress of work before or between trials; `what` is a phrase such as "decoding images"."""

    what: str
    done: int
    total: int


class Note(Event, frozen=True, kw_only=True):
    """A message to the user; `text` is plain text."""

    level: Literal["info", "warning"]
    text: str


class DeviceChosen(Event, frozen=True, kw_only=True):
    """The device that the run uses."""

    device: str
    """Its torch name: `cpu`, `mps` or `cuda:0`, for example."""
    name: str
    """Its name to show: "NVIDIA H100 80GB HBM3" or "2 CPU threads", for example."""
    precision: str = "float32"
    torch: str = ""
    memory: int | None = None
    """The device's own memory in bytes; null if it has none."""


class TaskReady(Event, frozen=True, kw_only=True):
    """The data is in memory and the model is built."""

    name: str
    """A short name to show, such as "digits" or "flowers"."""
    model: str
    train: int
    """Samples in this part; the next two fields count those in the other parts."""
    validation: int
    test: int
    parameters: int
    trainable: int
    batch_size: int
    steps_per_epoch: int
    metrics: list[Metric]
    """Every metric of the task, the primary one first; if empty, the loss is primary."""
    samples: str = "samples"
    """A plural noun for the samples, such as "images"."""
    classes: list[str] | None = None
    """The class names of a classification task; null for other tasks."""
    channels: int | None = None
    """Channels per image; null if the samples are not images."""
    image_size: int | None = None
    """Side length of the square images in pixels; null if the samples are not images."""
    skipped: int = 0
    """Files that could not be read. Notes name them, up to a limit."""
    precision: str = ""
    """`float32` or `bfloat16` (autocast): the device's, unless a user's task chooses it; empty in
    logs that do not say."""
    data: str = ""
    """A mark that is another one if the data is; empty in logs that do not say."""

    @property
    def primary(self) -> Metric:
        """The metric that picks the best epoch and ranks optimizers."""
        return primary_of(self.metrics)


class TrialStarted(Event, frozen=True, kw_only=True):
    """A trial, which is one sweep or one training, started. Trials count from 0."""

    trial: int
    seed: int
    total_steps: int
    steps_per_epoch: int
    label: str = ""
    """In a comparison: the label of the entry."""
    entry: int | None = None
    """In a comparison: the index of the entry in the configuration, from 0."""
    role: Role = "train"
    """In a comparison: `sweep` for a range test that tunes the rate of the entry, else `train`.
    Sweeps are numbered after all trainings. In other runs: `train`."""
    own_optimizer: str | None = None
    """The class of the optimizer that a user's task made itself; empty if it was made by the
    settings, null in logs that do not say."""


class Steps(Event, frozen=True, kw_only=True):
    """A chunk of steps as columns of equal length; about four such events per second."""

    trial: int
    step: list[int]
    lr: list[float]
    loss: list[float | None]
    effective_lr: list[float | None] = []
    """The rate in effect after each step, if the optimizer finds its own (Prodigy); else empty."""
    metrics: dict[str, list[float | None]] = {}
    """Metrics of the training batches by name; empty in sweeps."""
    elapsed: float = 0.0
    """Seconds of training in this trial up to the last of these steps, without pauses."""
    samples_per_second: float | None = None
    eta_seconds: float | None = None
    """Estimate until the end of the run; in a comparison, of this trial (see `overall`)."""


class Logged(Event, frozen=True, kw_only=True):
    """Values that somebody's own loop logged, as columns of equal length; `null` is not finite.

    Each name has a value in each row: rows with other names are another event. A step that was
    logged before has a new value, and the later one holds. Readers of other tools' logs put NumPy
    arrays in the columns.
    """

    step: list[int]
    values: dict[str, list[float | None]]
    """By name, such as "loss", "lr", "val/accuracy" or "epoch"."""
    at: list[float] = []
    """Unix time of each row, seconds; empty if unknown."""
    x: str = "step"
    """What `step` counts: a singular noun such as "step" or "epoch"."""


class Evaluated(Event, frozen=True, kw_only=True):
    """The model was evaluated on a part of the data after `step` steps."""

    trial: int
    step: int
    part: Part
    loss: float | None
    metrics: dict[str, float | None]
    """By name."""
    lr: float | None = None
    """The learning rate of that step; set in sweeps."""
    epoch: int | None = None
    """The epoch that ended; null in sweeps."""
    checkpoint: str | None = None
    """The checkpoint that was evaluated, "best" or "last"; null for the current model."""

    def value(self, name: str) -> float | None:
        """The loss or a metric by its name; None if it was not measured or is not finite."""
        return self.loss if name == LOSS.name else self.metrics.get(name)


class EpochFinished(Event, frozen=True, kw_only=True):
    """An epoch of training ended. The `evaluated` event of its validation comes just before."""

    trial: int
    epoch: int
    step: int
    """Steps done so far."""
    train_loss: float | None
    """The mean over the training batches of this epoch."""
    train_metrics: dict[str, float | None]
    """Means over the same batches, by name."""
    seconds: float | None
    """Duration of this epoch, validation included; null if unknown (an imported curve)."""
    best_epoch: int
    """The best epoch so far by the primary metric on the validation part; 0 if there is none."""
    best_value: float | None
    """The primary metric at that epoch."""

    def train_value(self, name: str) -> float | None:
        """The training loss or a training metric by its name."""
        return self.train_loss if name == LOSS.name else self.train_metrics.get(name)


class NonFinite(Event, frozen=True, kw_only=True):
    """The first loss of a trial that is not finite."""

    trial: int
    step: int
    lr: float


class Diverged(Event, frozen=True, kw_only=True):
    """A sweep ended early or a training diverged; `reason` is a sentence."""

    trial: int
    step: int
    lr: float
    reason: str


class BoundsChanged(Event, frozen=True, kw_only=True):
    """From `step` of `trial` on, the schedule runs between these bounds."""

    trial: int
    step: int
    base_lr: float
    max_lr: float


class Paused(Event, frozen=True, kw_only=True):
    """The run was paused."""


class Continued(Event, frozen=True, kw_only=True):
    """The run continued after a pause."""


class CheckpointSaved(Event, frozen=True, kw_only=True):
    """A checkpoint was written to `path`, relative to the run's folder."""

    trial: int
    step: int
    path: str
    reason: Literal["best", "last", "asked", "stopped"]


class RunResumed(Event, frozen=True, kw_only=True):
    """Another worker continues the run; an earlier `run-finished` is void.

    The first event of every worker but the run's first. Trials that had not ended follow with a
    `resumed` each, once the worker gets to them.
    """

    version: str = ""
    """The version of clr-tui that continues the log."""
    host: str = ""
    pid: int = 0
    oom_kills: int | None = None
    """As in `run-started`."""
    reason: str = ""
    """Who asked for it, and why."""
    epochs: int | None = None
    """The epochs of the training from here on, if it was extended; else null."""


class Resumed(Event, frozen=True, kw_only=True):
    """`trial` resumed after its first `step` steps; its events beyond them are void.

    That is: its steps from `step` on, what was measured and which epochs ended after more than
    `step` steps, its changes of bounds at `step` or later (those still in force come again), the
    test of its weights, and its end. If `step` is 0, its `trial-started` follows.
    """

    trial: int
    step: int
    total_steps: int | None = None
    """Planned from here on, if the training was extended; else null."""


class TrialInterrupted(Event, frozen=True, kw_only=True):
    """In a comparison: the process of `trial` was lost, but the trial is to be run again.

    Once it is, `resumed` says what of its events counts; until then it waits.
    """

    trial: int
    reason: str
    """A clause, such as "its process was ended by SIGTERM"."""


class PoolReady(Event, frozen=True, kw_only=True):
    """A comparison runs its trials in parallel."""

    jobs: int
    """Processes, each of which runs one trial at a time."""
    threads: int
    """CPU threads per process; 0 on an accelerator."""
    devices: list[str]
    """Their torch names; trials are assigned to them in turn."""
    reason: str = ""
    """What limits `jobs`: "2 cores", "memory for 3 trials" or "asked for", for example."""


class RateChosen(Event, frozen=True, kw_only=True):
    """The learning rate that an entry of a comparison trains at, and the cost of finding it."""

    entry: int
    lr: float
    """The constant rate, or the upper bound."""
    base_lr: float | None = None
    """The lower bound, if the policy has two."""
    source: RateSource
    trial: int | None = None
    """The number of the sweep that was made to find it; null if none was."""
    steps: int = 0
    """Steps of that sweep."""
    samples: int = 0
    """Samples in those steps."""
    seconds: float = 0.0
    """Seconds of training in them."""
    note: str = ""
    """A sentence if the rate is not the requested one (after a flat sweep: the class's default)."""


class EntryEnded(Event, frozen=True, kw_only=True):
    """A rate of a grid was ended early: it cannot be the best any more.

    Its running trials are stopped, and those that wait do not start.
    """

    entry: int
    epoch: int | None
    """The epoch after which it was judged; null if it diverged."""
    reason: str
    """A sentence."""


class Overall(Event, frozen=True, kw_only=True):
    """Progress of a comparison, about once a second and when a trial starts or ends."""

    done: int
    """Trials with this outcome. No count of this event includes sweeps."""
    failed: int
    stopped: int
    running: int
    total: int
    fraction: float
    """The share of all training steps that is done, 0 to 1; with a time to spend, of the time."""
    eta_seconds: float | None = None
    """Estimate until the end of the run."""


class TimePlanned(Event, frozen=True, kw_only=True):
    """How a run with a time to spend spends it; the last one holds, and says what was used.

    Readers use its counts in place of those in the settings.
    """

    seconds: float
    """The time to spend, from the start of the run."""
    used: float
    """So far, without pauses."""
    seeds: int
    """In the end, the seeds that were begun."""
    steps: int | None = None
    """The length of each sweep of a range test."""


class DeviceUsage(Event, frozen=True, kw_only=True):
    """The load of the device and of the process, every few seconds.

    Values that are not available are null. A user's own loop writes it even while it logs nothing,
    so that readers know that its process lives.
    """

    device: str = ""
    """The torch name of the device; empty if none is measured, and in older logs."""
    memory_used: int | None = None
    """Bytes on the device used by all processes."""
    memory_total: int | None = None
    utilisation: float | None = None
    """0 to 1."""
    process_cores: float | None = None
    """Cores that the process kept busy since the last such event, its children not counted."""
    process_memory: int | None = None
    """Bytes of memory that the process uses."""


class CommandRefused(Event, frozen=True, kw_only=True):
    """A command from `commands.jsonl` was refused; `reason` is a sentence."""

    command: str
    reason: str


class TrialFinished(Event, frozen=True, kw_only=True):
    """A trial ended."""

    trial: int
    outcome: Outcome
    step: int
    """Steps done."""
    reason: str = ""
    """Why it failed, was stopped or ended early; else empty."""
    traceback: list[str] = []
    """After an error in a user's own code: its lines in the traceback, outermost first."""
    with_run: bool = False
    """In a comparison: whether it was stopped only because the run was. If that is resumed, the
    end of the trial is void from `run-resumed` on, and it waits until its `resumed`."""


class RunFinished(Event, frozen=True, kw_only=True):
    """The last event of a run that ended cleanly."""

    outcome: Outcome
    message: str = ""
    """One sentence on what failed or why the run was stopped; empty if nothing went wrong."""
    field: str | None = None
    """The setting at fault, if there is one."""
    traceback: list[str] = []
    """After an error in a user's own code: its lines in the traceback, outermost first."""
    headline: str = ""
    """The result in a few words, such as "max_lr 3.6e-3" or "68.2 %, epoch 7"."""


AnyEvent = Union[  # noqa: UP007 - msgspec wants the union as a value
    RunStarted,
    Progress,
    Note,
    DeviceChosen,
    TaskReady,
    TrialStarted,
    Steps,
    Logged,
    Evaluated,
    EpochFinished,
    NonFinite,
    Diverged,
    BoundsChanged,
    Paused,
    Continued,
    CheckpointSaved,
    RunResumed,
    Resumed,
    TrialInterrupted,
    PoolReady,
    RateChosen,
    EntryEnded,
    Overall,
    TimePlanned,
    DeviceUsage,
    CommandRefused,
    TrialFinished,
    RunFinished,
]
