"""Writes charts and texts to a terminal whose encoding has only some of their characters."""

from __future__ import annotations

import codecs
import unicodedata

NAME = "clr-tui-nearest"
"""The name of the error handler, for `open` and `reconfigure`."""

_NEAREST = str.maketrans(
    {
        **dict.fromkeys("│┃┆┇┋║‖╎▏▎▌", "|"),
        **dict.fromkeys("─━┄┅┈┉═╌‐‑‒–—―−", "-"),
        **dict.fromkeys("┌┐└┘├┤┬┴┼┸╭╮╰╯┏┓┗┛", "+"),
        **dict.fromkeys("▲▴↑", "^"),
        **dict.fromkeys("▼▾↓✓", "v"),
        **dict.fromkeys("◀◂←‹«", "<"),
        **dict.fromkeys("▶▸→›»", ">"),
        **dict.fromkeys("▓█", "#"),
        **dict.fromkeys("░▒", ":"),
        **dict.fromkeys("‘’", "'"),
        **dict.fromkeys("“”", '"'),
        **dict.fromkeys("✗×", "x"),
        **dict.fromkeys("○◌•", "o"),
        "·": ".",
        "┊": "!",
        "…": "~",
        "±": "+",
        "µ": "u",
        "★": "*",
        # The glyphs of curves stay distinct.
        **dict(zip("●■◆✚△□◇▽◉✱✦☆", "@#%&anduQ$=s", strict=True)),
    }
)


def register() -> None:
    """Makes the error handler known to Python's codecs."""
    codecs.register_error(NAME, _replaced)


def _replaced(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    text = "".join(_in_cells(char) for char in lost)
    return text, error.end


def _in_cells(char: str) -> str:
    """The nearest characters of ASCII, as many as `char` takes cells."""
    if unicodedata.combining(char):
        return ""
    if 0x2800 <= ord(char) <= 0x28FF:
        return _braille(ord(char) - 0x2800)
    found = char.translate(_NEAREST)
    if not found.isascii():
        found = unicodedata.normalize("NFKD", char)[0]  # a letter without its accent
    if not found.isascii():
        found = "?"
    return found * (2 if unicodedata.east_asian_width(char) in "WF" else 1)


_UPPER, _LOWER = 0b0001_1011, 0b1110_0100
"""The dots of the two upper and the two lower rows of a braille cell."""


def _braille(dots: int) -> str:
    """A character that marks the same half of the cell."""
    if not dots:
        return " "
    upper, lower = (dots & _UPPER).bit_count(), (dots & _LOWER).bit_count()
    if upper and lower:
        return "#" if upper + lower >= 6 else ":"
    return "'" if upper else "."
