"""The chart of a grid of rates: the final metric of each optimizer against the learning rate."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from clr_tui.engine.analysis.comparison.sensitivity_results import (
    OptimizerSensitivity,
    PointState,
    RatePoint,
    Sensitivity,
)
from clr_tui.engine.metrics import LOSS
from clr_tui.engine.settings.config import Compare
from clr_tui.engine.words import lr_str
from clr_tui.tui.charts.axis_limits import with_bands
from clr_tui.tui.charts.chart import Area, Axis, Band, Chart, Mark, Series, VLine
from clr_tui.tui.charts.scale import Floats
from clr_tui.tui.kinds.compare.entry_style import glyph_of, role_of
from clr_tui.tui.kinds.compare.view import CompareOptions
from clr_tui.tui.text import figures
from clr_tui.tui.text.clean import plain

_SYMBOLS: dict[PointState, tuple[str, str]] = {
    "diverged": ("✗", "diverged"),
    "failed": ("✗", "failed"),
    "stopped": ("⊘", "stopped"),
    "ended early": ("↓", "ended early"),
    "running": ("◌", "to come"),
    "waiting": ("◌", "to come"),
}
"""The mark of a rate that has no final value, and what it means."""
_BEYOND = 10.0
"""The farthest factor outside the grid at which a rule is still marked; it widens the axis."""
_TOP_ROOM, _BOTTOM_ROOM = 0.12, 0.14
"""Room above the curves for the labels of rules, and below for marks without a value, as fractions
of their span."""
_FOOT, _STACKED = 0.03, 0.07
"""Height of these marks, and distance between those of two optimizers, as fractions of the axis."""
_FAR_OUT = 5.0
"""Values that are worse than the best by this many times their median size leave the chart: the
loss of a rate that is almost too high may be any number, and would flatten the rest."""

_Shown = Sequence[tuple[int, OptimizerSensitivity]]
"""Optimizers with their numbers."""


def optimizer_places(sensitivity: Sensitivity) -> dict[int, int]:
    """The number of its optimizer for each entry on the grid, by which colour and shape go."""
    return {
        point.entry: place
        for place, one in enumerate(sensitivity.optimizers)
        for point in one.points
    }


def styles_by_rate(sensitivity: Sensitivity, entries: int) -> dict[int, int]:
    """The number by which each of `entries` has its colour and shape beside the chart by rate.

    Entries at a rate of their own, which are not on the chart, share theirs with none that is.
    """
    places = optimizer_places(sensitivity)
    others = [entry for entry in range(entries) if entry not in places]
    return places | {entry: len(sensitivity.optimizers) + i for i, entry in enumerate(others)}


def toggled_optimizer(
    sensitivity: Sensitivity, options: CompareOptions, entry: int
) -> CompareOptions:
    """The same with the optimizer of `entry` hidden at all its rates, or shown again."""
    places = optimizer_places(sensitivity)
    if entry not in places:
        return options.toggled_entry(entry)
    own = {other for other, place in places.items() if place == places[entry]}
    hidden = options.hidden - own if own <= options.hidden else options.hidden | own
    return replace(options, hidden=hidden)


def is_complete(sensitivity: Sensitivity) -> bool:
    """Whether there are results, and each rate has one or a reason why it will have none."""
    points = [point for one in sensitivity.optimizers for point in one.points]
    ended = all(point.values or not point.pending for point in points)
    return ended and any(point.values for point in points)


def sensitivity_chart(
    sensitivity: Sensitivity,
    job: Compare,
    options: CompareOptions,
    *,
    waiting: str = "",
    legend: bool = True,
) -> Chart:
    """The final metric against the rate, one curve for each optimizer.

    A curve is thick along its plateau; that of the selected or only optimizer is also tinted over
    the height of the chart. The best rate of each optimizer has a star. Rates that diverged,
    failed, were ended early or are still to come are marked at the foot.

    Args:
        sensitivity: the grid so far.
        job: what was asked for, with what the rules of the range test say.
        options: which entries, and whether with bands and seeds. A selected entry selects its
            optimizer.
        waiting: the text in the chart before the first result.
        legend: whether the optimizers are named in the title row; False beside the table.
    """
    unit = figures.scale(sensitivity.metric)
    log = options.log_y and sensitivity.metric == LOSS
    shown = _shown(sensitivity, options)
    front = _in_front(shown, options)
    y = _y_axis(sensitivity, shown, options, log=log)
    rates = [point.lr for one in sensitivity.optimizers for point in one.points]
    vlines, ticks = _rules(job, rates)
    said = [line.x for line in vlines] + [tick.x for tick in ticks]
    low, high = _ends(rates, said)
    return Chart(
        series=(
            *(_seeds(shown, unit) if options.seeds else ()),
            *_curves(shown, unit, legend=legend),
            *_marks_at_foot(shown, y),
        ),
        x=Axis(_x_label(shown), log=True, lo=low, hi=high, name="learning rate"),
        y=y,
        vlines=vlines,
        bands=(Band(*front.plateau),) if front is not None and front.plateau else (),
        areas=tuple(_areas(shown, front, unit)) if options.bands else (),
        marks=(*ticks, *_best(shown, unit)),
        title=f"{plain(sensitivity.measure)}, by learning rate{' (log)' if log else ''}",
        empty=waiting,
    )


def words_in_order(sensitivity: Sensitivity, entry: int | None) -> list[str]:
    """The sentences on the grid, those on the optimizer of `entry` first."""
    label = next(
        (one.label for one in sensitivity.optimizers if any(p.entry == entry for p in one.points)),
        None,
    )
    if label is None:
        return list(sensitivity.words)
    return sorted(
        sensitivity.words,
        key=lambda words: not (words.startswith(f"{label}: ") or f" for {label}: " in words),
    )


def _shown(sensitivity: Sensitivity, options: CompareOptions) -> _Shown:
    """The optimizers with a rate that is not hidden."""
    return [
        (place, one)
        for place, one in enumerate(sensitivity.optimizers)
        if any(point.entry not in options.hidden for point in one.points)
    ]


def _in_front(shown: _Shown, options: CompareOptions) -> OptimizerSensitivity | None:
    """The optimizer of the selected entry; the only one, if there are no others."""
    if len(shown) == 1:
        return shown[0][1]
    return next(
        (one for _, one in shown if any(p.entry == options.selected for p in one.points)), None
    )


def _columns(points: Sequence[RatePoint], unit: float) -> tuple[Floats, Floats]:
    """Rates and means, NaN without a mean: the curve has a gap there."""
    rates = np.array([point.lr for point in points])
    return rates, _column([point.mean for point in points], unit)


def _column(values: Sequence[float | None], unit: float) -> Floats:
    return unit * np.array(values, np.float64)  # None becomes NaN


def _seeds(shown: _Shown, unit: float) -> Iterator[Series]:
    """The value of every seed, as faint points."""
    for place, one in shown:
        seeds = [(point.lr, value) for point in one.points for value in point.values.values()]
        rates, values = np.array(seeds).reshape(-1, 2).T
        yield Series(rates, unit * values, colour=role_of(place), kind="points", faint=True)


def _curves(shown: _Shown, unit: float, *, legend: bool) -> Iterator[Series]:
    """Lines through the means, thick on the plateau, and the optimizer's glyph at each mean."""
    for place, one in shown:
        colour = role_of(place)
        rates, means = _columns(one.points, unit)
        yield Series(rates, means, colour=colour)
        low, high = one.plateau or (math.inf, 0.0)
        inside = (rates >= low) & (rates <= high)
        yield Series(rates[inside], means[inside], colour=colour, strong=True)
    for place, one in shown:
        for glyph, early in ((glyph_of(place), False), (_SYMBOLS["ended early"][0], True)):
            points = [point for point in one.points if (point.state == "ended early") == early]
            name = plain(one.label) if legend and not early else ""
            yield Series(
                *_columns(points, unit),
                name,
                role_of(place),
                "points",
                glyph=glyph,
                label=plain(one.label),
            )


