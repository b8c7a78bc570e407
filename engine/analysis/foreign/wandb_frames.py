"""The frames of a W&B file: LevelDB's log format, with another checksum.

The file is divided into blocks of 32 KiB. A record is one frame, or several if it crosses blocks: a
checksum (4 bytes), a length (2), a kind (1: whole, 2: first, 3: middle, 4: last), the content. The
checksum is zlib's crc32 of the kind and the content. Fewer than 7 bytes at the end of a block are
zeros.

Source: wandb/sdk/internal/datastore.py of wandb 0.31, and LevelDB's doc/log_format.md.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from zlib import crc32

MAGIC = b":W&B"
VERSION = b"\xe1\xbe\x00"
"""The bytes after the magic of files that we read: version 0."""
BLOCK = 32_768
_FRAME = struct.Struct("<IHB")
_WHOLE, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4


@dataclass
class Frames:
    """The records in a piece of a file."""

    records: list[bytes] = field(default_factory=list)
    consumed: int = 0
    """Bytes up to the first record that is not complete."""
    damaged: int = 0
    """Frames that were left out, and with each the rest of its block."""


def frames_in(data: bytes, place: int) -> Frames:
    """The whole records in `data`, which is at `place` of the file, where a record begins."""
    found = Frames()
    parts: list[bytes] = []
    at = 0
    while True:
        left = BLOCK - (place + at) % BLOCK
        if left < _FRAME.size:
            at += left
        if at + _FRAME.size > len(data):
            break
        crc, length, kind = _FRAME.unpack_from(data, at)
        left = BLOCK - (place + at) % BLOCK
        end = at + _FRAME.size + length
        if _FRAME.size + length <= left:
            if end > len(data):
                break
            if kind == 0 and not any(data[at : at + left]):  # what is not written yet
                if at + left > len(data):
                    break
                at += left
                continue
        if _FRAME.size + length > left or crc32(data[at + 6 : end]) != crc:
            found.damaged += 1
            at += left
            parts.clear()
            found.consumed = min(at, len(data))
            continue
        content = data[at + _FRAME.size : end]
        at = end
        if kind == _WHOLE:
            found.records.append(content)
        elif kind == _FIRST:
            parts = [content]
            continue
        elif parts:
            parts.append(content)
            if kind != _LAST:
                continue
            found.records.append(b"".join(parts))
            parts = []
        found.consumed = at
    return found
