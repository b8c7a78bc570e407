"""A drawn chart as text: plain for files and pipes, styled for a terminal that has colours."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from clr_tui.tui.charts.cells import Row
from clr_tui.tui.charts.palette import Palette


def to_text(rows: Sequence[Row]) -> str:
    """The rows as lines without any escape code; no blanks at line ends, no final newline."""
    return "\n".join("".join(span.text for span in row).rstrip() for row in rows)


def to_rich(rows: Sequence[Row], palette: Palette) -> Text:
    """The rows as a Rich text, for a console to print in the colours that it has."""
    text = Text(no_wrap=True, overflow="crop", end="")
    for number, row in enumerate(rows):
        if number:
            text.append("\n")
        for span in row:
            text.append(span.text, style=palette.style(span.ink))
    return text
