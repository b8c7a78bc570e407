"""Histories made from plain numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.log import events as ev
from clr_tui.engine.settings.config import RangeTest, RunConfig

REFERENCE = Path(__file__).parents[2].parent / "shared" / "reference" / "lr_find_cnn.csv"


def rates(steps: int, start: float = 1e-7, end: float = 1.0) -> np.ndarray:
    """The sweep of the range test: step i of N at start * (end / start)^(i / N)."""
    return start * (end / start) ** (np.arange(steps) / steps)


def sweep_history(
    *losses,
    start: float = 1e-7,
    end: float = 1.0,
    steps: int | None = None,
    diverged: bool = False,
    finished: str | None = "done",
    outcome: str | None = "done",
    evaluations=(),
) -> RunHistory:
    """A range test with one sweep for each of `losses`; shorter than `steps` if it ended early."""
    total = steps or max(len(x) for x in losses)
    config = RunConfig(
        id="range-test-made-1",
        created=0.0,
        version="test",
        job=RangeTest(start_lr=start, end_lr=end, seeds=len(losses)),
    )
    history = RunHistory(config)
    history.apply(ev.RunStarted(run=config.id, kind="range-test"))
    for trial, loss in enumerate(losses):
        lr = rates(total, start, end)[: len(loss)]
        history.apply(
            ev.TrialStarted(trial=trial, seed=trial, total_steps=total, steps_per_epoch=54)
        )
        values = [float(v) if np.isfinite(v) else None for v in loss]
        for i in range(0, len(loss), 7):
            part = slice(i, i + 7)
            step = list(range(len(loss)))[part]
            history.apply(
                ev.Steps(
                    trial=trial,
                    step=step,
                    lr=lr.tolist()[part],
                    loss=values[part],
                    elapsed=0.1 * (step[-1] + 1),
                )
            )
        if None in values:
            at = values.index(None)
            history.apply(ev.NonFinite(trial=trial, step=at, lr=lr[at]))
        if diverged:
            history.apply(
                ev.Diverged(trial=trial, step=len(loss) - 1, lr=lr[-1], reason="passed 4x its best")
            )
        if outcome:
            history.apply(ev.TrialFinished(trial=trial, outcome=outcome, step=len(loss)))
    for event in evaluations:
        history.apply(event)
    if finished:
        history.apply(ev.RunFinished(outcome=finished))
    return history


def valley_shape(lr: np.ndarray, best: float = 3e-2, top: float = 1.6, low: float = 1.2):
    """A curve as sweeps have it: level, falling towards `best`, and rising steeply beyond."""
    decades = np.log10(lr / best)
    fall = np.clip(1 + decades / 3, 0, 1)  # over the three decades before the best rate
    rise = np.clip(decades, 0, None) * 1.5
    return top - (top - low) * fall + rise
