"""The first frame, shown while a run or a log loads."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from clr_tui.tui.screens.foreground_screen import ForegroundScreen


class OpeningScreen(ForegroundScreen[None]):
    """A single line, which appears at once; `then` is called once it has been painted."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,escape", "app.leave", show=False),
        Binding("ctrl+c", "app.help_quit", show=False),
    ]
    DEFAULT_CSS = """
    OpeningScreen > Static { height: 1; padding: 0 1; background: $panel; color: $primary; }
    """

    def __init__(self, then: Callable[[], object]) -> None:
        super().__init__()
        self._then = then

    def compose(self) -> ComposeResult:
        """Shows the program's name and state."""
        yield Static("clr-tui  opening ...", markup=False)

    def on_mount(self) -> None:
        """Calls `then` after the first frame."""
        self.call_after_refresh(self._then)
