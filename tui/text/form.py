"""What the texts of the new-run form ask for, and the texts that ask for a run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from msgspec.structs import replace

from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.check import check_numbers
from clr_tui.engine.settings.config import (
    POLICIES,
    Compare,
    EntryConfig,
    Job,
    OptimizerConfig,
    RangeTest,
    Rates,
    TaskConfig,
    Train,
)
from clr_tui.engine.settings.entries import parse_entries
from clr_tui.engine.words import exact_lr
from clr_tui.tui.kinds.compare.target import read_target, target_text
from clr_tui.tui.text.form_fields import (
    COMPARISON,
    OFF,
    ON,
    RANGE_TEST,
    TRAINING,
    Values,
    decays,
    is_comparison,
    is_range_test,
    loads_weights,
)

_LONGEST = 40
"""Characters of a text that are repeated where it is said to be wrong."""


@dataclass(frozen=True)
class Reading:
    """What the form asks for; task and job are None where a text cannot be read."""

    task: TaskConfig | None
    job: Job | None
    errors: dict[str, str]
    """The sentence by the name of its setting."""

    @property
    def sound(self) -> Job | None:
        """The job where all is right, so that its numbers can be reckoned with and drawn."""
        return None if self.errors else self.job


class _Reader:
    """Reads texts as numbers and gathers what is wrong."""

    def __init__(self, values: Values) -> None:
        self.values = values
        self.errors: dict[str, str] = {}

    def text(self, name: str, given: str) -> str:
        """A text without the blanks around it, unless it was given with them."""
        if self.values[name] == given:
            return given
        text = self.values[name].strip()
        if not text:
            self.errors[name] = "nothing is given here"
        return text

    def real(self, name: str, example: str) -> float:
        text = self.values[name].strip()
        try:
            return float(text)
        except ValueError:
            shown = f"{_quoted(text)} is not a number" if text else "a number is missing"
            self.errors[name] = f"{shown}; give one like {example}"
            return math.nan

    def whole(self, name: str, example: str) -> int:
        text = self.values[name].strip()
        try:
            return int(text)
        except ValueError:
            shown = (
                f"{_quoted(text)} is not a whole number" if text else "a whole number is missing"
            )
            self.errors[name] = f"{shown}; give one like {example}"
            return 0

    def target(self) -> float | None:
        try:
            return read_target(self.values["target"])
        except UserError as error:
            self.errors["target"] = error.message
            return None

    def entries(self, given: list[EntryConfig]) -> list[EntryConfig]:
        """The contestants that are named; those that were given where they are named as given."""
        text = self.values["optimizers"]
        if text == _names(given):
            return given
        try:
            entries = parse_entries(text)
        except UserError as error:
            self.errors["optimizers"] = error.message
            return []
        # Its rate may have come from elsewhere: `--lr 0.01` is in no text.
        known = {entry.label: entry for entry in given}
        return [known.get(entry.label, entry) for entry in entries]

    def maybe_whole(self, name: str, example: str) -> int | None:
        return self.whole(name, example) if self.values[name].strip() else None


def _quoted(text: str) -> str:
    return f"'{text}'" if len(text) <= _LONGEST else f"'{text[:_LONGEST]}...'"


def read(values: Values, task: TaskConfig | None = None, job: Job | None = None) -> Reading:
    """What `values`, a text for every setting, ask for.

    Args:
        values: the texts.
        task: what the form began with: the settings that it does not show stay as they are there.
        job: likewise.
    """
    reader = _Reader(values)
    read_task = _read_task(reader, task or TaskConfig())
    read_job: Job
    if is_comparison(values):
        read_job = _read_comparison(reader, job if isinstance(job, Compare) else None)
    elif is_range_test(values):
        sweep = _read_sweep(reader, job if isinstance(job, RangeTest) else None)
        read_job = replace(sweep, optimizer=_read_optimizer(reader, job))
    else:
        training = _read_training(reader, job if isinstance(job, Train) else None)
        read_job = replace(training, optimizer=_read_optimizer(reader, job))
    if reader.errors:
        return Reading(None, None, reader.errors)
    errors: dict[str, str] = {}
    for error in check_numbers(read_task, read_job):
        errors.setdefault(field_of(error.field, read_job), error.message)
    return Reading(read_task, read_job, errors)


def _read_task(reader: _Reader, given: TaskConfig) -> TaskConfig:
    values = reader.values
    weights = given.weights if given.model == values["model"] else TaskConfig().weights
    if loads_weights(values):
        weights = reader.text("weights", given.weights)
    return replace(
        given,
        data=reader.text("data", given.data),
        model=values["model"],
        weights=weights,
        image_size=reader.maybe_whole("image_size", "64"),
        batch_size=reader.whole("batch_size", "64"),
        augment=values["augment"] == ON,
        device=values["device"],
        seed=reader.whole("seed", "0"),
    )


def _read_optimizer(reader: _Reader, job: Job | None) -> OptimizerConfig:
    given = job.optimizer if isinstance(job, RangeTest | Train) else OptimizerConfig()
    return replace(
        given,
        momentum=reader.real("momentum", "0.9"),
        weight_decay=reader.real("weight_decay", "1e-4"),
    )


def _read_sweep(reader: _Reader, given: RangeTest | None) -> RangeTest:
    given = given or RangeTest()
    steps = reader.maybe_whole("steps", "200")
    return replace(
        given,
        start_lr=reader.real("start_lr", "1e-7"),
        end_lr=reader.real("end_lr", "1"),
        epochs=reader.real("epochs", "2") if steps is None else given.epochs,
        steps=steps,
        seeds=reader.whole("seeds", "3"),
        accuracy=reader.values["accuracy"] == ON,
    )


def _read_training(reader: _Reader, given: Train | None) -> Train:
    base_lr, max_lr = reader.real("base_lr", "6e-4"), reader.real("max_lr", "3.6e-3")
    given = given or Train(base_lr=base_lr, max_lr=max_lr)
    return replace(
        given,
        base_lr=base_lr,
        max_lr=max_lr,
        policy=next(p for p in POLICIES if p == reader.values["policy"]),
        step_size_epochs=reader.real("step_size_epochs", "4"),
        epochs=reader.whole("train_epochs", "16"),
        gamma=reader.real("gamma", "0.99994") if decays(reader.values) else given.gamma,
    )


def _read_comparison(reader: _Reader, given: Compare | None) -> Compare:
    given = given or Compare(entries=[])
    return replace(
        given,
        entries=reader.entries(given.entries),
        seeds=reader.whole("compare_seeds", "3"),
        epochs=reader.whole("compare_epochs", "16"),
        rates=next(r for r in get_args(Rates) if r == reader.values["rates"]),
        step_size_epochs=reader.real("step_size_epochs", "4"),
        target=reader.target(),
        jobs=reader.maybe_whole("jobs", "2"),
        study=given.study if given.study == reader.values["model"] else "",
    )


def field_of(error_field: str | None, job: Job) -> str:
    """The line of the form that a `UserError`'s field means; "" where none does."""
    if error_field == "epochs" and isinstance(job, Train):
        return "train_epochs"
    if error_field in ("epochs", "seeds") and isinstance(job, Compare):
        return f"compare_{error_field}"
    return error_field or ""


