"""Charts of logged values, of one run or of several together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.metric_names import is_share
from clr_tui.engine.analysis.run_columns import load_columns, run_columns
from clr_tui.engine.settings.config import SMOOTHING
from clr_tui.tui.charts.chart import Axis, Chart, Role, Series
from clr_tui.tui.kinds.compare.entry_style import glyph_of, role_of
from clr_tui.tui.kinds.logged.curves import X_AXES, RunCurves, XAxis
from clr_tui.tui.kinds.logged.groups import RATES, ChartGroup, Curve, chart_groups
from clr_tui.tui.text.chart_options import WEIGHTS
from clr_tui.tui.text.clean import plain

_ROLES: dict[str, Role] = {"loss": "loss", "metric": "accuracy", "lr": "lr", "count": "muted"}
"""Of a curve that is alone on its chart, by what it measures."""
_PART_ROLES: dict[str, Role] = {"train": "loss", "val": "validation", "test": "accuracy"}
_PART_GLYPHS = {"train": "", "val": "●", "test": "▲"}
_FEW = 24
"""A curve of so few values also shows them as points."""
_UNITS: tuple[tuple[float, float, str], ...] = (
    (600.0, 1.0, "seconds"),
    (36_000.0, 60.0, "minutes"),
    (np.inf, 3600.0, "hours"),
)
"""Longest time in seconds, seconds per unit, and the unit."""


@dataclass(frozen=True)
class GridOptions:
    """How to draw charts of logged values."""

    x: XAxis = "step"
    smoothing: float = SMOOTHING
    """Weight of a new value; 1 leaves the curves as they are."""
    log_y: frozenset[str] = field(default_factory=frozenset)
    """Keys of the charts with a logarithmic y axis."""

    def smoother(self, direction: int) -> GridOptions:
        """Returns the next stronger (1) or weaker (-1) smoothing, if there is one."""
        beyond = (a for a in WEIGHTS[::direction] if direction * (self.smoothing - a) > 0)
        return replace(self, smoothing=next(beyond, self.smoothing))

    def toggled_y(self, key: str) -> GridOptions:
        """Switches the y axis of a chart between linear and logarithmic."""
        return replace(self, log_y=self.log_y ^ {key})


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


def x_scale(runs: Sequence[RunCurves], names: Sequence[str], axis: XAxis) -> XScale:
    """The x axis for these names of all runs."""
    wanted = set(names)
    found = [run.ends(name, axis) for run in runs for name in run.columns.names if name in wanted]
    places = np.concatenate(found) if found else np.empty(0)
    name, unit = _name_of(runs, wanted, axis), 1.0
    if axis == "time":
        longest = float(places.max(initial=0.0))
        unit, name = next((unit, name) for most, unit, name in _UNITS if longest < most)
    ends = (float(places.min()) / unit, float(places.max()) / unit) if len(places) else None
    return XScale(axis, name, unit, ends)


def _name_of(runs: Sequence[RunCurves], names: set[str], axis: XAxis) -> str:
    if axis != "step":
        return RATES if axis == "lr" else axis
    counted = {
        run.columns.column(name).x for run in runs for name in run.columns.names if name in names
    }
    return plain(counted.pop()) if len(counted) == 1 else "step"


def axes_of(runs: Sequence[RunCurves]) -> tuple[XAxis, ...]:
    """The x axes on which any of the runs has values."""
    return tuple(axis for axis in X_AXES if any(run.has(axis) for run in runs))


def group_chart(
    group: ChartGroup,
    runs: Sequence[RunCurves],
    options: GridOptions,
    x: XScale,
    styles: Sequence[int] = (),
) -> Chart:
    """The chart of a group, with the curves of all runs.

    Args:
        group: the names that share the chart.
        runs: those whose curves to draw.
        options: how to draw them.
        x: the x axis.
        styles: numbers of the runs' colours and shapes; empty for a run that is shown alone.
    """
    series: list[Series] = []
    highest = [_highest(group, run) for run in runs]
    for number, run in enumerate(runs):
        # Per cent for shares from 0 to 1: tools differ in how they log them.
        unit = 100.0 if is_share(group.quantity) and highest[number] <= 1 else 1.0
        for place, curve in enumerate(group.curves):
            if curve.name in run.columns.names:
                style = _style(group, curve, place, styles[number] if styles else None)
                series += _series(run, curve.name, options.smoothing, x, unit, style)
    if not any(bool(np.isfinite(one.x).any()) for one in series):
        return Chart(title=group.title, empty=f"No value has a place on this x axis ({x.name}).")
    return Chart(
        series=tuple(series),
        x=Axis(label=x.name),
        y=Axis(log=group.key in options.log_y),
        title=_title(group, options, max(highest), several=bool(styles)),
        empty="None of its values is a finite number.",
    )


def _title(group: ChartGroup, options: GridOptions, highest: float, *, several: bool) -> str:
    unit = ", %" if is_share(group.quantity) and highest <= 100 else ""
    notes = ["log"] if group.key in options.log_y else []
    if several and _is_dotted(group, group.curves):
        notes.append("train dotted")
    return f"{group.title}{unit} ({', '.join(notes)})" if notes else f"{group.title}{unit}"


def _highest(group: ChartGroup, run: RunCurves) -> float:
    """The highest value of a group; 0 if there is none."""
    known = set(run.columns.names)
    columns = [run.columns.column(c.name).value for c in group.curves if c.name in known]
    highest = [float(np.fmax.reduce(column)) for column in columns]
    return max((value for value in highest if np.isfinite(value)), default=0.0)


def _is_dotted(group: ChartGroup, curves: Sequence[Curve]) -> bool:
    """Whether curves of training data are dotted, beside those of other parts."""
    parts = {curve.part for curve in group.curves}
    return len(parts) > 1 and any(curve.part == "train" for curve in curves)


@dataclass(frozen=True)
class _Style:
    name: str
    colour: Role
    glyph: str
    dotted: bool = False
    raw: bool = False
    """Whether to show the unsmoothed values too."""
    smooth: bool = True


def _style(group: ChartGroup, curve: Curve, place: int, run: int | None) -> _Style:
    smooth = group.sort not in ("lr", "count")
    several = len(group.curves) > 1
    if run is not None:
        dotted = _is_dotted(group, [curve])
        return _Style("", role_of(run), glyph_of(run), dotted, smooth=smooth)
    if group.quantity == RATES and several:
        return _Style(curve.label, role_of(place), glyph_of(place), smooth=False)
    if several:
        role = _PART_ROLES[curve.part]
        return _Style(curve.label, role, _PART_GLYPHS[curve.part], raw=place == 0, smooth=smooth)
    return _Style("", _ROLES.get(group.sort, "loss"), "", raw=True, smooth=smooth)


def _series(
    run: RunCurves, name: str, smoothing: float, x: XScale, unit: float, style: _Style
) -> list[Series]:
    column = run.columns.column(name)
    at = run.x(column, x.axis)
    at = at / x.unit if x.unit != 1 else at
    values, smoothed = run.smoothed(name, smoothing if style.smooth else 1.0)
    drawn: list[Series] = []
    if smoothed and style.raw:
        drawn.append(Series(at, unit * column.value, "", "raw", faint=True))
    kind = "points" if len(values) == 1 else "line"
    drawn.append(
        Series(
            at,
            unit * values if unit != 1 else values,
            style.name,
            style.colour,
            kind,  # type: ignore[arg-type]
            dotted=style.dotted,
            glyph=style.glyph,
        )
    )
    if 1 < len(values) <= _FEW and not style.glyph:
        drawn.append(Series(at, drawn[-1].y, "", style.colour, "points"))
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
