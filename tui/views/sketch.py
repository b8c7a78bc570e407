"""What the learning rate will do: a chart of a job that has not begun."""

from __future__ import annotations

import numpy as np

from clr_tui.engine.policies import lr_at, step_size_steps, whole_cycle_epochs
from clr_tui.engine.runs.config import RangeTestConfig, TrainConfig
from clr_tui.tui.charts.chart import Axis, Chart, HLine, Series
from clr_tui.tui.views.training import rate_axis

POINTS = 400
MOST_EPOCHS = 10_000


def sketch(job: RangeTestConfig | TrainConfig | None) -> Chart:
    """The learning rate of `job`, whose numbers are within their limits, over its length."""
    if job is None:
        return Chart(empty="The learning rate will be drawn here.")
    if isinstance(job, RangeTestConfig):
        return _sweep(job)
    if job.epochs > MOST_EPOCHS:
        return Chart(empty="Too many epochs to draw the learning rate of each.")
    return _schedule(job)


def _sweep(job: RangeTestConfig) -> Chart:
    length = job.epochs if job.steps is None else float(job.steps)
    part = np.linspace(0.0, 1.0, POINTS)
    lr = job.start_lr * (job.end_lr / job.start_lr) ** part
    return Chart(
        series=(Series(part * length, lr, colour="lr"),),
        x=Axis(label="epoch" if job.steps is None else "step", lo=0.0, hi=length),
        y=Axis(log=True, lo=job.start_lr, hi=job.end_lr),
        title="learning rate of the sweep (log)",
    )


def _schedule(job: TrainConfig) -> Chart:
    epochs = job.epochs
    if job.whole_cycles:
        epochs = whole_cycle_epochs(job.policy, epochs, job.step_size_epochs)
    # The number of images is not known yet, and decay goes by the step: 100 an epoch.
    each = 100
    steps = np.unique(np.linspace(0, epochs * each - 1, 4 * POINTS).astype(int))
    lr = [
        lr_at(
            job.policy,
            int(step),
            base_lr=job.base_lr,
            max_lr=job.max_lr,
            step_size=step_size_steps(job.step_size_epochs, each),
            total_steps=epochs * each,
            gamma=job.gamma,
        )
        for step in steps
    ]
    return Chart(
        series=(Series(steps / each, np.array(lr), colour="lr"),),
        x=Axis(label="epoch", lo=0.0, hi=float(epochs)),
        y=rate_axis(np.array([*lr, job.base_lr, job.max_lr])),
        hlines=(HLine(job.base_lr, "base", "base"), HLine(job.max_lr, "max", "max")),
        title="learning rate of the training",
    )
