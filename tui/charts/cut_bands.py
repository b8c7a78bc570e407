"""Says in the title of a chart that bands leave it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from clr_tui.tui.charts.chart import Area, Chart
from clr_tui.tui.charts.columns import middles
from clr_tui.tui.charts.scale import Scale

CUT = "bands cut"
_COLUMNS = 256
"""Columns of the x axis in which bands are looked at."""
_SLACK = 0.02
"""How far a band may leave the axis unnoticed, as a fraction of it."""


def telling_of_cuts(chart: Chart, x: Scale | None, y: Scale | None) -> Chart:
    """Returns the chart; its title says so if a band leaves it where its curve does not.

    The curves of a band are those of its colour.
    """
    if x is None or y is None or CUT in chart.title:
        return chart
    with np.errstate(all="ignore"):
        cut = any(_is_cut(chart, area, x, y) for area in chart.areas)
    if not cut:
        return chart
    return replace(chart, title=", ".join(filter(None, (chart.title, CUT))))


def _is_cut(chart: Chart, area: Area, x: Scale, y: Scale) -> bool:
    after = middles(area.x, x, _COLUMNS)
    at = np.unique(after[(after > 0) & (after < len(area.x))])
    at = np.unique(np.concatenate((at - 1, at))) if len(at) else at
    at = at[(area.x[at] >= x.lo) & (area.x[at] <= x.hi)]
    beyond = (y.fraction(area.high[at]) > 1 + _SLACK) | (y.fraction(area.low[at]) < -_SLACK)
    at = at[beyond]
    if not len(at):
        return False
    for series in chart.series:
        if series.colour == area.colour and series.ascending and len(series.x):
            found = np.searchsorted(series.x, area.x[at])
            found = np.minimum(found, len(series.x) - 1)
            same = series.x[found] == area.x[at]
            place = y.fraction(series.y[found[same]])
            if bool(((place >= 0) & (place <= 1)).any()):
                return True
    return False
