"""Everything that can happen in a run: the lines of `events.jsonl`.

Schema 2. One JSON object a line, UTF-8, `\n` at its end. `type` names the event (the struct's
name in kebab-case), `seq` counts from 0 without gaps, `time` is Unix time in seconds. The first
event is `run-started`, which names the schema. Readers ignore fields that they do not know and
skip types that they do not know.

Values that are not finite are written as `null`, and a `non-finite` event announces the first of
them in a trial. Steps count from 0; the loss of step i is that of batch i before the update made
with `lr[i]`. Epochs count from 1: epoch e has ended after step `e * steps_per_epoch - 1`.

Figures besides the loss are metrics by name; `task-ready` says how to read them. Schema 1 knew
accuracy and images alone: `engine.log.schema_1` reads it.
"""

from __future__ import annotations

from typing import Literal, Union

import msgspec

from clr_tui.engine.metrics import LOSS, Metric, primary_of

SCHEMA = 2

Part = Literal["validation", "test", "subset"]
Outcome = Literal["done", "stopped", "failed"]
Role = Literal["train", "sweep"]
RateSource = Literal["default", "tuned", "given"]


def _tag(name: str) -> str:
    return "".join("-" + c.lower() if c.isupper() else c for c in name).lstrip("-")


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag=_tag):
    """What all events have. The writer sets `seq` and `time`."""

    seq: int = -1
    time: float = 0.0


class RunStarted(Event, frozen=True, kw_only=True):
    """The worker lives. Always the first event."""

    run: str
    kind: str
    schema: int = SCHEMA
    version: str = ""
    host: str = ""
    pid: int = 0


class Progress(Event, frozen=True, kw_only=True):
    """Work before or between trials moved on: `what` is a phrase, like "decoding images"."""

    what: str
    done: int
    total: int


class Note(Event, frozen=True, kw_only=True):
    """Something that a person should know; `text` is plain text."""

    level: Literal["info", "warning"]
    text: str


class DeviceChosen(Event, frozen=True, kw_only=True):
    """Where the work runs."""

    device: str
    """As torch names it: `cpu`, `mps`, `cuda:0`."""
    name: str
    """As a person names it: "NVIDIA H100 80GB HBM3", "2 CPU threads"."""
    precision: str = "float32"
    torch: str = ""
    memory: int | None = None
    """Of the device, bytes; null where it has none of its own."""


class TaskReady(Event, frozen=True, kw_only=True):
    """The data is in memory and the model is built."""

    name: str
    """A short name to show: "digits", "flowers"."""
    model: str
    train: int
    """Samples in the part."""
    validation: int
    test: int
    parameters: int
    trainable: int
    batch_size: int
    steps_per_epoch: int
    metrics: list[Metric]
    """All that the task measures, the primary one first; none: it is judged by its loss."""
    samples: str = "samples"
    """What the samples are, in the plural: "images"."""
    classes: list[str] | None = None
    """Of a classification."""
    channels: int | None = None
    """Of images."""
    image_size: int | None = None
    """Side of square images, pixels."""
    skipped: int = 0
    """Files that could not be read (each is named in a note, up to a limit)."""

    @property
    def primary(self) -> Metric:
        """The metric by which the best epoch is chosen and optimizers are ranked."""
        return primary_of(self.metrics)


class TrialStarted(Event, frozen=True, kw_only=True):
    """One sweep, or one training. Trials count from 0; their steps from 0 too."""

    trial: int
    seed: int
    total_steps: int
    steps_per_epoch: int
    label: str = ""
    """Of a comparison: the entry's."""
    entry: int | None = None
    """Of a comparison: the entry's place in its configuration, from 0."""
    role: Role = "train"
    """Of a comparison: `sweep`, the range test that tunes the entry's rate. Its trials are
    numbered after all trainings."""


class Steps(Event, frozen=True, kw_only=True):
    """Columns, one entry a step, all of one length; about four such lines a second."""

    trial: int
    step: list[int]
    lr: list[float]
    loss: list[float | None]
    metrics: dict[str, list[float | None]] = {}
    """Of the training batch, by name; none in sweeps."""
    elapsed: float = 0.0
    """Seconds of training in this trial at the last of these steps, pauses left out."""
    samples_per_second: float | None = None
    eta_seconds: float | None = None
    """Estimated, to the end of the run; in a comparison, of this trial (see `overall`)."""


class Evaluated(Event, frozen=True, kw_only=True):
    """The model was measured after `step` steps on a part of the data."""

    trial: int
    step: int
    part: Part
    loss: float | None
    metrics: dict[str, float | None]
    """By name."""
    lr: float | None = None
    epoch: int | None = None
    checkpoint: str | None = None
    """What was measured, where it is not the model as it stands: "best" or "last"."""

    def value(self, name: str) -> float | None:
        """The loss or a metric, by its name; None where it was not measured, or not finite."""
        return self.loss if name == LOSS.name else self.metrics.get(name)


