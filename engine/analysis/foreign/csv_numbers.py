"""The numbers of many lines of a CSV at once."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np

from clr_tui.engine.analysis.arrays import Bools, Floats

_decode = msgspec.json.Decoder(list[float | None]).decode
_OF_NUMBERS = b"0123456789+-.eE,\n \t"
_MISSING = (b"null", b"none", b"n/a", b"<na>")
_NOT_FINITE = (b"-infinity", b"infinity", b"+inf", b"-inf", b"inf", b"-nan", b"nan")
_NULL = b"null"
_COMMA, _NEWLINE = b",\n"


@dataclass(frozen=True)
class Cells:
    """The numbers in the cells of some rows; arrays of shape (rows, columns)."""

    value: Floats
    """NaN in cells without a finite number."""
    logged: Bools
    """Whether the cell holds a number, finite or not."""


def numbers_in(text: bytes, columns: int, delimiter: bytes) -> Cells | None:
    """Reads lines that hold nothing but numbers and cells without a value.

    Numbers are those of JSON, NaN and infinities in any spelling; "NA", "None" and "null" are
    cells without a value. Beside other delimiters than commas, numbers may have a decimal comma.
    The numbers exist as Python objects for a moment: pieces of some 64 KB stay in the cache.

    Args:
        text: whole lines without the last newline.
        columns: the cells in each line.
        delimiter: one byte; runs of it count as one if it is a space.

    Returns:
        None if any line is something else: blank, longer or shorter, or with text in a cell.
    """
    plain = _with_commas(text, delimiter)
    if plain.translate(None, _OF_NUMBERS):
        plain = _without_words(plain)
    raw = np.frombuffer(plain, np.uint8)
    newline = raw == _NEWLINE
    ends = np.append(np.flatnonzero((raw == _COMMA) | newline), len(raw))
    rows = np.count_nonzero(newline) + 1
    if len(ends) != rows * columns or not newline[ends[columns - 1 : -1 : columns]].all():
        return None
    logged = np.diff(ends, prepend=-1) > 1
    if not logged.all():
        plain = _filled(plain)
    try:
        numbers = _decode(b"[" + plain.replace(b"\n", b",") + b"]")
    except msgspec.DecodeError:
        return None
    value = np.array(numbers, np.float64)  # None becomes NaN
    return Cells(value.reshape(rows, columns), logged.reshape(rows, columns))


def _with_commas(text: bytes, delimiter: bytes) -> bytes:
    """The text without quotes, its cells separated by commas; padding is no harm in JSON."""
    table = None if delimiter == b"," else bytes.maketrans(b"," + delimiter, b".,")
    if delimiter == b" ":
        lines = text.replace(b",", b".").split(b"\n")
        text, table = b"\n".join(b",".join(line.split()) for line in lines), None
    return text.translate(table, b'"\r')


def _without_words(text: bytes) -> bytes:
    text = text.lower()
    for word in _MISSING:
        text = text.replace(word, b"")
    for word in _NOT_FINITE:
        text = text.replace(word, _NULL)
    return text.replace(b"na", b"")


def _filled(text: bytes) -> bytes:
    """Writes a null into each empty cell."""
    text = b"\n" + text + b"\n"
    for _ in range(2):  # matches do not overlap
        text = text.replace(b",,", b",null,")
    text = text.replace(b"\n,", b"\nnull,").replace(b",\n", b",null\n")
    for _ in range(2):  # of a single column
        text = text.replace(b"\n\n", b"\nnull\n")
    return text[1:-1]
