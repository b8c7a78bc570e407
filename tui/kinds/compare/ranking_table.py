"""The ranking table of a comparison: a heading that stays, and rows with a cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from clr_tui.tui.kinds.compare.ranking import RankRow
from clr_tui.tui.text.lines import BLANK, Line
from clr_tui.tui.widgets.panel import changed_span
from clr_tui.tui.widgets.roles import palette_of

_GUTTER = 2
"""Cells at the left for the cursor's mark, and at the right for the arrows: rows above or below."""


@dataclass(frozen=True)
class _Shown:
    """One line of the screen as it was last painted."""

    line: Line = BLANK
    here: bool = False
    more: str = " "
    """An arrow where rows before or after are out of sight."""


class Ranking(Widget, can_focus=False):
    """Entries and their trials, one a line; the keys of its screen move the cursor.

    The cursor stays on its row when rows change places; until it is moved it stays at the top.
    Only cells that differ are repainted.
    """

    COMPONENT_CLASSES = {"ranking--heading", "ranking--cursor", "ranking--mark"}  # noqa: RUF012 - Textual declares it as an instance's
    DEFAULT_CSS = """
    Ranking {
        height: auto;
        & > .ranking--heading { color: $text-muted; }
        & > .ranking--cursor { background: $block-cursor-blurred-background; }
        & > .ranking--mark { color: $accent; text-style: bold; }
    }
    """

    @dataclass
    class Moved(Message):
        """The cursor was put on another row."""

        def can_replace(self, message: Message) -> bool:
            """Only where the cursor is now matters."""
            return isinstance(message, Ranking.Moved)

    @dataclass
    class Opened(Message):
        """The row under the cursor was clicked on a second time."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._heading: Line = BLANK
        self._rows: list[RankRow] = []
        self._cursor = 0
        self._moved = False
        self._top = 0
        self._painted: list[_Shown] = []

    @property
    def line_width(self) -> int:
        """Cells that a row's line may take."""
        return max(self.content_size.width - _GUTTER, 1)

    @property
    def rows(self) -> list[RankRow]:
        """All rows, those that are out of sight included."""
        return self._rows

    @property
    def selected(self) -> RankRow | None:
        """The row under the cursor."""
        return self._rows[self._cursor] if self._rows else None

    @property
    def text(self) -> str:
        """What is shown, as plain text."""
        return "\n".join("".join(text for text, _ in shown.line) for shown in self._visible())

    def show(self, heading: Line, rows: Sequence[RankRow]) -> None:
        """Shows `rows` under `heading`."""
        before, count = self.selected, len(self._rows)
        self._heading, self._rows = heading, list(rows)
        self._cursor = self._place_of(before)
        if len(rows) != count:
            self.refresh(layout=True)
        self._keep_in_sight()
        self._repaint()

    def _place_of(self, row: RankRow | None) -> int:
        """Where the row is now; its entry's row where a trial's has gone."""
        if row is None or not self._moved:
            return 0
        places = {(one.entry, one.trial): place for place, one in enumerate(self._rows)}
        last = max(len(self._rows) - 1, 0)
        entry = places.get((row.entry, None), min(self._cursor, last))
        return places.get((row.entry, row.trial), entry)

    def move(self, by: int) -> None:
        """Moves the cursor by so many rows, as far as there are any."""
        self._go(self._cursor + by)

    def _go(self, place: int) -> None:
        self._moved = True
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
        """The lines of the screen as they are to be."""
        height = self.content_size.height
        last = min(self._top + height - 1, len(self._rows))
        shown = [_Shown(self._heading)] if height else []
        for place in range(self._top, last):
            more = " "
            if place == self._top and self._top > 0:
                more = "↑"
            elif place == last - 1 and last < len(self._rows):
                more = "↓"
            shown.append(_Shown(self._rows[place].line, place == self._cursor, more))
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
        """Takes a theme's colours when it changes."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self.refresh())

    def on_resize(self) -> None:
        """The room for rows has changed."""
        self._keep_in_sight()
        self._painted = self._visible()
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Puts the cursor on the row; a second click opens it."""
        place = self._top + event.y - 1
        if event.y == 0 or place >= len(self._rows):
            return
        self._go(place)
        if event.chain > 1:
            self.post_message(self.Opened())

    def on_mouse_scroll_down(self) -> None:
        """Moves the cursor down."""
        self.move(1)

    def on_mouse_scroll_up(self) -> None:
        """Moves the cursor up."""
        self.move(-1)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """A row each, and the heading."""
        return len(self._rows) + 1

    def render_line(self, y: int) -> Strip:
        """One line of the screen: the heading, a row, or nothing."""
        width, base = self.content_size.width, self.rich_style
        if y >= len(self._painted):
            return Strip.blank(width, base)
        shown = self._painted[y]
        if y == 0:
            base = base + self._foreground("ranking--heading")
        elif shown.here:
            base = base + self.get_component_rich_style("ranking--cursor")
        # The mark tells the cursor's row where there is no colour for it.
        mark = self._foreground("ranking--mark")
        palette = palette_of(self.app)
        strip = Strip([Segment(text, base + palette.of(role)) for text, role in shown.line])
        room = self.line_width
        if strip.cell_length > room:
            strip = Strip([*strip.crop(0, room - 1), Segment("…", base)])
        strip = strip.adjust_cell_length(room, base)
        before = Segment("▌" if shown.here else " ", base + mark)
        return Strip([before, *strip, Segment(shown.more, base + mark)])

    def _foreground(self, component: str) -> Style:
        style = self.get_component_rich_style(component)
        return Style(color=style.color, bold=style.bold)
