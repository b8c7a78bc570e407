"""The chart of a range test, loss against learning rate, and its panel of figures and rules."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from clr_tui.engine.analysis.history import RunHistory, TrialHistory
from clr_tui.engine.analysis.report import Bounds, RangeReport
from clr_tui.engine.analysis.smoothing import smooth
from clr_tui.engine.analysis.sweep.best_rate import BestRate
from clr_tui.engine.analysis.sweep.curve import Curve, curve_of
from clr_tui.engine.analysis.sweep.suggest import Suggestion
from clr_tui.engine.settings.config import RangeTest
from clr_tui.tui.charts.chart import Area, Axis, Band, Chart, Mark, Role, Series, VLine
from clr_tui.tui.charts.scale import Floats
from clr_tui.tui.text import numbers
from clr_tui.tui.text.bounds import Which
from clr_tui.tui.text.chart_options import ChartOptions, XAxis
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.device_lines import device_lines
from clr_tui.tui.text.lines import BLANK, Line, heading, row, wrap_line
from clr_tui.tui.text.status import nothing_finite

_LABELS: dict[XAxis, str] = {
    "lr": "learning rate (log)",
    "step": "step",
    "epoch": "epoch",
    "seconds": "seconds",
}

_MOST_RUNNING = 100
"""Sweeps drawn while they run; more are in absurd logs only."""
_BAR_ROOM = 0.12
"""Room below the curve for the bar that shows an interval, as a part of the chart's height."""


def range_chart(
    history: RunHistory,
    *,
    bounds: Bounds | None,
    selected: Which = "max",
    options: ChartOptions,
    suggestions: list[Suggestion] | None = None,
    best: BestRate | None = None,
    empty: str = "",
) -> Chart:
    """Loss against learning rate, with the bounds as marks and the band between them.

    Keys move the `selected` bound; the rules of `suggestions` are marked on the top edge. The
    interval of the `best` max_lr is a bar below the curve. The text `empty` is shown before the
    first step.
    """
    title = options.loss_title
    empty = nothing_finite(history) or empty
    scale = RangeScale.of(history, options.x)
    curve = curve_of(history, options.smoothing)
    x = Axis(
        label=_LABELS[options.x],
        log=options.x == "lr",
        lo=scale.lo,
        hi=scale.hi,
        name=_LABELS[options.x].removesuffix(" (log)"),
    )
    if not len(curve.lr):
        return Chart(x=x, y=Axis(log=options.y_log), title=title, empty=empty)
    series = _series(history, curve, scale, options)
    lo, hi = _loss_limits(curve, options.y_log, any(one.colour == "raw" for one in series))
    if best is not None and lo is not None and hi is not None:
        bar = _height(-_BAR_ROOM / 2, lo, hi, log=options.y_log)
        lo = _height(-_BAR_ROOM, lo, hi, log=options.y_log)
        series += (_interval(best, scale, bar),)
    vlines, bands = _marks_of(bounds, selected, scale)
    areas: tuple[Area, ...] = ()
    if sum(curve.ended) > 1:
        areas = (Area(scale.at(curve.lr), curve.low, curve.high, "seeds"),)
    return Chart(
        series=series,
        x=x,
        y=Axis(log=options.y_log, lo=lo, hi=hi),
        vlines=vlines,
        bands=bands,
        areas=areas,
        marks=_marks(history.trial, suggestions or [], scale),
        title=title,
        empty=empty,
    )


