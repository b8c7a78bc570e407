"""Comparisons over a grid of rates on disk, at a point of their life, as a worker writes them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
from run_logs import START, Log

from clr_tui.engine.log import events as ev
from clr_tui.engine.log.rundir import create_run
from clr_tui.engine.metrics import ACCURACY, LOSS, Metric
from clr_tui.engine.settings.config import Compare, EntryConfig, OptimizerConfig, TaskConfig
from clr_tui.engine.settings.entries import parse_entries
from clr_tui.engine.settings.rate_grid import at_each_rate

ONE = ("sgd(momentum=0.9)+clr",)
TWO = ("sgd(momentum=0.9)+clr", "adam")
GRID = "grid:2.8e-4..2.8e-2x7"
ADVICE = {"minimum/10": 2.8e-3, "steepest": 9e-4, "valley": 6e-4, "slide": 7e-4}
SEEDS, EPOCHS, STEPS = 3, 8, 10
BEST = {"sgd": 5e-3, "adam": 1.3e-3}
"""Where the accuracy is highest, by optimizer."""
LIMIT = {"sgd": 2e-2, "adam": 1e-2}
"""Above this rate a training diverges."""


def grid_log(
    folder: Path,
    optimizers: Sequence[str] = ONE,
    *,
    done: int | None = None,
    running: int = 0,
    metric: Metric = ACCURACY,
    advised: bool = True,
    loses: Sequence[int] = (),
) -> Log:
    """A comparison at each rate of a grid around the advice of a range test.

    Args:
        folder: where its folder of runs is.
        optimizers: the entries as they were asked for.
        done: how many trials have ended, in the order of seeds; None: all, and so has the run.
        running: how many more stand at half their length.
        metric: the primary one; lower is better for the loss.
        advised: whether a range test gave the grid.
        loses: numbers of entries that are ended early, after half of their first trial.
    """
    job = Compare(entries=parse_entries(",".join(optimizers)), rates=GRID, epochs=EPOCHS)
    if advised:
        swept = OptimizerConfig(momentum=0.9)
        changes = {"advice": ADVICE, "advised": "minimum/10", "swept": swept}
        job = msgspec.structs.replace(job, **changes, swept_in="range-test-flowers-1")
    job = at_each_rate(job)
    task = TaskConfig(data="/data/flowers", image_size=32)
    run = create_run(folder / "runs", task=task, job=job, version="0.1.0")
    made = msgspec.structs.replace(run.config(), created=START)
    run.config_path.write_bytes(msgspec.json.encode(made))
    log = Log(run)
    log.tell(*_opening(run.id, job, metric))
    order = [(entry, i) for i in range(SEEDS) for entry in range(len(job.entries))]
    ended = len(order) if done is None else done
    for number, (entry, i) in enumerate(order[: ended + running]):
        if entry not in loses or not i:
            under_way = number >= ended
            log.tell(*_trial(job, entry, i, metric, under_way=under_way, loses=entry in loses))
    if done is None:
        log.tell(ev.RunFinished(outcome="done"))
    return log


def _opening(run: str, job: Compare, metric: Metric) -> Iterator[ev.Event]:
    yield ev.RunStarted(run=run, kind="compare", version="0.1.0", pid=1)
    yield ev.DeviceChosen(device="cpu", name="2 CPU threads", torch="2.6.0")
    yield ev.TaskReady(
        name="flowers",
        model="cnn",
        metrics=[] if metric == LOSS else [metric],
        samples="images",
        train=640,
        validation=430,
        test=430,
        parameters=620_000,
        trainable=620_000,
        batch_size=64,
        steps_per_epoch=STEPS,
    )
    yield ev.PoolReady(jobs=2, threads=1, devices=["cpu"], reason="2 cores")
    for number, entry in enumerate(job.entries):
        assert entry.lr is not None
        base = None if entry.policy == "constant" else entry.lr / 6
        yield ev.RateChosen(entry=number, lr=entry.lr, base_lr=base, source="given")


def _trial(
    job: Compare, entry: int, seed: int, metric: Metric, *, under_way: bool, loses: bool
) -> Iterator[ev.Event]:
    asked, trial = job.entries[entry], job.trial_number(entry, seed)
    assert asked.lr is not None
    diverges = asked.lr > LIMIT[asked.optimizer.name]
    until = EPOCHS // 2 if under_way or diverges or loses else EPOCHS
    yield ev.TrialStarted(
        trial=trial,
        seed=seed,
        label=asked.label,
        entry=entry,
        total_steps=EPOCHS * STEPS,
        steps_per_epoch=STEPS,
    )
    values = _values(asked, seed, metric)
    for epoch in range(1, until + 1):
        yield from _epoch(trial, epoch, float(values[epoch - 1]), asked.lr, metric)
    step = until * STEPS
    if under_way:
        return
    if loses:
        yield ev.EntryEnded(entry=entry, epoch=until, reason="it is behind the others")
        yield ev.TrialFinished(trial=trial, outcome="stopped", step=step, reason="ended early")
    elif diverges:
        reason = f"the loss is not finite at step {step}"
        yield ev.Diverged(trial=trial, step=step, lr=asked.lr, reason=reason)
        yield ev.TrialFinished(trial=trial, outcome="failed", step=step, reason=reason)
    else:
        for checkpoint in ("last", "best"):
            measured = _measured(float(values[-1]), metric)
            yield ev.Evaluated(
                trial=trial, step=step, part="test", epoch=EPOCHS, checkpoint=checkpoint, **measured
            )
        yield ev.TrialFinished(trial=trial, outcome="done", step=step)


def _epoch(trial: int, epoch: int, value: float, lr: float, metric: Metric) -> Iterator[ev.Event]:
    steps = range((epoch - 1) * STEPS, epoch * STEPS)
    measured = _measured(value, metric)
    yield ev.Steps(
        trial=trial, step=[*steps], lr=[lr] * STEPS, loss=[1.0] * STEPS, elapsed=2.0 * epoch
    )
    yield ev.Evaluated(trial=trial, step=epoch * STEPS, part="validation", epoch=epoch, **measured)
    yield ev.EpochFinished(
        trial=trial,
        epoch=epoch,
        step=epoch * STEPS,
        train_loss=measured["loss"],
        train_metrics=measured["metrics"],
        seconds=2.0,
        best_epoch=epoch,
        best_value=value,
    )


def _measured(value: float, metric: Metric) -> dict:
    loss = value if metric == LOSS else 1.6 * (1 - value)
    return {"loss": loss, "metrics": {} if metric == LOSS else {metric.name: value}}


def _values(entry: EntryConfig, seed: int, metric: Metric) -> np.ndarray:
    """By epoch; three seeds differ by a point or two."""
    assert entry.lr is not None
    name = entry.optimizer.name
    away = math.log10(entry.lr / BEST[name])
    noise = np.random.default_rng([seed, round(1e6 * entry.lr)]).normal(0, 0.008, EPOCHS)
    rise = 1 - np.exp(-0.6 * np.arange(1, EPOCHS + 1))
    share = np.round((0.68 - 0.12 * away**2) * rise + noise, 3)
    return 1.6 * (1 - share) if metric == LOSS else share
