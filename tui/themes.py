"""The colours of the screens: a dark theme, a light one, and the terminal's own sixteen colours.

Text on `background`, `surface` and `panel` keeps a contrast of 4.5 to 1 or more in the first two.
What a colour means is the same in each: `success` for done, `warning` for paused or lost, `error`
for failed, `accent` for keys; they are the colours that `charts.palette` gives to like roles.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from textual.filter import LineFilter, Monochrome, NoColor
from textual.theme import Theme

if TYPE_CHECKING:
    from textual.app import App

_NO_COLOUR = NoColor()

DARK = Theme(
    name="clr-dark",
    dark=True,
    primary="#5cc8ff",
    secondary="#b79cf7",
    accent="#5cc8ff",
    success="#8ce99a",
    warning="#ffd866",
    error="#ff6b5e",
    foreground="#d7dee8",
    background="#11151c",
    surface="#161b23",
    panel="#1d242e",
    variables={
        "text-muted": "#8a95a5",
        "foreground-muted": "#8a95a5",
        "border": "#5cc8ff",
        "border-blurred": "#2b3543",
        "block-cursor-background": "#27415f",
        "block-cursor-foreground": "#f2f6fb",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#202a37",
        "block-cursor-blurred-foreground": "#d7dee8",
        "input-cursor-background": "#d7dee8",
        "input-cursor-foreground": "#11151c",
        "input-selection-background": "#27415f",
        "footer-background": "#1d242e",
        "footer-key-foreground": "#5cc8ff",
        "footer-description-foreground": "#a9b4c2",
        "scrollbar": "#33404f",
        "scrollbar-hover": "#46566a",
        "scrollbar-active": "#5cc8ff",
        "scrollbar-background": "#161b23",
        "scrollbar-background-hover": "#161b23",
        "scrollbar-background-active": "#161b23",
        "scrollbar-corner-color": "#161b23",
    },
)

LIGHT = Theme(
    name="clr-light",
    dark=False,
    primary="#0065b8",
    secondary="#6a3fc0",
    accent="#0065b8",
    success="#177a33",
    warning="#8a6100",
    error="#c9251a",
    foreground="#1f2733",
    background="#fbfbfa",
    surface="#f4f4f0",
    panel="#e9e9e4",
    variables={
        "text-muted": "#5d6878",
        "foreground-muted": "#5d6878",
        "border": "#0065b8",
        "border-blurred": "#cfcfc8",
        "block-cursor-background": "#cfe2f7",
        "block-cursor-foreground": "#101820",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#e4e6e4",
        "block-cursor-blurred-foreground": "#1f2733",
        "input-cursor-background": "#1f2733",
        "input-cursor-foreground": "#fbfbfa",
        "input-selection-background": "#cfe2f7",
        "footer-background": "#e9e9e4",
        "footer-key-foreground": "#0065b8",
        "footer-description-foreground": "#4a535e",
        "scrollbar": "#c4c4bc",
        "scrollbar-hover": "#a9a9a1",
        "scrollbar-active": "#0065b8",
        "scrollbar-background": "#f4f4f0",
        "scrollbar-background-hover": "#f4f4f0",
        "scrollbar-background-active": "#f4f4f0",
        "scrollbar-corner-color": "#f4f4f0",
    },
)


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
            # Textual's own style of inline screens names these two.
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


TERMINAL_DARK = _terminals_own("clr-terminal-dark", dark=True)
TERMINAL_LIGHT = _terminals_own("clr-terminal-light", dark=False)

THEMES: dict[str, tuple[Theme, str]] = {
    DARK.name: (DARK, "dark"),
    LIGHT.name: (LIGHT, "light"),
    TERMINAL_DARK.name: (TERMINAL_DARK, "the terminal's own colours, dark"),
    TERMINAL_LIGHT.name: (TERMINAL_LIGHT, "the terminal's own colours, light"),
}
"""Each theme by its name, with what people call it."""


def set_up_themes(app: App[None]) -> None:
    """Registers the themes and takes the one that suits the terminal.

    Under NO_COLOR (https://no-color.org), and where the terminal has sixteen colours or fewer, it
    uses the terminal's own. Light or dark is as COLORFGBG says, where a terminal sets it.
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
    """Whether the terminal says that its background is light: COLORFGBG ends in 7 or 15."""
    return environ.get("COLORFGBG", "").rpartition(";")[2] in ("7", "15")


def without_greys(filters: Iterable[LineFilter]) -> list[LineFilter]:
    """`filters`, so that no colour at all is sent under NO_COLOR.

    Textual 8.2 answers NO_COLOR with shades of grey in true colour, unless its first theme has
    ansi colours; so that filter is exchanged for the one that removes colours.
    """
    return [_NO_COLOUR if isinstance(one, Monochrome) else one for one in filters]
