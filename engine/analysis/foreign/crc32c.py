"""The checksum of TensorBoard's records: CRC-32C, masked.

Source: RFC 3720, appendix B.4 (the polynomial 0x1EDC6F41, reflected), and TensorFlow's
core/lib/hash/crc32c.h for the mask.

The checksum is linear: that of a message is the exclusive or of what each of its bytes contributes,
which depends on the byte and on how many bytes follow. Many messages of one length are therefore
checked together, a byte of all of them at a time, and bytes that are the same in all cost nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_POLYNOMIAL = 0x82F63B78  # reflected
_MASK_DELTA = 0xA282EAD8
Checksums = NDArray[np.uint32]


def _table() -> list[int]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (_POLYNOMIAL if crc & 1 else 0)
        table.append(crc)
    return table


_TABLE = _table()


def crc32c(data: bytes) -> int:
    """The checksum, not masked; about 0.1 microseconds per byte."""
    table, crc = _TABLE, 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def masked(crc: int) -> int:
    """A checksum as it is stored beside its data."""
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF


def masked_all(crc: Checksums) -> Checksums:
    """Checksums as they are stored beside their data."""
    return (crc >> np.uint32(15) | crc << np.uint32(17)) + np.uint32(_MASK_DELTA)


_CONTRIBUTIONS = [np.array(_TABLE, np.uint32)]


def contributions(following: int) -> Checksums:
    """What each value of a byte contributes if `following` bytes come after it; shape (256,).

    Keeps the tables, 1 KiB for each number of bytes up to the highest that was asked for.
    """
    while following >= len(_CONTRIBUTIONS):
        last = _CONTRIBUTIONS[-1]
        _CONTRIBUTIONS.append(last >> np.uint32(8) ^ _CONTRIBUTIONS[0][last & np.uint32(0xFF)])
    return _CONTRIBUTIONS[following]
