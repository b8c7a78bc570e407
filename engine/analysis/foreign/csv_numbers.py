"""The numbers of many lines of a CSV at once."""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass
from typing import cast

import msgspec
import numpy as np

from clr_tui.engine.analysis.arrays import Bools, Floats, Ints

_decode = msgspec.json.Decoder(list[float | None]).decode
_IN_NUMBERS = b"0123456789+-.eE \t"
_OF_NUMBERS = _IN_NUMBERS + b",\n"
_MISSING = (b"null", b"none", b"n/a", b"<na>")
_NOT_FINITE = (b"-infinity", b"infinity", b"+inf", b"-inf", b"inf", b"-nan", b"nan")
_NULL = b"null"
_OF_WORDS = b"ANULOEINFTYanuloeinfty/<>"
_QUOTED = re.compile(rb'"([^",;\t\n]*)"')
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
    The numbers exist as Python objects for a moment: pieces of some 100 KB stay in the cache.

    Args:
        text: whole lines without the last newline.
        columns: the cells in each line.
        delimiter: one byte; runs of it count as one if it is a space.

    Returns:
        None if any line is something else: blank, longer or shorter, or with text in a cell.
    """
    plain = with_commas(text, delimiter)
    if (cells := _numbers_alone(plain, columns)) is not None:
        return cells
    others = plain.translate(None, _OF_NUMBERS)
    if not others:
        return _numbers_in(plain, columns)
    return (
        None if others.translate(None, _OF_WORDS) else _numbers_in(_without_words(plain), columns)
    )


def _numbers_alone(plain: bytes, columns: int) -> Cells | None:
    """Reads lines that have a number in every cell, as most do; None if they are something else."""
    between = plain.translate(None, _IN_NUMBERS)
    rows = between.count(b"\n") + 1
    if between != (b"," * (columns - 1) + b"\n") * (rows - 1) + b"," * (columns - 1):
        return None
    if (value := _decoded(plain)) is None:
        return None
    return Cells(value.reshape(rows, columns), np.ones((rows, columns), np.bool_))


def ends_of_cells(plain: bytes, columns: int) -> tuple[Ints, Bools] | None:
    """The places of the commas and newlines between cells, and which bytes are one.

    None if a line has more or fewer cells than `columns`.
    """
    raw = np.frombuffer(plain, np.uint8)
    newline = raw == _NEWLINE
    mark = newline | (raw == _COMMA)
    between = np.flatnonzero(mark)
    if len(between) != (np.count_nonzero(newline) + 1) * columns - 1:
        return None
    return (between, mark) if newline[between[columns - 1 :: columns]].all() else None


def _numbers_in(plain: bytes, columns: int) -> Cells | None:
    if (found := ends_of_cells(plain, columns)) is None:
        return None
    between, mark = found
    cells = len(between) + 1
    if mark[:1].any() or mark[-1:].any() or (mark[1:] & mark[:-1]).any() or not plain:
        logged = np.diff(between, prepend=-1, append=len(plain)) > 1
        plain = _filled(plain)
    else:
        logged = np.ones(cells, np.bool_)
    value = _decoded(plain)
    return None if value is None else Cells(value.reshape(-1, columns), logged.reshape(-1, columns))


def _decoded(plain: bytes) -> Floats | None:
    """The numbers of all cells, NaN for null; None if one is something else, or empty."""
    try:
        return _array(_decode(b"[" + plain.replace(b"\n", b",") + b"]"))
    except msgspec.DecodeError:
        return None


def _array(numbers: list[float | None]) -> Floats:
    try:
        return np.frombuffer(array("d", cast("list[float]", numbers)))
    except TypeError:  # with None, which becomes NaN
        return np.array(numbers, np.float64)


def with_commas(text: bytes, delimiter: bytes) -> bytes:
    """The text, its cells separated by commas and without quotes; padding is no harm in JSON."""
    text = text.replace(b"\r", b"")
    if b'"' in text:
        text = _QUOTED.sub(rb"\1", text)
    if delimiter == b" ":
        lines = text.replace(b",", b".").split(b"\n")
        return b"\n".join(b",".join(line.split()) for line in lines)
    return text if delimiter == b"," else text.translate(bytes.maketrans(b"," + delimiter, b".,"))


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