def _marks_at_foot(shown: _Shown, y: Axis) -> Iterator[Series]:
    """Marks of the rates without a mean, one row for each optimizer that has any."""
    without = [(place, [p for p in one.points if p.mean is None]) for place, one in shown]
    rows = [(place, points) for place, points in without if points]
    for row, (place, points) in enumerate(rows):
        for symbol in dict.fromkeys(_symbol(point) for point in points):
            rates = np.array([point.lr for point in points if _symbol(point) == symbol])
            heights = np.full(len(rates), _height(y, _FOOT + _STACKED * row))
            yield Series(rates, heights, colour=role_of(place), kind="points", glyph=symbol)


def _symbol(point: RatePoint) -> str:
    return _SYMBOLS[point.state][0] if point.state in _SYMBOLS else "?"


def _height(y: Axis, share: float) -> float:
    """The value at a share of the height of the axis; NaN if it has no limits yet."""
    if y.lo is None or y.hi is None:
        return math.nan
    return y.lo * (y.hi / y.lo) ** share if y.log else y.lo + share * (y.hi - y.lo)


def _areas(shown: _Shown, front: OptimizerSensitivity | None, unit: float) -> Iterator[Area]:
    """The 95% intervals; with few colours only that of the optimizer in front is filled."""
    for place, one in shown:
        rates = np.array([point.lr for point in one.points])
        low = _column([point.low for point in one.points], unit)
        high = _column([point.high for point in one.points], unit)
        yield Area(rates, low, high, "", role_of(place), faint=one is not front)