class EpochFinished(Event, frozen=True, kw_only=True):
    """An epoch of training ended (its validation has an `evaluated` event just before)."""

    trial: int
    epoch: int
    step: int
    """Steps done so far."""
    train_loss: float | None
    train_metrics: dict[str, float | None]
    """By name."""
    seconds: float | None
    """Of this epoch, validation included; null where it is not known (an imported curve)."""
    best_epoch: int
    """The best so far, by the primary metric on the validation part; 0 before there is one."""
    best_value: float | None
    """Its value of that metric."""

    def train_value(self, name: str) -> float | None:
        """The training loss or a training metric, by its name."""
        return self.train_loss if name == LOSS.name else self.train_metrics.get(name)


class NonFinite(Event, frozen=True, kw_only=True):
    """The first loss of a trial that is not finite."""

    trial: int
    step: int
    lr: float


class Diverged(Event, frozen=True, kw_only=True):
    """A sweep ended early, or a training went astray; `reason` is a sentence."""

    trial: int
    step: int
    lr: float
    reason: str


class BoundsChanged(Event, frozen=True, kw_only=True):
    """From `step` of `trial` on the schedule runs between these bounds."""

    trial: int
    step: int
    base_lr: float
    max_lr: float


class Paused(Event, frozen=True, kw_only=True):
    """The worker waits."""


class Continued(Event, frozen=True, kw_only=True):
    """The worker goes on after a pause."""


class CheckpointSaved(Event, frozen=True, kw_only=True):
    """`path` is relative to the run's directory."""

    trial: int
    step: int
    path: str
    reason: Literal["best", "last", "asked", "stopped"]


class Resumed(Event, frozen=True, kw_only=True):
    """The story of `trial` goes on after `step` steps; what it told beyond them is void."""

    trial: int
    step: int


class PoolReady(Event, frozen=True, kw_only=True):
    """A comparison's trials run side by side."""

    jobs: int
    """Processes, each with a trial at a time."""
    threads: int
    """Of each process on the CPU; 0 on an accelerator."""
    devices: list[str]
    """As torch names them; trials take turns on them."""
    reason: str = ""
    """What set `jobs`: "2 cores", "memory for 3 trials", "asked for"."""


class RateChosen(Event, frozen=True, kw_only=True):
    """The rate at which an entry of a comparison trains, and what it cost to find."""

    entry: int
    lr: float
    """Constant, or the upper bound."""
    base_lr: float | None = None
    """The lower bound of a policy that has two."""
    source: RateSource
    trial: int | None = None
    """The sweep that found it."""
    steps: int = 0
    """Of that sweep, done; likewise the next two."""
    samples: int = 0
    seconds: float = 0.0
    note: str = ""
    """A sentence where it is not what was asked for (a flat sweep: torch's default)."""


class Overall(Event, frozen=True, kw_only=True):
    """Where a comparison stands, about once a second and whenever a trial begins or ends."""

    done: int
    """Trials that came to their end; likewise the next four. Sweeps do not count."""
    failed: int
    stopped: int
    running: int
    total: int
    fraction: float
    """Of all training steps, 0 to 1."""
    eta_seconds: float | None = None
    """Estimated, to the end of the run."""


class DeviceUsage(Event, frozen=True, kw_only=True):
    """The device's load, every few seconds. Absent figures are null."""

    memory_used: int | None = None
    """Bytes on the device, all processes."""
    memory_total: int | None = None
    utilisation: float | None = None
    """0 to 1."""


class CommandRefused(Event, frozen=True, kw_only=True):
    """An order from `commands.jsonl` was not carried out; `reason` is a sentence."""

    command: str
    reason: str


class TrialFinished(Event, frozen=True, kw_only=True):
    """A trial ended."""

    trial: int
    outcome: Outcome
    step: int
    """Steps done."""
    reason: str = ""


class RunFinished(Event, frozen=True, kw_only=True):
    """The last event of a run that ended in order."""

    outcome: Outcome
    message: str = ""
    """Why it failed or stopped, one sentence; empty when done."""
    field: str | None = None
    """The setting at fault, where one is."""
    headline: str = ""
    """The result in a few words for a list of runs: "max_lr 3.6e-03", "68.2 %, epoch 7"."""


AnyEvent = Union[  # noqa: UP007 - msgspec wants the union as a value
    RunStarted,
    Progress,
    Note,
    DeviceChosen,
    TaskReady,
    TrialStarted,
    Steps,
    Evaluated,
    EpochFinished,
    NonFinite,
    Diverged,
    BoundsChanged,
    Paused,
    Continued,
    CheckpointSaved,
    Resumed,
    PoolReady,
    RateChosen,
    Overall,
    DeviceUsage,
    CommandRefused,
    TrialFinished,
    RunFinished,
]
