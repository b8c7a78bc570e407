"""The sensitivity of optimizers to the learning rate in words."""

from __future__ import annotations

from collections.abc import Iterator

from clr_tui.engine.analysis.comparison.sensitivity_results import (
    OptimizerSensitivity,
    RatePoint,
    Sensitivity,
)
from clr_tui.engine.analysis.statistics import ALPHA, TTest
from clr_tui.engine.metrics import Metric
from clr_tui.engine.words import listed, lr_str, many

_ROUNDING = 1e-12
"""Values with a smaller relative difference differ by rounding only."""


def cost_words(
    at: RatePoint,
    best: RatePoint,
    test: TTest,
    distinguishable: bool | None,
    others: int,
    metric: Metric,
) -> str:
    """What a rule costs: "at 2.8e-3 67.2 %, best 67.8 % at 6e-3: 0.6 ± 0.9 points lost; ..."."""
    places = f"{_mean(at, metric)}, best {_value(best, metric)} at {lr_str(best.lr)}"
    if test.difference is None:
        return f"{places}: {test.note}"
    lost = _lost_words(test.difference, test.half_width, metric)
    if distinguishable is None:
        return f"{places}: {lost}; {test.note}"
    verdict = "distinguishable" if distinguishable else "not distinguishable"
    if not distinguishable and test.p is not None and test.p < ALPHA:
        verdict += f", corrected for the best of {others} others"
    return f"{places}: {lost}; {verdict}"


def best_words(
    at: RatePoint, following: RatePoint | None, test: TTest | None, metric: Metric
) -> str:
    """A rule at the best rate: "at 6e-3 67.8 %, the best of the grid, 0.6 ± 0.9 points ahead of".

    Args:
        following: the second best rate, if there is one.
        test: of the difference between the two.
    """
    words = f"{_mean(at, metric)}, the best of the grid"
    if following is None or test is None or test.difference is None:
        return words
    if abs(test.difference) <= _ROUNDING * abs(at.mean or 0.0):
        return f"{words}, level with {lr_str(following.lr)}"
    if test.difference < 0:  # only if the two do not have the same seeds
        return words
    apart = metric.difference(test.difference, test.half_width)
    ahead = "ahead of" if metric.unit == "share" else "better than"
    return f"{words}, {apart} {ahead} {lr_str(following.lr)}"


def outside_words(lr: float, low: float, high: float) -> str:
    """A rule whose rate was not trained."""
    return f"{lr_str(lr)} is outside the grid, {lr_str(low)} to {lr_str(high)}: its cost is unknown"


def unknown_words(at: RatePoint, best: RatePoint | None, metric: Metric) -> str:
    """A rule at a rate that has no mean."""
    here = f"at {lr_str(at.lr)}"
    leads = f"; best {_value(best, metric)} at {lr_str(best.lr)}" if best else ""
    if at.lost:
        return f"{here} {at.lost} of {many(at.seeds, 'seed')} {_how_lost(at)}{leads}"
    if at.state == "ended early":
        return f"{here} training ended early, since it could not be the best any more{leads}"
    return f"{here} nothing is known{' yet' if at.pending else ''}{leads}"


def sensitivity_headline(found: Sensitivity) -> str:
    """For a list of runs: "sgd+clr best at 6e-3, 67.8 %; minimum/10 0.6 ± 0.9 points lost"."""
    metric = found.metric
    known = [(one, one.best) for one in found.optimizers if one.best is not None]
    if not known:
        return ""
    one, best = max(known, key=lambda pair: metric.sign * (pair[1].mean or 0.0))
    words = f"{one.label} best at {lr_str(best.lr)}, {_value(best, metric)}"
    cost = next((c for o in found.optimizers for c in o.costs[:1] if c.lost is not None), None)
    if cost is None or cost.lost is None:
        return words
    return f"{words}; {cost.rule} {_lost_words(cost.lost, cost.half_width, metric)}"


