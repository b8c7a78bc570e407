"""What a range test that has not begun will do."""

from __future__ import annotations

import numpy as np

from clr_tui.engine.settings.config import RangeTest
from clr_tui.tui.charts.chart import Axis, Chart, Series
from clr_tui.tui.text.schedule_preview import POINTS


def sketch(job: RangeTest) -> Chart:
    """Its learning rate."""
    length = job.epochs if job.steps is None else float(job.steps)
    part = np.linspace(0.0, 1.0, POINTS)
    lr = job.start_lr * (job.end_lr / job.start_lr) ** part
    return Chart(
        series=(Series(part * length, lr, colour="lr"),),
        x=Axis(label="epoch" if job.steps is None else "step", lo=0.0, hi=length),
        y=Axis(log=True, lo=job.start_lr, hi=job.end_lr),
        title="learning rate of the sweep (log)",
    )


def length(_job: RangeTest) -> str:
    """Its field says it all."""
    return ""
