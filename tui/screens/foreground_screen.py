"""A screen that sends nothing while another one covers it."""

from __future__ import annotations

from textual.screen import Screen, ScreenResultType


class ForegroundScreen(Screen[ScreenResultType]):
    """A screen that is painted only while it is in front, and repainted when it returns there.

    Textual 8.2 lets a covered screen repaint through the one above, which may be translucent. Each
    repaint marks the covered screen as changed again, so one change below sends full frames for
    ever: some 100 kB per second over SSH for an invisible screen.
    """

    _resizing = False
    """Whether the terminal was just resized: what is visible around a dialog must follow."""

    @property
    def is_current(self) -> bool:
        """Whether Textual should lay out and paint changes."""
        return self.is_active or self._resizing

    def on_resize(self) -> None:
        """Lays out below a dialog too: once for the new size, once for what that changes."""
        if not self.is_active:
            self._resizing = True
            self.call_after_refresh(self.call_after_refresh, self._end_resizing)

    def _end_resizing(self) -> None:
        self._resizing = False
        self.app.screen.refresh()
