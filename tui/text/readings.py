"""What the curves are at the cursor, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.cells import cell_len

from clr_tui.tui.charts.chart import Chart
from clr_tui.tui.charts.cursor import Reading, readings
from clr_tui.tui.fitting import padded, truncate
from clr_tui.tui.text import numbers
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.lines import BLANK, Line, Piece, heading

_VALUE_WIDTH = 9
_APART = "   "


def reading_rows(charts: Sequence[Chart], at: float, x_name: str, width: int) -> list[Line]:
    """Returns a row for each curve under the title of its chart, then a blank line.

    Args:
        charts: the charts that share the axis.
        at: where the cursor is.
        x_name: what x counts.
        width: of the lines, in cells.
    """
    rows: list[tuple[str, Reading | None]] = []
    for chart in charts:
        own = readings(chart, at)
        if len(own) == 1:
            rows.append((plain(chart.title), own[0]))
        elif own:
            rows.append((plain(chart.title), None))
            rows += [(f"{one.glyph or ' '} {plain(one.label)}", one) for one in own]
    names = [x_name, *(name for name, reading in rows if reading is not None)]
    column = min(max(map(cell_len, names)) + 1, max(width - _VALUE_WIDTH, 8))
    place = numbers.place(at).rjust(_VALUE_WIDTH)
    lines: list[Line] = [((padded(x_name, column), "cursor"), (place, "cursor"))]
    for name, reading in rows:
        if reading is None:
            lines.append(heading(truncate(name, width)))
            continue
        value = numbers.exact(reading.y).rjust(_VALUE_WIDTH)
        named: Piece = (padded(truncate(name, column - 1), column), reading.colour)
        lines.append((named, (value, "text"), (_after(reading, at), "muted")))
    return [*lines, BLANK]


def reading_line(charts: Sequence[Chart], at: float, x_name: str, width: int) -> list[Line]:
    """Returns the same one after another, in as many lines as it takes."""
    parts: list[Line] = [((f"{x_name} {numbers.place(at)}", "cursor"),)]
    for chart in charts:
        own = readings(chart, at)
        alone = len(charts) > 1 and len(own) == 1
        if len(charts) > 1 and len(own) > 1:
            parts.append(((f"{plain(chart.title)}:", "muted"),))
        for one in own:
            name = plain(chart.title if alone else f"{one.glyph} {one.label}".strip())
            value, after = numbers.exact(one.y), _after(one, at)
            parts.append(((f"{name} ", one.colour), (value, "text"), (after, "muted")))
    lines: list[list[Piece]] = [[]]
    for part in parts:
        before, size = _cells(lines[-1]), _cells(part)
        if before and before + len(_APART) + size > width:
            lines.append([])
        lines[-1] += [(_APART, "text"), *part] if lines[-1] else part
    return [tuple(line) for line in lines]


def amount_of_x(span: float, name: str, *, log: bool) -> str:
    """Words for a length of an axis: `250 steps`, `1.5 decades of the learning rate`."""
    if log:
        return f"{span:.2g} decades of the {name}"
    ending = "" if name.endswith("s") or span == 1 else "s"
    return f"{numbers.place(span)} {name}{ending}"


def _cells(pieces: Sequence[Piece]) -> int:
    return sum(cell_len(text) for text, _ in pieces)


def _after(reading: Reading, at: float) -> str:
    """The raw value, the band, and where the value is if that is not at the cursor."""
    words = f" raw {numbers.exact(reading.raw)}" if math.isfinite(reading.raw) else ""
    if math.isfinite(reading.low) and math.isfinite(reading.high):
        words += f" ({numbers.exact(reading.low)}…{numbers.exact(reading.high)})"
    if math.isfinite(reading.x) and reading.x != at:
        words += f" at {numbers.place(reading.x)}"
    return words
