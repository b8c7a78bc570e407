"""Reading a log while it is written, or after: the one way from `events.jsonl` to events."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import msgspec

from clr_tui.engine.log.decoding import UNREADABLE, LineDecoder
from clr_tui.engine.log.events import SCHEMA, AnyEvent, RunStarted, Steps
from clr_tui.engine.log.line_tail import LineTail

_KNOWN = frozenset(str(kind.__struct_config__.tag) for kind in get_args(AnyEvent))
_LONGEST_TYPE = 100
_MAX_INT = 2**63 - 1


class _Unread(msgspec.Struct):
    """The little that a line must have to be an event of a type or schema not known here."""

    type: str
    schema: object = None


_DECODE_UNREAD = msgspec.json.Decoder(_Unread).decode


@dataclass
class Batch:
    """What one poll of a log found. All counts are of this poll."""

    events: list[AnyEvent] = field(default_factory=list)
    reset: bool = False
    """The log was cut short or replaced: forget everything, `events` start anew."""
    corrupt: int = 0
    """Lines that could not be read, and were skipped."""
    unknown: dict[str, int] = field(default_factory=dict)
    """Lines skipped because their type is not known here, by type."""
    newer_schema: int | None = None
    """The schema of the log, where it is newer than ours and this poll came upon it."""
    more: bool = False
    """`limit` ended this poll: there is more to read at once."""
    portion: float = 1.0
    """How much of the log, as it stands, has been read, 0 to 1."""


class LogTail:
    """Follows a log: each poll returns the events of the lines completed since the last.

    A torn last line waits for its rest. A line that is not an event (not JSON, not UTF-8, fields
    of a wrong type, columns of unequal length, too long) is skipped and counted as corrupt; an
    event of a type not known here is counted by its type. In a log of a newer schema, lines that
    do not fit ours count as unknown. A file that was cut short or replaced is read anew.

    However polls cut the file, they return together what one poll of the whole returns.
    """

    def __init__(self, path: Path) -> None:
        self._lines = LineTail(path)
        self._forget()

    def _forget(self) -> None:
        self._decode = LineDecoder()
        self.corrupt_total = 0
        """Corrupt lines since the beginning of the log."""
        self.unknown_total: dict[str, int] = {}
        """Lines of unknown type since the beginning of the log, by type."""
        self.newer_schema: int | None = None
        """The log's schema, where it is newer than ours."""

    @property
    def path(self) -> Path:
        """The log."""
        return self._lines.path

    def poll(self, limit: int | None = None) -> Batch:
        """What is new; an empty batch where nothing is, or the file is missing. Never blocks.

        Args:
            limit: stop after about so many bytes, so that a screen stays responsive; `more` of
                the batch then says whether to poll on at once.

        Raises:
            UserError: the file is there but cannot be read.
        """
        found = self._lines.poll(limit)
        if found.reset:
            self._forget()
        batch = Batch(reset=found.reset, corrupt=found.overlong, more=found.more)
        batch.portion = found.portion
        for line in found.lines:
            try:
                event = self._decode(line)
            except UNREADABLE:
                self._sort_out(line, batch)
                continue
            self._accept(event, batch)
        self.corrupt_total += batch.corrupt
        for name, count in batch.unknown.items():
            self.unknown_total[name] = self.unknown_total.get(name, 0) + count
        return batch

    def _accept(self, event: AnyEvent, batch: Batch) -> None:
        if isinstance(event, Steps):
            if not _sound(event):
                batch.corrupt += 1
                return
        elif isinstance(event, RunStarted):
            self._note_schema(event.schema, batch)
        batch.events.append(event)

    def _sort_out(self, line: bytes, batch: Batch) -> None:
        """A line that is none of our events: blank, unknown or corrupt."""
        if not line.strip():
            return
        try:
            unread = _DECODE_UNREAD(line)
        except UNREADABLE:
            batch.corrupt += 1
            return
        if unread.type == "run-started" and isinstance(unread.schema, int):
            self._note_schema(unread.schema, batch)
        foreign = unread.type not in _KNOWN or self.newer_schema is not None
        if foreign and 0 < len(unread.type) <= _LONGEST_TYPE:
            batch.unknown[unread.type] = batch.unknown.get(unread.type, 0) + 1
        else:
            batch.corrupt += 1

    def _note_schema(self, schema: int, batch: Batch) -> None:
        if schema > SCHEMA:
            self.newer_schema = batch.newer_schema = schema


def _sound(steps: Steps) -> bool:
    """Whether the columns are of one length, with steps that fit 64 bits: all in C, not a step."""
    count = len(steps.step)
    if len(steps.lr) != count or len(steps.loss) != count:
        return False
    if any(len(column) != count for column in steps.metrics.values()):
        return False
    return count == 0 or (min(steps.step) >= 0 and max(steps.step) <= _MAX_INT)


def read_events(path: Path) -> Batch:
    """The whole log as it stands; an empty batch where the file is missing.

    Raises:
        UserError: the file is there but cannot be read.
    """
    return LogTail(path).poll()
