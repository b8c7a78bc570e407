"""Finds the records in a file of TensorBoard: TFRecord, the framing alone.

A record is the length of its payload (8 bytes, little-endian), a checksum of the length (4), the
payload, and a checksum of the payload (4). The place of a record is known only once the one before
it is, and following a million of them one by one takes 0.1 s or more. Loops log the same names over
and over, though, so that lengths repeat: what is expected to come next is compared at once.

Source: tensorflow/core/lib/io/record_writer.h.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from clr_tui.engine.analysis.arrays import Ints
from clr_tui.engine.analysis.foreign.crc32c import contributions, crc32c, masked, masked_all

HEADER = 12
"""Bytes before the payload."""
CHECKSUM = 4
"""Bytes behind the payload."""
AROUND = HEADER + CHECKSUM
PADDING = 64
"""Zero bytes that a block must end with, so that words can be read at any place in it."""
MAX_PAYLOAD = 65_000
"""Bytes. A longer record, which is no scalar, is skipped without being read."""
_SINGLY = 256
"""Records followed one by one before a pattern is looked for."""


@dataclass(frozen=True)
class Records:
    """The whole records at the beginning of a block, and why they end."""

    at: Ints
    """Where each begins, its header first; shape (n,)."""
    length: Ints
    """Bytes of the payload of each; shape (n,)."""
    end: int
    """The place behind the last one."""
    then: Literal["torn", "long", "damaged"]
    """What is at `end`: a record that is not complete (or nothing), one longer than `MAX_PAYLOAD`,
    or bytes that are no record."""


@lru_cache(maxsize=1 << 16)
def header(length: int) -> bytes:
    """The header of a record with a payload of that many bytes."""
    number = struct.pack("<Q", length)
    return number + struct.pack("<I", masked(crc32c(number)))


def find_records(block: bytes, size: int) -> Records:
    """The records in `block[:size]`; behind these come `PADDING` more bytes of any value."""
    lengths: dict[bytes, int] = {}
    at: list[Ints] = []
    length: list[Ints] = []
    end = 0
    then: Literal["torn", "long", "damaged"] | None = None
    while then is None:
        singly, end, then = _one_by_one(block, end, size, lengths)
        at.append(np.cumsum(np.array([end, *(-n - AROUND for n in reversed(singly))]))[:0:-1])
        length.append(np.array(singly, np.int64))
        if then is None and (pattern := _pattern(length[-1])) is not None:
            more_at, more_length, end = _expected(block, end, size, pattern)
            at.append(more_at)
            length.append(more_length)
    return Records(np.concatenate(at), np.concatenate(length), end, then)


def _one_by_one(
    block: bytes, at: int, size: int, lengths: dict[bytes, int]
) -> tuple[list[int], int, Literal["torn", "long", "damaged"] | None]:
    """Up to `_SINGLY` records: the lengths of their payloads, the end, and what is there."""
    found: list[int] = []
    known = lengths.get
    for _ in range(_SINGLY):
        head = block[at : at + HEADER]
        length = known(head)
        if length is None:
            if at + HEADER > size:
                return found, at, "torn"
            length = int.from_bytes(head[:8], "little")
            if header(length) != head:
                return found, at, "damaged"
            if length > MAX_PAYLOAD:
                return found, at, "long"
            lengths[head] = length
        behind = at + AROUND + length
        if behind > size:
            return found, at, "torn"
        found.append(length)
        at = behind
    return found, at, None


def _pattern(lengths: Ints) -> Ints | None:
    """The last lengths if they repeat, and may go on repeating; None if they do not."""
    for period in range(1, len(lengths) // 2 + 1):
        if lengths[-1 - period] == lengths[-1] and (lengths[period:] == lengths[:-period]).all():
            return lengths[len(lengths) % period :]
    return None


def _expected(block: bytes, at: int, size: int, pattern: Ints) -> tuple[Ints, Ints, int]:
    """The records from `at` on whose headers are as the pattern says: places, lengths, end."""
    word = np.ndarray((size,), "<u8", block, strides=(1,))
    half = np.ndarray((size,), "<u4", block, strides=(1,))
    heads = [header(int(n)) for n in pattern]
    numbers = np.array([h[:8] for h in heads], "S8").view("<u8")
    checks = np.array([h[8:] for h in heads], "S4").view("<u4")
    steps = np.concatenate(([0], np.cumsum(pattern + AROUND)))
    places: list[Ints] = []
    turns = 1
    while turns := min(turns, (size - at) // int(steps[-1])):
        expected = at + np.arange(turns)[:, None] * steps[-1] + steps[None, :-1]
        as_expected = (word[expected] == numbers) & (half[expected + 8] == checks)
        if as_expected.all():
            places.append(expected.ravel())
            at += turns * int(steps[-1])
            turns *= 2
            continue
        count = int(np.argmin(as_expected.ravel()))
        places.append(expected.ravel()[:count])
        at = int(expected.ravel()[count])
        break
    found = np.concatenate(places) if places else np.empty(0, np.int64)
    return found, np.resize(pattern, len(found)), at


def next_header(block: bytes, size: int) -> int | None:
    """The first place in `block[:size]` with a whole header whose checksum is right; else None."""
    room = size - HEADER + 1
    if room <= 0:
        return None
    half = np.ndarray((size,), "<u4", block, strides=(1,))
    places = np.flatnonzero(half[4 : room + 4] == 0)  # of the length, which is below 4 GiB
    data = np.frombuffer(block, np.uint8)
    crc = np.full(len(places), crc32c(bytes(8)), np.uint32)
    for byte in range(4):
        crc ^= contributions(7 - byte)[data[places + byte]]
    right = places[masked_all(crc) == half[places + 8]]
    return int(right[0]) if len(right) else None
