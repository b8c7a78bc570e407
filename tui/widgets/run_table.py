"""The table of runs."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import ClassVar

from rich.style import Style
from textual.binding import Binding, BindingType

from clr_tui.engine.log.summary import RunSummary
from clr_tui.tui.fitting import Pieces, padded
from clr_tui.tui.text.run_rows import RunColumn, cell, columns_for
from clr_tui.tui.widgets.row_list import RowList

_GAP = 2
MARK = "● "
_STATUS_STYLE = {
    "starting": "living",
    "running": "living",
    "paused": "warning",
    "done": "success",
    "stopped": "warning",
    "failed": "error",
    "lost": "error",
}


class RunTable(RowList[RunSummary], can_focus=True):
    """Runs, one a line below a fixed heading; `Moved` also reports changes under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home,g", "to_end(-1)", show=False),
        Binding("end,G", "to_end(1)", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "run-table--quiet",
        "run-table--living",
        "run-table--success",
        "run-table--warning",
        "run-table--error",
    }
    DEFAULT_CSS = """
    RunTable {
        & > .row-list--cursor {
            background: $block-cursor-blurred-background;
            color: $block-cursor-blurred-foreground;
            text-style: $block-cursor-blurred-text-style;
        }
        &:focus > .row-list--cursor {
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

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._wanted: str | None = None
        self._now = 0.0
        self._marked: frozenset[str] = frozenset()

    def mark(self, runs: Iterable[str]) -> None:
        """Marks the runs with these ids, and no others."""
        self._marked = frozenset(runs)
        self.show_rows(self._rows)

    @property
    def _columns(self) -> tuple[RunColumn, ...]:
        width = self.content_size.width - len(self._margin)
        columns = columns_for(width)
        taken = sum(column.width for column in columns) + _GAP * len(columns)
        left = max(width - taken - 1, 6)
        return tuple(RunColumn(c.name, c.width or left, c.right) for c in columns)

    @property
    def _margin(self) -> str:
        """The place of marks, if any run is marked."""
        return " " * len(MARK) if self._marked else ""

    def show(self, rows: list[RunSummary], now: float) -> None:
        """Shows `rows` in this order, with ages up to `now` (Unix time); the cursor stays."""
        before, self._now = self.selected, now
        self.show_rows(rows)
        if self.selected != before:
            self.post_message(self.Moved())

    def go_to(self, run_id: str) -> None:
        """Moves the cursor to a run once it is listed."""
        self._wanted = run_id

    def place_of(self, before: RunSummary | None) -> int:
        """Prefers the run requested by `go_to`, if it is listed."""
        place = next((p for p, row in enumerate(self._rows) if row.id == self._wanted), None)
        if place is None:
            return super().place_of(before)
        self._wanted = None
        return place

    def action_move(self, by: int) -> None:
        """Moves the cursor by `by` rows."""
        self.move(by)

    def action_page(self, direction: int) -> None:
        """Moves the cursor by a screenful."""
        self.move(direction * max(self.content_size.height - 2, 1))

    def action_to_end(self, direction: int) -> None:
        """Moves the cursor to the first or the last row."""
        self.go(0 if direction < 0 else len(self._rows) - 1)

    def key_of(self, row: RunSummary) -> Hashable:
        """Returns the run's id."""
        return row.id

    def heading_line(self) -> Pieces:
        """Draws the names of the columns."""
        names = [padded(c.name, c.width, right=c.right) for c in self._columns]
        return ((self._margin + (" " * _GAP).join(names), ""),)

    def line_of(self, row: RunSummary, here: bool) -> Pieces:
        """Draws a run's cells."""
        mark = MARK if row.id in self._marked else self._margin
        pieces: list[tuple[str, str]] = [(mark, "living")] if mark else []
        for place, column in enumerate(self._columns):
            text = padded(cell(row, column, self._now), column.width, right=column.right)
            pieces += [(" " * _GAP, "")] * bool(place) + [(text, _name(row, column, here))]
        return tuple(pieces)

    def style_of(self, name: str) -> Style:
        """Returns the colour of a cell's text."""
        return self.foreground(f"run-table--{name}") if name else Style.null()


def _name(run: RunSummary, column: RunColumn, here: bool) -> str:
    if column.name == "status":
        return _STATUS_STYLE[run.status] if run.silent_seconds is None else "warning"
    if column.name in ("progress", "done") and run.status in ("running", "starting", "paused"):
        return _STATUS_STYLE[run.status]
    if column.name == "result" and run.status in ("failed", "lost"):
        return "error"
    return "quiet" if column.name == "age" and not here else ""
