"""The new-run form as data: its fields, and what their texts ask for.

Field names are those of the configuration, which every `UserError` names too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from clr_tui.engine.policies import whole_cycle_epochs
from clr_tui.engine.runs.config import (
    MODELS,
    POLICIES,
    OptimizerConfig,
    RangeTestConfig,
    TaskConfig,
    TrainConfig,
)
from clr_tui.tui.views.numbers import exact_lr

Job = RangeTestConfig | TrainConfig
Values = Mapping[str, str]
RANGE_TEST, TRAINING = "range test", "training"
ON, OFF = "on", "off"


@dataclass(frozen=True)
class Field:
    """One line of the form."""

    name: str
    label: str
    hint: str
    """What it means and what may stand there: one line."""
    default: str = ""
    choices: tuple[str, ...] = ()
    """What may be chosen; empty: it is typed."""
    placeholder: str = ""
    when: Callable[[Values], bool] = lambda _: True
    """Whether it plays a part, as the other fields stand."""


def _range_test(values: Values) -> bool:
    return values["kind"] == RANGE_TEST


def _training(values: Values) -> bool:
    return values["kind"] == TRAINING


def _decaying(values: Values) -> bool:
    return _training(values) and values["policy"].startswith("exp-range")


def _loads_weights(values: Values) -> bool:
    return values["model"] == "resnet34"


def fields(devices: tuple[str, ...]) -> tuple[Field, ...]:
    """All fields in their order.

    Args:
        devices: what this machine has, as torch names it.
    """
    return (
        Field(
            "kind",
            "kind",
            "A range test finds the bounds of the learning rate; training uses them.",
            RANGE_TEST,
            (RANGE_TEST, TRAINING),
        ),
        Field(
            "data",
            "data",
            "'digits' comes with clr-tui; else a folder of images, one folder a class.",
            "digits",
            placeholder="digits, or a folder",
        ),
        Field(
            "model",
            "model",
            "A small CNN for any image size, or ResNet34, frozen but for its last block.",
            "cnn",
            MODELS,
        ),
        Field(
            "weights",
            "weights",
            "What ResNet34 begins with: imagenet, none, or the path of a state dict.",
            "imagenet",
            placeholder="imagenet, none, or a file",
            when=_loads_weights,
        ),
        Field(
            "image_size",
            "image size",
            "Side of the square images, pixels; empty: 8 for digits, else 64 (CNN) or 224.",
            placeholder="auto",
        ),
        Field("batch_size", "batch size", "Images a step.", "64"),
        *_sweep_fields(),
        *_training_fields(),
        Field("momentum", "momentum", "Of SGD, from 0 to below 1.", "0.9"),
        Field("weight_decay", "weight decay", "L2 penalty on the weights; 0 is none.", "0"),
        Field(
            "augment",
            "augmentation",
            "Each image its own small shift and rotation; photos are flipped as well.",
            ON,
            (ON, OFF),
        ),
        Field(
            "seed",
            "first seed",
            "The same seed means the same weights, order and augmentation.",
            "0",
        ),
        Field(
            "device",
            "device",
            "Where it runs; auto takes the fastest there is.",
            "auto",
            ("auto", *devices),
        ),
    )


def _sweep_fields() -> tuple[Field, ...]:
    return (
        Field(
            "start_lr",
            "start lr",
            "The sweep begins at this learning rate: so low that nothing is learned.",
            "1e-7",
            when=_range_test,
        ),
        Field(
            "end_lr",
            "end lr",
            "The sweep ends here, or earlier where the loss diverges.",
            "1",
            when=_range_test,
        ),
        Field(
            "epochs",
            "epochs",
            "Length of a sweep; it takes 100 steps at least.",
            "2",
            when=_range_test,
        ),
        Field(
            "steps",
            "steps",
            "Length of a sweep in steps, instead of in epochs.",
            placeholder="by epochs",
            when=_range_test,
        ),
        Field(
            "seeds",
            "seeds",
            "So many sweeps, each from new weights: a median curve and a band.",
            "1",
            when=_range_test,
        ),
        Field(
            "accuracy",
            "accuracy",
            "Also measure accuracy on a fixed validation subset: Smith's own reading.",
            OFF,
            (ON, OFF),
            when=_range_test,
        ),
    )


def _training_fields() -> tuple[Field, ...]:
    return (
        Field(
            "base_lr",
            "base lr",
            "The lower bound of the learning rate, some 6 times below max lr.",
            "6e-4",
            when=_training,
        ),
        Field(
            "max_lr",
            "max lr",
            "The upper bound; a range test tells where it should be.",
            "3.6e-3",
            when=_training,
        ),
        Field(
            "policy",
            "policy",
            "How the learning rate moves between its bounds.",
            "triangular",
            POLICIES,
            when=_training,
        ),
        Field(
            "step_size_epochs",
            "step size",
            "Half a cycle, in epochs (Smith: 2 to 10).",
            "4",
            when=_training,
        ),
        Field(
            "train_epochs",
            "epochs",
            "Length of the training, rounded up to whole cycles.",
            "16",
            when=_training,
        ),
        Field(
            "gamma",
            "gamma",
            "What exp-range multiplies by, a step.",
            "0.99994",
            when=_decaying,
        ),
    )


@dataclass(frozen=True)
class Reading:
    """What the form asks for, or why that cannot be told."""

    task: TaskConfig | None
    job: Job | None
    errors: dict[str, str]
    """The sentence by the name of its field."""


class _Reader:
    """Reads texts as numbers and gathers what is wrong."""

    def __init__(self, values: Values) -> None:
        self.values = values
        self.errors: dict[str, str] = {}

    def text(self, name: str) -> str:
        text = self.values[name].strip()
        if not text:
            self.errors[name] = "nothing is given here"
        return text

    def real(self, name: str, example: str) -> float:
        text = self.values[name].strip()
        try:
            return float(text)
        except ValueError:
            shown = f"'{text}' is not a number" if text else "a number is missing"
            self.errors[name] = f"{shown}; give one like {example}"
            return math.nan

    def whole(self, name: str, example: str) -> int:
        text = self.values[name].strip()
        try:
            return int(text)
        except ValueError:
            shown = f"'{text}' is not a whole number" if text else "a whole number is missing"
            self.errors[name] = f"{shown}; give one like {example}"
            return 0

    def maybe_whole(self, name: str, example: str) -> int | None:
        return self.whole(name, example) if self.values[name].strip() else None


def read(values: Values) -> Reading:
    """What `values`, a text for every field, ask for."""
    reader = _Reader(values)
    task = TaskConfig(
        data=reader.text("data"),
        model=values["model"],
        weights=reader.text("weights") if _loads_weights(values) else "imagenet",
        image_size=reader.maybe_whole("image_size", "64"),
        batch_size=reader.whole("batch_size", "64"),
        augment=values["augment"] == ON,
        device=values["device"],
        seed=reader.whole("seed", "0"),
    )
    optimizer = OptimizerConfig(
        momentum=reader.real("momentum", "0.9"), weight_decay=reader.real("weight_decay", "1e-4")
    )
    read_job = _read_sweep if _range_test(values) else _read_training
    job = read_job(reader, optimizer)
    if reader.errors:
        return Reading(None, None, reader.errors)
    return Reading(task, job, {})


def _read_sweep(reader: _Reader, optimizer: OptimizerConfig) -> RangeTestConfig:
    steps = reader.maybe_whole("steps", "200")
    return RangeTestConfig(
        start_lr=reader.real("start_lr", "1e-7"),
        end_lr=reader.real("end_lr", "1"),
        epochs=reader.real("epochs", "2") if steps is None else 2.0,
        steps=steps,
        seeds=reader.whole("seeds", "3"),
        accuracy=reader.values["accuracy"] == ON,
        optimizer=optimizer,
    )


def _read_training(reader: _Reader, optimizer: OptimizerConfig) -> TrainConfig:
    config = TrainConfig(
        base_lr=reader.real("base_lr", "6e-4"),
        max_lr=reader.real("max_lr", "3.6e-3"),
        policy=next(p for p in POLICIES if p == reader.values["policy"]),
        step_size_epochs=reader.real("step_size_epochs", "4"),
        epochs=reader.whole("train_epochs", "16"),
        optimizer=optimizer,
    )
    if not _decaying(reader.values):
        return config
    gamma = reader.real("gamma", "0.99994")
    return TrainConfig(
        base_lr=config.base_lr,
        max_lr=config.max_lr,
        policy=config.policy,
        step_size_epochs=config.step_size_epochs,
        epochs=config.epochs,
        gamma=gamma,
        optimizer=optimizer,
    )


def field_of(error_field: str | None, job: Job) -> str:
    """The line of the form that a `UserError`'s field means; "" where none does."""
    if error_field == "epochs" and isinstance(job, TrainConfig):
        return "train_epochs"
    return error_field or ""


