"""How many charts are shown at once, in how many columns and rows, and which of them."""

from __future__ import annotations

import math
from typing import NamedTuple

COUNTS = (1, 2, 3, 4, 6, 9, 12, 16)
"""How many charts may be shown at once."""
MOST = COUNTS[-1]
_LEAST_WIDTH, _LEAST_HEIGHT = 26, 6
"""Cells of the smallest chart that can be read."""
_SHAPE = 4.5
"""The best width of a chart in its height, in cells: twice as wide as high."""
_HOLE = 0.3
"""What an empty place costs, in the logarithm of the shape."""


class Shape(NamedTuple):
    """Columns and rows of charts."""

    columns: int
    rows: int


def shape_of(count: int, width: int, height: int) -> Shape | None:
    """The best columns and rows for so many charts; None if they do not fit `width` x `height`."""
    fitting = [
        (columns, -(-count // columns))
        for columns in range(1, count + 1)
        if columns * _LEAST_WIDTH <= width
        and -(-count // columns) * _LEAST_HEIGHT <= height
        and (-(-count // columns) - 1) * columns < count
    ]

    def badness(shape: tuple[int, int]) -> float:
        columns, rows = shape
        ratio = (width / columns) / (height / rows)
        return abs(math.log(ratio / _SHAPE)) + _HOLE * (columns * rows - count)

    best = min(fitting, key=badness, default=None)
    return None if best is None else Shape(*best)


def counts_for(width: int, height: int) -> list[int]:
    """How many charts may be shown at once in so many cells: at least one."""
    return [n for n in COUNTS if n == 1 or shape_of(n, width, height) is not None]


def usual_count(width: int, height: int) -> int:
    """How many charts are shown at once in so many cells, if nobody has chosen."""
    most = 6 if width * height >= 8000 else 4 if width * height >= 1100 else 2
    small = width < 60 and height < 16
    return 1 if small else max(n for n in counts_for(width, height) if n <= most)


def page_of(selected: int, at_once: int, total: int) -> range:
    """The numbers of the charts on the page with number `selected`."""
    first = selected // at_once * at_once
    return range(first, min(first + at_once, total))
