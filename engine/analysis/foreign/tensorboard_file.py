"""One event file of TensorBoard, read while it grows."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from clr_tui.engine.analysis.foreign.tensorboard_scalars import ScalarChunk, ScalarReader, joined
from clr_tui.engine.analysis.foreign.tfrecord import (
    AROUND,
    HEADER,
    PADDING,
    find_records,
    next_header,
)
from clr_tui.engine.log.same_file import SameFile
from clr_tui.engine.regular import Stamp, open_regular, stamp_of
from clr_tui.engine.words import many

BLOCK = 2 << 20
"""Bytes read at a time: few enough to stay in a processor's cache."""


@dataclass
class FilePart:
    """What one poll of an event file returns."""

    scalars: dict[bytes, ScalarChunk] = field(default_factory=dict)
    """By name, in the order of the names' first values."""
    warnings: list[str] = field(default_factory=list)
    """Sentences about what was left out; each comes once."""
    replaced: bool = False
    """The file is not the one that was read before: nothing was read."""
    more: bool = False
    """`limit` ended the poll."""


class EventFile:
    """Reads what is new in an event file; keeps it closed between polls."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.reader = ScalarReader()
        self.offset = 0
        """Bytes that were read or skipped."""
        self.size = 0
        """Bytes of the file at the last poll."""
        self.long = 0
        """Records that were skipped for their length: images, for example."""
        self._stamp: Stamp | None = None
        self._same = SameFile()
        self._searched = 0
        """The place up to which no record begins behind `offset`, if bytes there are damaged."""
        self._garbage = False
        self._said: set[str] = set()

    def poll(self, limit: int | None = None) -> FilePart:
        """Reads what is new, about `limit` bytes of it at most.

        Raises:
            OSError: the file cannot be read, or is none.
        """
        stamp = stamp_of(self.path)
        if stamp is not None and stamp == self._stamp:
            return FilePart()
        fd = open_regular(self.path)
        try:
            if self._same.is_another(fd):
                return FilePart(replaced=True)
            part = self._read(fd, limit)
            self._same.remember(fd, self.offset)
        finally:
            os.close(fd)
        self._stamp = None if part.more else stamp
        return part

    def _read(self, fd: int, limit: int | None) -> FilePart:
        self.size = os.fstat(fd).st_size
        found: dict[bytes, list[ScalarChunk]] = {}
        end = self.size if limit is None else self._place + limit
        more = True
        while more and self._place < end:
            more = self._read_block(fd, found, min(BLOCK, max(end - self._place, 1 << 17)))
        part = FilePart(more=more and self._place < self.size)
        part.scalars = {name: joined(chunks) for name, chunks in found.items()}
        if self.reader.damaged:
            left_out = many(self.reader.damaged, "record")
            self._warn(part, "damaged records", f"left out {left_out} with a wrong checksum")
        if self._garbage:
            self._warn(part, "garbage", "left out bytes that are no records of TensorBoard")
        return part

    @property
    def _place(self) -> int:
        return max(self.offset, self._searched)

    def _warn(self, part: FilePart, kind: str, what: str) -> None:
        if kind not in self._said:
            self._said.add(kind)
            part.warnings.append(f"'{self.path}' is damaged: {what}")

    def _read_block(self, fd: int, found: dict[bytes, list[ScalarChunk]], size: int) -> bool:
        """Reads the records of the next bytes; False if there is no more for now."""
        content = os.pread(fd, size, self.offset)
        block = content + bytes(PADDING)
        records = find_records(block, len(content))
        for name, chunk in self.reader.read(block, records):
            found.setdefault(name, []).append(chunk)
        self.offset += records.end
        match records.then:
            case "torn":
                return len(content) == size
            case "long":
                length = int.from_bytes(block[records.end : records.end + 8], "little")
                if self.offset + AROUND + length > self.size:
                    return False
                self.offset += AROUND + length
                self.long += 1
                return True
            case "damaged":
                return self._skip_damage(fd)

    def _skip_damage(self, fd: int) -> bool:
        """Looks for the next record behind bytes that are none; False at the end of the file."""
        at = max(self.offset + 1, self._searched)
        content = os.pread(fd, BLOCK, at)
        # Zeros at the end are what is not written yet, on some file systems.
        self._garbage |= bool(content.strip(b"\0"))
        place = next_header(content + bytes(PADDING), len(content))
        if place is None:
            self._searched = at + max(len(content) - HEADER + 1, 0)
            return len(content) == BLOCK
        self._garbage = True
        self.offset = at + place
        return True
