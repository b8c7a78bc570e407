"""One colour and one shape for each entry of a comparison, the same everywhere."""

from __future__ import annotations

from clr_tui.tui.charts.chart import Role

_ROLES: tuple[Role, ...] = (
    "entry-1",
    "entry-2",
    "entry-3",
    "entry-4",
    "entry-5",
    "entry-6",
    "entry-7",
    "entry-8",
)
_GLYPHS = "●▲■◆▼✚○△□◇▽◉✱✦☆"
"""One cell each in every terminal: none of them has an emoji form. The solid ones come first; the
black star is left out, because it marks a best epoch elsewhere. Fifteen, so that shape and colour
together tell 120 entries apart."""


def role_of(entry: int) -> Role:
    """The colour of entry `entry`, from 0; the ninth takes that of the first again."""
    return _ROLES[entry % len(_ROLES)]


def glyph_of(entry: int) -> str:
    """Its shape, one cell wide; entries that share a colour differ in it."""
    return _GLYPHS[entry % len(_GLYPHS)]
