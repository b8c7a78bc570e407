"""Builds the report on a comparison."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from clr_tui.engine.analysis.arrays import Floats, finite_or_none
from clr_tui.engine.analysis.comparison.comparison_results import (
    CompareReport,
    EntryReport,
    Spread,
    ToTarget,
    TrialReport,
)
from clr_tui.engine.analysis.comparison.comparison_verdict import headline, verdict
from clr_tui.engine.analysis.comparison.pairs import compare_pairs, step_of
from clr_tui.engine.analysis.comparison.ranks import comparable, ranked
from clr_tui.engine.analysis.comparison.remarks import remarks
from clr_tui.engine.analysis.comparison.seed_curves import (
    EntryCurves,
    SeedCurve,
    are_tested,
    entry_curves,
    final_value,
    of_run_that_is_over,
    planned_epochs,
)
from clr_tui.engine.analysis.comparison.sensitivity import sensitivity_of
from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.report import common_fields
from clr_tui.engine.analysis.statistics import t_interval
from clr_tui.engine.metrics import Metric
from clr_tui.engine.policies import phase
from clr_tui.engine.settings.config import Compare


def compare_report(
    history: RunHistory, *, target: float | None = None, live: bool = True
) -> CompareReport:
    """Reports on a comparison so far.

    Ranks and pairs include only entries whose trials have all ended: pending trials could change
    them.

    Args:
        target: a value of the primary metric; None for that of the configuration. If it has none,
            the default once all trials have ended is one that about half of the entries reach:
            the median of their last means on validation, rounded to a worse value (shares to 5
            points).
        live: as for `report_of`.
    """
    config = history.config.asked(Compare)
    if target is None:
        target = config.target
    curves = entry_curves(history)
    if not live and history.finished is None:
        curves = tuple(replace(e, trials=tuple(map(of_run_that_is_over, e.trials))) for e in curves)
    metric = history.primary
    if target is None:
        target = _default_target(curves, metric)
    tested = are_tested(history, curves)
    made = [_entry(e, config, metric, target=target, tested=tested) for e in curves]
    samples = [
        (e.label, dict(zip(e.seeds, e.result.values, strict=True)))
        for e in comparable(made, metric)
    ]
    step = step_of(metric, history.task, tested=tested)
    pairs = compare_pairs(samples, metric=metric, paired_seeds=config.paired, step=step)
    states = [t.state for e in curves for t in e.trials]
    common = common_fields(history, live)
    goes_on = common["status"] in ("running", "paused")
    report = CompareReport(
        **common,
        steps=sum(len(t) for t in history.trials.values()),
        diverged=any(e.diverged for e in made),  # sweeps are meant to
        measure=f"{'test' if tested else 'validation'} {metric.name}, last epoch",
        samples=history.task.samples if history.task else "samples",
        epochs=planned_epochs(config),
        seeds=config.seeds,
        paired=config.paired,
        target=target,
        trials_total=len(states),
        trials_done=states.count("done"),
        trials_failed=states.count("failed"),
        trials_stopped=states.count("stopped"),
        left=history.overall.eta_seconds if history.overall and goes_on else None,
        entries=ranked(made, pairs, metric),
        pairs=pairs,
        sensitivity=sensitivity_of(history, live=live),
        verdict="",
        remarks=[],
    )
    return replace(report, verdict=verdict(report), remarks=remarks(report))


def compare_headline(history: RunHistory) -> str:
    """Who leads, and who cannot be distinguished from the leader."""
    return headline(compare_report(history))


def _default_target(curves: Sequence[EntryCurves], metric: Metric) -> float | None:
    """See `compare_report`; None if a trial is pending or nothing was learned."""
    if any(t.state in ("waiting", "running") for e in curves for t in e.trials):
        return None
    lasts = [
        [t.values(metric.name, "validation")[-1] for t in e.trials if len(t.epoch)] for e in curves
    ]
    means = [mean for values in lasts if values and np.isfinite(mean := float(np.mean(values)))]
    median = float(np.median(means)) if means else 0.0
    target = metric.coarser(median) if median else 0.0
    return target if target and (metric.unit != "share" or 0 < target < 1) else None


def _entry(
    curves: EntryCurves, config: Compare, metric: Metric, *, target: float | None, tested: bool
) -> EntryReport:
    trials, rate = curves.trials, curves.rate
    done = [t if t.state == "done" else None for t in trials]
    ends = _phase(curves, config)

    def over_seeds(figure: Callable[[SeedCurve], float | None]) -> Spread:
        values = [figure(t) if t else None for t in done]
        return Spread(**vars(t_interval(values)), values=values)

    def best_tested(t: SeedCurve) -> float | None:
        return t.test_best.value(metric.name) if t.test_best else None

    return EntryReport(
        entry=curves.entry,
        label=curves.label,
        rank=None,
        lr=rate.lr if rate else None,
        base_lr=rate.base_lr if rate else None,
        rate_source=rate.source if rate else "",
        rate_note=rate.note if rate else "",
        tuning_steps=rate.steps if rate else 0,
        tuning_samples=rate.samples if rate else 0,
        tuning_seconds=rate.seconds if rate else 0.0,
        seeds=[t.seed for t in trials],
        trials=[_trial(t) for t in trials],
        validation_last=over_seeds(partial(final_value, metric=metric, tested=False)),
        validation_best=over_seeds(lambda t: _best(t, metric)[1]),
        best_epochs=[_best(t, metric)[0] if t else None for t in done],
        test_last=over_seeds(partial(final_value, metric=metric, tested=True)) if tested else None,
        test_best=over_seeds(best_tested) if tested else None,
        train_last=over_seeds(lambda t: _last(t.values(metric.name, "train"))),
        to_target=_to_target(trials, metric, target) if target is not None else None,
        seconds=over_seeds(lambda t: _last(t.seconds)),
        phase=ends[0],
        whole_cycles=ends[1],
    )


def _trial(t: SeedCurve) -> TrialReport:
    return TrialReport(
        trial=t.trial,
        seed=t.seed,
        state=t.state,
        reason=t.reason,
        epochs=len(t.epoch),
        total_epochs=t.total_epochs,
        seconds=_last(t.seconds),
        diverged=t.diverged,
    )


def _last(values: Floats) -> float | None:
    return finite_or_none(float(values[-1])) if len(values) else None


def _best(trial: SeedCurve, metric: Metric) -> tuple[int, float] | tuple[None, None]:
    """The best epoch on validation, the first of equals, and its value."""
    values = trial.values(metric.name, "validation")
    if not np.isfinite(values).any():
        return None, None
    at = int(np.nanargmax(metric.sign * values))
    return int(trial.epoch[at]), float(values[at])


def _to_target(trials: Sequence[SeedCurve], metric: Metric, target: float) -> ToTarget:
    """A trial that was stopped before the target might have reached it, so it does not count."""
    first = [_first(t, metric, target) for t in trials]
    epochs = [epoch for epoch, _ in first]
    seconds = [s for _, s in first]
    ended = [
        e is not None or t.state in ("done", "failed") for e, t in zip(epochs, trials, strict=True)
    ]
    return ToTarget(
        target=target,
        reached=sum(e is not None for e in epochs),
        of=sum(ended),
        epochs=epochs,
        seconds=seconds,
        mean_epoch=t_interval(epochs).mean,
        mean_seconds=t_interval(seconds).mean,
    )


def _first(
    trial: SeedCurve, metric: Metric, target: float
) -> tuple[int, float | None] | tuple[None, None]:
    values = trial.values(metric.name, "validation")
    reached = metric.sign * values >= metric.sign * target  # False for NaN
    if not reached.any():
        return None, None
    at = int(np.argmax(reached))
    return int(trial.epoch[at]), finite_or_none(float(trial.seconds[at]))


def _phase(curves: EntryCurves, config: Compare) -> tuple[str, bool]:
    """The schedule's position at the planned end, and whether that is the end of a cycle."""
    policy = config.entries[curves.entry].policy
    if policy == "constant":
        return "", True
    epochs = next((t.total_epochs for t in curves.trials if t.total_epochs), planned_epochs(config))
    # In epochs, not steps: the phase depends only on their ratio.
    end = phase(policy, epochs, step_size=config.step_size_epochs, total_steps=epochs)
    return end.words, end.complete
