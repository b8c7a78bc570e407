"""Writes the .wandb files of offline runs byte by byte, as wandb 0.31 does.

For tests: shares no code with the reader.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from event_files import message, varint

HEADER = b":W&B" + struct.pack("<HB", 0xBEE1, 0)
BLOCK = 32768
_TYPED = [bytes([kind]) for kind in range(5)]
_SEEDS = [zlib.crc32(kind) for kind in _TYPED]


END = b"\x08\x7f" + message(18, b"")
"""The record of a run that ended well."""


class Frames:
    """The log format of LevelDB, with another checksum."""

    def __init__(self) -> None:
        self.data = bytearray(HEADER)

    def add(self, record: bytes) -> None:
        first = True
        while True:
            left = BLOCK - len(self.data) % BLOCK
            if left < 7:
                self.data += bytes(left)
                continue
            part, record = record[: left - 7], record[left - 7 :]
            kind = (1 if first else 4) if not record else (2 if first else 3)
            crc = zlib.crc32(part, _SEEDS[kind])
            self.data += struct.pack("<IHB", crc, len(part), kind) + part
            first = False
            if not record:
                return


def value(number: Any) -> bytes:
    return number if isinstance(number, bytes) else json.dumps(number).encode()


def item(key: str, content: Any, nested: bool = True) -> bytes:
    keys = message(2, key.encode()) if nested else message(1, key.encode())
    return message(1, keys + message(16, value(content)))


def history(number: int, values: Mapping[str, Any], step: int) -> bytes:
    """A row, as `run.log` makes it."""
    body = b"".join(item(key, content) for key, content in values.items())
    row_step = message(2, b"\x08" + varint(step) if step else b"")
    return b"\x08" + varint(number) + message(2, body + row_step)


def summary(number: int, values: Mapping[str, Any]) -> bytes:
    body = b"".join(item(key, content) for key, content in values.items())
    return b"\x08" + varint(number) + message(3, body)


def run(name: str, config: Mapping[str, Any]) -> bytes:
    pairs = b"".join(
        message(1, message(1, k.encode()) + message(16, value(v))) for k, v in config.items()
    )
    body = message(1, b"abc123") + message(3, b"project") + message(4, pairs)
    return b"\x08\x01" + message(17, body + message(8, name.encode()))


def rows(records: Iterable[Mapping[str, Any]]) -> list[bytes]:
    """The records of the calls `run.log(row)`: each row and what it adds to the summary."""
    found = []
    for step, values in enumerate(records):
        row = {**values, "_timestamp": 1.7e9 + step / 4, "_runtime": step / 4, "_step": step}
        turn = list(row.items())  # the keys come in any order
        turn = turn[step % len(turn) :] + turn[: step % len(turn)]
        found += [history(2 * step, dict(turn), step), summary(2 * step + 1, row)]
    return found


def wandb_file(folder: Path, *records: bytes, name: str = "run-abc123.wandb") -> Path:
    """Writes a file of these records."""
    folder.mkdir(parents=True, exist_ok=True)
    frames = Frames()
    for record in records:
        frames.add(record)
    path = folder / name
    path.write_bytes(frames.data)
    return path
