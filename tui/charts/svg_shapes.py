"""Sizes and outlines of the parts of a vector picture, px."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from clr_tui.engine.analysis.reduce import reduce_columns
from clr_tui.tui.charts.cells import clean
from clr_tui.tui.charts.chart import Area, Series
from clr_tui.tui.charts.scale import Floats, Scale

SMALL = 13
"""The size of most text."""
_CHARACTER = 7.4
"""About how wide a character of that size is, px: SVG does not measure text for us."""
_SAMPLE = 50
"""What an entry of the legend takes beside its name: the sample and the blanks around it, px."""


@dataclass(frozen=True)
class Box:
    """The data area of a picture."""

    left: float
    top: float
    right: float
    bottom: float


def wide(words: str) -> float:
    """About how wide `words` are."""
    return len(clean(words)) * _CHARACTER


def legend_width(items: Sequence[Series | Area]) -> float:
    """Of the samples and names of `items` in a row."""
    return sum(wide(item.name) + _SAMPLE for item in items)


def stroke(series: Series) -> str:
    """The attributes of a line, but for its colour."""
    width = 1.2 if series.faint else 3.6 if series.strong else 2.4
    dots = ' stroke-dasharray="1 5"' if series.dotted else ""
    opacity = 0.8 if series.faint else 1
    return f'stroke-width="{width}" stroke-opacity="{opacity}" stroke-linecap="round"{dots}'


def placed(xs: Floats, ys: Floats, x: Scale, y: Scale, box: Box) -> tuple[Floats, Floats]:
    """The points of a curve, px, at most about two for each pixel; NaN in gaps."""
    columns = max(1, int(box.right - box.left))
    across, up = reduce_columns(x.fraction(xs), y.fraction(ys), columns, 0.0, 1.0)
    # What lies far outside would only make the numbers long: the picture is clipped.
    up = np.clip(up, -1.0, 2.0)
    px = box.left + across * (box.right - box.left)
    return px, box.bottom - up * (box.bottom - box.top)


def pieces(px: Floats, py: Floats) -> Iterable[list[str]]:
    """The unbroken pieces of a curve as points "x,y", px."""
    pieces: list[list[str]] = [[]]
    for a, b in zip(px.tolist(), py.tolist(), strict=True):
        if a != a or b != b:
            pieces.append([])
        else:
            pieces[-1].append(f"{a:.1f},{b:.1f}")
    return [piece for piece in pieces if piece]
