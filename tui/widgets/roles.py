"""The colours that roles have on this screen: charts and panels take the same."""

from __future__ import annotations

from textual.app import App

from clr_tui.tui.charts.palette import Palette, palette_for


def palette_of(app: App[object]) -> Palette:
    """The roles' colours that suit the app's theme and its terminal."""
    theme, system = app.current_theme, app.console.color_system
    # A theme in the terminal's own colours is for terminals that have few.
    colours = 16 if theme.ansi else {"standard": 16, "256": 256}.get(system or "", 2**24)
    return palette_for(dark=theme.dark, colours=colours, no_color=app.no_color)