@dataclass(frozen=True)
class RangeScale:
    """Maps learning rates, which rise through a sweep, to the chosen x."""

    x: XAxis
    log_lr: Floats
    """Natural logarithms of the rates whose place on the axis is known, rising; shape (n,)."""
    places: Floats
    lo: float | None
    hi: float | None

    @classmethod
    def of(cls, history: RunHistory, x: XAxis) -> RangeScale:
        """The scale of a range test: rates and steps as planned, seconds as measured."""
        job = history.config.asked(RangeTest)
        trial = max(history.trials.values(), key=len, default=TrialHistory(0))
        lo, hi = _limits(job, trial, x)
        planned = x == "lr" and lo is not None and hi is not None  # the rates are the places
        log_lr, places = _known_places(TrialHistory(0) if planned else trial, x)
        return cls(x, log_lr, places, lo, hi)

    def at(self, lr: Floats) -> Floats:
        """x of each rate, shape (n,); extrapolated beyond the sweep at its average pace."""
        if self.x == "lr":
            return lr
        if len(self.log_lr) < 2:
            return np.full(len(lr), np.nan)
        wanted = np.log(lr)
        first, last = self.log_lr[0], self.log_lr[-1]
        pace = (self.places[-1] - self.places[0]) / (last - first)
        beyond = np.maximum(wanted - last, 0.0) - np.maximum(first - wanted, 0.0)
        return np.asarray(np.interp(wanted, self.log_lr, self.places) + beyond * pace)

    def column(self, columns: int) -> float:
        """The factor in the rate, above 1, between two neighbours of `columns` chart columns."""
        spans: list[float] = []
        if self.x == "lr" and self.lo and self.hi:
            spans = [math.log(self.lo), math.log(self.hi)]
        elif len(self.log_lr) > 1:
            spans = [float(self.log_lr[0]), float(self.log_lr[-1])]
        if not spans or spans[1] <= spans[0]:
            return 10 ** (1 / 12)
        return math.exp((spans[1] - spans[0]) / max(columns - 1, 8))


def _known_places(trial: TrialHistory, x: XAxis) -> tuple[Floats, Floats]:
    if not len(trial):
        return np.zeros(0), np.zeros(0)
    rising = np.concatenate(([True], np.diff(trial.lr) > 0)) & (trial.lr > 0)
    step = trial.step.astype(np.float64)
    if x == "seconds":
        places = trial.seconds
    else:
        places = step / max(trial.steps_per_epoch, 1) if x == "epoch" else step
    known = rising & np.isfinite(places)
    return np.log(trial.lr[known]), places[known]


def _limits(job: RangeTest, trial: TrialHistory, x: XAxis) -> tuple[float | None, float | None]:
    """The range of the whole sweep from its first step on, so that the axis does not move."""
    if x == "lr":
        return job.start_lr, job.end_lr
    if x == "seconds" or trial.total_steps < 2:
        return 0.0, None
    each = max(trial.steps_per_epoch, 1) if x == "epoch" else 1
    return 0.0, (trial.total_steps - 1) / each


def _series(
    history: RunHistory, curve: Curve, scale: RangeScale, options: ChartOptions
) -> tuple[Series, ...]:
    at = scale.at(curve.lr)
    job = history.config.asked(RangeTest)
    several = len(curve.seeds) > 1 or job.seeds > 1
    found: list[Series] = []
    if not several and options.smoothing < 1:
        found.append(Series(at, curve.loss, "raw", "raw", faint=True))
    for seed, ended in list(zip(curve.seeds, curve.ended, strict=True))[-_MOST_RUNNING:]:
        if len(curve.seeds) > 1 and not ended:
            found.append(Series(at, seed, "this seed", "raw", faint=True))
    name = "smoothed" if options.smoothing < 1 else ""
    if several:
        name = "median" if len(curve.seeds) > 1 else "first seed"
    found.append(Series(at, curve.smoothed, name, "loss", label=name or "loss"))
    return tuple(found)


def _interval(best: BestRate, scale: RangeScale, y: float) -> Series:
    """The interval of the best max_lr, at one height of the chart."""
    ends = scale.at(np.array([best.low, best.high]))
    return Series(ends, np.full(2, y), "best max_lr", "best", strong=True, label="")


def _height(part: float, lo: float, hi: float, *, log: bool) -> float:
    """The y at a part of the chart's height, below it if negative."""
    return float(lo * (hi / lo) ** part if log else lo + part * (hi - lo))


def _marks_of(
    bounds: Bounds | None, selected: Which, scale: RangeScale
) -> tuple[tuple[VLine, ...], tuple[Band, ...]]:
    if bounds is None:
        return (), ()
    low, high = (float(x) for x in scale.at(np.array([bounds.base_lr, bounds.max_lr])))
    if not (math.isfinite(low) and math.isfinite(high)):
        return (), ()
    lines = (
        VLine(low, "base", "base", selected == "base", numbers.lr(bounds.base_lr)),
        VLine(high, "max", "max", selected == "max", numbers.lr(bounds.max_lr)),
    )
    return lines, (Band(low, high),)


