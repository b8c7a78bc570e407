"""The colour and shape of each entry of a comparison, the same everywhere."""

from __future__ import annotations

from typing import get_args

from clr_tui.tui.charts.chart import Role

_ROLES: tuple[Role, ...] = tuple(role for role in get_args(Role) if role.startswith("entry-"))
_GLYPHS = "●▲■◆▼✚○△□◇▽◉✱✦☆"
"""One cell wide in every terminal: none has an emoji form. Solid ones first, no black star,
which marks best epochs. Fifteen, so that shape and colour together identify 120 entries."""


def role_of(entry: int) -> Role:
    """The colour of entry `entry`, from 0; the ninth has the colour of the first."""
    return _ROLES[entry % len(_ROLES)]


def glyph_of(entry: int) -> str:
    """The shape of entry `entry`; entries of the same colour have different shapes."""
    return _GLYPHS[entry % len(_GLYPHS)]
