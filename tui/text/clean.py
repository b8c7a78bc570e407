"""Text from logs, users and file names, made safe to show in a terminal."""

from __future__ import annotations

import unicodedata

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_BLANKS = frozenset("\t\n\r\v\f\x85\u2028\u2029")
# Controls (ESC among them), invisible format characters (direction overrides), lone surrogates
# (undecodable file names) and private-use characters: none has a width that can be counted on.
_UNSHOWABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def plain(text: str) -> str:
    """One line of the same length in which no character can steer the terminal.

    Tabs and line ends become spaces; every other character that is not printed, like ESC, becomes
    U+FFFD. The result is still text, not markup: show it without parsing it.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(char) for char in text)


def _shown(char: str) -> str:
    if char in _BLANKS:
        return " "
    return REPLACEMENT if unicodedata.category(char) in _UNSHOWABLE else char
