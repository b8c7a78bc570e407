"""Writes event files of TensorBoard: scalars and settings, many records at once.

Source: the same as that of `foreign.tfrecord` and `foreign.tensorboard_event`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clr_tui.engine.analysis.arrays import Floats, Ints
from clr_tui.engine.analysis.foreign.crc32c import contributions, crc32c, masked, masked_all
from clr_tui.engine.analysis.foreign.protobuf import FIXED32, FIXED64, VARINT, encoded, field
from clr_tui.engine.analysis.foreign.tfrecord import header

_VERSION = b"brain.Event:2"
_WALL = bytes([1 << 3 | FIXED64])
_STEP = bytes([2 << 3 | VARINT])
_NUMBER = bytes([2 << 3 | FIXED32])
_HIGH = 0x80
"""Set in all bytes of a varint but the last."""
_LONGEST_STEP = 10
"""Bytes of a negative step."""
Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Scalars:
    """The values of one name; arrays of shape (n,)."""

    name: str
    step: Ints
    at: Floats
    """Unix time in seconds."""
    value: Floats
    """Stored as float32, which is all that TensorBoard has."""


def event_file(
    curves: Sequence[Scalars], settings: Mapping[str, str], time: float
) -> Iterator[bytes]:
    """The content of an event file: scalars by rising step, as training loops write them.

    Args:
        curves: of different names.
        settings: shown by TensorBoard as hyperparameters.
        time: when the run started, Unix time in seconds.
    """
    start = _WALL + struct.pack("<d", time)
    yield _record(start + field(3, _VERSION))
    if settings:
        yield _record(start + field(5, _session(settings, time)))
    records = [record for curve in curves for record in _scalar_records(curve)]
    if records:
        order = np.argsort(np.concatenate([curve.step for curve in curves]), kind="stable")
        yield b"".join([records[place] for place in order.tolist()])


def _record(payload: bytes) -> bytes:
    return header(len(payload)) + payload + struct.pack("<I", masked(crc32c(payload)))


def _session(settings: Mapping[str, str], time: float) -> bytes:
    """What the plugin "hparams" reads the settings from."""
    pairs = b"".join(
        field(1, field(1, name.encode()) + field(2, field(3, text.encode())))
        for name, text in settings.items()
    )
    began = bytes([5 << 3 | FIXED64]) + struct.pack("<d", time)
    plugin = field(1, b"hparams") + field(2, field(3, pairs + began))
    return field(1, field(1, b"_hparams_/session_start_info") + field(9, field(1, plugin)))


def _scalar_records(curve: Scalars) -> list[bytes]:
    """A record for each value, in their order."""
    records = [b""] * len(curve.step)
    unsigned = curve.step.astype(np.uint64)
    lengths = np.ones(len(unsigned), np.int64)
    for digits in range(1, _LONGEST_STEP):
        lengths += unsigned >= np.uint64(1) << np.uint64(7 * digits)
    for length in np.unique(lengths).tolist():
        rows = np.flatnonzero(lengths == length)
        content = _rows_of_one_length(curve, rows, _varints(unsigned[rows], length)).tobytes()
        size = len(content) // len(rows)
        for place, row in enumerate(rows.tolist()):
            records[row] = content[place * size : (place + 1) * size]
    return records


def _varints(numbers: NDArray[np.uint64], length: int) -> Bytes:
    digits = np.empty((len(numbers), length), np.uint8)
    for place in range(length):
        digits[:, place] = numbers >> np.uint64(7 * place) & np.uint64(0x7F)
    digits[:, :-1] |= _HIGH
    return digits


def _rows_of_one_length(curve: Scalars, rows: Ints, steps: Bytes) -> Bytes:
    """The records of rows whose steps take the same number of bytes, a row each."""
    value = field(1, curve.name.encode()) + _NUMBER + bytes(4)
    summary = field(1, value)
    before = _WALL + bytes(8) + _STEP
    behind = bytes([5 << 3 | 2]) + encoded(len(summary)) + summary
    payload = before + bytes(steps.shape[1]) + behind
    head = header(len(payload))
    content = np.tile(np.frombuffer(head + payload + bytes(4), np.uint8), (len(rows), 1))
    start, end = len(head), len(head) + len(payload)
    varying = (
        (start + 1, curve.at[rows].astype("<f8").view(np.uint8).reshape(-1, 8)),
        (start + len(before), steps),
        (end - 4, _float32(curve.value[rows]).view(np.uint8).reshape(-1, 4)),
    )
    crc = np.full(len(rows), crc32c(payload), np.uint32)
    for at, part in varying:
        content[:, at : at + part.shape[1]] = part
        for place in range(part.shape[1]):
            crc ^= contributions(end - 1 - at - place)[part[:, place]]
    content[:, end:] = masked_all(crc).astype("<u4").view(np.uint8).reshape(-1, 4)
    return content


def _float32(values: Floats) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):  # a larger value is infinite there
        return values.astype("<f4")
