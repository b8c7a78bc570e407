"""The title and state of a run, at the top of its screen."""

from __future__ import annotations

from rich.cells import cell_len

from clr_tui.tui.charts.chart import Role
from clr_tui.tui.fitting import padded
from clr_tui.tui.text.lines import Line
from clr_tui.tui.widgets.panel import Panel

NAME = "clr-tui"
SEPARATOR = " · "
"""Separates the parts of a title; the last parts are dropped first if it is too long."""


class TitleBar(Panel):
    """One row: the title on the left, cut if too long, and the state on the right, never cut."""

    DEFAULT_CSS = "TitleBar { height: 1; background: $panel; padding: 0 1; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._parts: tuple[str, str, Role, str] = ("", "", "text", "")

    def show(self, title: str, state: str, role: Role, where: str) -> None:
        """Shows the title, the run's state in its role, and its device."""
        self._parts = title, state, role, where
        self._compose_line()

    def on_resize(self) -> None:
        """Fits the parts to the new width."""
        self._compose_line()

    def _compose_line(self) -> None:
        title, state, role, where = self._parts
        right = state + (f"  {where}" if where else "")
        room = self.content_size.width - len(right) - len(NAME) - 4
        while cell_len(title) > room and SEPARATOR in title:
            title = title.rpartition(SEPARATOR)[0]
        line: Line = (
            (f"{NAME}  ", "lr"),
            (padded(title, max(room, 0)), "text"),
            ("  ", "text"),
            (state, role),
            (right[len(state) :], "muted"),
        )
        self.set_lines([line])
