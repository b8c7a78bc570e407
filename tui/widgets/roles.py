"""The colours of roles, shared by charts and panels."""

from __future__ import annotations

from textual.app import App

from clr_tui.tui.charts.palette import Palette, palette_for


def palette_of(app: App[object]) -> Palette:
    """Returns the palette for the app's theme and terminal."""
    theme, system = app.current_theme, app.console.color_system
    # A theme in the terminal's own colours is for terminals with few colours.
    colours = 16 if theme.ansi else {"standard": 16, "256": 256}.get(system or "", 2**24)
    return palette_for(dark=theme.dark, colours=colours, no_color=app.no_color)
