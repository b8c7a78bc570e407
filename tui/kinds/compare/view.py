"""The chart of a comparison: a mean line and its band for each entry."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, TypeVar, get_args

import numpy as np

from clr_tui.engine.analysis.comparison.seed_curves import (
    CurvePart,
    EntryCurves,
    MeanCurve,
    XScale,
    entry_curves,
    mean_curve,
)
from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.metrics import ACCURACY, LOSS, Metric
from clr_tui.engine.policies import WITHOUT_CYCLES
from clr_tui.engine.settings.config import Compare
from clr_tui.tui.charts.axis_limits import with_bands
from clr_tui.tui.charts.chart import Area, Axis, Chart, HLine, Mark, Series
from clr_tui.tui.charts.scale import Floats
from clr_tui.tui.kinds.compare.entry_style import glyph_of, role_of
from clr_tui.tui.kinds.compare.target import target_text
from clr_tui.tui.text import figures
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.device_lines import samples_of

Quantity = Literal["metric", "loss"]
"""`metric` is the primary metric of the task."""
Shown = Literal["train", "validation", "both"]
_PARTS: tuple[Shown, ...] = get_args(Shown)
_SCALES: tuple[XScale, ...] = get_args(XScale)
_Choice = TypeVar("_Choice", bound=str)

CYCLE_END = "┸ end of a cycle"
_MAX_CYCLES = 60
"""More cycles than this are not marked: the marks would merge."""
_LOSS_MARGIN = 1.25
"""The y axis of losses ends at this multiple of the loss after the first epoch, at most."""


@dataclass(frozen=True)
class CompareOptions:
    """How to draw a comparison."""

    quantity: Quantity = "metric"
    part: Shown = "validation"
    x: XScale = "epoch"
    bands: bool = True
    """Whether the 95% interval of each mean is shown."""
    seeds: bool = False
    """Whether each trial is shown, as a faint line."""
    target: float | None = None
    """A value of the primary metric, shown as a line."""
    hidden: frozenset[int] = frozenset()
    """Entries to leave out."""
    selected: int | None = None
    """The entry to draw thick, its band above the others."""
    log_y: bool = False
    """For the loss only."""

    def next_x(self) -> CompareOptions:
        """The same with the next of epoch, step, seconds."""
        return replace(self, x=_next_after(self.x, _SCALES))

    def next_part(self) -> CompareOptions:
        """The same with the next of train, validation, both."""
        return replace(self, part=_next_after(self.part, _PARTS))

    def toggled_quantity(self) -> CompareOptions:
        """The same with the loss instead of the metric, or vice versa."""
        return replace(self, quantity="loss" if self.quantity == "metric" else "metric")

    def toggled_entry(self, entry: int) -> CompareOptions:
        """The same with an entry hidden, or shown again."""
        return replace(self, hidden=self.hidden ^ {entry})

    @property
    def logarithmic(self) -> bool:
        """Whether the y axis is."""
        return self.log_y and self.quantity == "loss"

    def metric(self, history: RunHistory) -> Metric:
        """The metric that is shown."""
        return LOSS if self.quantity == "loss" else history.primary

    def title(self, history: RunHistory) -> str:
        """What is shown, in words: "validation accuracy"."""
        part = "train and validation" if self.part == "both" else self.part
        return f"{part} {figures.name(self.metric(history))}"


def _next_after(value: _Choice, among: tuple[_Choice, ...]) -> _Choice:
    return among[(among.index(value) + 1) % len(among)]


_NOTHING_FINITE = "No value is a finite number: there is nothing to draw."


def comparison_chart(
    history: RunHistory, options: CompareOptions, *, waiting: str = "", legend: bool = True
) -> Chart:
    """The curves of a comparison.

    Args:
        history: the run.
        options: what to draw, and how.
        waiting: the text in the chart before the first epoch has ended.
        legend: whether the entries are named in the title row; False beside a ranking table.
    """
    metric = options.metric(history)
    shown = [entry for entry in entry_curves(history) if entry.entry not in options.hidden]
    parts: tuple[CurvePart, ...] = (
        ("train", "validation") if options.part == "both" else (options.part,)
    )
    main = parts[-1]
    curves = {part: [_scaled(entry, metric, part, options) for entry in shown] for part in parts}
    series: list[Series] = []
    for entry in shown if options.seeds else []:
        series += _seed_series(entry, metric, main, options)
    if len(parts) > 1:
        for entry, curve in zip(shown, curves["train"], strict=True):
            label = f"{plain(entry.label)}, train"
            series.append(_mean_series(entry, curve, options, label=label, faint=True))
    for entry, curve in zip(shown, curves[main], strict=True):
        name = _name(entry) if legend else ""
        series.append(_mean_series(entry, curve, options, name=name, label=plain(entry.label)))
    means = [curve for of_part in curves.values() for curve in of_part]
    cycle_ends = tuple(_cycle_ends(history, shown, options))
    label = f"   {CYCLE_END}" if cycle_ends else ""
    return Chart(
        series=tuple(series),
        # Up to the planned end, if it is known: the curves grow towards it.
        x=Axis(label=options.x + label, lo=0.0, hi=_end(history, options.x), name=options.x),
        y=_y_axis(history, means, curves[main], options),
        hlines=_target(metric, options),
        areas=tuple(_areas(shown, curves[main], options)),
        marks=cycle_ends,
        title=options.title(history) + (" (log)" if options.logarithmic else ""),
        # Shown where no value is finite.
        empty=_NOTHING_FINITE if any(len(curve.x) for curve in means) else waiting,
    )


def _scaled(
    entry: EntryCurves, metric: Metric, part: CurvePart, options: CompareOptions
) -> MeanCurve:
    """An entry's mean in the unit of the axis, without points that have no place on x."""
    curve = mean_curve(entry, metric.name, part, options.x)
    known, unit = np.isfinite(curve.x), figures.scale(metric)
    # A share beyond 0 or 1 does not exist: its interval ends there.
    least, most = (0.0, unit) if metric.unit == "share" else (-np.inf, np.inf)
    return MeanCurve(
        x=curve.x[known],
        mean=curve.mean[known] * unit,
        low=np.maximum(curve.low[known] * unit, least),
        high=np.minimum(curve.high[known] * unit, most),
        seeds=curve.seeds[known],
    )


