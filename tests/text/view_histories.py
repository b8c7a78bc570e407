"""Histories made by hand, without files."""

from __future__ import annotations

import numpy as np

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.log import events as ev
from clr_tui.engine.settings.config import RangeTest, RunConfig, Train
from clr_tui.tui.text.lines import Line

STEPS = 140
PER_EPOCH = 70


def run_config(**changes) -> RunConfig:
    return RunConfig(id="r-1", created=0.0, version="0.1.0", **changes)


def sweep_rates(steps: int = STEPS) -> np.ndarray:
    return 1e-7 * 1e7 ** (np.arange(steps) / STEPS)


def sweep_history(loss=None, *, until: int = STEPS, seeds: int = 1, done: bool = True):
    """A range test; `loss` is a function of rates, by default one with its minimum at 3e-2."""
    history = RunHistory(run_config(job=RangeTest(seeds=seeds)))
    history.apply(ev.RunStarted(run="r-1", kind="range-test"))
    for trial in range(seeds):
        add_sweep(history, loss or valley, trial=trial, until=until)
        if done:
            history.apply(ev.TrialFinished(trial=trial, outcome="done", step=until))
    if done:
        history.apply(ev.RunFinished(outcome="done", time=20.0))
    return history


def add_sweep(history: RunHistory, loss, *, trial: int = 0, until: int = STEPS) -> None:
    history.apply(
        ev.TrialStarted(trial=trial, seed=trial + 7, total_steps=STEPS, steps_per_epoch=PER_EPOCH)
    )
    rates = sweep_rates()[:until]
    values = loss(rates) + 0.002 * trial
    history.apply(
        ev.Steps(
            trial=trial,
            step=list(range(until)),
            lr=rates.tolist(),
            loss=[float(v) if np.isfinite(v) else None for v in values],
            elapsed=until / 10,
            samples_per_second=640.0,
            eta_seconds=(STEPS - until) / 10,
        )
    )


def valley(rates: np.ndarray) -> np.ndarray:
    x = np.log10(rates)
    falling = 2.3 - 0.9 / (1 + np.exp(-3 * (x + 3.0)))
    return falling + 4 * np.maximum(x + 1.5, 0) ** 2


def train_history(config: Train, *, until: int, total: int, per_epoch: int) -> RunHistory:
    """A training whose accuracy rises by a point an epoch, told chunk by chunk."""
    history = RunHistory(run_config(job=config))
    history.apply(ev.RunStarted(run="r-1", kind="train"))
    history.apply(ev.TrialStarted(trial=0, seed=0, total_steps=total, steps_per_epoch=per_epoch))
    for step in range(until):
        history.apply(
            ev.Steps(trial=0, step=[step], lr=[1e-3], loss=[2.0 - step / total], elapsed=step + 1)
        )
        if (step + 1) % per_epoch == 0:
            add_epoch(history, (step + 1) // per_epoch, step + 1)
    return history


def add_epoch(history: RunHistory, epoch: int, step: int) -> None:
    accuracy = 0.5 + epoch / 100
    history.apply(
        ev.Evaluated(
            trial=0,
            step=step,
            part="validation",
            loss=1.0,
            metrics={"accuracy": accuracy},
            epoch=epoch,
        )
    )
    history.apply(
        ev.EpochFinished(
            trial=0,
            epoch=epoch,
            step=step,
            train_loss=1.1,
            train_metrics={"accuracy": accuracy - 0.05},
            seconds=1.0,
            best_epoch=epoch,
            best_value=accuracy,
        )
    )


def text_of(line: Line) -> str:
    """A panel's line without its roles."""
    return "".join(text for text, _ in line)
