"""The records of a W&B file: rows of values, settings, and the end of the run.

Source of the field numbers: wandb/proto/wandb_internal.proto of wandb 0.31.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from clr_tui.engine.analysis.arrays import Floats, Ints
from clr_tui.engine.analysis.foreign.json_values import numbers_of, setting_text
from clr_tui.engine.analysis.foreign.protobuf import (
    BYTES,
    FIXED64,
    VARINT,
    MalformedError,
    fields,
    signed,
    varint,
)
from clr_tui.engine.analysis.foreign.protobuf import field as encoded_field

_HISTORY, _SUMMARY, _CONFIG, _RUN, _EXIT = 2, 3, 5, 17, 18
_RECORD_NUMBER, _ITEM, _VALUE = 0x08, 0x0A, b"\x82\x01"
"""First bytes of the number of a record, of an item, and of the value in an item."""


@dataclass
class _Column:
    rows: list[int] = field(default_factory=list)
    texts: list[bytes] = field(default_factory=list)
    """JSON."""


@dataclass
class WandbRecords:
    """What some records say."""

    steps: list[int | None] = field(default_factory=list)
    """Of each row; None if it has none of its own."""
    settings: dict[str, str] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    """Settings that were taken back."""
    name: str = ""
    exit_code: int | None = None
    """Of the training, if it ended."""
    malformed: int = 0
    """Records that are no messages."""
    _columns: dict[bytes, _Column] = field(default_factory=dict)
    """By the key of their items, as it is encoded."""

    def add(self, record: bytes) -> None:
        """Adds a record."""
        try:
            self._add(record)
        except (MalformedError, IndexError):
            self.malformed += 1

    def columns(self) -> Iterator[tuple[str, Ints, Floats, int]]:
        """Names, the rows that they are in, their values, and how many others are no numbers."""
        for key, column in self._columns.items():
            values, are_numbers = numbers_of(column.texts)
            rows = np.array(column.rows)[are_numbers]
            yield _name(key), rows, values[are_numbers], int((~are_numbers).sum())

    def _add(self, record: bytes) -> None:
        at = varint(record, 1)[1] if record[0] == _RECORD_NUMBER else 0
        if record[at] >> 3 == _SUMMARY:  # one for each row, which says the same
            return
        for number, wire, start, end in fields(record, at, len(record)):
            if wire != BYTES:
                continue
            if number == _HISTORY:
                self._add_row(record, start, end)
            elif number == _CONFIG:
                self._add_config(record, start, end)
            elif number == _RUN:
                self._add_run(record, start, end)
            elif number == _EXIT:
                self.exit_code = _first_number(record, start, end)

    def _add_row(self, record: bytes, at: int, end: int) -> None:
        row, step = len(self.steps), None
        self.steps.append(None)
        known = self._columns.get
        # Nearly all items are built like this: it is faster to try it first.
        while at < end and record[at] == _ITEM and record[at + 1] < 0x80:
            behind = at + 2 + record[at + 1]
            key, _, text = record[at + 2 : behind].partition(_VALUE)
            if not text or text[0] != len(text) - 1:
                break
            column = known(key) or self._column(key)
            column.rows.append(row)
            column.texts.append(text[1:])
            at = behind
        for number, wire, start, behind in fields(record, at, end):
            if number == 1 and wire == BYTES:
                key, text = _item(record, start, behind)
                column = self._column(key)
                column.rows.append(row)
                column.texts.append(text)
            elif number == 2 and wire == BYTES:
                step = _first_number(record, start, behind)
        self.steps[row] = step

    def _column(self, key: bytes) -> _Column:
        return self._columns.setdefault(key, _Column())

    def _add_run(self, record: bytes, start: int, end: int) -> None:
        for number, wire, at, behind in fields(record, start, end):
            if number == 4 and wire == BYTES:
                self._add_config(record, at, behind)
            elif number == 8 and wire == BYTES:
                self.name = record[at:behind].decode("utf-8", "replace")

    def _add_config(self, record: bytes, start: int, end: int) -> None:
        for number, wire, at, behind in fields(record, start, end):
            if number not in (1, 2) or wire != BYTES:
                continue
            key, text = _item(record, at, behind)
            name = _name(key)
            if number == 2:
                self.removed.add(name)
            elif name.partition(".")[0] != "_wandb":
                self.settings |= setting_text(name, text)


def _first_number(record: bytes, start: int, end: int) -> int:
    """The number in field 1 of a message; 0 if it is absent."""
    for number, wire, at, _ in fields(record, start, end):
        if number == 1 and wire == VARINT:
            return signed(varint(record, at)[0])
    return 0


def _item(record: bytes, start: int, end: int) -> tuple[bytes, bytes]:
    """The key of an item, as it is encoded, and its value as JSON."""
    key, text = b"", b"null"
    for number, wire, at, behind in fields(record, start, end):
        if number in (1, 2) and wire == BYTES:
            key += encoded_field(number, record[at:behind])
        elif number in (8, 16) and wire == BYTES:
            text = record[at:behind]
        elif number == 4 and wire == VARINT:
            text = b"true" if record[at] else b"false"
        elif number == 5 and wire == VARINT:
            text = b"%d" % signed(varint(record, at)[0])
        elif number == 6 and wire == FIXED64:
            text = repr(struct.unpack_from("<d", record, at)[0]).encode()
        elif number == 7 and wire == BYTES:
            text = b'"%b"' % record[at:behind]
    return key, text


def _name(key: bytes) -> str:
    """The name in an encoded key: the parts of a nested one with points between them."""
    parts = [key[at:end] for _, _, at, end in fields(key, 0, len(key))]
    return b".".join(parts).decode("utf-8", "replace")
