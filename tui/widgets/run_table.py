"""The table of runs: as many as there are, of which only the visible ones are drawn.

Textual's DataTable lays out every row (10,000 take two seconds) and forgets the cursor when rows
change places. This one draws the rows that are seen, keeps its cursor on a run rather than on a
place, and repaints only lines that changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from clr_tui.engine.log.summary import RunSummary
from clr_tui.tui.fitting import padded
from clr_tui.tui.text.run_rows import Column, cell, columns_for

_GAP = 2
_STATUS_STYLE = {
    "starting": "living",
    "running": "living",
    "paused": "warning",
    "done": "success",
    "stopped": "warning",
    "failed": "error",
    "lost": "error",
}


class RunTable(ScrollView, can_focus=True):
    """Runs, one a line, under a heading that stays."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home,g", "to_end(-1)", show=False),
        Binding("end,G", "to_end(1)", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "run-table--heading",
        "run-table--cursor",
        "run-table--quiet",
        "run-table--living",
        "run-table--success",
        "run-table--warning",
        "run-table--error",
    }
    DEFAULT_CSS = """
    RunTable {
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        & > .run-table--heading { color: $text-muted; text-style: none; }
        & > .run-table--cursor {
            background: $block-cursor-blurred-background;
            color: $block-cursor-blurred-foreground;
            text-style: $block-cursor-blurred-text-style;
        }
        &:focus > .run-table--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
            text-style: $block-cursor-text-style;
        }
        & > .run-table--quiet { color: $text-muted; }
        & > .run-table--living { color: $accent; text-style: bold; }
        & > .run-table--success { color: $success; }
        & > .run-table--warning { color: $warning; }
        & > .run-table--error { color: $error; }
    }
    """

    @dataclass
    class Selected(Message):
        """The cursor came to another run, or the run under it changed."""

        summary: RunSummary | None

        def can_replace(self, message: Message) -> bool:
            """Only where the cursor is now matters."""
            return isinstance(message, RunTable.Selected)

    @dataclass
    class Opened(Message):
        """The run under the cursor was clicked on a second time."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows: list[RunSummary] = []
        self._wanted: str | None = None
        self._cursor = 0
        self._now = 0.0

    @property
    def selected(self) -> RunSummary | None:
        """The run under the cursor."""
        return self._rows[self._cursor] if self._rows else None

    @property
    def _columns(self) -> tuple[Column, ...]:
        columns = columns_for(self.size.width)
        taken = sum(column.width for column in columns) + _GAP * len(columns)
        left = max(self.size.width - taken - 1, 6)
        return tuple(Column(c.name, c.width or left, c.right) for c in columns)

    def show(self, rows: list[RunSummary], now: float) -> None:
        """Shows `rows` in this order; the cursor stays on its run while that is there.

        Args:
            rows: the runs.
            now: Unix time, seconds: what ages are counted to.
        """
        before = self.selected
        old = self._visible_lines()
        self._rows, self._now = rows, now
        self._cursor = self._place_of(before)
        size = Size(max(self.size.width - 1, 1), len(rows) + 1)
        if size != self.virtual_size:
            self.virtual_size = size
        for y, line in self._visible_lines().items():
            if old.get(y) != line:
                self._refresh_row(y)
        for y in old.keys() - self._visible_lines().keys():
            self._refresh_row(y)
        if self.selected != before:
            self._tell()

    def go_to(self, run_id: str) -> None:
        """Puts the cursor on a run, as soon as that is in the table."""
        self._wanted = run_id

    def _place_of(self, summary: RunSummary | None) -> int:
        places = {row.id: place for place, row in enumerate(self._rows)}
        if self._wanted in places:
            wanted, self._wanted = self._wanted, None
            return places[wanted]
        last = max(len(self._rows) - 1, 0)
        return places.get(summary.id, min(self._cursor, last)) if summary else 0

    def _visible_lines(self) -> dict[int, tuple[bool, tuple[str, ...]]]:
        """What is on the screen, by row: whether the cursor is there, and the cells."""
        first = self.scroll_offset.y
        last = min(first + self.size.height, len(self._rows))
        columns = self._columns
        return {
            y: (y == self._cursor, tuple(cell(self._rows[y], c, self._now) for c in columns))
            for y in range(first, last)
        }

    def _refresh_row(self, row: int) -> None:
        y = row - self.scroll_offset.y + 1
        if 0 < y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def _tell(self) -> None:
        self.post_message(self.Selected(self.selected))

    def on_resize(self) -> None:
        """Columns depend on the width."""
        self.virtual_size = Size(max(self.size.width - 1, 1), len(self._rows) + 1)
        self.refresh()

    def action_move(self, by: int) -> None:
        """Moves the cursor by so many rows."""
        self._go(self._cursor + by)

    def action_page(self, direction: int) -> None:
        """Moves the cursor by a screenful."""
        self._go(self._cursor + direction * max(self.size.height - 2, 1))

    def action_to_end(self, direction: int) -> None:
        """Moves the cursor to the first or the last row."""
        self._go(0 if direction < 0 else len(self._rows) - 1)

    def _go(self, row: int) -> None:
        row = min(max(row, 0), max(len(self._rows) - 1, 0))
        if row == self._cursor or not self._rows:
            return
        before, self._cursor = self._cursor, row
        self._refresh_row(before)
        self._refresh_row(row)
        seen = max(self.size.height - 1, 1)
        top = min(max(self.scroll_offset.y, row - seen + 1), row)
        if top != self.scroll_offset.y:
            self.scroll_to(y=top, animate=False, force=True)
        self._tell()

    def on_click(self, event: events.Click) -> None:
        """Puts the cursor on the row; a second click opens it."""
        if event.y == 0:
            return
        row = self.scroll_offset.y + event.y - 1
        if row >= len(self._rows):
            return
        if event.chain > 1 and self.selected is not None:
            self.post_message(self.Opened())
        self._go(row)

    def render_line(self, y: int) -> Strip:
        """One line of the screen: the heading, a run, or nothing."""
        width = self.size.width
        columns = self._columns
        if y == 0:
            style = self.get_component_rich_style("run-table--heading")
            names = [padded(column.name, column.width, right=column.right) for column in columns]
            text = " " + (" " * _GAP).join(names)
            return Strip([Segment(text, style)]).adjust_cell_length(width, style)
        row = self.scroll_offset.y + y - 1
        if row >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        return self._row_strip(self._rows[row], columns, row == self._cursor, width)

    def _row_strip(
        self, run: RunSummary, columns: tuple[Column, ...], here: bool, width: int
    ) -> Strip:
        base = self.rich_style
        if here:
            base = base + self.get_component_rich_style("run-table--cursor")
        # The mark tells the cursor's row where there is no colour for it.
        segments = [Segment("▌", base + self._style_of("living")) if here else Segment(" ", base)]
        for place, column in enumerate(columns):
            if place:
                segments.append(Segment(" " * _GAP, base))
            style = base + self._cell_style(run, column, here)
            text = padded(cell(run, column, self._now), column.width, right=column.right)
            segments.append(Segment(text, style))
        return Strip(segments).adjust_cell_length(width, base)

    def _cell_style(self, run: RunSummary, column: Column, here: bool) -> Style:
        if column.name == "status":
            return self._style_of(_STATUS_STYLE[run.status])
        if column.name in ("progress", "done") and run.status in ("running", "starting", "paused"):
            return self._style_of(_STATUS_STYLE[run.status])
        if column.name == "result" and run.status in ("failed", "lost"):
            return self._style_of("error")
        if column.name == "age" and not here:
            return self._style_of("quiet")
        return Style.null()

    def _style_of(self, name: str) -> Style:
        """Only the foreground: the row's background stays, cursor included."""
        style = self.get_component_rich_style(f"run-table--{name}")
        return Style(color=style.color, bold=style.bold)
