"""Keeps control characters in drawn text from reaching the terminal."""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from clr_tui.tui.text.clean import REPLACEMENT, plain


class SafeTextFilter(LineFilter):
    """Replaces control and format characters without moving any cell.

    Text from logs is already plain. A form field must keep a path unchanged, though, and Textual's
    inputs draw their raw value: an ESC in a folder's name would reach the terminal.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Returns the segments without such characters."""
        if all(segment.text.isprintable() for segment in segments):
            return segments
        return [
            Segment(_shown(segment.text), segment.style, segment.control) for segment in segments
        ]


def _shown(text: str) -> str:
    # Most of them take no cell, so neither may their replacement.
    return "".join(c if plain(c) == c else REPLACEMENT * cell_len(c) for c in text)
