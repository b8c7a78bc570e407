"""Reads CSV files as programs, notebooks and spreadsheets of any country write them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO

from clr_tui.engine.analysis.arrays import finite_or_none
from clr_tui.engine.errors import UserError
from clr_tui.engine.regular import WESTERN, open_text

_DELIMITERS = (",", ";", "\t")
DECIMAL_COMMA = re.compile(r"\s*[-+]?\d*,\d+(?:[eE][-+]?\d+)?\s*")
NUMBER = re.compile(r"\s*[-+]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][-+]?\d+)?\s*")
_MAX_LINE = 1 << 16
"""Characters of the header that are read: a file that is not text may have no line ends."""


@dataclass(frozen=True)
class Table:
    """A CSV file that is open."""

    header: list[str]
    """The names of the columns in lower case; "" for one without a name."""
    rows: Iterator[tuple[int, list[str]]]
    """The rows below that are not blank, each with the number of its line."""


@contextmanager
def open_csv(path: Path) -> Iterator[Table]:
    """Opens a CSV file.

    Cells are separated by commas, semicolons or tabs, whichever splits the header into most, or by
    spaces if there are none of these. Numbers may have a decimal comma where commas do not
    separate. Excel's first line, `sep=;`, a "#" before the header, and lines with one above it are
    no part of it.

    Raises:
        UserError: the file cannot be read, or is not a CSV file of text.
    """
    try:
        with open_text(path) as file:
            above, first, read = header_line(file)
            delimiter = delimiter_of(first)
            lines = csv.reader(
                chain([first, *read], file),
                delimiter=delimiter,
                skipinitialspace=delimiter == " ",
            )
            header = [name.strip().lower() for name in next(lines, [])]
            yield Table(header, _rows(lines, above, decimal_commas=delimiter != ","))
    except OSError as error:
        raise UserError(f"'{path}' cannot be read: {error.strerror}") from None
    except (UnicodeError, csv.Error):
        raise UserError(f"'{path}' is not a CSV file of text") from None


def header_line(file: IO[str]) -> tuple[int, str, list[str]]:
    """Finds the header: the number of lines above it, its line, and the line below if it was read.

    The header is the first line without a "#", or the last one with it if numbers come next.
    """
    above, commented = 0, ""
    while line := file.readline(_MAX_LINE):
        text = line.strip("# \t\r\n")
        if not text or text.lower().startswith("sep="):
            above += 1
        elif line.lstrip().startswith("#"):
            above, commented = above + 1, line.lstrip("# ")
        elif commented and _has_number(line):
            return above - 1, commented, [line]
        else:
            return above, line.lstrip(" "), []
    return above, commented, []


def split_header(text: bytes) -> tuple[str, str] | None:
    """The header's line in whole lines of text, and what is below it.

    None if it is not there yet: a comment may be the header, if numbers come next.
    """
    last = text.rstrip().rpartition(b"\n")[2].lstrip()
    if not last or last.startswith(b"#"):
        return None
    file = io.StringIO(text.decode(errors=WESTERN), newline="")
    _, header, read = header_line(file)
    return header, "".join([*read, file.read()])


def _has_number(line: str) -> bool:
    cells = next(csv.reader([line], delimiter=delimiter_of(line)), [])
    return any(NUMBER.fullmatch(cell) for cell in cells)


def delimiter_of(header: str) -> str:
    """The delimiter that splits a line into most cells; a space if none of the usual ones does."""
    counts = {d: len(next(csv.reader([header], delimiter=d), [])) for d in _DELIMITERS}
    best = max(_DELIMITERS, key=counts.__getitem__)
    return best if counts[best] > 1 else " "


def _rows(
    lines: Iterator[list[str]], above: int, *, decimal_commas: bool
) -> Iterator[tuple[int, list[str]]]:
    for number_of_row, cells in enumerate(lines, start=above + 2):
        if decimal_commas:
            cells = [c.replace(",", ".") if DECIMAL_COMMA.fullmatch(c) else c for c in cells]
        if any(cell.strip() for cell in cells):
            yield number_of_row, cells


def number(text: str) -> float | None:
    """The number in a cell, None if empty or not finite; raises ValueError if not a number."""
    return finite_or_none(float(text)) if text.strip() else None