def _lost_words(lost: float, half_width: float | None, metric: Metric) -> str:
    much = metric.difference(lost, half_width)
    if lost < 0:  # only if the two rates do not have the same seeds
        return f"{much} better on the seeds that they share"
    return f"{much} {'lost' if metric.unit == 'share' else 'worse'}"


def sensitivity_words(found: Sensitivity) -> tuple[str, ...]:
    """Sentences on the whole grid, for the screen and for print."""
    return tuple(_sentences(found))


def _sentences(found: Sensitivity) -> Iterator[str]:
    for one in found.optimizers:
        yield _best(one, found)
        for cost in one.costs:
            yield f"{cost.rule} for {one.label}: {cost.words}."
    for one in found.optimizers:
        if one.label == found.forgiving:
            yield f"{one.label} forgives most: its plateau is the widest, {_width(one)}."
        if one.own_rate and len(found.optimizers) > 1:
            yield (
                f"{one.label} finds its own rate, which the grid only multiplies: its plateau is"
                " not compared."
            )
    yield from _lost(found)
    yield from _ended(found)
    yield from _flattery(found)


def _best(one: OptimizerSensitivity, found: Sensitivity) -> str:
    if one.best is None:
        why = "no rate has a result yet" if one.pending else "no rate has a result that counts"
        return f"{one.label}: {why}."
    best, ends = one.best, (one.points[0].lr, one.points[-1].lr)
    leads = "leads so far" if one.pending else "is best"
    words = f"{one.label}: {lr_str(best.lr)} {leads}, {_value(best, found.metric)}"
    if one.plateau is not None:
        within = found.metric.difference(found.tolerance, None)
        low, high = map(lr_str, one.plateau)
        alone = one.plateau[0] == one.plateau[1]
        words += f"; within {within}, " if found.metric.unit == "share" else f"; within {within}: "
        words += "no other rate" if alone else f"{low} to {high}, {_width(one)}"
    if best.lr in ends and not one.pending:
        which, where = ("lowest", "below") if best.lr == ends[0] else ("highest", "above")
        words += f". It is the {which} rate of the grid: better ones may lie {where}"
    return f"{words}."


def _flattery(found: Sensitivity) -> Iterator[str]:
    """That the best rate owes its place partly to luck, unless no seed decides which it is."""
    luck = [one.flattered for one in found.optimizers if one.costs and one.best is not None]
    if all(much == 0 for much in luck):
        return
    most = max(much or 0.0 for much in luck)
    how = f", by up to about {found.metric.difference(most, None)}" if most > 0 else ""
    yield (
        "The best rate is picked from these same results, which flatters it: costs are"
        f" overstated{how}."
    )


def _width(one: OptimizerSensitivity) -> str:
    """The width of the plateau: at least that, if it reaches an end of the grid."""
    width, plateau = one.width or 0.0, one.plateau or (0.0, 0.0)
    open_ended = plateau[0] == one.points[0].lr or plateau[1] == one.points[-1].lr
    return f"{'at least ' if open_ended else ''}{width:.1f} decades"


def _lost(found: Sensitivity) -> Iterator[str]:
    lost = [
        f"{one.label} at {lr_str(p.lr)} ({p.lost} of {many(p.seeds, 'seed')} {_how_lost(p)})"
        for one in found.optimizers
        for p in one.points
        if p.lost
    ]
    if lost:
        yield f"Counted as worse than any result: {listed(lost)}."


def _ended(found: Sensitivity) -> Iterator[str]:
    for one in found.optimizers:
        rates = [lr_str(p.lr) for p in one.points if p.state == "ended early"]
        if rates:
            yield (
                f"{one.label} at {listed(rates)} ended early, behind the others: what"
                f" {'it' if len(rates) == 1 else 'they'} would have reached is unknown."
            )


def _how_lost(point: RatePoint) -> str:
    return "diverged" if point.state == "diverged" else "failed"


def _mean(point: RatePoint, metric: Metric) -> str:
    return f"at {lr_str(point.lr)} {_value(point, metric)}"


def _value(point: RatePoint, metric: Metric) -> str:
    return "-" if point.mean is None else metric.text(point.mean)
