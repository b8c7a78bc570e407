"""Makes the run of a range test from the numbers of its sweeps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from clr_tui.engine.analysis.sweep.noise import share_of_new
from clr_tui.engine.log import events as ev
from clr_tui.engine.settings.config import SMOOTHING, RangeTest, RunConfig, TaskConfig
from clr_tui.engine.words import many, was

STEPS_PER_SECOND = 10.0
"""The replay speed of an imported sweep, which has no times."""
_CHUNK = 4
_MAX_CHUNKS = 250
"""A sweep has at most about this many chunks, unless they would be shorter than `_CHUNK`."""


@dataclass
class Sweep:
    """The columns of one trial."""

    step: list[int] = field(default_factory=list)
    lr: list[float] = field(default_factory=list)
    loss: list[float | None] = field(default_factory=list)


def run_of_sweeps(
    name: str, created: float, sweeps: Mapping[int, Sweep], zeros: int = 0
) -> tuple[RunConfig, list[ev.AnyEvent]]:
    """Makes a finished range test.

    Losses are smoothed like those of our own runs, unless their noise shows that they were smoothed
    before (`share_of_new`): then `range_test.smoothing` is 1.

    Args:
        name: the name of the run.
        created: when it was made, Unix time in seconds.
        sweeps: at least one, by trial; rates rise.
        zeros: steps before the first one, with a rate of 0, which were left out.
    """
    lr = next(iter(sweeps.values())).lr
    config = RunConfig(
        id=name,
        created=created,
        version="",
        task=TaskConfig(data=name, model=""),
        job=RangeTest(
            start_lr=lr[0],
            end_lr=_planned_end(lr),
            steps=len(lr),
            seeds=len(sweeps),
            smoothing=_smoothing(sweeps),
        ),
    )
    return config, list(_events(config, sweeps, zeros))


def _smoothing(sweeps: Mapping[int, Sweep]) -> float:
    """1 for losses that look as if they were smoothed as ours are, else the usual weight."""
    losses = [np.array(sweep.loss, np.float64) for sweep in sweeps.values()]
    new = share_of_new([loss[np.isfinite(loss)] for loss in losses])
    return SMOOTHING if new > SMOOTHING else 1.0


def _planned_end(lr: list[float]) -> float:
    """The planned end: step N of `start * (end / start)^(i / N)`, if the last step is N - 1."""
    return lr[-1] * lr[-1] / lr[-2] if len(lr) > 1 else lr[-1]


def _events(config: RunConfig, sweeps: Mapping[int, Sweep], zeros: int) -> Iterator[ev.AnyEvent]:
    now = 0.0
    yield ev.RunStarted(time=now, run=config.id, kind=config.kind)
    if zeros:
        text = f"{many(zeros, 'step')} with a learning rate of 0 {was(zeros)} left out"
        yield ev.Note(time=now, level="info", text=text)
    for trial, sweep in sweeps.items():
        n = len(sweep.step)
        yield ev.TrialStarted(time=now, trial=trial, seed=trial, total_steps=n, steps_per_epoch=0)
        chunk = max(_CHUNK, n // _MAX_CHUNKS)
        start = now
        for i in range(0, n, chunk):
            part = slice(i, i + chunk)
            now = start + min(i + chunk, n) / STEPS_PER_SECOND
            yield ev.Steps(
                time=now,
                trial=trial,
                step=sweep.step[part],
                lr=sweep.lr[part],
                loss=sweep.loss[part],
            )
        if sweep.loss[-1] is None:  # an earlier gap is just a gap
            at = n - 1
            while at and sweep.loss[at - 1] is None:
                at -= 1
            yield ev.NonFinite(time=now, trial=trial, step=sweep.step[at], lr=sweep.lr[at])
        yield ev.TrialFinished(time=now, trial=trial, outcome="done", step=n)
    yield ev.RunFinished(time=now, outcome="done")
