"""Writes event files of TensorBoard byte by byte, as their specification says.

For tests: shares no code with the reader or the writer of the product.
"""

from __future__ import annotations

import struct
from pathlib import Path

MASK_DELTA = 0xA282EAD8


def crc32c(data: bytes) -> int:
    """Bit by bit, from the polynomial."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data: bytes) -> bytes:
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + MASK_DELTA) & 0xFFFFFFFF)


def varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def message(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def simple(tag: str, value: float, metadata: bytes = b"") -> bytes:
    """A `Summary.Value` with a float32, as torch and tensorboardX write it."""
    return message(1, tag.encode()) + b"\x15" + struct.pack("<f", value) + metadata


def tensor(tag: str, value: float, plugin: str = "scalars", packed: bool = False) -> bytes:
    """A `Summary.Value` with a tensor of one float32, as TensorFlow 2 writes it."""
    number = struct.pack("<f", value)
    content = message(5, number) if packed else message(4, number)
    metadata = message(9, message(1, message(1, plugin.encode()))) if plugin else b""
    return message(1, tag.encode()) + message(8, b"\x08\x01\x12\x00" + content) + metadata


def event(wall: float, step: int, *values: bytes) -> bytes:
    number = b"\x10" + varint(step) if step else b""
    summary = b"".join(message(1, value) for value in values)
    return b"\x09" + struct.pack("<d", wall) + number + message(5, summary)


def scalar(wall: float, step: int, tag: str, value: float) -> bytes:
    return event(wall, step, simple(tag, value))


def record(payload: bytes) -> bytes:
    length = struct.pack("<Q", len(payload))
    return length + masked(length) + payload + masked(payload)


START = record(b"\x09" + struct.pack("<d", 1.7e9) + message(3, b"brain.Event:2"))


def event_file(folder: Path, *payloads: bytes, name: str = "1700000000.host") -> Path:
    """Writes an event file of these payloads."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"events.out.tfevents.{name}"
    path.write_bytes(START + b"".join(map(record, payloads)))
    return path
