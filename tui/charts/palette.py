"""What each role looks like: in true colour on dark and on light, in 16 colours, without colour.

In 256 colours Rich takes the nearest ones; only tints are greys of their own there, because the
nearest to a dark blue is a navy too strong to read on. Bands of several entries of a comparison
cannot be told apart as greys, so they have no tint there. Without colour, and in 16 colours, no
background is tinted: a band shows as a pattern in its empty cells.

The colours of entries go by Okabe and Ito, "Color Universal Design" (2008), moved until each two
of the eight lie far apart (in OKLab) for normal eyes and, after Machado, Oliveira and Fernandes
(2009), for those without red, green or blue cones; the first six, as many as the article compares,
farther still.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from rich.color import Color, blend_rgb
from rich.style import Style

from clr_tui.tui.charts.cells import Ink
from clr_tui.tui.charts.chart import Role

_FAINT = 0.5
"""How far a faint colour moves to the background."""


@dataclass(frozen=True, eq=False)
class Palette:
    """Styles for roles.

    Args:
        name: how it is called in tests and messages.
        dark: whether it is for a dark background.
        colours: a colour for each role, as Rich knows it; empty without colour.
        tints: background colours of the roles that tint; areas of others are patterns.
        background: what it is made for, `#rrggbb`; faint colours are mixed with it. None where
            colours cannot be mixed: faint is the terminal's own dim then.
    """

    name: str
    dark: bool
    colours: Mapping[Role, str]
    tints: Mapping[Role, str] = field(default_factory=dict)
    background: str | None = None
    _styles: dict[Ink, Style] = field(default_factory=dict, init=False, repr=False)

    def style(self, ink: Ink) -> Style:
        """The Rich style of a cell."""
        style = self._styles.get(ink)
        if style is None:
            style = self._styles[ink] = self._make(ink)
        return style

    def of(self, role: Role) -> Style:
        """The Rich style of words in a role."""
        return self.style(Ink(role))

    def _make(self, ink: Ink) -> Style:
        colour = self.colours.get(ink.role)
        quiet = ink.weight == "faint" or (not self.colours and ink.role in _QUIET)
        if quiet and colour and self.background:
            colour, quiet = _mixed(colour, self.background), False
        return Style(
            color=colour,
            bgcolor=self.tints.get(ink.tint) if ink.tint else None,
            bold=True if ink.weight == "strong" else None,
            dim=True if quiet else None,
        )


def _mixed(colour: str, background: str) -> str:
    fore, back = Color.parse(colour).get_truecolor(), Color.parse(background).get_truecolor()
    return Color.from_triplet(blend_rgb(fore, back, _FAINT)).name


_QUIET: frozenset[Role] = frozenset(
    {"raw", "lr-ahead", "band", "seed-band", "frame", "muted", "target"}
)

DARK = Palette(
    "dark",
    True,
    {
        "text": "#d7dee8",
        "muted": "#8a95a5",
        "frame": "#4a5463",
        "loss": "#5cc8ff",
        "raw": "#456b85",
        "validation": "#ffb454",
        "accuracy": "#8ce99a",
        "lr": "#c9a5ff",
        "lr-ahead": "#6a5a8c",
        "base": "#3ddbc0",
        "max": "#ff86b3",
        "band": "#43617a",
        "suggestion": "#ffd866",
        "diverged": "#ff6b5e",
        "best": "#ffd866",
        "target": "#8a95a5",
        "seed-band": "#3f6a86",
        "entry-1": "#56c5e3",
        "entry-2": "#d9b866",
        "entry-3": "#27a433",
        "entry-4": "#f73fa5",
        "entry-5": "#b4f53c",
        "entry-6": "#ae69f7",
        "entry-7": "#ef8093",
        "entry-8": "#fbdcee",
    },
    {
        "band": "#1c2b3d",
        "seed-band": "#17303f",
        "entry-1": "#1a2d37",
        "entry-2": "#2c2b26",
        "entry-3": "#14301f",
        "entry-4": "#451b3a",
        "entry-5": "#232e20",
        "entry-6": "#2f2546",
        "entry-7": "#35262f",
        "entry-8": "#292a32",
    },
    "#11151c",
)

LIGHT = Palette(
    "light",
    False,
    {
        "text": "#1f2733",
        "muted": "#5d6878",
        "frame": "#a7b0bd",
        "loss": "#0065b8",
        "raw": "#86aed0",
        "validation": "#a85400",
        "accuracy": "#177a33",
        "lr": "#7038c8",
        "lr-ahead": "#b7a0e2",
        "base": "#00766a",
        "max": "#c01873",
        "band": "#a9bfd8",
        "suggestion": "#8a6100",
        "diverged": "#c9251a",
        "best": "#8a6100",
        "target": "#5d6878",
        "seed-band": "#9cc0dc",
        "entry-1": "#0b3fe0",
        "entry-2": "#965e1d",
        "entry-3": "#00806b",
        "entry-4": "#6f2a66",
        "entry-5": "#345000",
        "entry-6": "#22077f",
        "entry-7": "#a01e3c",
        "entry-8": "#50100c",
    },
    {
        "band": "#e4edf8",
        "seed-band": "#d9e9f5",
        "entry-1": "#dee4f7",
        "entry-2": "#ece3d9",
        "entry-3": "#d5e8e4",
        "entry-4": "#eae2e8",
        "entry-5": "#e3e6db",
        "entry-6": "#e6e3ee",
        "entry-7": "#f0e1e4",
        "entry-8": "#eae3e2",
    },
    "#fbfbfa",
)

DARK_256 = replace(DARK, name="dark-256", tints={"band": "#262626", "seed-band": "#303030"})
LIGHT_256 = replace(LIGHT, name="light-256", tints={"band": "#eeeeee", "seed-band": "#e4e4e4"})

_BRIGHT: dict[Role, str] = {
    "text": "default",
    "muted": "white",
    "frame": "bright_black",
    "loss": "bright_cyan",
    "raw": "bright_black",
    "validation": "bright_yellow",
    "accuracy": "bright_green",
    "lr": "bright_magenta",
    "lr-ahead": "bright_black",
    "base": "bright_green",
    "max": "bright_magenta",
    "band": "bright_black",
    "suggestion": "bright_yellow",
    "diverged": "bright_red",
    "best": "bright_yellow",
    "target": "white",
    "seed-band": "bright_black",
    "entry-1": "bright_cyan",
    "entry-2": "bright_yellow",
    "entry-3": "bright_green",
    "entry-4": "bright_magenta",
    "entry-5": "bright_red",
    "entry-6": "bright_blue",
    "entry-7": "yellow",
    "entry-8": "default",
}
_DEEP: dict[Role, str] = {
    "text": "default",
    "muted": "bright_black",
    "frame": "bright_black",
    "loss": "blue",
    "raw": "bright_black",
    "validation": "red",
    "accuracy": "green",
    "lr": "magenta",
    "lr-ahead": "bright_black",
    "base": "green",
    "max": "magenta",
    "band": "bright_black",
    "suggestion": "red",
    "diverged": "red",
    "best": "red",
    "target": "bright_black",
    "seed-band": "bright_black",
    "entry-1": "blue",
    "entry-2": "red",
    "entry-3": "green",
    "entry-4": "magenta",
    "entry-5": "cyan",
    "entry-6": "default",
    "entry-7": "bright_blue",
    "entry-8": "bright_red",
}
DARK_16 = Palette("dark-16", True, _BRIGHT)
LIGHT_16 = Palette("light-16", False, _DEEP)
PLAIN = Palette("plain", True, {})
"""No colour at all: bold, dim and shape."""


def palette_for(*, dark: bool, colours: int | None, no_color: bool) -> Palette:
    """The palette for a terminal.

    Args:
        dark: whether its background is dark.
        colours: how many it has, 16, 256 or 2**24; None where it has none.
        no_color: whether the user asked for none (https://no-color.org).
    """
    if no_color or colours is None:
        return PLAIN
    if colours <= 16:
        return DARK_16 if dark else LIGHT_16
    if colours <= 256:
        return DARK_256 if dark else LIGHT_256
    return DARK if dark else LIGHT
