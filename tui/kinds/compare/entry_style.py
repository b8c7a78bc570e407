"""One colour and one shape for each entry of a comparison, the same everywhere."""

from __future__ import annotations

from typing import get_args

from clr_tui.tui.charts.chart import Role

_ROLES: tuple[Role, ...] = tuple(role for role in get_args(Role) if role.startswith("entry-"))
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
