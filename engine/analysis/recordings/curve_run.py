"""Makes the run of a comparison from curves by epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from clr_tui.engine.log import events as ev
from clr_tui.engine.metrics import LOSS, known_by_name, primary_of
from clr_tui.engine.settings.config import (
    Compare,
    EntryConfig,
    OptimizerConfig,
    RunConfig,
    TaskConfig,
)

EPOCHS_PER_SECOND = 10.0
"""The replay speed of imported curves, which have no times; all trials run in parallel."""


@dataclass(frozen=True)
class CurveRow:
    """One epoch of one trial; None for an empty field."""

    epoch: int
    train: dict[str, float | None]
    validation: dict[str, float | None]
    """The loss and the metrics by name."""


@dataclass
class CurveTrial:
    """The rows of one optimizer with one seed."""

    entry: int
    label: str
    seed: int
    number: int = 0
    rows: list[CurveRow] = field(default_factory=list)
    best_epoch: int = 0
    best_value: float | None = None


def run_of_curves(
    name: str, created: float, trials: Sequence[CurveTrial]
) -> tuple[RunConfig, list[ev.AnyEvent]]:
    """Makes a finished comparison; sets the numbers of its trials.

    Seeds count as unpaired, since nothing says what they mean, and each epoch counts as one step.

    Args:
        name: the name of the run.
        created: when it was made, Unix time in seconds.
        trials: at least one; their entries count from 0, and each has rows.
    """
    by_entry: dict[int, list[CurveTrial]] = {}
    for trial in trials:
        by_entry.setdefault(trial.entry, []).append(trial)
    job = Compare(
        entries=[label_only_entry(own[0].label) for own in by_entry.values()],
        seeds=max(map(len, by_entry.values())),
        epochs=max(t.rows[-1].epoch for t in trials),
        whole_cycles=False,
        paired=False,
    )
    for entry, own in by_entry.items():
        for i, trial in enumerate(sorted(own, key=lambda t: t.seed)):
            trial.number = job.trial_number(entry, i)
    config = RunConfig(
        id=name,
        created=created,
        version="",
        task=TaskConfig(data=name, model="", seed=min(t.seed for t in trials)),
        job=job,
    )
    return config, list(_events(config, sorted(trials, key=lambda t: t.number)))


def label_only_entry(label: str) -> EntryConfig:
    """An entry of which only the name is known."""
    return EntryConfig(label=label, optimizer=OptimizerConfig(name=label))


def _events(config: RunConfig, trials: Sequence[CurveTrial]) -> Iterator[ev.AnyEvent]:
    yield ev.RunStarted(run=config.id, kind=config.kind)
    for trial in trials:
        yield ev.TrialStarted(
            trial=trial.number,
            seed=trial.seed,
            total_steps=0,
            steps_per_epoch=0,
            label=trial.label,
            entry=trial.entry,
        )
    rows = [(row.epoch, i, row) for i, trial in enumerate(trials) for row in trial.rows]
    seq = ended = 0
    now = 0.0
    for epoch, same in groupby(sorted(rows, key=lambda r: r[:2]), key=lambda r: r[0]):
        now = epoch / EPOCHS_PER_SECOND
        for _, i, row in same:
            trial = trials[i]
            yield from _epoch(trial, row, now)
            seq += 1
            if row is trial.rows[-1]:
                ended += 1
                yield ev.TrialFinished(time=now, trial=trial.number, outcome="done", step=epoch)
        yield ev.Overall(
            time=now,
            done=ended,
            failed=0,
            stopped=0,
            running=len(trials) - ended,
            total=len(trials),
            fraction=seq / len(rows),
        )
    yield ev.RunFinished(time=now, outcome="done")


def _epoch(trial: CurveTrial, row: CurveRow, now: float) -> Iterator[ev.AnyEvent]:
    train, validation = row.train.copy(), row.validation.copy()
    train_loss, loss = train.pop(LOSS.name, None), validation.pop(LOSS.name, None)
    primary = primary_of([known_by_name(name) for name in validation])
    value = row.validation.get(primary.name)
    if value is not None and primary.is_better(value, trial.best_value):
        trial.best_epoch, trial.best_value = row.epoch, value
    yield ev.Evaluated(
        time=now,
        trial=trial.number,
        step=row.epoch,
        part="validation",
        loss=loss,
        metrics=validation,
        epoch=row.epoch,
    )
    yield ev.EpochFinished(
        time=now,
        trial=trial.number,
        epoch=row.epoch,
        step=row.epoch,
        train_loss=train_loss,
        train_metrics=train,
        seconds=None,
        best_epoch=trial.best_epoch,
        best_value=trial.best_value,
    )
