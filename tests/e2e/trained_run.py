"""A training that has ended, with a curve in each of its three charts."""

from __future__ import annotations

import math
from contextlib import closing

from homes import Home

from clr_tui.engine.log import events as ev
from clr_tui.engine.log.rundir import create_run
from clr_tui.engine.log.writer import EventWriter
from clr_tui.engine.settings.config import TaskConfig, Train


def trained(home: Home) -> str:
    """Writes a training of 20 epochs; returns its id."""
    run = create_run(
        home.runs, task=TaskConfig(), job=Train(base_lr=1e-3, max_lr=0.01, epochs=20), version="0"
    )
    each, total = 50, 1000
    with closing(EventWriter(run.events_path)) as writer:
        writer.write(ev.RunStarted(run=run.id, kind="train", version="0", pid=2**30))
        writer.write(ev.TrialStarted(trial=0, seed=0, total_steps=total, steps_per_epoch=each))
        for epoch in range(1, 21):
            steps = list(range((epoch - 1) * each, epoch * each))
            losses = [2.0 * math.exp(-i / 300) + 0.05 * math.sin(1.7 * i) for i in steps]
            rates = [1e-3 + 9e-3 * abs(math.sin(i / 100)) for i in steps]
            for event in (
                ev.Steps(trial=0, step=steps, lr=rates, loss=losses, elapsed=float(epoch)),
                ev.Evaluated(
                    trial=0,
                    step=epoch * each,
                    part="validation",
                    loss=losses[-1],
                    metrics={"accuracy": 1 - math.exp(-epoch / 5)},
                    epoch=epoch,
                ),
                ev.EpochFinished(
                    trial=0,
                    epoch=epoch,
                    step=epoch * each,
                    train_loss=losses[-1],
                    train_metrics={"accuracy": 1 - math.exp(-epoch / 4)},
                    seconds=1.0,
                    best_epoch=epoch,
                    best_value=1 - math.exp(-epoch / 5),
                ),
            ):
                writer.write(event)
        writer.write(ev.RunFinished(outcome="done"))
    return run.id
