"""Finished comparisons of which nothing counts but the accuracies at their end."""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec
from comparison_logs import comparison_config

from clr_tui.engine.analysis.comparison.comparison_results import CompareReport
from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.recordings.recording import comparison_in
from clr_tui.engine.log import events as ev
from clr_tui.engine.metrics import ACCURACY
from clr_tui.engine.settings.config import RunConfig


def log_config(events: Iterable[ev.AnyEvent]) -> RunConfig:
    """What is known of a comparison that is only its log."""
    log = list(events)
    return msgspec.structs.replace(comparison_config(), job=comparison_in(log))


def with_tests(
    values: dict[str, list[float | None]], *, images: int | None = None, **compare
) -> RunHistory:
    """A finished comparison of one epoch, with these test accuracies by seed.

    None: the trial failed; NaN: it diverged. `images` is the size of the test part, which the log
    does not tell if it is None.
    """
    labels, seeds = list(values), max(map(len, values.values()))
    config = comparison_config(labels, seeds, 1)
    changed = msgspec.structs.replace(config.job, **compare)
    history = RunHistory(msgspec.structs.replace(config, job=changed))
    if images is not None:
        history.apply(_task_of(images))
    for entry, label in enumerate(labels):
        for i, value in enumerate(values[label]):
            trial = {"trial": entry * seeds + i}
            history.apply(
                ev.TrialStarted(
                    seed=i, total_steps=1, steps_per_epoch=1, label=label, entry=entry, **trial
                )
            )
            done = value is not None and not math.isnan(value)
            if done:
                at = {"step": 1, "epoch": 1, "loss": 1.0, "metrics": {"accuracy": value}}
                history.apply(ev.Evaluated(part="validation", **at, **trial))
                history.apply(
                    ev.EpochFinished(
                        epoch=1,
                        step=1,
                        train_loss=1.0,
                        train_metrics={"accuracy": value},
                        seconds=1.0,
                        best_epoch=1,
                        best_value=value,
                        **trial,
                    )
                )
                for name in ("last", "best"):
                    history.apply(ev.Evaluated(part="test", checkpoint=name, **at, **trial))
            elif value is not None:
                history.apply(ev.Diverged(step=1, lr=0.1, reason="it is not finite", **trial))
            outcome, reason = ("done", "") if done else ("failed", "it broke")
            history.apply(ev.TrialFinished(outcome=outcome, step=1, reason=reason, **trial))
    history.apply(ev.RunFinished(outcome="done"))
    return history


def _task_of(images: int) -> ev.TaskReady:
    return ev.TaskReady(
        name="made",
        model="none",
        metrics=[ACCURACY],
        train=1,
        validation=images,
        test=images,
        parameters=1,
        trainable=1,
        batch_size=1,
        steps_per_epoch=1,
    )


def entry_named(report: CompareReport, label: str):
    return next(e for e in report.entries if e.label == label)
