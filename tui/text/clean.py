"""Text from logs, users and file names, made safe to show in a terminal."""

from __future__ import annotations

import unicodedata

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_BLANKS = frozenset("\t\n\r\v\f\x85\u2028\u2029")
# Controls (including ESC), invisible format characters (direction overrides), lone surrogates
# (undecodable file names) and private-use characters: none has a reliable width.
_UNSHOWABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def plain(text: str) -> str:
    """Return one line of the same length in which no character can control the terminal.

    Tabs and line ends become spaces; other unprintable characters, such as ESC, become U+FFFD.
    The result is text, not markup: show it without parsing it.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(char) for char in text)


def _shown(char: str) -> str:
    if char in _BLANKS:
        return " "
    return REPLACEMENT if unicodedata.category(char) in _UNSHOWABLE else char
