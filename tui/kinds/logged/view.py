"""Charts of logged values, of one run or of several together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.metric_names import is_share
from clr_tui.engine.analysis.run_columns import load_columns, run_columns
from clr_tui.tui.charts.chart import Axis, Chart, Role, Series
from clr_tui.tui.charts.scale import Floats
from clr_tui.tui.kinds.compare.entry_style import glyph_of, role_of
from clr_tui.tui.kinds.logged.curves import X_AXES, RunCurves, XAxis
from clr_tui.tui.kinds.logged.groups import RATES, ChartGroup, Curve, chart_groups
from clr_tui.tui.kinds.logged.options import GridOptions
from clr_tui.tui.text.clean import plain

_ROLES: dict[str, Role] = {"loss": "loss", "metric": "accuracy", "lr": "lr", "count": "muted"}
"""Of a curve that is alone on its chart, by what it measures."""
_PART_ROLES: dict[str, Role] = {"train": "loss", "val": "validation", "test": "accuracy"}
_PART_GLYPHS = {"train": "", "val": "●", "test": "▲"}
_FEW = 24
"""A curve of so few values also shows them as points."""
_DECADES = 30.0
"""Rates that differ by more than this factor have a logarithmic axis."""
_UNITS: tuple[tuple[float, float, str], ...] = (
    (600.0, 1.0, "seconds"),
    (36_000.0, 60.0, "minutes"),
    (np.inf, 3600.0, "hours"),
)
"""Longest time in seconds, seconds per unit, and the unit."""


@dataclass(frozen=True)
class XScale:
    """The x axis that all charts share."""

    axis: XAxis
    name: str
    """What it counts, such as "step" or "minutes"."""
    unit: float
    """What places are divided by."""
    ends: tuple[float, float] | None
    """Of all values, in units; None without any."""
    log: bool = False
    """Whether it is logarithmic as it is, as suits rates of several decades."""


def x_scale(runs: Sequence[RunCurves], names: Sequence[str], axis: XAxis) -> XScale:
    """The x axis for these names of all runs."""
    wanted = set(names)
    ends = [(run.ends(axis), run.columns.names) for run in runs]
    found = [ends_of(name) for ends_of, known in ends for name in known if name in wanted]
    places = np.concatenate(found) if found else np.empty(0)
    name, unit = _name_of(runs, wanted, axis), 1.0
    if axis == "time":
        longest = float(places.max(initial=0.0))
        unit, name = next((unit, name) for most, unit, name in _UNITS if longest < most)
    positive = places[places > 0]
    log = axis == "lr" and len(positive) > 0 and positive.max() > _DECADES * positive.min()
    if log:
        places = positive
    limits = (float(places.min()) / unit, float(places.max()) / unit) if len(places) else None
    return XScale(axis, name, unit, limits, bool(log))


def _name_of(runs: Sequence[RunCurves], names: set[str], axis: XAxis) -> str:
    if axis != "step":
        return RATES if axis == "lr" else axis
    counted = {
        run.columns.column(name).x for run in runs for name in run.columns.names if name in names
    }
    return plain(" or ".join(sorted(counted))) or "step"


def usual_axis(runs: Sequence[RunCurves]) -> XAxis:
    """The step; if runs count different things, the epoch or the time that all of them know."""
    if not mixed_counts(runs):
        return "step"
    shared: tuple[XAxis, ...] = ("epoch", "time")
    return next((axis for axis in shared if all(run.has(axis) for run in runs)), "step")


def mixed_counts(runs: Sequence[RunCurves]) -> list[str]:
    """What the steps of runs count, if that is not the same in all of them; else empty."""
    counted = {run.columns.column(name).x for run in runs for name in run.columns.names[:1]}
    return sorted(map(plain, counted)) if len(counted) > 1 else []


def axes_of(runs: Sequence[RunCurves]) -> tuple[XAxis, ...]:
    """The x axes on which any of the runs has values."""
    return tuple(axis for axis in X_AXES if any(run.has(axis) for run in runs))


def group_chart(
    group: ChartGroup,
    runs: Sequence[RunCurves],
    options: GridOptions,
    x: XScale,
    styles: Sequence[int] = (),
    *,
    legend: bool = True,
) -> Chart:
    """The chart of a group, with the curves of all runs.

    Args:
        group: the names that share the chart.
        runs: those whose curves to draw.
        options: how to draw them.
        x: the x axis.
        styles: numbers of the runs' colours and shapes; empty for a run that is shown alone.
        legend: whether the chart names the runs.
    """
    series: list[Series] = []
    highest = [_highest(group, run) for run in runs]
    if not any(math.isfinite(value) for value in highest):
        return Chart(title=group.title, empty="None of its values is a finite number.")
    for number, run in enumerate(runs):
        # Per cent for shares from 0 to 1: tools differ in how they log them.
        unit = 100.0 if is_share(group.quantity) and highest[number] <= 1 else 1.0
        places = run.places(x.axis)
        own = [curve for curve in group.curves if curve.name in run.columns.names]
        for place, curve in enumerate(own):
            if styles:
                named = legend and place == 0
                style = _style_of_run(group, curve, run.name, styles[number], named=named)
            else:
                style = _style_alone(group, curve)
            at = places(curve.name)
            at = at / x.unit if x.unit != 1 else at
            # Steps rise; of others, and of epochs worked out of them, nobody knows.
            series += _series(run, curve.name, options.smoothing, at, unit, style, x.axis == "step")
    if not any(_has_place(one.x) for one in series):
        return Chart(title=group.title, empty=f"No value has a place on this x axis ({x.name}).")
    return Chart(
        series=tuple(series),
        x=Axis(label=x.name, log=x.log),
        y=Axis(log=group.key in options.log_y),
        title=_title(group, options, highest, several=bool(styles)),
    )


def _has_place(x: Floats) -> bool:
    # Its ends are known at once; a million values take longer.
    return len(x) > 0 and bool(np.isfinite(x[[0, -1]]).any() or np.isfinite(x).any())


def _title(
    group: ChartGroup, options: GridOptions, highest: Sequence[float], *, several: bool
) -> str:
    unit = ", %" if is_share(group.quantity) and np.nanmax(highest) <= 100 else ""
    notes = ["log"] if group.key in options.log_y else []
    if several and _is_dotted(group, group.curves):
        notes.append("train dotted")
    return f"{group.title}{unit} ({', '.join(notes)})" if notes else f"{group.title}{unit}"


def _highest(group: ChartGroup, run: RunCurves) -> float:
    """The greatest value of a group; NaN if there is none."""
    known = set(run.columns.names)
    found = [run.highest(curve.name) for curve in group.curves if curve.name in known]
    return max((value for value in found if math.isfinite(value)), default=math.nan)


def _is_dotted(group: ChartGroup, curves: Sequence[Curve]) -> bool:
    """Whether curves of training data are dotted, beside those of other parts."""
    parts = {curve.part for curve in group.curves}
    return len(parts) > 1 and any(curve.part == "train" for curve in curves)


@dataclass(frozen=True)
class _Style:
    name: str
    """In the legend."""
    label: str
    """Where the cursor reads values."""
    colour: Role
    glyph: str
    dotted: bool = False
    raw: bool = False
    """Whether to show the unsmoothed values too."""
    smooth: bool = True


def _style_of_run(group: ChartGroup, curve: Curve, run: str, number: int, *, named: bool) -> _Style:
    label = f"{run} {curve.label}" if len(group.curves) > 1 else run
    return _Style(
        run if named else "",
        label,
        role_of(number),
        glyph_of(number),
        dotted=_is_dotted(group, [curve]),
        smooth=_is_smoothed(group),
    )


def _style_alone(group: ChartGroup, curve: Curve) -> _Style:
    smooth, place = _is_smoothed(group), group.curves.index(curve)
    if len(group.curves) == 1:
        role = _ROLES.get(group.sort, "loss")
        return _Style("", curve.label, role, "", raw=True, smooth=smooth)
    if group.quantity == RATES:
        return _Style(curve.label, curve.label, role_of(place), glyph_of(place), smooth=smooth)
    role, glyph = _PART_ROLES[curve.part], _PART_GLYPHS[curve.part]
    return _Style(curve.label, curve.label, role, glyph, raw=place == 0, smooth=smooth)


def _is_smoothed(group: ChartGroup) -> bool:
    return group.sort not in ("lr", "count", "system")


def _series(
    run: RunCurves, name: str, smoothing: float, at: Floats, unit: float, style: _Style, rises: bool
) -> list[Series]:
    values = run.values(name, unit)
    smoothed = run.smoothed(name, smoothing if style.smooth else 1.0)
    drawn: list[Series] = []
    if smoothed.weight < 1 and style.raw:
        drawn.append(Series(at, values, "", "raw", faint=True, label="", rises=rises))
    every = slice(smoothed.first, None, smoothed.every)
    raw = values[every] if smoothed.weight < 1 else None
    shown = values if smoothed.weight == 1 else unit * smoothed.values
    at = at[every]
    drawn.append(
        Series(
            at,
            shown,
            style.name,
            style.colour,
            "points" if len(values) == 1 else "line",
            dotted=style.dotted,
            glyph=style.glyph,
            label=style.label,
            raw=raw,
            rises=rises,
        )
    )
    if 1 < len(values) <= _FEW and not style.glyph:
        drawn.append(Series(at, shown, "", style.colour, "points", label=""))
    return drawn


def charts_of(history: RunHistory, waiting: str) -> list[Chart]:
    """The charts of a run, as they are printed; one says `waiting` if there are no values."""
    runs = [RunCurves(one.name, one.columns) for one in run_columns(history)]
    names = [name for run in runs for name in run.columns.names]
    groups = [group for group in chart_groups(names) if group.sort != "count"]
    groups = groups or chart_groups(names)
    x = x_scale(runs, names, "step")
    styles = range(len(runs)) if len(runs) > 1 else ()
    charts = [group_chart(group, runs, GridOptions(), x, styles) for group in groups]
    load = RunCurves("", load_columns(history))
    by_second = x_scale([load], load.columns.names, "step")
    charts += [
        group_chart(group, [load], GridOptions(smoothing=1.0), by_second)
        for group in chart_groups(load.columns.names)
    ]
    return charts or [Chart(empty=waiting)]
