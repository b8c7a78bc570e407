"""A list of rows with a cursor and a fixed heading.

Textual's DataTable lays out every row (10,000 take two seconds), loses the cursor when rows move,
and repaints whole rows. This draws only visible rows, keeps the cursor on its row when rows move,
and repaints only cells that differ.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from clr_tui.tui.fitting import Pieces, changed_span

Row = TypeVar("Row")
_GUTTER = 2
"""A cell on the left for the cursor, and one on the right for the arrows of hidden rows."""


@dataclass(frozen=True)
class _Shown:
    line: Pieces = ()
    here: bool = False
    more: str = " "
    """An arrow if rows above or below are hidden."""


class RowList(Widget, Generic[Row], can_focus=False):
    """Places and scrolls rows; subclasses draw them."""

    COMPONENT_CLASSES = {"row-list--heading", "row-list--cursor", "row-list--mark"}  # noqa: RUF012 - Textual declares it as an instance's
    DEFAULT_CSS = """
    RowList {
        height: 1;
        & > .row-list--heading { color: $text-muted; }
        & > .row-list--cursor { background: $block-cursor-blurred-background; }
        & > .row-list--mark { color: $accent; text-style: bold; }
    }
    """

    @dataclass
    class Moved(Message):
        """The cursor has moved to another row."""

        def can_replace(self, message: Message) -> bool:
            """Only the current position matters."""
            return isinstance(message, RowList.Moved)

    @dataclass
    class Opened(Message):
        """The row under the cursor was double-clicked."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows: list[Row] = []
        self._cursor = 0
        self._top = 0
        self._painted: list[_Shown] = []

    def key_of(self, row: Row) -> Hashable:
        """Identifies a row, so that the cursor stays on it when rows change."""
        raise NotImplementedError

    def heading_line(self) -> Pieces:
        """Draws the line above the rows."""
        raise NotImplementedError

    def line_of(self, row: Row, here: bool) -> Pieces:
        """Draws a row; `here` if the cursor is on it."""
        raise NotImplementedError

    def style_of(self, name: str) -> Style:
        """Returns the foreground style of a piece of a line."""
        raise NotImplementedError

    @property
    def line_width(self) -> int:
        """Width of a row's line, in cells."""
        return max(self.content_size.width - _GUTTER, 1)

    @property
    def rows(self) -> list[Row]:
        """All rows, including hidden ones."""
        return self._rows

    @property
    def selected(self) -> Row | None:
        """The row under the cursor."""
        return self._rows[self._cursor] if self._rows else None

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Shows `rows` in this order."""
        before = self.selected
        self._rows = list(rows)
        self._cursor = self.place_of(before)
        # Not `height: auto`: a layout between two requests for one keeps the height of the first.
        self.styles.height = len(rows) + 1
        self._keep_in_sight()
        self._repaint()

    def place_of(self, before: Row | None) -> int:
        """Returns the cursor's new position: at the row `before`, or unchanged if that is gone."""
        if before is None:
            return 0
        key = self.key_of(before)
        last = max(len(self._rows) - 1, 0)
        places = (place for place, row in enumerate(self._rows) if self.key_of(row) == key)
        return next(places, min(self._cursor, last))

    def move(self, by: int) -> None:
        """Moves the cursor by `by` rows."""
        self.go(self._cursor + by)

    def go(self, place: int) -> None:
        """Moves the cursor to row `place`, clamped to the rows."""
        place = min(max(place, 0), max(len(self._rows) - 1, 0))
        if place == self._cursor:
            return
        self._cursor = place
        self._keep_in_sight()
        self._repaint()
        self.post_message(self.Moved())

    def _keep_in_sight(self) -> None:
        room = max(self.content_size.height - 1, 1)
        top = min(self._top, max(len(self._rows) - room, 0))
        self._top = min(max(top, self._cursor - room + 1), self._cursor)

    def _visible(self) -> list[_Shown]:
        height = self.content_size.height
        last = min(self._top + height - 1, len(self._rows))
        shown = [_Shown(self.heading_line())] if height else []
        for place in range(self._top, last):
            more, here = " ", place == self._cursor
            if place == self._top and self._top > 0:
                more = "↑"
            elif place == last - 1 and last < len(self._rows):
                more = "↓"
            shown.append(_Shown(self.line_of(self._rows[place], here), here, more))
        return shown + [_Shown()] * (height - len(shown))

    def _repaint(self) -> None:
        width = self.content_size.width
        before, self._painted = self._painted, self._visible()
        if len(before) != len(self._painted):
            self.refresh()
            return
        regions = []
        for y, (old, new) in enumerate(zip(before, self._painted, strict=True)):
            if old.here != new.here or old.more != new.more:
                regions.append(Region(0, y, width, 1))
            elif old.line != new.line:
                start, end = changed_span(old.line, new.line, self.line_width)
                regions.append(Region(start + 1, y, end - start, 1))
        if regions:
            self.refresh(*regions)

    def on_mount(self) -> None:
        """Repaints when the theme changes."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self.refresh())

    def on_resize(self) -> None:
        """Draws as many rows as now fit."""
        self._keep_in_sight()
        self._painted = self._visible()
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Moves the cursor to the row; a double click opens it."""
        place = self._top + event.y - 1
        if event.y == 0 or place >= len(self._rows):
            return
        self.go(place)
        if event.chain > 1:
            self.post_message(self.Opened())

    def on_mouse_scroll_down(self) -> None:
        """Moves the cursor down."""
        self.move(1)

    def on_mouse_scroll_up(self) -> None:
        """Moves the cursor up."""
        self.move(-1)

    def render_line(self, y: int) -> Strip:
        """Renders the heading, a row, or a blank line."""
        base = self.rich_style
        if y >= len(self._painted):
            return Strip.blank(self.content_size.width, base)
        shown = self._painted[y]
        if y == 0:
            base = base + self.foreground("row-list--heading")
        elif shown.here:
            base = base + self.get_component_rich_style("row-list--cursor")
        # The mark shows the cursor without colour.
        mark = self.foreground("row-list--mark")
        strip = Strip([Segment(text, base + self.style_of(name)) for text, name in shown.line])
        room = self.line_width
        if strip.cell_length > room:
            strip = Strip([*strip.crop(0, room - 1), Segment("…", base)])
        strip = strip.adjust_cell_length(room, base)
        before = Segment("▌" if shown.here else " ", base + mark)
        return Strip([before, *strip, Segment(shown.more, base + mark)])

    def foreground(self, component: str) -> Style:
        """Returns a component's foreground, so that the row's background stays."""
        style = self.get_component_rich_style(component)
        return Style(color=style.color, bold=style.bold)
