"""How the final metric of each optimizer depends on the learning rate: a grid of rates, judged.

A rate is judged by the same figure as an optimizer in the ranking: the primary metric after the
last epoch, on the test part if there is one. A trial that diverged or failed counts as worse than
any other, so its rate has no mean and is never the best; one that was stopped is missing.

What following a rule costs is the mean over the seeds of the difference to the best rate. The best
rate is picked by the means of these same trials, which flatters it: on average the cost is
overstated (by 0.8 standard deviations of a seed where seven rates are equally good and there are
three seeds), and a t-test would find a difference too often (in 7 % there, in 10 % with ten seeds).
Whether a cost is distinguishable is therefore judged after Bonferroni's correction for all rates
that might have come out best, one-sided since the best can only be better (O. J. Dunn, "Multiple
Comparisons Among Means", JASA 56 (1961)); but never if the t-test alone does not find it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from typing import NamedTuple

import numpy as np

from clr_tui.engine.analysis.comparison.pairs import constant_and_apart, step_of
from clr_tui.engine.analysis.comparison.seed_curves import (
    EntryCurves,
    are_tested,
    entry_curves,
    final_value,
    of_run_that_is_over,
)
from clr_tui.engine.analysis.comparison.sensitivity_results import (
    AdviceCost,
    OptimizerSensitivity,
    PointState,
    RatePoint,
    Sensitivity,
)
from clr_tui.engine.analysis.comparison.sensitivity_words import (
    best_words,
    cost_words,
    outside_words,
    sensitivity_words,
    unknown_words,
)
from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.statistics import (
    ALPHA,
    TTest,
    paired,
    pooled_half_width,
    t_interval,
)
from clr_tui.engine.metrics import Metric
from clr_tui.engine.settings.config import Compare
from clr_tui.engine.settings.rate_grid import OnGrid, on_grid

ONE_POINT = 0.01
"""Of a share, or relative to the best mean of another metric."""
_ALIKE = 2.0
"""Points below the best mean within which seeds differ as they do at the best rate: see
`_uncertainty`."""
_ROUNDED = 0.01
"""Decades, at most, that rounding the rates of a grid adds to a plateau: neighbours are farther
apart."""


def sensitivity_of(history: RunHistory, *, live: bool = True) -> Sensitivity | None:
    """The sensitivity so far; None if the comparison has no grid. `live` as for `report_of`."""
    return history.cached(_sensitivity, live)


def _sensitivity(history: RunHistory, live: bool) -> Sensitivity | None:
    job = history.config.asked(Compare)
    groups = on_grid(job)
    if not groups:
        return None
    curves = entry_curves(history)
    if not live and history.finished is None:
        curves = tuple(replace(e, trials=tuple(map(of_run_that_is_over, e.trials))) for e in curves)
    metric, tested = history.primary, are_tested(history, curves)
    made = [_Points.of(history, curves, group, tested=tested) for group in groups]
    tolerance = _tolerance(metric, made)
    optimizers = tuple(_optimizer(job, one, metric, tolerance) for one in made)
    found = Sensitivity(
        grid=str(job.rates),
        metric=metric,
        measure=f"{'test' if tested else 'validation'} {metric.name}, last epoch",
        tolerance=tolerance,
        optimizers=optimizers,
        forgiving=_forgiving(made, optimizers, metric, tolerance),
        words=(),
    )
    return replace(found, words=sensitivity_words(found))


class _Points(NamedTuple):
    """The rates of one optimizer."""

    group: OnGrid
    points: tuple[RatePoint, ...]
    levels: Mapping[float, float]
    """By rate: the mean over the seeds that all rates have, of those that may be the best."""
    best: RatePoint | None
    own_rate: bool
    step: float
    """Between possible values: see `step_of`."""

    @classmethod
    def of(
        cls, history: RunHistory, curves: Sequence[EntryCurves], group: OnGrid, *, tested: bool
    ) -> _Points:
        job, metric = history.config.asked(Compare), history.primary
        points = tuple(
            _point(
                curves[number],
                job.entries[number].lr or math.nan,
                metric,
                tested=tested,
                ended=number in history.ended_early,
            )
            for number in group.entries
        )
        sound = [p for p in points if p.mean is not None and p.state != "ended early"]
        levels = _levels(sound)
        step = step_of(metric, history.task, tested=tested)
        best = _best(points, levels, metric)
        return cls(group, points, levels, best, _finds_own_rate(history, group), step)

    def without(self, seed: int, metric: Metric) -> _Points:
        """What levels and the best would be without a seed."""
        levels = _levels([p for p in self.points if p.lr in self.levels], without=seed)
        return self._replace(levels=levels, best=_best(self.points, levels, metric))


def _levels(sound: Sequence[RatePoint], without: int | None = None) -> dict[float, float]:
    """See `_Points.levels`; a rate that has no other seed is left out."""
    shared = set.intersection(*(set(p.values) for p in sound)) if sound else set()
    seeds = {p.lr: (shared or set(p.values)) - {without} for p in sound}
    return {p.lr: fmean(p.values[s] for s in seeds[p.lr]) for p in sound if seeds[p.lr]}


def _best(
    points: Sequence[RatePoint], levels: Mapping[float, float], metric: Metric
) -> RatePoint | None:
    known = [point for point in points if point.lr in levels]
    return max(known, key=lambda p: metric.sign * levels[p.lr], default=None)


def _point(
    curves: EntryCurves, lr: float, metric: Metric, *, tested: bool, ended: bool
) -> RatePoint:
    trials = curves.trials
    final = {t.seed: final_value(t, metric, tested=tested) for t in trials if t.state == "done"}
    values = {seed: value for seed, value in final.items() if value is not None}
    diverged = sum(t.diverged for t in trials if t.state == "failed") + len(final) - len(values)
    failed = sum(t.state == "failed" and not t.diverged for t in trials)
    lost = diverged + failed
    over = t_interval([] if lost else list(values.values()))
    half = over.half_width
    spread = (
        (None, None) if over.mean is None or half is None else (over.mean - half, over.mean + half)
    )
    states = {t.state for t in trials}
    state: PointState = "done"
    if lost:
        state = "diverged" if diverged else "failed"
    elif ended:
        state = "ended early"
    elif "running" in states or states >= {"waiting", "done"}:
        state = "running"
    elif "waiting" in states:
        state = "waiting"
    elif states != {"done"}:
        state = "stopped"
    return RatePoint(
        entry=curves.entry,
        lr=lr,
        values=values,
        mean=over.mean,
        low=spread[0],
        high=spread[1],
        seeds=len(trials),
        lost=lost,
        state=state,
    )


def _finds_own_rate(history: RunHistory, group: OnGrid) -> bool:
    trials = [t for t in history.trials.values() if t.entry in group.entries and len(t)]
    return any(np.isfinite(trial.effective_lr[-1]) for trial in trials)


def _tolerance(metric: Metric, made: Sequence[_Points]) -> float:
    """See `Sensitivity.tolerance`: one for all, lest noise make an optimizer look forgiving."""
    bests = [one.best.mean for one in made if one.best is not None and one.best.mean is not None]
    leading = max((metric.sign * mean for mean in bests), default=0.0)
    point = ONE_POINT if metric.unit == "share" else ONE_POINT * abs(leading)
    return max([point, *(_uncertainty(one, metric, _ALIKE * point) for one in made)])


def _uncertainty(found: _Points, metric: Metric, alike: float) -> float:
    """Half the 95% interval of the best mean, by the spread of seeds at all rates `alike`.

    The seeds of the best rate alone say little of that, and often agree by chance, which is part of
    why it is the best: in the study (docs/advice.md) their standard deviation is 0.4 points, that
    of seeds at other rates within two points of it 0.7, and at worse ones up to 40. 0 if nothing is
    known.
    """
    if found.best is None:
        return 0.0
    least = metric.sign * found.levels[found.best.lr] - alike
    near = [p for p in found.points if metric.sign * found.levels.get(p.lr, math.nan) >= least]
    half = pooled_half_width([[*p.values.values()] for p in near], len(found.best.values))
    return half or 0.0


def _optimizer(
    job: Compare, found: _Points, metric: Metric, tolerance: float
) -> OptimizerSensitivity:
    pending = any(point.pending for point in found.points)
    swept = found.group.asked.optimizer == job.swept
    return OptimizerSensitivity(
        label=found.group.asked.label,
        points=found.points,
        best=found.best,
        plateau=None if pending else _plateau(found, metric, tolerance),
        costs=tuple(_costs(job, found, metric)) if swept else (),
        flattered=_flattered(found, metric),
        own_rate=found.own_rate,
    )


def _flattered(found: _Points, metric: Metric) -> float | None:
    """See `OptimizerSensitivity.flattered`; never below 0."""
    points = [point for point in found.points if point.lr in found.levels]
    seeds = sorted(set.intersection(*(set(p.values) for p in points))) if points else []
    if len(points) < 2 or len(seeds) < 2:
        return None
    values = metric.sign * np.array([[p.values[seed] for seed in seeds] for p in points])
    best_by_others = np.argmax(values.sum(axis=1, keepdims=True) - values, axis=0)
    fair = values[best_by_others, np.arange(len(seeds))].mean()
    best = float(values.mean(axis=1).max())
    return 0.0 if best - fair <= 1e-12 * abs(best) else best - float(fair)  # else it is rounding


def _plateau(found: _Points, metric: Metric, tolerance: float) -> tuple[float, float] | None:
    if found.best is None:
        return None
    rates = [point.lr for point in found.points]
    worst = metric.sign * found.levels[found.best.lr] - tolerance
    slack = 1e-12 * abs(worst)  # 0.67 - 0.66 is a little more than 0.01
    within = [
        lr in found.levels and metric.sign * found.levels[lr] >= worst - slack for lr in rates
    ]
    low = high = rates.index(found.best.lr)
    while low > 0 and within[low - 1]:
        low -= 1
    while high + 1 < len(rates) and within[high + 1]:
        high += 1
    return rates[low], rates[high]


def _forgiving(
    made: Sequence[_Points],
    optimizers: Sequence[OptimizerSensitivity],
    metric: Metric,
    tolerance: float,
) -> str | None:
    """The widest plateau, if it is so whichever seed is left out; None if one is not known yet.

    Of two optimizers that are alike, one has the wider plateau in half of all comparisons, but
    only in a sixth whichever seed is left out.
    """
    if any(one.pending for one in optimizers):
        return None
    rivals = [
        found
        for found, one in zip(made, optimizers, strict=True)
        if one.plateau is not None and not one.own_rate
    ]
    seeds = sorted({seed for found in rivals for p in found.points for seed in p.values})
    drawn = [rivals, *([found.without(seed, metric) for found in rivals] for seed in seeds)]
    widest = {_widest(these, metric, tolerance) for these in drawn}
    return widest.pop() if len(widest) == 1 else None


def _widest(made: Sequence[_Points], metric: Metric, tolerance: float) -> str | None:
    """The label of the widest plateau; None if several are as wide, or one is alone or unknown."""
    widths = []
    for found in made:
        plateau = _plateau(found, metric, tolerance)
        if plateau is None:
            return None
        widths.append((math.log10(plateau[1] / plateau[0]), found.group.asked.label))
    widths.sort(reverse=True)
    if len(widths) < 2 or math.isclose(widths[0][0], widths[1][0], abs_tol=_ROUNDED):
        return None
    return widths[0][1]


def _costs(job: Compare, found: _Points, metric: Metric) -> list[AdviceCost]:
    rates = [point.lr for point in found.points]
    half_step = math.log(rates[-1] / rates[0]) / (len(rates) - 1) / 2
    costs = []
    for rule, lr in sorted(job.advice.items(), key=lambda item: item[0] != job.advised):
        at = min(found.points, key=lambda point: abs(math.log(point.lr / lr)))
        inside = abs(math.log(at.lr / lr)) <= 1.01 * half_step  # the rates are rounded
        costs.append(
            _cost(rule, lr, at, found, metric) if inside else _outside(rule, lr, at, rates)
        )
    return costs


def _outside(rule: str, lr: float, at: RatePoint, rates: Sequence[float]) -> AdviceCost:
    words = outside_words(lr, rates[0], rates[-1])
    return AdviceCost(rule, lr, at.lr, None, None, None, words)


def _cost(rule: str, lr: float, at: RatePoint, found: _Points, metric: Metric) -> AdviceCost:
    best, others = found.best, len(found.levels) - 1
    if best is None or at.lr not in found.levels:
        return AdviceCost(rule, lr, at.lr, None, None, None, unknown_words(at, best, metric))
    if at == best:
        words = best_words(at, *_next_best(found, metric), metric)
        return AdviceCost(rule, lr, at.lr, 0.0, None, None, words)
    test = _worse(at, best, metric)
    differ = _distinguishable(test, others, found.step)
    words = cost_words(at, best, test, differ, others, metric)
    return AdviceCost(rule, lr, at.lr, test.difference, test.half_width, differ, words)


def _worse(at: RatePoint, best: RatePoint, metric: Metric) -> TTest:
    """By how much `at` is worse than the best, over the seeds that both have."""
    seeds = [seed for seed in best.values if seed in at.values]
    return paired(
        [metric.sign * best.values[seed] for seed in seeds],
        [metric.sign * at.values[seed] for seed in seeds],
    )


def _next_best(found: _Points, metric: Metric) -> tuple[RatePoint | None, TTest | None]:
    """The rate with the second best mean, and by how much it is worse than the best."""
    best = found.best
    others = [p for p in found.points if p.lr in found.levels and p != best]
    if best is None or not others:
        return None, None
    following = max(others, key=lambda p: metric.sign * found.levels[p.lr])
    return following, _worse(following, best, metric)


def _distinguishable(test: TTest, others: int, step: float) -> bool | None:
    """After correction for the `others` that might have come out best: see the module.

    None if there is no test.
    """
    if test.p is not None:
        return test.p * max(1.0, others / 2) < ALPHA
    return constant_and_apart(test, step) or None
