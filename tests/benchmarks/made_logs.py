"""Makes long logs as a worker would write them."""

from __future__ import annotations

import math
from pathlib import Path

from clr_tui.engine.log import events as ev
from clr_tui.engine.log.rundir import RunDir, create_run
from clr_tui.engine.log.writer import EventWriter
from clr_tui.engine.policies import lr_at
from clr_tui.engine.settings.config import Compare, TaskConfig
from clr_tui.engine.settings.entries import article_entries

SECONDS_A_LINE = 0.25


class _Clock:
    """Advances by the time of one line per call."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        self.now += SECONDS_A_LINE
        return self.now


def sweep_log(path: Path, steps: int, each: int = 500) -> Path:
    """Makes a range test with losses and rates of as many digits as real ones."""
    writer = EventWriter(path, _Clock())
    writer.write(ev.RunStarted(run="bench", kind="range-test"))
    writer.write(ev.TrialStarted(trial=0, seed=0, total_steps=steps, steps_per_epoch=1000))
    for start in range(0, steps, each):
        step = list(range(start, min(start + each, steps)))
        lr = [1e-7 * 1e7 ** (i / steps) for i in step]
        loss: list[float | None] = [1.6 + math.sin(i) / 7 for i in step]
        writer.write(ev.Steps(trial=0, step=step, lr=lr, loss=loss))
    writer.write(ev.TrialFinished(trial=0, outcome="done", step=steps))
    writer.write(ev.RunFinished(outcome="done"))
    writer.close()
    return path


def comparison_run(runs: Path, seeds: int = 3, epochs: int = 150, per_epoch: int = 54) -> RunDir:
    """Makes a comparison of the article's six optimizers, one line per six steps."""
    entries = article_entries()
    run = create_run(
        runs,
        task=TaskConfig(image_size=32),
        job=Compare(entries=entries, seeds=seeds, epochs=epochs, whole_cycles=False),
        version="0",
    )
    writer = EventWriter(run.events_path, _Clock())
    writer.write(ev.RunStarted(run=run.id, kind="compare"))
    writer.write(ev.PoolReady(jobs=2, threads=1, devices=["cpu"], reason="2 cores"))
    for number in range(len(entries)):
        writer.write(ev.RateChosen(entry=number, lr=1e-3, source="default"))
    for number, entry in enumerate(entries):
        for i in range(seeds):
            trial = number * seeds + i
            writer.write(
                ev.TrialStarted(
                    trial=trial,
                    seed=i,
                    total_steps=epochs * per_epoch,
                    steps_per_epoch=per_epoch,
                    label=entry.label,
                    entry=number,
                )
            )
            for epoch in range(1, epochs + 1):
                _epoch(writer, trial, number, epoch, per_epoch)
            last = epochs * per_epoch
            for of in ("last", "best"):
                writer.write(
                    ev.Evaluated(
                        trial=trial,
                        step=last,
                        part="test",
                        loss=0.6,
                        metrics={"accuracy": _accuracy(trial, epochs)},
                        epoch=epochs,
                        checkpoint=of,
                    )
                )
            writer.write(ev.TrialFinished(trial=trial, outcome="done", step=last))
    writer.write(ev.RunFinished(outcome="done"))
    writer.close()
    return run


def _epoch(writer: EventWriter, trial: int, entry: int, epoch: int, per_epoch: int) -> None:
    begin = (epoch - 1) * per_epoch
    for start in range(begin, begin + per_epoch, 6):
        steps = list(range(start, min(start + 6, begin + per_epoch)))
        fall = [1.6 / (1 + i / 2000) + math.sin(i * (trial + 1)) / 11 for i in steps]
        writer.write(
            ev.Steps(
                trial=trial,
                step=steps,
                lr=[
                    lr_at(
                        "triangular",
                        i,
                        base_lr=6e-4,
                        max_lr=3.6e-3,
                        step_size=4.0 * per_epoch,
                        total_steps=150 * per_epoch,
                    )
                    for i in steps
                ],
                loss=list(fall),
                metrics={"accuracy": [1 - loss / 2 for loss in fall]},
                elapsed=start * 0.043,
                samples_per_second=1490.0,
                eta_seconds=100.0,
            )
        )
    accuracy = _accuracy(trial, epoch)
    end = epoch * per_epoch
    writer.write(
        ev.Evaluated(
            trial=trial,
            step=end,
            part="validation",
            loss=1.1,
            metrics={"accuracy": accuracy},
            epoch=epoch,
        )
    )
    writer.write(
        ev.EpochFinished(
            trial=trial,
            epoch=epoch,
            step=end,
            train_loss=0.9,
            train_metrics={"accuracy": accuracy},
            seconds=2.4,
            best_epoch=epoch,
            best_value=accuracy,
        )
    )


def _accuracy(trial: int, epoch: int) -> float:
    return 0.8 - 0.02 * (trial // 3) - 0.5 / (1 + epoch / 8) + math.sin(epoch + trial) / 90
