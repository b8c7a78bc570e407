"""What the program says about sweeps: every rule's rate, the verdict, the interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from made_curves import Case, rates
from points import Line

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.sweep import rules
from clr_tui.engine.analysis.sweep.curve import curve_of
from clr_tui.engine.analysis.sweep.suggest import suggestions
from clr_tui.engine.analysis.sweep.verdict import verdict
from clr_tui.engine.log import events as ev
from clr_tui.engine.settings.config import RangeTest, RunConfig


@dataclass(frozen=True)
class Said:
    """The program's words on one range test."""

    verdict: str
    recommended: float | None
    """None: it recommends nothing."""
    rule: str
    """The name of the rule that it recommends, or would."""
    rates: dict[str, float | None]
    """By rule."""
    interval: tuple[float, float] | None = None
    """For the best rate."""


def said_of(case: Case) -> Said:
    """Judges a range test as the program does: with one sweep for each of the case's losses."""
    curve = curve_of(_history(case))
    found = suggestions(curve)
    recommended = next((s for s in found if s.recommended), None)
    return Said(
        verdict=verdict(curve).kind,
        recommended=recommended.lr if recommended else None,
        rule=recommended.rule if recommended else found[0].rule,
        rates={s.rule: s.lr for s in found},
        interval=(best.low, best.high) if (best := curve.best_rate) else None,
    )


def said_of_sweeps(lines: Sequence[Line]) -> Said:
    """Judges sweeps of the study as the seeds of one range test."""
    first = lines[0]
    losses = tuple(np.array([np.nan if x is None else x for x in s["loss"]]) for s in lines)
    return said_of(
        Case(
            kind="measured",
            losses=losses,
            steps=first["steps"],
            diverged=first["diverged"],
            start=first["start_lr"],
            end=first["end_lr"],
        )
    )


def smiths(accuracies: Sequence[Line]) -> float | None:
    """Smith's max_lr by the median accuracy over seeds."""
    count = min(len(line["lr"]) for line in accuracies)
    lr = np.array(accuracies[0]["lr"][:count])
    values = np.median([line["value"][:count] for line in accuracies], axis=0)
    found = rules.smith_accuracy(lr, values, accuracies[0]["samples"])
    return found[1] if found else None


def _history(case: Case) -> RunHistory:
    job = RangeTest(start_lr=case.start, end_lr=case.end, seeds=len(case.losses))
    history = RunHistory(RunConfig(id="study", created=0.0, version="study", job=job))
    history.apply(ev.RunStarted(run="study", kind="range-test"))
    for trial, losses in enumerate(case.losses):
        lr = rates(case.steps, case.start, case.end)[: len(losses)].tolist()
        values = [float(x) if np.isfinite(x) else None for x in losses]
        history.apply(
            ev.TrialStarted(trial=trial, seed=trial, total_steps=case.steps, steps_per_epoch=50)
        )
        history.apply(ev.Steps(trial=trial, step=list(range(len(lr))), lr=lr, loss=values))
        if None in values:
            at = values.index(None)
            history.apply(ev.NonFinite(trial=trial, step=at, lr=lr[at]))
        # Of several seeds, those that ended early diverged.
        if case.diverged and (len(case.losses) == 1 or len(losses) < case.steps):
            history.apply(
                ev.Diverged(trial=trial, step=len(lr) - 1, lr=lr[-1], reason="passed 4x its best")
            )
        if case.outcome == "done":
            history.apply(ev.TrialFinished(trial=trial, outcome="done", step=len(lr)))
    history.apply(ev.RunFinished(outcome="stopped" if case.outcome == "stopped" else "done"))
    return history