def _name(entry: EntryCurves) -> str:
    """Its label, with the number of seeds that diverged and are missing from the mean."""
    label, diverged = plain(entry.label), sum(trial.diverged for trial in entry.trials)
    return f"{label} ({diverged} of {len(entry.trials)} diverged)" if diverged else label


def _mean_series(
    entry: EntryCurves,
    curve: MeanCurve,
    options: CompareOptions,
    *,
    label: str,
    name: str = "",
    faint: bool = False,
) -> Series:
    """The line of an entry's mean; a faint one, beside the main one, is dotted and has no glyph."""
    return Series(
        curve.x,
        curve.mean,
        name,
        role_of(entry.entry),
        faint=faint,
        strong=entry.entry == options.selected and not faint,
        dotted=faint,
        glyph="" if faint else glyph_of(entry.entry),
        label=label,
    )


def _seed_series(
    entry: EntryCurves, metric: Metric, part: CurvePart, options: CompareOptions
) -> list[Series]:
    colour, unit = role_of(entry.entry), figures.scale(metric)
    return [
        Series(
            trial.x(options.x), unit * trial.values(metric.name, part), colour=colour, faint=True
        )
        for trial in entry.trials
        if len(trial.epoch)
    ]


def _areas(
    shown: list[EntryCurves], curves: list[MeanCurve], options: CompareOptions
) -> list[Area]:
    """The bands; with few colours only the selected entry's is filled."""
    areas = []
    for entry, curve in zip(shown, curves, strict=True) if options.bands else ():
        low = curve.low
        if options.logarithmic:  # an interval below zero extends to the end of the axis
            low = np.where(low <= 0, np.finfo(np.float64).tiny, low)
        faint = entry.entry != options.selected
        areas.append(Area(curve.x, low, curve.high, "", role_of(entry.entry), faint=faint))
    return areas


def _target(metric: Metric, options: CompareOptions) -> tuple[HLine, ...]:
    if options.target is None or options.quantity == "loss":
        return ()
    words = f"target {target_text(options.target, metric)}"
    return (HLine(figures.scale(metric) * options.target, words),)


def _end(history: RunHistory, x: XScale) -> float | None:
    epochs = max((t.total_epochs or 0 for e in entry_curves(history) for t in e.trials), default=0)
    if x == "seconds" or not epochs:
        return None
    return float(epochs) if x == "epoch" else _steps(history, epochs)