def texts(task: TaskConfig, job: Job) -> dict[str, str]:
    """The texts that ask for `task` and `job`: what "run again" opens with."""
    found = {
        "kind": RANGE_TEST if isinstance(job, RangeTestConfig) else TRAINING,
        "data": task.data,
        "model": task.model,
        "weights": task.weights,
        "image_size": "" if task.image_size is None else str(task.image_size),
        "batch_size": str(task.batch_size),
        "augment": ON if task.augment else OFF,
        "seed": str(task.seed),
        "device": task.device,
        "momentum": f"{job.optimizer.momentum:g}",
        "weight_decay": f"{job.optimizer.weight_decay:g}",
    }
    if isinstance(job, RangeTestConfig):
        return found | {
            "start_lr": _rate(job.start_lr),
            "end_lr": _rate(job.end_lr),
            "epochs": f"{job.epochs:g}",
            "steps": "" if job.steps is None else str(job.steps),
            "seeds": str(job.seeds),
            "accuracy": ON if job.accuracy else OFF,
        }
    return found | {
        "base_lr": _rate(job.base_lr),
        "max_lr": _rate(job.max_lr),
        "policy": job.policy,
        "step_size_epochs": f"{job.step_size_epochs:g}",
        "train_epochs": str(job.epochs),
        "gamma": repr(job.gamma),
    }


def _rate(value: float) -> str:
    """As short as it can be written without changing it."""
    short = exact_lr(value)
    return short if float(short) == value else repr(value)


def length_in_words(job: Job) -> str:
    """What the length comes to, where that is more than the field says; else empty."""
    if not isinstance(job, TrainConfig) or job.epochs < 1 or not job.step_size_epochs > 0:
        return ""
    whole = whole_cycle_epochs(job.policy, job.epochs, job.step_size_epochs)
    if whole == job.epochs:
        return ""
    return f"{job.epochs} epochs end in mid-cycle: it will run {whole}, whole cycles."
