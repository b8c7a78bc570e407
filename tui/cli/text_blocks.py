"""Pieces of what is printed: charts and sentences as lines of plain text, cells of a table."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from clr_tui.tui.text.clean import plain

if TYPE_CHECKING:  # numpy: `ls` is to be there at once
    from clr_tui.tui.charts.chart import Chart


def drawn(chart: Chart, width: int, height: int) -> list[str]:
    """The chart as lines, without any escape code."""
    from clr_tui.tui.charts.cells import to_text
    from clr_tui.tui.charts.draw import draw
    from clr_tui.tui.charts.palette import PLAIN

    return to_text(draw(chart, width, height, PLAIN)).split("\n")


def wrapped(text: str, width: int) -> list[str]:
    """`text`, made safe, in lines of at most `width` cells; one empty line where there is none."""
    return textwrap.wrap(plain(text), width) or [""]
