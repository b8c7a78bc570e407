"""What the learning rate will do: a chart of a job that has not begun."""

from __future__ import annotations

import numpy as np

from clr_tui.engine.analysis.comparison.seed_curves import planned_epochs
from clr_tui.engine.policies import lr_at, step_size_steps, whole_cycle_epochs
from clr_tui.engine.settings.config import (
    Compare,
    EntryConfig,
    Job,
    Policy,
    RangeTest,
    Train,
)
from clr_tui.tui.charts.chart import Axis, Chart, HLine, Series
from clr_tui.tui.charts.scale import Floats
from clr_tui.tui.kinds.compare.entry_style import role_of
from clr_tui.tui.kinds.train.view import rate_axis

POINTS = 400
MOST_EPOCHS = 10_000
MOST_SCHEDULES = 8
NOMINAL_STEPS = 100
"""Steps an epoch: the number of images is not known yet, and decay goes by the step."""


def sketch(job: Job | None) -> Chart:
    """The learning rate of `job`, whose numbers are within their limits, over its length."""
    if job is None:
        return Chart(empty="The learning rate will be drawn here.")
    if isinstance(job, RangeTest):
        return _sweep(job)
    epochs = planned_epochs(job) if isinstance(job, Compare) else job.epochs
    if epochs > MOST_EPOCHS:
        return Chart(empty="Too many epochs to draw the learning rate of each.")
    return _schedules(job, epochs) if isinstance(job, Compare) else _schedule(job)


def _sweep(job: RangeTest) -> Chart:
    length = job.epochs if job.steps is None else float(job.steps)
    part = np.linspace(0.0, 1.0, POINTS)
    lr = job.start_lr * (job.end_lr / job.start_lr) ** part
    return Chart(
        series=(Series(part * length, lr, colour="lr"),),
        x=Axis(label="epoch" if job.steps is None else "step", lo=0.0, hi=length),
        y=Axis(log=True, lo=job.start_lr, hi=job.end_lr),
        title="learning rate of the sweep (log)",
    )


def _schedule(job: Train) -> Chart:
    epochs = job.epochs
    if job.whole_cycles:
        epochs = whole_cycle_epochs(job.policy, epochs, job.step_size_epochs)
    at, lr = _rates(job.policy, job.base_lr, job.max_lr, epochs, job)
    return Chart(
        series=(Series(at, lr, colour="lr"),),
        x=Axis(label="epoch", lo=0.0, hi=float(epochs)),
        y=rate_axis(np.array([*lr, job.base_lr, job.max_lr])),
        hlines=(HLine(job.base_lr, "base", "base"), HLine(job.max_lr, "max", "max")),
        title="learning rate of the training",
    )


def _schedules(job: Compare, epochs: int) -> Chart:
    """How the rates move: each as a part of its highest, which is not known yet."""
    shapes: dict[tuple[Policy, float], int] = {}
    for entry in job.entries:
        shape = entry.policy, 1.0 if entry.policy == "constant" else _lowest(entry, job)
        shapes[shape] = shapes.get(shape, 0) + 1
    series = []
    for place, ((policy, low), count) in enumerate(list(shapes.items())[:MOST_SCHEDULES]):
        at, lr = _rates(policy, low, 1.0, epochs, job)
        series.append(Series(at, lr, f"{count} {policy}", role_of(place)))
    return Chart(
        series=tuple(series),
        x=Axis(label="epoch", lo=0.0, hi=float(epochs)),
        y=rate_axis(np.array([0.0, *(y for one in series for y in one.y)])),
        title="learning rate, part of its highest",
        empty="No optimizers, no learning rates.",
    )


def _lowest(entry: EntryConfig, job: Compare) -> float:
    """The lower bound as a part of the upper one."""
    if entry.lr and entry.base_lr:
        return entry.base_lr / entry.lr
    return 1 / job.factor


def _rates(
    policy: Policy, base_lr: float, max_lr: float, epochs: int, job: Train | Compare
) -> tuple[Floats, Floats]:
    """Where a schedule is drawn, in epochs, and its rates there; shape (n,)."""
    steps = np.unique(np.linspace(0, epochs * NOMINAL_STEPS - 1, 4 * POINTS).astype(int))
    rates = [
        lr_at(
            policy,
            int(step),
            base_lr=base_lr,
            max_lr=max_lr,
            step_size=step_size_steps(job.step_size_epochs, NOMINAL_STEPS),
            total_steps=epochs * NOMINAL_STEPS,
            gamma=job.gamma,
        )
        for step in steps
    ]
    return steps / NOMINAL_STEPS, np.array(rates)
