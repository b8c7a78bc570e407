"""Where the glyphs of curves go, in cells and in SVG: they identify a curve without colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from clr_tui.tui.charts.scale import Floats

Mask = npt.NDArray[np.bool_]
Place = tuple[int, int]
"""Row and column of a cell."""

EVERY = 12
"""Minimum columns between two glyphs of one curve."""
_MIN_GAP = 2
"""Minimum columns between glyphs of neighbouring curves."""
Point = tuple[float, float]
"""In px."""
EVERY_PX = 120.0
"""Px between two glyphs of one curve."""
_APART_PX = 15.0
"""Minimum px between any two glyphs: a little more than the width of one."""


def glyph_places(curves: Sequence[Mask]) -> list[list[Place]]:
    """Returns the cells of each curve's glyphs: one at its end, others at intervals along it.

    Args:
        curves: which cells each curve covers, all of shape (height, width).

    Each curve has columns of its own, counted from the left edge so that glyphs do not move while
    a curve grows. Where ends meet, the glyph of an earlier curve steps back along it until free.
    """
    paths = [_path(curve) for curve in curves]
    taken: set[Place] = set()
    ends: list[Place | None] = []
    for path in reversed(paths):  # later curves lie on top, they choose first
        place = next((p for p in _backwards(path) if _free(p, taken)), None)
        taken |= {place} if place else set()
        ends.insert(0, place)
    places: list[list[Place]] = []
    every = max(EVERY, _MIN_GAP * len(paths))
    for number, (path, end) in enumerate(zip(paths, ends, strict=True)):
        own = [end] if end else []
        last = end[1] - EVERY // 2 if end else -1
        for column in range(every * number // len(paths) + _MIN_GAP, last + 1, every):
            place = int(path[column]), column
            if place[0] >= 0 and _free(place, taken):
                own.append(place)
        taken.update(own)
        places.append(own)
    return places


def _path(curve: Mask) -> npt.NDArray[np.int64]:
    """Returns the middle row that a curve covers in each column, shape (width,); -1 for none."""
    height = len(curve)
    first = curve.argmax(axis=0)
    last = height - 1 - curve[::-1].argmax(axis=0)
    middle = np.where(curve.any(axis=0), (first + last) // 2, -1)
    # A curve that turns back need not cover the middle.
    covered = curve[middle, np.arange(curve.shape[1])]
    return np.where(covered | (middle < 0), middle, first)


def _backwards(path: npt.NDArray[np.int64]) -> Iterator[Place]:
    """Yields the last `EVERY` cells of a path, from the right."""
    columns = np.flatnonzero(path >= 0)[::-1][:EVERY]
    return ((int(path[column]), int(column)) for column in columns)


def _free(place: Place, taken: set[Place]) -> bool:
    row, column = place
    return not any((row, column + shift) in taken for shift in (-1, 0, 1))


def glyph_points(curves: Sequence[tuple[Floats, Floats]]) -> list[list[Point]]:
    """Returns glyph points as for `glyph_places`; x and y in px, of one shape, NaN outside."""
    known = [(x[ok], y[ok]) for x, y in curves for ok in [np.isfinite(x) & np.isfinite(y)]]
    taken: list[Point] = []
    ends = [_end(x, y, taken) for x, y in reversed(known)][::-1]
    found: list[list[Point]] = []
    for number, ((x, y), end) in enumerate(zip(known, ends, strict=True)):
        own = [end] if end else []
        first = EVERY_PX * (number + 0.5) / len(known)
        for at in np.arange(first, end[0] - EVERY_PX / 2 if end else 0.0, EVERY_PX):
            nearest = int(np.abs(x - at).argmin())
            point = float(x[nearest]), float(y[nearest])
            if abs(point[0] - at) < EVERY_PX / 2 and _is_free(point, taken):
                own.append(point)
                taken.append(point)
        found.append(own)
    return found


def _end(x: Floats, y: Floats, taken: list[Point]) -> Point | None:
    """Takes the last free point of a curve, at most `EVERY_PX` back."""
    for point in zip(x[::-1].tolist(), y[::-1].tolist(), strict=True):
        if point[0] < x[-1] - EVERY_PX:
            break
        if _is_free(point, taken):
            taken.append(point)
            return point
    return None


def _is_free(point: Point, taken: list[Point]) -> bool:
    return all(np.hypot(point[0] - x, point[1] - y) >= _APART_PX for x, y in taken)
