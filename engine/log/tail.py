"""Reads the events of a log, finished or still growing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import msgspec

from clr_tui.engine.log.decoding import UNREADABLE, LineDecoder
from clr_tui.engine.log.events import SCHEMA, AnyEvent, Logged, RunStarted, Steps
from clr_tui.engine.log.line_tail import LineTail

_KNOWN = frozenset(str(kind.__struct_config__.tag) for kind in get_args(AnyEvent))
_MAX_TYPE_LENGTH = 100
_MAX_INT = 2**63 - 1
_COUNTS = ("trial", "step", "epoch", "entry", "total_steps", "steps_per_epoch", "best_epoch")
"""Fields that must fit 64 bits, wherever they are a number."""
_MAX_TRIALS = 2_000
"""Trials of a run; no run has nearly as many, and each takes memory and time."""
_PATIENCE = 10_000
"""Damaged lines in a row after which the others are no longer tried one by one."""


class _LineHeader(msgspec.Struct):
    """The least that a line must have to be an event of an unknown type or newer schema."""

    type: str
    schema: object = None


_DECODE_HEADER = msgspec.json.Decoder(_LineHeader).decode


@dataclass
class Batch:
    """The result of one poll of a log. All counts are of this poll."""

    events: list[AnyEvent] = field(default_factory=list)
    reset: bool = False
    """The log was truncated or replaced: discard everything, `events` start from its beginning."""
    corrupt: int = 0
    """Lines that could not be read and were skipped."""
    missing: int = 0
    """Lines that are not there at all: `seq` goes on behind them."""
    unknown: Counter[str] = field(default_factory=Counter)
    """Counts of lines skipped because this version does not know their type, by type."""
    newer_schema: int | None = None
    """The schema of the log, if it is newer than ours and this poll read it."""
    more: bool = False
    """Whether `limit` ended this poll and more can be read at once."""
    portion: float = 1.0
    """The share of the current log that has been read, 0 to 1."""


class LogTail:
    """Follows a log: each poll returns the events of the lines completed since the last.

    An incomplete last line is read once it is complete. A line that is not an event (not JSON, not
    UTF-8, fields of a wrong type, columns of unequal length, too long) is skipped and counted as
    corrupt; an event of an unknown type is counted by its type. In a log of a newer schema, lines
    that do not fit ours count as unknown. A file that was truncated or replaced is reread.

    Polls at any size of the file together return what a single poll of the whole file returns;
    but behind very many damaged lines, only the first line of what is read next is tried.
    """

    def __init__(self, path: Path) -> None:
        self._lines = LineTail(path)
        self._reset()

    def _reset(self) -> None:
        self._decode = LineDecoder()
        self._next = 0
        """The `seq` that the next line should have."""
        self._unread = 0
        """Lines since the last event that could not be read, each of which had its `seq`."""
        self._damaged = 0
        """Corrupt lines in a row, up to the last one."""
        self._trials: set[int] = set()
        self.newer_schema: int | None = None
        """The schema of the log, if it is newer than ours."""

    def poll(self, limit: int | None = None) -> Batch:
        """Reads what is new; an empty batch if nothing is or the file is missing. Never blocks.

        Args:
            limit: stop after about this many bytes, to keep a screen responsive; `more` of the
                batch then says whether to poll again at once.

        Raises:
            UserError: the file exists but cannot be read.
        """
        lines = self._lines.poll(limit)
        if lines.reset:
            self._reset()
        batch = Batch(
            reset=lines.reset, corrupt=lines.overlong, more=lines.more, portion=lines.portion
        )
        self._unread += lines.overlong
        for piece in lines.pieces:
            if self._damaged >= _PATIENCE and self._is_garbage(piece):
                self._count_corrupt(piece.count(b"\n") + 1, batch)
            else:
                self._take(piece.split(b"\n"), batch)
        return batch

    def _is_garbage(self, piece: bytes) -> bool:
        """Whether the first line of a piece is no event."""
        try:
            self._decode(piece.partition(b"\n")[0])
        except UNREADABLE:
            return True
        return False

    def _take(self, lines: list[bytes], batch: Batch) -> None:
        for place, line in enumerate(lines):
            try:
                event = self._decode(line)
            except UNREADABLE:
                self._classify(line, batch)
                if self._damaged >= _PATIENCE:
                    self._count_corrupt(len(lines) - place - 1, batch)
                    return
            else:
                self._damaged = 0
                if 0 <= event.seq <= _MAX_INT:
                    self._count_missing(event.seq, batch)
                self._accept(event, batch)

    def _accept(self, event: AnyEvent, batch: Batch) -> None:
        if any(abs(n) > _MAX_INT for n in _numbers(event)):
            batch.corrupt += 1
            return
        trial = getattr(event, "trial", None)
        if trial is not None and trial not in self._trials:
            if len(self._trials) >= _MAX_TRIALS:
                batch.corrupt += 1
                return
            self._trials.add(trial)
        if isinstance(event, Steps | Logged) and not _is_consistent(event):
            batch.corrupt += 1
            return
        if isinstance(event, RunStarted):
            self._note_schema(event.schema, batch)
        batch.events.append(event)

    def _count_missing(self, seq: int, batch: Batch) -> None:
        batch.missing += max(0, seq - self._next - self._unread)
        self._next = max(self._next, seq + 1)
        self._unread = 0

    def _classify(self, line: bytes, batch: Batch) -> None:
        """Counts a line that is not one of our events: blank, unknown or corrupt."""
        if not line.strip():
            return
        try:
            unread = _DECODE_HEADER(line)
        except UNREADABLE:
            self._count_corrupt(1, batch)
            return
        if unread.type == "run-started" and isinstance(unread.schema, int):
            self._note_schema(unread.schema, batch)
        foreign = unread.type not in _KNOWN or self.newer_schema is not None
        if foreign and 0 < len(unread.type) <= _MAX_TYPE_LENGTH:
            batch.unknown[unread.type] += 1
            self._unread += 1
            self._damaged = 0
        else:
            self._count_corrupt(1, batch)

    def _count_corrupt(self, lines: int, batch: Batch) -> None:
        batch.corrupt += lines
        self._unread += lines
        self._damaged += lines

    def _note_schema(self, schema: int, batch: Batch) -> None:
        if schema > SCHEMA:
            self.newer_schema = batch.newer_schema = schema


def _numbers(event: AnyEvent) -> list[int]:
    found = [getattr(event, name, 0) for name in _COUNTS]
    return [number for number in found if isinstance(number, int)]


def _is_consistent(event: Steps | Logged) -> bool:
    """Whether columns have equal lengths and steps fit 64 bits, checked without a Python loop."""
    columns: list[Sequence[float | None]]
    if isinstance(event, Steps):
        columns = [event.lr, event.loss, *event.metrics.values()]
    else:
        columns = [*event.values.values(), *([event.at] if event.at else [])]
    count = len(event.step)
    if any(len(column) != count for column in columns):
        return False
    # Steps of other programs may begin before 0, those of a training do not.
    least = 0 if isinstance(event, Steps) else -_MAX_INT
    return count == 0 or (min(event.step) >= least and max(event.step) <= _MAX_INT)


def read_events(path: Path) -> Batch:
    """Reads the whole log, an empty batch if it is missing. Raises UserError if unreadable."""
    return LogTail(path).poll()