def _steps(history: RunHistory, epochs: float) -> float | None:
    each = max((trial.steps_per_epoch for trial in history.trials.values()), default=0)
    each = each or (history.task.steps_per_epoch if history.task else 0)
    return epochs * each if each > 0 else None


def _cycle_ends(
    history: RunHistory, shown: list[EntryCurves], options: CompareOptions
) -> Iterable[Mark]:
    """Ticks at the ends of cycles shown; none by seconds, which differ from trial to trial."""
    compare = history.config.asked(Compare)
    end = _end(history, "epoch")
    if end is None or options.x == "seconds":
        return
    policies = {compare.entries[e.entry].policy for e in shown if e.entry < len(compare.entries)}
    cycle = 2 * compare.step_size_epochs
    if policies <= {*WITHOUT_CYCLES} or not 0 < cycle <= end <= _MAX_CYCLES * cycle:
        return
    for number in range(1, math.floor(end / cycle + 1e-9) + 1):
        place = number * cycle if options.x == "epoch" else _steps(history, number * cycle)
        if place is not None:
            yield Mark(place, colour="lr", foot=True)


def _y_axis(
    history: RunHistory, means: list[MeanCurve], main: list[MeanCurve], options: CompareOptions
) -> Axis:
    metric = options.metric(history)
    label = "mean and 95% interval" if options.bands else "mean over seeds"
    if metric.unit == "share":
        unit = f"% of {samples_of(history)}" if metric == ACCURACY else "%"
        lo, hi = _share_limits(means, main, options)
        return Axis(f"{unit}, {label}", lo=lo, hi=hi)
    lo, hi = _number_limits(means, main, metric, options)
    return Axis(label, log=options.logarithmic, lo=lo, hi=hi)


def _with_bands(
    lo: float, hi: float, curves: list[MeanCurve], options: CompareOptions
) -> tuple[float, float]:
    """`lo` and `hi`, widened by the bands as far as that leaves the curves their shape."""
    if not options.bands:
        return lo, hi
    low, high = _finite([curve.low for curve in curves]), _finite([curve.high for curve in curves])
    bands = (float(low.min()), float(high.max())) if len(low) and len(high) else None
    return with_bands((lo, hi), bands) or (lo, hi)


def _finite(columns: list[Floats]) -> Floats:
    values: Floats = np.concatenate([np.zeros(0), *columns])
    found: Floats = values[np.isfinite(values)]
    return found


def _share_limits(
    means: list[MeanCurve], main: list[MeanCurve], options: CompareOptions
) -> tuple[float | None, float | None]:
    """Whole tens of per cent around means and target, so that the axis seldom moves."""
    values = _finite([curve.mean for curve in means])
    if not len(values):
        return (0.0, 100.0)
    lo, hi = _with_bands(float(values.min()), float(values.max()), main, options)
    if options.target is not None:
        lo, hi = min(lo, 100 * options.target), max(hi, 100 * options.target)
    lo, hi = 10 * math.floor(lo / 10), 10 * math.ceil((hi + 0.5) / 10)
    return max(float(lo), 0.0), min(float(max(hi, lo + 10)), 100.0)


def _number_limits(
    means: list[MeanCurve], main: list[MeanCurve], metric: Metric, options: CompareOptions
) -> tuple[float | None, float | None]:
    """The span of means and target; if less is better, not far above the first epoch's values.

    The loss of a diverging trial may become any number. Whatever is well above the typical loss
    after the first epoch only means "worse than at the start"; it may leave the chart at the top,
    so that the others stay readable.
    """
    values = _finite([curve.mean for curve in means])
    if options.logarithmic:
        values = values[values > 0]
    if not len(values):
        return None, None
    starts = [found[0] for curve in means if len(found := _finite([curve.mean]))]
    # A loss may be any number after the first epoch already; other metrics rarely are.
    start = np.median(starts) if metric == LOSS else np.max(starts)
    top = _LOSS_MARGIN * abs(float(start))
    lo, hi = float(values.min()), float(values.max())
    if metric.direction == "min":
        hi = min(hi, max(top, lo))
    if options.logarithmic:
        return lo / 1.1, max(hi, lo) * 1.1
    lo, hi = _with_bands(lo, hi, main, options)
    if options.target is not None and options.quantity == "metric":
        lo, hi = min(lo, options.target), max(hi, options.target)
    room = 0.05 * (hi - lo) or 0.05 * abs(hi) or 1.0
    return max(lo - room, 0.0) if lo >= 0 else lo - room, hi + room
