"""What a training that has not begun will do."""

from __future__ import annotations

import numpy as np

from clr_tui.engine.policies import whole_cycle_epochs
from clr_tui.engine.settings.config import Train
from clr_tui.engine.words import many
from clr_tui.tui.charts.chart import Axis, Chart, HLine, Series
from clr_tui.tui.kinds.train.view import rate_axis
from clr_tui.tui.text.schedule_preview import MOST_EPOCHS, TOO_MANY, schedule


def sketch(job: Train) -> Chart:
    """Its learning rate between its bounds."""
    if job.epochs > MOST_EPOCHS:
        return TOO_MANY
    epochs = job.epochs
    if job.whole_cycles:
        epochs = whole_cycle_epochs(job.policy, epochs, job.step_size_epochs)
    at, lr = schedule(job.policy, job.base_lr, job.max_lr, epochs, job)
    return Chart(
        series=(Series(at, lr, colour="lr"),),
        x=Axis(label="epoch", lo=0.0, hi=float(epochs)),
        y=rate_axis(np.array([*lr, job.base_lr, job.max_lr])),
        hlines=(HLine(job.base_lr, "base", "base"), HLine(job.max_lr, "max", "max")),
        title="learning rate of the training",
    )


def length(job: Train) -> str:
    """What it is rounded up to; empty where it is not."""
    whole = whole_cycle_epochs(job.policy, job.epochs, job.step_size_epochs)
    if whole == job.epochs:
        return ""
    ends = f"{many(job.epochs, 'epoch')} {'ends' if job.epochs == 1 else 'end'} in mid-cycle"
    if not job.whole_cycles:
        return f"{ends}, as in the run that these settings are from."
    return f"{ends}: it will run {whole}, whole cycles."
