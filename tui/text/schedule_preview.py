"""What a job that has not begun will do: its learning rate as a chart, its length in words."""

from __future__ import annotations

import numpy as np

from clr_tui.engine.policies import lr_at, step_size_steps
from clr_tui.engine.settings.config import Compare, Job, Policy, Train, kind_of
from clr_tui.tui.charts.chart import Chart
from clr_tui.tui.charts.scale import Floats
from clr_tui.tui.kinds.registry import KINDS

POINTS = 400
MOST_EPOCHS = 10_000
TOO_MANY = Chart(empty="Too many epochs to draw the learning rate of each.")
NOMINAL_STEPS = 100
"""Steps an epoch: the number of images is not known yet, and decay goes by the step."""


def sketch(job: Job | None) -> Chart:
    """The learning rate of `job`, whose numbers are within their limits, over its length."""
    if job is None:
        return Chart(empty="The learning rate will be drawn here.")
    return KINDS[kind_of(job)].load_display().sketch(job)


def length_in_words(job: Job | None) -> str:
    """What the length of a sound job comes to, where that is more than its field says."""
    return KINDS[kind_of(job)].load_display().length(job) if job is not None else ""


def schedule(
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