def texts(task: TaskConfig, job: Job) -> dict[str, str]:
    """The texts that ask for `task` and `job`: what "run again" opens with."""
    found = {
        "data": task.data,
        "model": task.model,
        "weights": task.weights,
        "image_size": "" if task.image_size is None else str(task.image_size),
        "batch_size": str(task.batch_size),
        "augment": ON if task.augment else OFF,
        "seed": str(task.seed),
        "device": task.device,
    }
    if isinstance(job, Compare):
        return found | {
            "kind": COMPARISON,
            "optimizers": _names(job.entries),
            "compare_seeds": str(job.seeds),
            "compare_epochs": str(job.epochs),
            "rates": job.rates,
            "step_size_epochs": _exact(job.step_size_epochs),
            "target": target_text(job.target),
            "jobs": "" if job.jobs is None else str(job.jobs),
        }
    found |= {
        "momentum": _exact(job.optimizer.momentum),
        "weight_decay": _exact(job.optimizer.weight_decay),
    }
    if isinstance(job, RangeTest):
        return found | {
            "kind": RANGE_TEST,
            "start_lr": _exact(job.start_lr),
            "end_lr": _exact(job.end_lr),
            "epochs": _exact(job.epochs),
            "steps": "" if job.steps is None else str(job.steps),
            "seeds": str(job.seeds),
            "accuracy": ON if job.accuracy else OFF,
        }
    return found | {
        "kind": TRAINING,
        "base_lr": _exact(job.base_lr),
        "max_lr": _exact(job.max_lr),
        "policy": job.policy,
        "step_size_epochs": _exact(job.step_size_epochs),
        "train_epochs": str(job.epochs),
        "gamma": _exact(job.gamma),
    }


def _exact(value: float) -> str:
    """As short as it can be written without changing it."""
    short = exact_lr(value)
    return short if float(short) == value else repr(value)


def _names(entries: Sequence[EntryConfig]) -> str:
    return ", ".join(entry.label for entry in entries)