def _marks(
    trial: TrialHistory | None, suggestions: list[Suggestion], scale: RangeScale
) -> tuple[Mark, ...]:
    """The rate at which the trial diverged, and the rates of the rules."""
    found: list[tuple[float | None, str, Role]] = []
    if trial is not None and (end := trial.diverged or trial.non_finite) is not None:
        found.append((end.lr, "not finite" if trial.non_finite else "diverged", "diverged"))
    found += [(one.lr, one.rule, "suggestion") for one in suggestions]
    marks = [
        Mark(float(scale.at(np.array([lr]))[0]), label=label, colour=role)
        for lr, label, role in found
        if lr is not None and lr > 0
    ]
    return tuple(mark for mark in marks if math.isfinite(mark.x))


def _loss_limits(curve: Curve, log: bool, raw_drawn: bool) -> tuple[float | None, float | None]:
    """Limits that show the shape of the curve up to its minimum, not the height of its explosion.

    They cover the smoothed curve and the typical raw losses before the minimum, plus a quarter
    above, so that a divergence visibly leaves through the top.
    """
    known = np.isfinite(curve.smoothed)
    count = int(np.count_nonzero(known))
    if not count:
        return None, None
    lowest = int(np.argmin(np.where(known, curve.smoothed, np.inf)))
    until = slice(0, max(lowest, int(np.argmax(known)) + min(9, count - 1)) + 1)
    raw = curve.loss[until] if raw_drawn and len(curve.seeds) == 1 else np.zeros(0)
    raw = raw[np.isfinite(raw)]
    # The band of one seed is its curve.
    curves = (curve.smoothed, curve.low, curve.high)[: 1 if len(curve.seeds) == 1 else 3]
    parts = [c[until] for c in curves]
    shown = np.concatenate((*parts, np.percentile(raw, [2, 98]) if len(raw) else []))
    shown = shown[np.isfinite(shown) & ((shown > 0) | (not log))]
    if not len(shown):
        return None, None
    bottom, top = float(shown.min()), float(shown.max())
    spread = max(top - bottom, 1e-3 * abs(top), 1e-9)
    lo = bottom - 0.05 * spread
    return (bottom if log else lo), top + 0.25 * spread


def range_panel(
    history: RunHistory,
    bounds: Bounds | None,
    selected: Which,
    report: RangeReport,
    *,
    ended: bool = False,
    width: int = 38,
    height: int | None = None,
) -> list[Line]:
    """The figures beside the chart: progress, device, bounds, rules and their cautions.

    Sentences wrap to `width` cells. The formulas of the rules are shown only if all fit in `height`
    rows.
    """
    lines = _progress_lines(history, report)
    lines += [*device_lines(history, ended=ended), BLANK]
    lines += [*_bounds_lines(bounds, selected, report, ended), BLANK]
    lines += _rule_lines(report, width, ended)
    more = _formula_lines(report, width)
    return lines + more if height is not None and len(lines) + len(more) <= height else lines


def _formula_lines(report: RangeReport, width: int) -> list[Line]:
    formulas: list[Line] = []
    for suggestion in report.suggestions:
        if suggestion.lr is not None:
            formulas += wrap_line(
                f"{plain(suggestion.rule)}: {plain(suggestion.formula)}", width, indent="  "
            )
    return [BLANK, heading("formulas"), *formulas] if formulas else []


