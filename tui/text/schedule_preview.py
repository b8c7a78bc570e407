"""Preview of a job in the form: its learning rate as a chart, its length in words."""

from __future__ import annotations

import numpy as np

from clr_tui.engine.policies import lr_at, shape_of, step_size_steps
from clr_tui.engine.settings.config import Compare, Job, Policy, Train, kind_of
from clr_tui.tui.charts.chart import Chart
from clr_tui.tui.charts.scale import Floats
from clr_tui.tui.kinds.registry import KINDS

POINTS = 400
MAX_EPOCHS = 10_000
TOO_MANY = Chart(empty="Too many epochs to draw the learning rate.")
NOMINAL_STEPS = 100
"""Assumed steps per epoch, as the number of images is unknown and rates decay per step."""


def schedule_chart(job: Job | None) -> Chart:
    """Draw the learning rate of a valid `job` over its length."""
    if job is None:
        return Chart(empty="The learning rate will appear here.")
    return KINDS[kind_of(job)].load_display().sketch(job)


def length_in_words(job: Job | None) -> str:
    """Describe the length of a valid job, if that is more than its field shows."""
    return KINDS[kind_of(job)].load_display().length(job) if job is not None else ""


def schedule(
    policy: Policy, base_lr: float, max_lr: float, epochs: int, job: Train | Compare
) -> tuple[Floats, Floats]:
    """Sample a schedule: its points in epochs and its rates there, both of shape (n,)."""
    steps = np.unique(np.linspace(0, epochs * NOMINAL_STEPS - 1, 4 * POINTS).astype(int))
    rates = [
        lr_at(
            policy,
            int(step),
            base_lr=base_lr,
            max_lr=max_lr,
            step_size=step_size_steps(job.step_size_epochs, NOMINAL_STEPS),
            total_steps=epochs * NOMINAL_STEPS,
            **shape_of(job),
        )
        for step in steps
    ]
    return steps / NOMINAL_STEPS, np.array(rates)
