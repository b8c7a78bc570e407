"""Reads the scalars of many records of TensorBoard at once, as columns.

Loops log the same names over and over, so that nearly all records of one length are built alike:
one is parsed, and the same places are read in all that have the same bytes around them. Records
that are built like few others are parsed one by one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from clr_tui.engine.analysis.arrays import Floats, Ints
from clr_tui.engine.analysis.foreign.crc32c import crc32c, masked
from clr_tui.engine.analysis.foreign.protobuf import MalformedError
from clr_tui.engine.analysis.foreign.tensorboard_alike import (
    MAX_PAYLOAD,
    Alike,
    Bytes,
    Mask,
    payloads,
)
from clr_tui.engine.analysis.foreign.tensorboard_event import Layout, layout_of, settings_in
from clr_tui.engine.analysis.foreign.tfrecord import CHECKSUM, HEADER, Records

_FEW = 8
"""Records of one length that are parsed one by one."""
_MAX_LAYOUTS = 32
"""After so many ways to build records of one length, the others are parsed one by one."""


@dataclass(frozen=True)
class ScalarChunk:
    """Scalars of one name, in the order of the file; arrays of shape (n,)."""

    step: Ints
    at: Floats
    """Unix time in seconds, NaN where unknown."""
    value: Floats

    def rows(self, which: Ints | Mask | slice) -> ScalarChunk:
        """Some of the scalars."""
        return ScalarChunk(self.step[which], self.at[which], self.value[which])


def joined(chunks: Sequence[ScalarChunk]) -> ScalarChunk:
    """The scalars of all chunks; at least one chunk."""
    if len(chunks) == 1:
        return chunks[0]
    return ScalarChunk(
        np.concatenate([chunk.step for chunk in chunks]),
        np.concatenate([chunk.at for chunk in chunks]),
        np.concatenate([chunk.value for chunk in chunks]),
    )


class _Piece(NamedTuple):
    """Scalars of some records of a block."""

    record: Ints
    """Indexes of the records."""
    name: Ints
    """Indexes of the names."""
    scalars: ScalarChunk


@dataclass
class ScalarReader:
    """Reads the blocks of one file in order."""

    settings: dict[str, str] = field(default_factory=dict)
    """The run's hyperparameters, as far as records tell them."""
    other: Counter[str] = field(default_factory=Counter)
    """Counts of what is no scalar, such as images."""
    damaged: int = 0
    """Records that were left out because their checksum is wrong or they are no events."""
    _names: dict[bytes, int] = field(default_factory=dict)
    _no_scalars: set[bytes] = field(default_factory=set)
    """Names of tensors that some plugin draws."""

    def read(self, block: bytes, records: Records) -> Iterator[tuple[bytes, ScalarChunk]]:
        """The scalars of a block by name, in the order of the names' first values."""
        pieces: list[_Piece] = []
        order = np.argsort(records.length.astype(np.uint16), kind="stable")  # radix: linear
        bounds = np.flatnonzero(np.diff(records.length[order])) + 1
        for rows in np.split(order, bounds) if len(order) else []:
            pieces += self._read_alike(block, records, rows)
        if not pieces:
            return
        names = list(self._names)
        for index, chunk in _by_name(pieces):
            if names[index] not in self._no_scalars:
                yield names[index], chunk

    def _read_alike(self, block: bytes, records: Records, rows: Ints) -> list[_Piece]:
        """Reads records whose payloads have one length; `rows` are their indexes, rising."""
        pieces: list[_Piece] = []
        length = int(records.length[rows[0]])
        if len(rows) > _FEW and length <= MAX_PAYLOAD:
            content = payloads(block, records, rows)
            for _ in range(_MAX_LAYOUTS):
                if len(rows) <= _FEW:
                    break
                alike = Alike.to(content[0, :length].tobytes())
                if alike is None:
                    pieces += self._read_singly(block, records, rows[:1])
                    rows, content = rows[1:], content[1:]
                    continue
                fits = alike.fit(content)
                if fits.all():
                    return pieces + self._read_at_once(alike, content, rows)
                pieces += self._read_at_once(alike, content[fits], rows[fits])
                rows, content = rows[~fits], content[~fits]
        return pieces + self._read_singly(block, records, rows)

    def _read_at_once(self, alike: Alike, content: Bytes, rows: Ints) -> list[_Piece]:
        names = [alike.names(content, scalar) for scalar in alike.layout.scalars]
        right = alike.undamaged(content, names)
        if not right.all():
            self.damaged += int(np.count_nonzero(~right))
            if not right.any():
                return []
            return self._read_at_once(alike, content[right], rows[right])
        step, at = alike.steps(content), alike.walls(content)
        pieces = []
        for scalar, (texts, which) in zip(alike.layout.scalars, names, strict=True):
            indexes = np.array([self._index(text) for text in texts])
            scalars = ScalarChunk(step, at, alike.numbers(content, scalar))
            pieces.append(_Piece(rows, indexes[which], scalars))
        return pieces

    def _read_singly(self, block: bytes, records: Records, rows: Ints) -> list[_Piece]:
        record, name, step, at, value = [], [], [], [], []
        for row in rows.tolist():
            payload, layout = self._parsed(block, records, row)
            for scalar in layout.scalars:
                record.append(row)
                name.append(self._index(payload[scalar.tag_at : scalar.tag_end]))
                step.append(layout.step(payload))
                at.append(layout.wall(payload))
                value.append(layout.number(payload, scalar))
        scalars = ScalarChunk(np.array(step, np.int64), np.array(at), np.array(value))
        return [_Piece(np.array(record), np.array(name), scalars)] if record else []

    def _parsed(self, block: bytes, records: Records, row: int) -> tuple[bytes, Layout]:
        """A payload and its layout, which is empty if it is damaged."""
        start = int(records.at[row]) + HEADER
        end = start + int(records.length[row])
        payload = block[start:end]
        try:
            layout = layout_of(payload)
        except MalformedError:
            self.damaged += 1
            return payload, Layout()
        stored = int.from_bytes(block[end : end + CHECKSUM], "little")
        if layout.scalars and masked(crc32c(payload)) != stored:
            self.damaged += 1
            return payload, Layout()
        self.other += layout.other
        self._no_scalars.update(layout.other_tags)
        for place in layout.hparams:
            self.settings |= settings_in(payload, *place)
        return payload, layout

    def _index(self, name: bytes) -> int:
        return self._names.setdefault(name, len(self._names))


def _by_name(pieces: list[_Piece]) -> Iterator[tuple[int, ScalarChunk]]:
    """The scalars of each name, in the order of their first records."""
    record, name, scalars = pieces[0]
    if len(pieces) > 1:
        record = np.concatenate([piece.record for piece in pieces])
        order = np.argsort(record, kind="stable")
        record = record[order]
        name = np.concatenate([piece.name for piece in pieces])[order]
        scalars = joined([piece.scalars for piece in pieces]).rows(order)
    small = name.max() < 1 << 16
    order = np.argsort(name.astype(np.uint16 if small else np.int64), kind="stable")
    record, name, scalars = record[order], name[order], scalars.rows(order)
    bounds = [0, *(np.flatnonzero(np.diff(name)) + 1).tolist(), len(name)]
    for start, end in sorted(pairwise(bounds), key=lambda places: record[places[0]]):
        yield int(name[start]), scalars.rows(slice(start, end))
