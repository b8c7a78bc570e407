"""Reads the same places in many records of TensorBoard that are built alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clr_tui.engine.analysis.arrays import Floats, Ints
from clr_tui.engine.analysis.foreign.crc32c import Checksums, contributions, crc32c, masked_all
from clr_tui.engine.analysis.foreign.protobuf import MalformedError
from clr_tui.engine.analysis.foreign.tensorboard_event import Layout, Scalar, layout_of
from clr_tui.engine.analysis.foreign.tfrecord import CHECKSUM, HEADER, PADDING, Records

MAX_PAYLOAD = 4096
"""Bytes. A longer payload, which holds a hundred scalars, is parsed by itself."""
_MAX_STEP_BYTES = 8
_ODD = np.uint64(0x9E3779B97F4A7C15)
Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Words = NDArray[np.uint64]
Tags = tuple[list[bytes], Ints]
"""The names that records have, and which of them each record has."""


def payloads(block: bytes, records: Records, rows: Ints) -> Bytes:
    """The payloads of records of one length, with their checksums, a row each.

    The columns behind the checksums make the number of columns a multiple of 8.
    """
    length = int(records.length[rows[0]]) + CHECKSUM
    width = -(-length // 8) * 8
    assert width - length < PADDING
    room = len(block) - width + 1
    whole = np.ndarray((room,), f"V{width}", block, strides=(1,))[records.at[rows] + HEADER]
    return whole.view(np.uint8).reshape(len(rows), width)


@dataclass(frozen=True)
class Alike:
    """How records are built that have the length of `payload` and its bytes around the numbers.

    The arguments `rows` are such payloads with their checksums, shape (n, width).
    """

    payload: bytes
    layout: Layout

    @classmethod
    def to(cls, payload: bytes) -> Alike | None:
        """Records like this one; None if it is to be parsed by itself."""
        try:
            layout = layout_of(payload)
        except MalformedError:
            return None
        long = layout.step_end - (layout.step_at or 0) > _MAX_STEP_BYTES
        if long or layout.other or layout.hparams or not layout.scalars:
            return None
        return cls(payload, layout)

    def fit(self, rows: Bytes) -> Mask:
        """Which are built like that; shape (n,)."""
        mask = np.zeros(rows.shape[1], np.uint8)
        mask[: len(self.payload)] = 0xFF
        for at, end in self._numbers() + self._tags():
            mask[at:end] = 0
        if self.layout.step_at is not None:  # it has so many bytes where their first bits are so
            mask[self.layout.step_at : self.layout.step_end] = 0x80
        expected = np.frombuffer(self.payload.ljust(len(mask), b"\0"), np.uint64)
        right = np.ones(len(rows), np.bool_)
        columns = rows.view(np.uint64)
        for place, (word, fixed) in enumerate(zip(expected, mask.view(np.uint64), strict=True)):
            if fixed:
                right &= (columns[:, place] ^ word) & fixed == 0
        return right

    def names(self, rows: Bytes, scalar: Scalar) -> Tags:
        """The names under which a number is logged."""
        length = scalar.tag_end - scalar.tag_at
        padded = np.zeros((len(rows), max(-(-length // 8), 1) * 8), np.uint8)
        padded[:, :length] = rows[:, scalar.tag_at : scalar.tag_end]
        first, which = _distinct(padded.view(np.uint64))
        return [row.tobytes() for row in padded[first, :length]], which

    def walls(self, rows: Bytes) -> Floats:
        """Unix times in seconds, NaN if there are none; shape (n,)."""
        at = self.layout.wall_at
        return np.full(len(rows), np.nan) if at is None else _numbers(rows, at, "<f8")

    def steps(self, rows: Bytes) -> Ints:
        """Steps, 0 if there are none; shape (n,)."""
        step = np.zeros(len(rows), np.int64)
        if self.layout.step_at is not None:
            for place, at in enumerate(range(self.layout.step_at, self.layout.step_end)):
                step |= (rows[:, at].astype(np.int64) & 0x7F) << 7 * place
        return step

    def numbers(self, rows: Bytes, scalar: Scalar) -> Floats:
        """The values of one scalar; shape (n,)."""
        return _numbers(rows, scalar.number_at, "<f4" if scalar.width == 4 else "<f8")

    def undamaged(self, rows: Bytes, names: list[Tags]) -> Mask:
        """Which have the checksum that is stored behind them; shape (n,)."""
        length = len(self.payload)
        varying = self._numbers()
        if self.layout.step_at is not None:
            varying.append((self.layout.step_at, self.layout.step_end))
        same = bytearray(self.payload)
        for at, end in varying + self._tags():
            same[at:end] = bytes(end - at)
        crc = np.full(len(rows), crc32c(bytes(same)), np.uint32)
        for scalar, (texts, which) in zip(self.layout.scalars, names, strict=True):
            shares = [_share(text, length - scalar.tag_at) for text in texts]
            crc ^= np.array(shares, np.uint32)[which]
        for at, end in varying:
            for place in range(at, end):
                # "clip" because it does not check indexes, all of which are below 256.
                crc ^= contributions(length - 1 - place).take(rows[:, place], mode="clip")
        stored: Checksums = rows[:, length : length + CHECKSUM].copy().view("<u4")[:, 0]
        right: Mask = masked_all(crc) == stored
        return right

    def _numbers(self) -> list[tuple[int, int]]:
        """The places of the time and of the values."""
        places = [(s.number_at, s.number_at + s.width) for s in self.layout.scalars]
        if self.layout.wall_at is not None:
            places.append((self.layout.wall_at, self.layout.wall_at + 8))
        return places

    def _tags(self) -> list[tuple[int, int]]:
        return [(scalar.tag_at, scalar.tag_end) for scalar in self.layout.scalars]


def _numbers(rows: Bytes, at: int, dtype: str) -> Floats:
    column = rows[:, at : at + np.dtype(dtype).itemsize].copy().view(dtype)[:, 0]
    return column.astype(np.float64, copy=False)


def _share(text: bytes, following: int) -> int:
    """What bytes contribute to a checksum if they are the first of `following` bytes."""
    share = 0
    for place, byte in enumerate(text):
        share ^= int(contributions(following - 1 - place)[byte])
    return share


def _distinct(rows: Words) -> tuple[Ints, Ints]:
    """The rows that differ: an index of each, and which of them each row is."""
    mixed = rows[:, 0]
    for column in rows.T[1:]:
        mixed = mixed * _ODD ^ column  # much faster to sort than rows are
    if (mixed == mixed[:1]).all():
        which = np.zeros(len(mixed), np.int64)
    else:
        which = np.searchsorted(np.unique(mixed), mixed)
    first = _first_of_each(which)
    if not all((column == column[first][which]).all() for column in rows.T):
        _, which = np.unique(rows, axis=0, return_inverse=True)
        which = which.ravel()  # some versions of NumPy return a column
        first = _first_of_each(which)
    return first, which


def _first_of_each(which: Ints) -> Ints:
    first = np.empty(int(which.max(initial=-1)) + 1, np.int64)
    first[which[::-1]] = np.arange(len(which))[::-1]
    return first
