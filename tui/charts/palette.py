"""The style of each role: in true colour on dark and on light, in 16 colours, without colour.

With 256 colours Rich picks the nearest ones. Tints are separate greys there, because the nearest
colour to a dark blue is a navy too strong to read on; entries have no tint, because their bands
cannot be distinguished as greys. With 16 colours or none, a band is a pattern in its empty cells.

The colours of entries start from Okabe and Ito, "Color Universal Design" (2008), adjusted until any
two of the eight are far apart in OKLab, for normal vision and for each kind of dichromacy simulated
as in Machado, Oliveira and Fernandes (2009); the first six, as many as the article compares, even
farther.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from rich.color import Color, blend_rgb
from rich.style import Style

from clr_tui.tui.charts.cells import Ink
from clr_tui.tui.charts.chart import Role

_FAINT = 0.5
"""How far a faint colour is blended into the background."""


@dataclass(frozen=True, eq=False)
class Palette:
    """Styles for roles.

    Args:
        name: its name in tests and messages.
        dark: whether it is for a dark background.
        colours: a Rich colour for each role; empty for no colour.
        tints: background colours by role; areas of other roles are patterns.
        background: `#rrggbb`, blended into faint colours; None uses the terminal's dim attribute.
    """

    name: str
    dark: bool
    colours: Mapping[Role, str]
    tints: Mapping[Role, str] = field(default_factory=dict)
    background: str | None = None
    _styles: dict[Ink, Style] = field(default_factory=dict, init=False, repr=False)

    def style(self, ink: Ink) -> Style:
        """Returns the Rich style of a cell."""
        style = self._styles.get(ink)
        if style is None:
            style = self._styles[ink] = self._make(ink)
        return style

    def of(self, role: Role) -> Style:
        """Returns the Rich style of text in a role."""
        return self.style(Ink(role))

    def _make(self, ink: Ink) -> Style:
        colour = self.colours.get(ink.role)
        quiet = ink.weight == "faint" or (not self.colours and ink.role in _QUIET)
        if quiet and colour and self.background:
            colour, quiet = blended(colour, self.background, _FAINT), False
        return Style(
            color=colour,
            bgcolor=self.tints.get(ink.tint) if ink.tint else None,
            bold=True if ink.weight == "strong" else None,
            dim=True if quiet else None,
        )


def blended(colour: str, background: str, share: float) -> str:
    """Mixes `share` (0 to 1) of the background into a colour; all are `#rrggbb`."""
    fore, back = Color.parse(colour).get_truecolor(), Color.parse(background).get_truecolor()
    return Color.from_triplet(blend_rgb(fore, back, share)).name


_QUIET: frozenset[Role] = frozenset(
    {"raw", "lr-ahead", "band", "seed-band", "frame", "muted", "target"}
)

_COLOURS: dict[Role, tuple[str, str, str, str]] = {
    "text": ("#d7dee8", "#1f2733", "default", "default"),
    "muted": ("#8a95a5", "#5d6878", "white", "bright_black"),
    "frame": ("#4a5463", "#a7b0bd", "bright_black", "bright_black"),
    "loss": ("#5cc8ff", "#0065b8", "bright_cyan", "blue"),
    "raw": ("#456b85", "#86aed0", "bright_black", "bright_black"),
    "validation": ("#ffb454", "#a85400", "bright_yellow", "red"),
    "accuracy": ("#8ce99a", "#177a33", "bright_green", "green"),
    "lr": ("#c9a5ff", "#7038c8", "bright_magenta", "magenta"),
    "lr-ahead": ("#6a5a8c", "#b7a0e2", "bright_black", "bright_black"),
    "base": ("#3ddbc0", "#00766a", "bright_green", "green"),
    "max": ("#ff86b3", "#c01873", "bright_magenta", "magenta"),
    "band": ("#43617a", "#a9bfd8", "bright_black", "bright_black"),
    "suggestion": ("#ffd866", "#8a6100", "bright_yellow", "red"),
    "diverged": ("#ff6b5e", "#c9251a", "bright_red", "red"),
    "best": ("#ffd866", "#8a6100", "bright_yellow", "red"),
    "target": ("#8a95a5", "#5d6878", "white", "bright_black"),
    "cursor": ("#f2f6fb", "#101820", "bright_white", "default"),
    "seed-band": ("#3f6a86", "#9cc0dc", "bright_black", "bright_black"),
    "entry-1": ("#56c5e3", "#0b3fe0", "bright_cyan", "blue"),
    "entry-2": ("#d9b866", "#965e1d", "bright_yellow", "red"),
    "entry-3": ("#27a433", "#00806b", "bright_green", "green"),
    "entry-4": ("#f73fa5", "#6f2a66", "bright_magenta", "magenta"),
    "entry-5": ("#b4f53c", "#345000", "bright_red", "cyan"),
    "entry-6": ("#ae69f7", "#22077f", "bright_blue", "default"),
    "entry-7": ("#ef8093", "#a01e3c", "yellow", "bright_blue"),
    "entry-8": ("#fbdcee", "#50100c", "default", "bright_red"),
}
"""True colour on dark and on light, then one of 16 colours on dark and on light."""
_TINTS: dict[Role, tuple[str, str]] = {
    "band": ("#1c2b3d", "#e4edf8"),
    "seed-band": ("#17303f", "#d9e9f5"),
    "entry-1": ("#1a2d37", "#dee4f7"),
    "entry-2": ("#2c2b26", "#ece3d9"),
    "entry-3": ("#14301f", "#d5e8e4"),
    "entry-4": ("#451b3a", "#eae2e8"),
    "entry-5": ("#232e20", "#e3e6db"),
    "entry-6": ("#2f2546", "#e6e3ee"),
    "entry-7": ("#35262f", "#f0e1e4"),
    "entry-8": ("#292a32", "#eae3e2"),
}
"""On dark and on light."""


def _column(table: Mapping[Role, tuple[str, ...]], number: int) -> dict[Role, str]:
    return {role: colours[number] for role, colours in table.items()}


DARK = Palette("dark", True, _column(_COLOURS, 0), _column(_TINTS, 0), "#11151c")
LIGHT = Palette("light", False, _column(_COLOURS, 1), _column(_TINTS, 1), "#fbfbfa")
DARK_256 = replace(DARK, name="dark-256", tints={"band": "#262626", "seed-band": "#303030"})
LIGHT_256 = replace(LIGHT, name="light-256", tints={"band": "#eeeeee", "seed-band": "#e4e4e4"})
DARK_16 = Palette("dark-16", True, _column(_COLOURS, 2))
LIGHT_16 = Palette("light-16", False, _column(_COLOURS, 3))
PLAIN = Palette("plain", True, {})
"""No colour: only bold, dim and shapes."""


def palette_for(*, dark: bool, colours: int | None, no_color: bool) -> Palette:
    """Returns the palette for a terminal.

    Args:
        dark: whether its background is dark.
        colours: 16, 256 or 2**24; None without colours.
        no_color: whether the user disabled colour (https://no-color.org).
    """
    if no_color or colours is None:
        return PLAIN
    if colours <= 16:
        return DARK_16 if dark else LIGHT_16
    if colours <= 256:
        return DARK_256 if dark else LIGHT_256
    return DARK if dark else LIGHT
