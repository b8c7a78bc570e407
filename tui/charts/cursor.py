"""A cursor on charts that share an x axis: where keys move it, and what the curves are there."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from clr_tui.tui.charts.chart import Area, Chart, Role, Series, VLine
from clr_tui.tui.charts.scale import Scale, valid


@dataclass(frozen=True)
class Reading:
    """The value of one curve at the cursor."""

    label: str
    colour: Role
    glyph: str
    x: float
    """Where the value is: at the cursor, or the last place before it; NaN if there is none."""
    y: float
    """NaN if there is no value, or none that is finite."""
    low: float = math.nan
    """The band there; NaN for none."""
    high: float = math.nan
    raw: float = math.nan
    """The value before it was smoothed; NaN if it was not."""


def place_near(charts: Iterable[Chart], x: float) -> float | None:
    """Returns the x of the point nearest to `x`, of any curve; None if there are no points."""
    near = [place for chart in charts for place in _around(chart, x)]
    return min(near, key=lambda place: abs(place - x), default=None)


def moved_cursor(
    charts: Sequence[Chart], at: float, columns: int, shown: Scale, width: int
) -> float:
    """Moves the cursor to the point of a curve that is about `columns` columns away.

    It is always at a point, so that what is read there was measured. Where points are more than a
    column apart it moves to the next one; past the last one it stays.

    Args:
        charts: the charts that share the axis.
        at: where it is.
        columns: how far to go, to the right if positive.
        shown: the part of the axis that is shown.
        width: its columns.
    """
    target = shown.value(float(shown.fraction(at)) + columns / max(width, 1))
    right = columns > 0
    beyond = [
        place
        for chart in charts
        for x in (at, target)
        for place in _around(chart, x)
        if (place > at if right else place < at)
    ]
    return min(
        beyond, key=lambda place: abs(shown.fraction(place) - shown.fraction(target)), default=at
    )


def readings(chart: Chart, at: float) -> list[Reading]:
    """Returns what the labelled curves of a chart are at `at`, in their order.

    Of several curves with one label, such as a line and its points, the one with a value nearest to
    the cursor counts.
    """
    found: dict[str, Reading] = {}
    for series in chart.series:
        label = _label(series)
        if not label:
            continue
        reading = _read(series, label, at, chart.areas)
        known = found.get(label)
        if known is None or not known.x >= reading.x:
            found[label] = reading if known is None or not math.isnan(reading.x) else known
    return list(found.values())


def with_cursor(chart: Chart, at: float, words: str) -> Chart:
    """Returns the chart with the cursor at `at`; `words` are below it if x has numbers."""
    numbered = bool(chart.x.label or any(line.label for line in chart.vlines))
    line = VLine(at, words if numbered else "", "cursor", selected=True)
    return replace(chart, vlines=(*chart.vlines, line))


def _label(series: Series) -> str:
    return series.name if series.label is None else series.label


def _around(chart: Chart, x: float) -> list[float]:
    """Returns the last point of each curve before `x`, any at it, and the first after it."""
    found = []
    for series in chart.series:
        if not _label(series):
            continue
        places = series.places
        first, after = np.searchsorted(places, x), np.searchsorted(places, x, side="right")
        for index in {int(first) - 1, int(first), int(after)}:
            if 0 <= index < len(places) and valid(places[index], chart.x.log):
                found.append(float(places[index]))
    return found


def _read(series: Series, label: str, at: float, areas: Sequence[Area]) -> Reading:
    """Reads one curve: its last point at or before the cursor."""
    glyph = series.glyph
    if series.ascending:
        index = int(np.searchsorted(series.x, at, side="right")) - 1
    else:
        before = np.flatnonzero(series.x <= at)
        index = int(before[np.argmax(series.x[before])]) if len(before) else -1
    if index < 0:
        return Reading(label, series.colour, glyph, math.nan, math.nan)
    x, y = float(series.x[index]), float(series.y[index])
    low, high = _band(areas, series.colour, x)
    y = y if math.isfinite(y) else math.nan
    raw = math.nan if series.raw is None else float(series.raw[index])
    return Reading(label, series.colour, glyph, x, y, low, high, raw)


def _band(areas: Sequence[Area], colour: Role, x: float) -> tuple[float, float]:
    """Returns the ends of the band of this colour at one of its points."""
    for area in areas:
        index = int(np.searchsorted(area.x, x))
        if area.colour == colour and index < len(area.x) and area.x[index] == x:
            return float(area.low[index]), float(area.high[index])
    return math.nan, math.nan
