"""The themes: dark, light, and two in the terminal's own sixteen colours.

In the first two, text on `background`, `surface` and `panel` has a contrast of at least 4.5 to 1.
Colours mean the same in all: `success` for done, `warning` for paused or lost, `error` for failed,
`accent` for keys. They match the colours of similar roles in `charts.palette`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from textual.filter import LineFilter, Monochrome, NoColor
from textual.theme import Theme

if TYPE_CHECKING:
    from textual.app import App

_NO_COLOUR = NoColor()

_COLOURS = {
    "primary": ("#5cc8ff", "#0065b8"),
    "secondary": ("#b79cf7", "#6a3fc0"),
    "accent": ("#5cc8ff", "#0065b8"),
    "success": ("#8ce99a", "#177a33"),
    "warning": ("#ffd866", "#8a6100"),
    "error": ("#ff6b5e", "#c9251a"),
    "foreground": ("#d7dee8", "#1f2733"),
    "background": ("#11151c", "#fbfbfa"),
    "surface": ("#161b23", "#f4f4f0"),
    "panel": ("#1d242e", "#e9e9e4"),
}
_VARIABLES = {
    "text-muted": ("#8a95a5", "#5d6878"),
    "foreground-muted": ("#8a95a5", "#5d6878"),
    "border": ("#5cc8ff", "#0065b8"),
    "border-blurred": ("#2b3543", "#cfcfc8"),
    "block-cursor-background": ("#27415f", "#cfe2f7"),
    "block-cursor-foreground": ("#f2f6fb", "#101820"),
    "block-cursor-text-style": ("none", "none"),
    "block-cursor-blurred-background": ("#202a37", "#e4e6e4"),
    "block-cursor-blurred-foreground": ("#d7dee8", "#1f2733"),
    "input-cursor-background": ("#d7dee8", "#1f2733"),
    "input-cursor-foreground": ("#11151c", "#fbfbfa"),
    "input-selection-background": ("#27415f", "#cfe2f7"),
    "footer-background": ("#1d242e", "#e9e9e4"),
    "footer-key-foreground": ("#5cc8ff", "#0065b8"),
    "footer-description-foreground": ("#a9b4c2", "#4a535e"),
    "scrollbar": ("#33404f", "#c4c4bc"),
    "scrollbar-hover": ("#46566a", "#a9a9a1"),
    "scrollbar-active": ("#5cc8ff", "#0065b8"),
    "scrollbar-background": ("#161b23", "#f4f4f0"),
    "scrollbar-background-hover": ("#161b23", "#f4f4f0"),
    "scrollbar-background-active": ("#161b23", "#f4f4f0"),
    "scrollbar-corner-color": ("#161b23", "#f4f4f0"),
}
"""Pairs of a colour on dark and on light."""


def _true_colour(name: str, dark: bool) -> Theme:
    at = 0 if dark else 1
    colours: dict[str, Any] = {key: pair[at] for key, pair in _COLOURS.items()}
    variables = {key: pair[at] for key, pair in _VARIABLES.items()}
    return Theme(name=name, dark=dark, variables=variables, **colours)


def _terminals_own(name: str, dark: bool) -> Theme:
    return Theme(
        name=name,
        dark=dark,
        ansi=True,
        primary="ansi_bright_blue" if dark else "ansi_blue",
        secondary="ansi_magenta",
        accent="ansi_bright_cyan" if dark else "ansi_blue",
        success="ansi_bright_green" if dark else "ansi_green",
        warning="ansi_bright_yellow" if dark else "ansi_magenta",
        error="ansi_bright_red" if dark else "ansi_red",
        foreground="ansi_default",
        background="ansi_default",
        surface="ansi_default",
        panel="ansi_default",
        boost="ansi_default",
        variables={
            # Textual's style of inline screens needs these two.
            "ansi-background": "ansi_black" if dark else "ansi_white",
            "ansi-foreground": "ansi_white" if dark else "ansi_black",
            "border": "ansi_cyan",
            "border-blurred": "ansi_bright_black",
            "text-muted": "ansi_default",
            "block-cursor-foreground": "ansi_default",
            "block-cursor-background": "ansi_default",
            "block-cursor-text-style": "reverse",
            "block-cursor-blurred-text-style": "bold",
            "input-cursor-background": "ansi_default",
            "input-cursor-foreground": "ansi_default",
            "input-cursor-text-style": "reverse",
            "footer-key-foreground": "ansi_bright_cyan" if dark else "ansi_blue",
        },
    )


DARK = _true_colour("clr-dark", dark=True)
LIGHT = _true_colour("clr-light", dark=False)
TERMINAL_DARK = _terminals_own("clr-terminal-dark", dark=True)
TERMINAL_LIGHT = _terminals_own("clr-terminal-light", dark=False)

THEMES: dict[str, tuple[Theme, str]] = {
    DARK.name: (DARK, "dark"),
    LIGHT.name: (LIGHT, "light"),
    TERMINAL_DARK.name: (TERMINAL_DARK, "the terminal's own colours, dark"),
    TERMINAL_LIGHT.name: (TERMINAL_LIGHT, "the terminal's own colours, light"),
}


def set_up_themes(app: App[None]) -> None:
    """Registers the themes and selects the one for this terminal.

    Under NO_COLOR (https://no-color.org) or with at most sixteen colours, it is one in the
    terminal's own colours. COLORFGBG, if set, decides between light and dark.
    """
    for theme, _ in THEMES.values():
        app.register_theme(theme)
    few_colours = app.console.color_system in (None, "standard", "windows")
    if is_light(os.environ):
        theme = TERMINAL_LIGHT if app.no_color or few_colours else LIGHT
    else:
        theme = TERMINAL_DARK if app.no_color or few_colours else DARK
    app.theme = theme.name


def is_light(environ: Mapping[str, str]) -> bool:
    """Whether COLORFGBG declares a light background: it ends in 7 or 15."""
    return environ.get("COLORFGBG", "").rpartition(";")[2] in ("7", "15")


def without_greys(filters: Iterable[LineFilter]) -> list[LineFilter]:
    """Replaces Textual's monochrome filter, so that NO_COLOR sends no colours at all.

    Textual 8.2 sends shades of grey in true colour under NO_COLOR, unless its first theme has ANSI
    colours.
    """
    return [_NO_COLOUR if isinstance(one, Monochrome) else one for one in filters]
