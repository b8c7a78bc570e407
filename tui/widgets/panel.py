"""Lines of text that repaint only where they changed."""

from __future__ import annotations

from dataclasses import dataclass

from rich.segment import Segment
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from clr_tui.tui.fitting import changed_span
from clr_tui.tui.text.lines import BLANK, Line, drop_lines_to_fit, truncate_lines
from clr_tui.tui.widgets.roles import palette_of


class Panel(Widget):
    """Lines of (text, role) pieces, one per row, cut at the right edge.

    If there are more lines than rows, blank lines are left out first, then the last ones. New lines
    refresh only the cells that differ, so that unchanged values cost nothing on a slow connection.

    Omitted last lines are marked if `dots` is set, for sentences.
    """

    @dataclass
    class Resized(Message):
        """The size of the panel has changed."""

        panel: Panel

    def __init__(self, *, id: str | None = None, dots: bool = False) -> None:
        super().__init__(id=id)
        self._dots = dots
        self._lines: list[Line] = []
        self._shown: list[Line] = []

    @property
    def lines(self) -> list[Line]:
        """All lines, including those that do not fit."""
        return self._lines

    @property
    def text(self) -> str:
        """The visible lines as plain text."""
        return "\n".join("".join(text for text, _ in line) for line in self._shown)

    def set_lines(self, lines: list[Line]) -> None:
        """Replaces the lines."""
        self._lines = lines
        self._lay_out()

    def _lay_out(self) -> None:
        width = self.content_size.width
        before, self._shown = self._shown, self._fitted()
        regions = []
        for y in range(max(len(before), len(self._shown))):
            old = before[y] if y < len(before) else BLANK
            new = self._shown[y] if y < len(self._shown) else BLANK
            if old != new:
                start, end = changed_span(old, new, width)
                regions.append(Region(start, y, end - start, 1))
        if regions:
            self.refresh(*regions)

    def on_mount(self) -> None:
        """Repaints when the theme changes."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self.refresh())

    def on_resize(self) -> None:
        """Fits the lines to the new height."""
        self._shown = self._fitted()
        self.refresh()
        self.post_message(self.Resized(self))

    def _fitted(self) -> list[Line]:
        width, height = self.content_size
        return (
            truncate_lines(self._lines, height, width)
            if self._dots
            else drop_lines_to_fit(self._lines, height)
        )

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """Returns the width of the widest line."""
        return max((sum(len(text) for text, _ in line) for line in self._lines), default=0)

    def render_line(self, y: int) -> Strip:
        """Renders row `y`."""
        width = self.content_size.width
        base = self.rich_style
        if y >= len(self._shown):
            return Strip.blank(width, base)
        palette = palette_of(self.app)
        # The background, and the text of a role without colour, are the widget's.
        strip = Strip([Segment(text, base + palette.of(role)) for text, role in self._shown[y]])
        if strip.cell_length > width > 0:
            strip = Strip([*strip.crop(0, width - 1), Segment("…", base)])
        return strip.adjust_cell_length(width, base)
