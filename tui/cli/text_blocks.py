"""Pieces of what is printed: charts and sentences as lines of plain text, cells of a table."""

from __future__ import annotations

import textwrap
import unicodedata
from typing import TYPE_CHECKING

from clr_tui.tui.text.clean import plain

if TYPE_CHECKING:  # numpy: `ls` is to be there at once
    from clr_tui.tui.charts.chart import Chart


def drawn(chart: Chart, width: int, height: int) -> list[str]:
    """The chart as lines, without any escape code."""
    from clr_tui.tui.charts.draw import draw
    from clr_tui.tui.charts.palette import PLAIN
    from clr_tui.tui.charts.plain_rows import to_text

    return to_text(draw(chart, width, height, PLAIN)).split("\n")


def wrapped(text: str, width: int) -> list[str]:
    """`text`, made safe, in lines of at most `width` cells; one empty line where there is none."""
    return textwrap.wrap(plain(text), width) or [""]


def cut(text: str, width: int) -> str:
    """`text` in exactly `width` cells."""
    if cell_width(text) > width:
        while cell_width(text) >= width:
            text = text[:-1]
        text += "…"
    return text + " " * (width - cell_width(text))


def cell_width(text: str) -> int:
    """Cells that a terminal needs for it: two for wide letters, none for accents of their own."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )
