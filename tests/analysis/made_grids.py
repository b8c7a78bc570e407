"""Comparisons over a grid of rates of which nothing counts but how each trial ended."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.log import events as ev
from clr_tui.engine.metrics import ACCURACY, Metric
from clr_tui.engine.settings.config import Compare, RunConfig, TaskConfig
from clr_tui.engine.settings.entries import parse_entries
from clr_tui.engine.settings.rate_grid import at_each_rate

End = float | None | Literal["stopped", "running", "waiting"]
"""Of a trial: the tested value of the last epoch; NaN: it diverged; None: it failed."""


def grid_job(optimizers: Sequence[str], rates: str, seeds: int, **settings: Any) -> Compare:
    """A comparison at each rate of a grid."""
    entries = parse_entries(", ".join(optimizers))
    return at_each_rate(Compare(entries=entries, rates=rates, seeds=seeds, epochs=1, **settings))


def grid_history(
    ends: Mapping[str, Sequence[Sequence[End]]],
    rates: str,
    metric: Metric = ACCURACY,
    *,
    effective_lr: float | None = None,
    ended_early: Sequence[int] = (),
    finished: bool = True,
    **settings: Any,
) -> RunHistory:
    """The log of trainings of one epoch: by optimizer, then by rate, then by seed from 0."""
    seeds = max(len(by_seed) for by_rate in ends.values() for by_seed in by_rate)
    job = grid_job(list(ends), rates, seeds, **settings)
    config = RunConfig(id="compare-made-1", created=0.0, version="0", task=TaskConfig(), job=job)
    history = RunHistory(config)
    history.apply(_task(metric))
    of_entries = [by_seed for by_rate in ends.values() for by_seed in by_rate]
    for entry, (asked, by_seed) in enumerate(zip(job.entries, of_entries, strict=True)):
        for i, end in enumerate(by_seed):
            for event in _trial(entry * seeds + i, asked.label, entry, i, end, metric):
                if isinstance(event, ev.Steps) and effective_lr is not None:
                    event = msgspec.structs.replace(event, effective_lr=[effective_lr])
                history.apply(event)
    for entry in ended_early:
        history.apply(ev.EntryEnded(entry=entry, epoch=1, reason="it is behind"))
    if finished:
        history.apply(ev.RunFinished(outcome="done"))
    return history


def _task(metric: Metric) -> ev.TaskReady:
    sizes = {"train": 64, "validation": 16, "test": 16, "batch_size": 64, "steps_per_epoch": 1}
    return ev.TaskReady(
        name="made", model="net", parameters=1, trainable=1, metrics=[metric], **sizes
    )


def _trial(
    trial: int, label: str, entry: int, seed: int, end: End, metric: Metric
) -> list[ev.Event]:
    if end == "waiting":
        return []
    events: list[ev.Event] = [
        ev.TrialStarted(
            trial=trial, seed=seed, label=label, entry=entry, total_steps=1, steps_per_epoch=1
        ),
        ev.Steps(trial=trial, step=[0], lr=[0.1], loss=[1.0]),
    ]
    if end == "running":
        return events
    if isinstance(end, int | float) and not math.isnan(end):
        at = {"trial": trial, "step": 1, "epoch": 1, "loss": 1.0, "metrics": {metric.name: end}}
        events += [
            ev.Evaluated(part="validation", **at),
            ev.EpochFinished(
                trial=trial,
                epoch=1,
                step=1,
                train_loss=1.0,
                train_metrics={metric.name: end},
                seconds=1.0,
                best_epoch=1,
                best_value=end,
            ),
            ev.Evaluated(part="test", checkpoint="last", **at),
            ev.Evaluated(part="test", checkpoint="best", **at),
        ]
        return [*events, ev.TrialFinished(trial=trial, outcome="done", step=1)]
    if end == "stopped":
        return [*events, ev.TrialFinished(trial=trial, outcome="stopped", step=1, reason="stopped")]
    if end is not None:
        events.append(ev.Diverged(trial=trial, step=1, lr=0.1, reason="it is not finite"))
    return [*events, ev.TrialFinished(trial=trial, outcome="failed", step=1, reason="it broke")]
