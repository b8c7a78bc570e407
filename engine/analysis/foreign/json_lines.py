"""Logs with one JSON object a line."""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from clr_tui.engine.analysis.foreign.first_bytes import first_bytes
from clr_tui.engine.analysis.foreign.foreign_log import ForeignLog, Mapping
from clr_tui.engine.analysis.foreign.json_parser import RowParser
from clr_tui.engine.analysis.foreign.json_rows import Columns, Row
from clr_tui.engine.analysis.foreign.mapped import check_mapping
from clr_tui.engine.analysis.foreign.run_names import run_name
from clr_tui.engine.analysis.foreign.step_counter import Counting, counting_name
from clr_tui.engine.analysis.foreign.text_log import TextLog
from clr_tui.engine.log.tail import Batch

_PIECE = 1 << 17
"""Bytes that are decoded at a time."""
_HEAD_BYTES = 1 << 16
_ROWS = 20
_SUFFIXES = (".jsonl", ".ndjson")
_ALSO = (*_SUFFIXES, ".json", ".txt", ".log")
"""Endings of such files that are found in folders."""
_decode_rows = msgspec.json.Decoder(list[dict[str, Any]]).decode
_UNREADABLE = (ValueError, UnicodeDecodeError, RecursionError)
"""What both decoders raise; msgspec's error is a ValueError."""
_LOWER = re.compile(r'"(?:[^"\\]|\\.)*"|-?(?:nan|inf)\b')


def open_json_lines(path: Path, mapping: Mapping) -> list[ForeignLog]:
    """Opens a file of one JSON object a line, finished or still growing, as one run.

    Raises:
        UserError: its first lines have no column of the mapping.
    """
    head = _first_rows(first_bytes(path, _HEAD_BYTES))
    if head:
        check_mapping(mapping, [*Columns(head).found()])
    also = ""
    is_openmmlab = path.name == "scalars.json" or path.parent.name == "vis_data"
    if is_openmmlab and not mapping.x:
        # Their rows of validations have no iteration, and the epoch for a step.
        mapping, also = Mapping(x="iter", y=mapping.y), "step"
    title = "OpenMMLab scalars" if is_openmmlab else "JSON lines"
    parser = partial(JsonLinesParser, mapping, also)
    return [TextLog(path, run_name(path), title, parser)]


def is_json_lines(path: Path, head: bytes) -> bool:
    """Whether a file that somebody named has one JSON object a line, with numbers in them."""
    rows = _first_rows(head)
    if not rows:
        return path.suffix.lower() in _SUFFIXES and not head.strip()
    return bool(Columns(rows).found()) and not _is_ours(rows[0])


def is_json_lines_of_a_training(path: Path, head: bytes) -> bool:
    """Whether such a file that was found in a folder is the log of a training: it counts steps."""
    if path.suffix.lower() not in _ALSO or not (rows := _first_rows(head)):
        return False
    return counting_name(Columns(rows).found()) is not None and not _is_ours(rows[0])


def _is_ours(row: Row) -> bool:
    """Whether it is an event or a command of a run of ours."""
    return row.keys() >= {"type", "seq"} or row.keys() >= {"type", "time"}


def _first_rows(head: bytes) -> list[Row]:
    """The rows in the first bytes of a file; none if its first line with something has none."""
    lines = head.removeprefix(BOM_UTF8).strip().split(b"\n")
    rows: list[Row] = []
    for line in lines[:_ROWS]:
        row = decoded_row(line.strip().removesuffix(b","))
        if row is None or (not rows and is_table(row)):
            break
        rows.append(row)
    return rows


def is_table(row: Row) -> bool:
    """Whether an object is a whole log: lists of the same number of values, by name."""
    lengths = {len(value) if isinstance(value, list) else -1 for value in row.values()}
    return len(lengths) == 1 and lengths.isdisjoint({-1, 0, 1})


class JsonLinesParser:
    """Turns lines with one JSON object each into events.

    Args:
        mapping: which names to take.
        also_counts: see `RowParser`.
        counting: what counts the steps, if the log was read before.
    """

    def __init__(self, mapping: Mapping, also_counts: str, counting: Counting) -> None:
        self._parser = RowParser(mapping, counting, also_counts)
        self._begun = False

    def take_batch(self, time: float) -> Batch:
        """Returns the events of what was fed since the last call; they get this Unix time."""
        return self._parser.take_batch(time)

    def is_whole(self, line: bytes) -> bool:
        """Whether a last line without a newline is a whole object."""
        return decoded_row(line) is not None

    def feed(self, piece: bytes) -> None:
        """Parses whole lines, given without the last newline. Raises CountAnew."""
        if not self._begun:
            piece, self._begun = piece.removeprefix(BOM_UTF8), True
        start = 0
        while start < len(piece):
            end = piece.find(b"\n", start + _PIECE)
            end = len(piece) if end < 0 else end
            self._parser.add(self._rows(piece[start:end]))
            start = end + 1

    def _rows(self, text: bytes) -> list[Row]:
        """The objects of whole lines; other lines are counted as unreadable."""
        try:
            rows = _decode_rows(b"[" + text.replace(b"\n", b",") + b"]")
        except _UNREADABLE:
            rows = []
        if len(rows) == text.count(b"\n") + 1:
            return rows
        head, newline, tail = _halves(text)
        if newline:
            return self._rows(head) + self._rows(tail)
        line = text.strip().removesuffix(b",")
        row = decoded_row(line)
        self._parser.rows.unreadable += row is None and bool(line)
        return [] if row is None else [row]


def _halves(text: bytes) -> tuple[bytes, bytes, bytes]:
    """The lines in two parts, split in the middle; one line remains whole."""
    middle = text.find(b"\n", len(text) // 2)
    middle = middle if middle >= 0 else text.rfind(b"\n")
    return (text, b"", b"") if middle < 0 else (text[:middle], b"\n", text[middle + 1 :])


def decoded_row(line: bytes) -> Row | None:
    """The object in a line; None if it is none. NaN and infinities may be written in any way."""
    text = line.decode(errors="replace")
    for readable in (text, _LOWER.sub(_as_python_writes_it, text)):
        try:
            row = json.loads(readable)
        except _UNREADABLE:
            continue
        return row if isinstance(row, dict) else None
    return None


def _as_python_writes_it(match: re.Match[str]) -> str:
    return {"nan": "NaN", "-nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(
        match[0], match[0]
    )
