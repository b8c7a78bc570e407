"""Where the glyphs of curves go on a vector picture: the places of `glyphs.py`, in px."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clr_tui.tui.charts.scale import Floats

EVERY = 120.0
"""From one glyph of a curve to its next, px."""
_APART = 15.0
"""Between any two glyphs, px: a little more than one is wide."""
Point = tuple[float, float]


def glyph_points(curves: Sequence[tuple[Floats, Floats]]) -> list[list[Point]]:
    """Which points of each curve carry its glyph: its last, and others at intervals.

    Args:
        curves: x and y of each, px, of one shape; NaN for points that are not on the picture.

    As on the terminal curves take turns along x, and where ends meet an earlier curve's steps
    back to a point where it is free.
    """
    known = [(x[ok], y[ok]) for x, y in curves for ok in [np.isfinite(x) & np.isfinite(y)]]
    taken: list[Point] = []
    ends = [_end(x, y, taken) for x, y in reversed(known)][::-1]
    found: list[list[Point]] = []
    for number, ((x, y), end) in enumerate(zip(known, ends, strict=True)):
        own = [end] if end else []
        first = EVERY * (number + 0.5) / len(known)
        for at in np.arange(first, end[0] - EVERY / 2 if end else 0.0, EVERY):
            nearest = int(np.abs(x - at).argmin())
            point = float(x[nearest]), float(y[nearest])
            if abs(point[0] - at) < EVERY / 2 and _free(point, taken):
                own.append(point)
                taken.append(point)
        found.append(own)
    return found


def _end(x: Floats, y: Floats, taken: list[Point]) -> Point | None:
    """The last free point of a curve, at most an interval back; it is taken then."""
    for point in zip(x[::-1].tolist(), y[::-1].tolist(), strict=True):
        if point[0] < x[-1] - EVERY:
            break
        if _free(point, taken):
            taken.append(point)
            return point
    return None


def _free(point: Point, taken: list[Point]) -> bool:
    return all(np.hypot(point[0] - x, point[1] - y) >= _APART for x, y in taken)
