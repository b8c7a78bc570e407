"""Where the glyphs of curves go: shapes that tell one curve from another without colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
Place = tuple[int, int]
"""Row and column of a cell."""

EVERY = 12
"""Columns from one glyph of a curve to its next, at least."""
_APART = 2
"""Columns from a glyph of one curve to one of the next curve, at least."""


def glyph_places(curves: Sequence[Mask]) -> list[list[Place]]:
    """The cells of each curve's glyphs: one at its end, others at intervals along it.

    Args:
        curves: which cells each curve covers, all of shape (height, width).

    Curves take turns: columns are counted from the left edge, so that glyphs hold still while a
    curve grows, and no two curves use the same. Where the ends of several curves meet, an earlier
    one steps back along its curve until its glyph is free.
    """
    paths = [_path(curve) for curve in curves]
    taken: set[Place] = set()
    ends: list[Place | None] = []
    for path in reversed(paths):  # later curves lie on top, they choose first
        place = next((p for p in _backwards(path) if _free(p, taken)), None)
        taken |= {place} if place else set()
        ends.insert(0, place)
    places: list[list[Place]] = []
    every = max(EVERY, _APART * len(paths))
    for number, (path, end) in enumerate(zip(paths, ends, strict=True)):
        own = [end] if end else []
        last = end[1] - EVERY // 2 if end else -1
        for column in range(every * number // len(paths) + _APART, last + 1, every):
            place = int(path[column]), column
            if place[0] >= 0 and _free(place, taken):
                own.append(place)
        taken.update(own)
        places.append(own)
    return places


def _path(curve: Mask) -> npt.NDArray[np.int64]:
    """The middle row that a curve covers in each column, shape (width,); -1 where none."""
    height = len(curve)
    first = curve.argmax(axis=0)
    last = height - 1 - curve[::-1].argmax(axis=0)
    middle = np.where(curve.any(axis=0), (first + last) // 2, -1)
    # A curve that goes to and fro need not cover the middle.
    covered = curve[middle, np.arange(curve.shape[1])]
    return np.where(covered | (middle < 0), middle, first)


def _backwards(path: npt.NDArray[np.int64]) -> Iterator[Place]:
    """The last cells of a path, back to where its glyph at an interval might stand."""
    columns = np.flatnonzero(path >= 0)[::-1][:EVERY]
    return ((int(path[column]), int(column)) for column in columns)


def _free(place: Place, taken: set[Place]) -> bool:
    row, column = place
    return not any((row, column + shift) in taken for shift in (-1, 0, 1))