def _progress_lines(history: RunHistory, report: RangeReport) -> list[Line]:
    trial, job = history.trial or TrialHistory(0), history.config.asked(RangeTest)
    done = rate = raw = smoothed = None
    if len(trial):
        done, rate, raw = int(trial.step[-1]) + 1, float(trial.lr[-1]), float(trial.loss[-1])
        if len(history.trials) == 1:
            smoothed = float(curve_of(history, report.smoothing).seeds[0][-1])
        else:
            smoothed = float(smooth(trial.loss, report.smoothing)[-1])
    total = trial.total_steps
    lines = [row("step", numbers.of_total(done, total) if total else numbers.count(done))]
    if job.seeds > 1 or history.time is not None:
        begun = len(history.trials)
        after = f"  seed {trial.seed}" if begun else ""
        lines.append(row("sweep", f"{numbers.count(begun or None)} of {job.seeds}", after=after))
    best = numbers.loss(report.minimum_loss).strip()
    at = f" at {numbers.lr(report.minimum_lr)}" if report.minimum_lr is not None else ""
    return [
        *lines,
        row("lr", numbers.lr(rate).strip(), "lr"),
        row("loss", numbers.loss(smoothed).strip(), "loss", f" raw {numbers.loss(raw).strip()}"),
        row("best", best, "best", at),
    ]


def _bounds_lines(
    bounds: Bounds | None, selected: Which, report: RangeReport, ended: bool
) -> list[Line]:
    if bounds is None:
        when = "none recommended" if ended else "set with the verdict"
        some = ended and any(one.lr is not None for one in report.suggestions)
        how = "b types, u uses a rule's" if some else "b types them now"
        return [heading("bounds"), ((f"  {when}", "muted"),), ((f"  {how}", "muted"),)]
    ratio = bounds.max_lr / bounds.base_lr
    lines = [heading("bounds", "   tab selects")]
    rows: tuple[tuple[Which, float, str], ...] = (
        ("base", bounds.base_lr, ""),
        ("max", bounds.max_lr, f" = base x {ratio:.3g}"),
    )
    for which, value, after in rows:
        mark = "▸ " if selected == which else "  "
        words = f"{mark}{which}_lr".ljust(11) + numbers.lr(value)
        lines.append(((words, which), (after, "muted")))
    return lines


def _rule_lines(report: RangeReport, width: int, ended: bool) -> list[Line]:
    if not any(one.lr is not None for one in report.suggestions):
        when = "none has a value" if ended else "after the first losses"
        return [heading("rules"), ((f"  {when}", "muted"),)]
    so_far = "rules so far" if report.verdict.kind == "running" else "rules"
    lines = [heading(so_far.ljust(18), "max_lr")]
    for one in report.suggestions:
        lines.append(_rule_line(one))
        if one.recommended and report.best is not None:
            lines.append(_interval_line(report.best))
    cautions = [one for one in report.suggestions if one.caution and one.lr is not None]
    if cautions:
        lines.append(BLANK)
    for one in cautions:
        lines += wrap_line(f"! {plain(one.rule)}: {plain(one.caution)}", width, indent="  ")
    return lines


def _interval_line(best: BestRate) -> Line:
    ends = f"{numbers.lr(best.low).strip()}…{numbers.lr(best.high).strip()}"
    return (("    likely ", "muted"), (ends, "best"))


def _rule_line(one: Suggestion) -> Line:
    value = numbers.lr(one.lr)
    if one.low is not None and one.lr is not None:
        value = f"{numbers.lr(one.low)}…{value}"
    mark = " ◂" if one.recommended else (" !" if one.caution and one.lr is not None else "")
    role: Role = "max" if one.recommended else "text"
    name = f"  {plain(one.rule)}".ljust(18)
    return ((name, role), (value, role if one.lr is not None else "muted"), (mark, role))


def next_suggestion(suggestions: list[Suggestion], after: str | None) -> Suggestion | None:
    """The next rule with a value after the rule named `after`, or the first if that is None."""
    usable = [one for one in suggestions if one.lr is not None and one.lr > 0]
    if not usable:
        return None
    names = [one.rule for one in usable]
    return usable[(names.index(after) + 1) % len(usable)] if after in names else usable[0]


def bounds_of(suggestion: Suggestion, factor: float) -> Bounds | None:
    """The bounds of a rule: its own base_lr if it has one, else max_lr / `factor`."""
    if suggestion.lr is None:
        return None
    low = suggestion.low if suggestion.low is not None else suggestion.lr / factor
    return Bounds(base_lr=low, max_lr=suggestion.lr) if 0 < low < suggestion.lr else None
