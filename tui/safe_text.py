"""The last gate before the terminal: whatever a widget draws, no character of it can steer."""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from clr_tui.tui.text.clean import REPLACEMENT, plain


class OnlyText(LineFilter):
    """Takes out control and format characters, and leaves every cell where it is.

    Text from logs is made plain where it is shown. A field of the form must hold a path as it is,
    though, and Textual's inputs draw what they hold: an ESC in a folder's name would reach the
    terminal.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments without such characters."""
        if all(segment.text.isprintable() for segment in segments):
            return segments
        return [
            Segment(_shown(segment.text), segment.style, segment.control) for segment in segments
        ]


def _shown(text: str) -> str:
    # Most of them take no cell: what stands in for them must not take one either.
    return "".join(c if plain(c) == c else REPLACEMENT * cell_len(c) for c in text)
