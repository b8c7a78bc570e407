"""The line in which charts and runs are filtered by name."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from clr_tui.tui.widgets.typed_input import TypedInput


class FilterBar(TypedInput):
    """Filters while it is typed in; hidden unless it is in use or filters something."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "screen.clear_filter", show=False),
        Binding("down,up,tab", "screen.leave_filter", show=False),
    ]
    DEFAULT_CSS = """
    FilterBar {
        display: none;
        height: 1;
        padding: 0 1;
        background: $surface;
        &.-shown { display: block; }
    }
    """

    def __init__(self) -> None:
        super().__init__(
            placeholder="filter charts and runs: words, !not, /pattern/",
            compact=True,
            select_on_focus=False,
        )

    def on_mount(self) -> None:
        """Keeps the terminal quiet."""
        self.cursor_blink = False

    def open(self) -> None:
        """Lets the user type."""
        self.add_class("-shown")
        self.focus()

    def close(self) -> None:
        """Gives the keys back; stays visible while it filters."""
        self.set_class(bool(self.value.strip()), "-shown")
        self.screen.set_focus(None)
