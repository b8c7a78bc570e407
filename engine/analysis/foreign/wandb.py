"""W&B's files of offline runs, `run-ID.wandb`, read without W&B.

Their format is internal to wandb and may change: what is read here is what wandb 0.31 writes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import numpy as np

from clr_tui.engine.analysis.arrays import Floats, Ints
from clr_tui.engine.analysis.foreign.first_bytes import first_bytes
from clr_tui.engine.analysis.foreign.folders import MANY, folders_below
from clr_tui.engine.analysis.foreign.foreign_log import ForeignLog, Mapping
from clr_tui.engine.analysis.foreign.logged_event import note_event
from clr_tui.engine.analysis.foreign.logged_rows import LoggedRows
from clr_tui.engine.analysis.foreign.wandb_frames import BLOCK, MAGIC, VERSION, frames_in
from clr_tui.engine.analysis.foreign.wandb_paths import is_wandb_file
from clr_tui.engine.analysis.foreign.wandb_records import WandbRecords
from clr_tui.engine.errors import UserError
from clr_tui.engine.log import events as ev
from clr_tui.engine.log.same_file import SameFile
from clr_tui.engine.log.tail import Batch
from clr_tui.engine.regular import Stamp, open_regular, stamp_of

FORMAT = "W&B"
_HEADER = len(MAGIC + VERSION)
_PIECE = 32 * BLOCK
_MAX_RECORD = 64 << 20
"""Bytes. A longer record is no row of numbers."""
_PEEK = 1 << 16
"""Bytes in which the name of a run is looked for."""


def open_wandb(path: Path, mapping: Mapping) -> list[ForeignLog]:
    """A log for each file of W&B at `path` or in it.

    Raises:
        UserError: a single file is none of W&B's, or of another version.
    """
    if not os.path.isdir(path):
        header = first_bytes(path, _HEADER)
        if len(header) == _HEADER and (reason := _why_unreadable(header)):
            raise UserError(f"'{path}' {reason}")
        return [WandbLog(path, mapping)]
    logs = [
        WandbLog(folder / name, mapping)
        for folder, names in sorted(folders_below(path, MANY))
        for name in names
        if is_wandb_file(name)
    ]
    names = [log.name for log in logs]
    for log in logs:
        if names.count(log.name) > 1:
            log.name = f"{log.name} ({log.path.parent.name})"
    return [*logs]


class WandbLog:
    """The history of a run: a `ForeignLog`."""

    format = FORMAT

    def __init__(self, path: Path, mapping: Mapping) -> None:
        self.path = path
        self.settings: dict[str, str] = {}
        self._wanted = frozenset(mapping.y)
        self._restart()
        self.name = self._peek() or path.stem

    def _restart(self) -> None:
        self._offset = 0
        self._rows = 0
        self._stamp: Stamp | None = None
        self._same = SameFile()
        self._said: set[str] = set()
        self._last = 0.0

    def _peek(self) -> str:
        """The run's name, if it is at the beginning of the file."""
        try:
            with open(open_regular(self.path), "rb") as file:
                data = file.read(_PEEK)
        except OSError:
            return ""
        records = WandbRecords()
        for record in frames_in(data[_HEADER:], _HEADER).records[:10]:
            records.add(record)
        self.settings = records.settings
        return records.name

    def poll(self, limit: int | None = None) -> Batch:
        """See `ForeignLog`."""
        stamp = stamp_of(self.path)
        if stamp is None or stamp == self._stamp:
            return Batch()
        try:
            fd = open_regular(self.path)
        except FileNotFoundError:
            return Batch()
        except OSError as error:
            text = f"'{self.path}' cannot be read: {error.strerror}"
            return Batch(events=[*self._note("warning", text)])
        try:
            batch = Batch()
            if self._same.is_another(fd):
                batch.reset = self._offset > 0
                self._restart()
                self.settings = {}
            self._read(fd, limit, batch)
            self._same.remember(fd, self._offset)
        finally:
            os.close(fd)
        self._stamp = None if batch.more else stamp
        return batch

    def _read(self, fd: int, limit: int | None, batch: Batch) -> None:
        size = os.fstat(fd).st_size
        if self._offset == 0:
            header = os.pread(fd, _HEADER, 0)
            if len(header) < _HEADER:
                return
            if reason := _why_unreadable(header):
                batch.events += self._note("warning", f"'{self.path}' {reason}")
                return
            self._offset = _HEADER
        records, damaged = WandbRecords(), 0
        start, piece, whole = self._offset, _PIECE, False
        while not whole and (limit is None or self._offset - start < limit):
            data = os.pread(fd, piece, self._offset)
            whole = len(data) < piece
            frames = frames_in(data, self._offset)
            damaged += frames.damaged
            for record in frames.records:
                records.add(record)
            self._offset += frames.consumed
            if not frames.consumed and not whole:  # a record that is longer than the piece
                if piece > _MAX_RECORD:
                    self._offset += BLOCK - self._offset % BLOCK
                    damaged += 1
                piece = 2 * piece if piece <= _MAX_RECORD else _PIECE
        batch.more = not whole
        batch.portion = min(self._offset / size, 1.0) if size else 1.0
        batch.events += self._events(records, damaged + records.malformed)

    def _events(self, records: WandbRecords, damaged: int) -> list[ev.AnyEvent]:
        self.settings |= records.settings
        for name in records.removed:
            self.settings.pop(name, None)
        columns: dict[str, tuple[Ints, Floats]] = {}
        no_numbers: list[str] = []
        for name, rows, values, others in records.columns():
            columns[name] = rows, values
            if others:
                no_numbers.append(name)
        step, at = self._steps_and_times(records.steps, columns)
        if len(at) and np.isfinite(at).any():
            self._last = max(self._last, float(np.nanmax(at)))
        shown = {
            name: column
            for name, column in columns.items()
            if (name in self._wanted if self._wanted else not name.startswith("_"))
        }
        logged = LoggedRows()
        logged.add(step, at, shown)
        events = logged.take_batch("step", self._last).events
        if damaged:
            text = f"'{self.path}' is damaged: left out records with a wrong checksum"
            events += self._note("warning", text)
        if no_numbers:
            text = f"only numbers are shown: values of {no_numbers[0]} in '{self.path}' are none"
            events += self._note("info", text)
        if records.exit_code is not None:
            done = records.exit_code == 0
            message = "" if done else f"the training ended with exit code {records.exit_code}"
            outcome: ev.Outcome = "done" if done else "failed"
            events.append(ev.RunFinished(outcome=outcome, message=message, time=self._last))
        return events

    def _steps_and_times(
        self, given: list[int | None], columns: dict[str, tuple[Ints, Floats]]
    ) -> tuple[Ints, Floats]:
        count = len(given)
        step = np.arange(self._rows, self._rows + count)
        self._rows += count
        if "_step" in columns:
            rows, values = columns["_step"]
            step[rows] = values.astype(np.int64)
        known = np.array([number is not None for number in given], np.bool_)
        step[known] = [number for number in given if number is not None]
        at = np.full(count, np.nan)
        if "_timestamp" in columns:
            rows, values = columns["_timestamp"]
            at[rows] = values
        return step, at

    def _note(self, level: Literal["info", "warning"], text: str) -> list[ev.Note]:
        if level in self._said:
            return []
        self._said.add(level)
        return [note_event(level, text, self._last, self.path)]


def _why_unreadable(header: bytes) -> str:
    """Half a sentence on a file that cannot be read, from its first bytes; empty if it can."""
    if header == MAGIC + VERSION:
        return ""
    if header[:-1] != MAGIC + VERSION[:-1]:
        return f"is no file of W&B: it does not begin with '{MAGIC.decode()}' and its version"
    return (
        f"is of version {header[-1]} of W&B's file format, and only version {VERSION[-1]} can be "
        "read: let wandb itself export the run"
    )