def _best(shown: _Shown, unit: float) -> Iterator[Mark]:
    for _, one in shown:
        if one.best is not None and one.best.mean is not None:
            label = f"best {lr_str(one.best.lr)}"
            yield Mark(one.best.lr, unit * one.best.mean, label, "best")


def _rules(job: Compare, rates: Sequence[float]) -> tuple[tuple[VLine, ...], tuple[Mark, ...]]:
    """A line at the recommended rule, and ticks at the others near the grid."""
    if not rates:
        return (), ()
    low, high = min(rates) / _BEYOND, max(rates) * _BEYOND
    near = {rule: lr for rule, lr in job.advice.items() if low <= lr <= high}
    lines = [
        VLine(lr, plain(rule), "max", value=lr_str(lr))
        for rule, lr in near.items()
        if rule == job.advised
    ]
    ticks = [Mark(lr, label=plain(rule)) for rule, lr in near.items() if rule != job.advised]
    return tuple(lines), tuple(ticks)


def _ends(rates: Sequence[float], said: Sequence[float]) -> tuple[float | None, float | None]:
    """The ends of the x axis: half a step of the grid beyond its rates and the rules."""
    known = sorted({*rates, *said})
    if not known:
        return None, None
    grid = sorted(set(rates))
    room = math.sqrt(grid[1] / grid[0]) if len(grid) > 1 else 2.0
    return known[0] / room, known[-1] * room


def _x_label(shown: _Shown) -> str:
    """The name of the axis, and what the marks in the chart mean."""
    points = [point for _, one in shown for point in one.points]
    plateaus = [one.plateau for _, one in shown if one.plateau is not None]
    parts = ["learning rate (log)"]
    if any(low < high for low, high in plateaus):
        parts.append("thick: plateau")
    words: dict[str, dict[str, None]] = {}
    for point in points:
        if point.state in _SYMBOLS and (point.mean is None or point.state == "ended early"):
            symbol, word = _SYMBOLS[point.state]
            words.setdefault(symbol, {})[word] = None
    parts += [f"{symbol} {' or '.join(meanings)}" for symbol, meanings in words.items()]
    return " · ".join(parts)


def _y_axis(sensitivity: Sensitivity, shown: _Shown, options: CompareOptions, *, log: bool) -> Axis:
    metric = sensitivity.metric
    label = "mean and 95% interval" if options.bands else "mean over seeds"
    if metric.unit != "number":
        label = f"{'%' if metric.unit == 'share' else 's'}, {label}"
    lo, hi = _limits(sensitivity, shown, options, log=log)
    return Axis(label, log=log, lo=lo, hi=hi)


def _limits(
    sensitivity: Sensitivity, shown: _Shown, options: CompareOptions, *, log: bool
) -> tuple[float | None, float | None]:
    """The span of what is drawn, without values far worse than the others, with some room."""
    unit, points = figures.scale(sensitivity.metric), [p for _, one in shown for p in one.points]
    values = [p.mean for p in points if p.mean is not None]
    if options.seeds:
        values += [value for p in points for value in p.values.values()]
    known = unit * np.array([v for v in values if math.isfinite(v) and (v > 0 or not log)])
    if not len(known):
        return None, None
    lo, hi = _without_far_out(known, sensitivity.metric.sign)
    if log:
        return lo / (hi / lo) ** _BOTTOM_ROOM / 1.05, hi * (hi / lo) ** _TOP_ROOM * 1.05
    span = hi - lo or 0.05 * abs(hi) or 1.0
    if options.bands:
        lows = [unit * p.low for p in points if p.low is not None]
        highs = [unit * p.high for p in points if p.high is not None]
        bands = (min(lows), max(highs)) if lows and highs else None
        lo, hi = with_bands((lo, hi), bands) or (lo, hi)
    return lo - _BOTTOM_ROOM * span, hi + _TOP_ROOM * span


def _without_far_out(values: Floats, sign: int) -> tuple[float, float]:
    """The least and greatest value; on the worse side at most `_FAR_OUT` away."""
    good = sign * values
    best = float(good.max())
    worst = max(float(good.min()), best - _FAR_OUT * float(np.median(np.abs(values))))
    ends = sign * worst, sign * best
    return min(ends), max(ends)
