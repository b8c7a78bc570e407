"""Commands to a living run: the lines of `commands.jsonl`.

Schema 1. One JSON object per line; `type` names the command, `time` is when it was sent, Unix
seconds. Any process may append; the worker reads between steps and answers in the log
(`bounds-changed`, `paused`, ..., or `command-refused`).
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TypeVar, Union

import msgspec

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.decoding import UNREADABLE
from clr_tui.engine.log.events import kebab
from clr_tui.engine.log.line_tail import BLOCK, LineTail
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.log.writer import write_failed
from clr_tui.engine.regular import Stamp, open_regular, stamp_of
from clr_tui.engine.settings.lr_bounds import bounds_mistakes
from clr_tui.engine.words import many


class _Command(msgspec.Struct, frozen=True, kw_only=True, tag=kebab):
    time: float = 0.0


class SetBounds(_Command, frozen=True, kw_only=True):
    """Run the schedule between these bounds from the next step."""

    base_lr: float
    max_lr: float


class Pause(_Command, frozen=True, kw_only=True):
    """Wait after the current step."""


class Continue(_Command, frozen=True, kw_only=True):
    """Continue after a pause."""


class Stop(_Command, frozen=True, kw_only=True):
    """End the run cleanly, with a checkpoint."""

    reason: str = ""


class StopTrial(_Command, frozen=True, kw_only=True):
    """End one trial of a comparison; the others continue."""

    trial: int


class SaveCheckpoint(_Command, frozen=True, kw_only=True):
    """Save a checkpoint now and continue."""


class Resume(_Command, frozen=True, kw_only=True):
    """A worker is started to continue the run: commands before this one were for earlier ones."""

    reason: str = ""
    """Who asks for it, and why."""
    epochs: int | None = None
    """How long the training is to be now; None: as long as it was."""


Command = Union[  # noqa: UP007 - msgspec wants it
    SetBounds, Pause, Continue, Stop, StopTrial, SaveCheckpoint, Resume
]

_C = TypeVar("_C", bound=_Command)
_LONGEST = 1 << 16
"""Bytes of a command."""
_MOST_READS = 64
"""Blocks read at once."""
_decode = msgspec.json.Decoder(Command).decode


def send(run: RunDir, command: Command) -> None:
    """Appends `command` for the run's worker; a `time` of 0 is replaced by the current time.

    Several processes may send at once: each line is one appending write.

    Raises:
        UserError: the run has no living worker, the bounds are invalid, or the file cannot be
            written.
    """
    if isinstance(command, SetBounds):
        for mistake in bounds_mistakes(command.base_lr, command.max_lr):
            raise mistake
    if not run.alive:
        raise UserError(f"run '{run.id}' is not running: it takes no commands")
    try:
        _append(run.commands_path, msgspec.json.encode(_timed(command)) + b"\n")
    except OSError as error:
        raise UserError(write_failed(run.commands_path, error), "runs_dir") from error


def ask_to_resume(run: RunDir, resume: Resume) -> None:
    """Writes down that the run is to be continued. Call while holding its lock.

    Raises:
        UserError: the file cannot be written.
    """
    try:
        _append(run.commands_path, msgspec.json.encode(_timed(resume)) + b"\n")
    except OSError as error:
        raise UserError(write_failed(run.commands_path, error), "runs_dir") from error


def asked_to_resume(run: RunDir) -> Resume | None:
    """What the newest worker was asked for; None if the run was never resumed.

    Raises:
        UserError: the file exists but cannot be read.
    """
    first = next(iter(CommandTail(run.commands_path).read()), None)
    return first if isinstance(first, Resume) else None


def _timed(command: _C) -> _C:
    return command if command.time else msgspec.structs.replace(command, time=time.time())


def _append(path: Path, line: bytes) -> None:
    fd = open_regular(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
    try:
        size = os.fstat(fd).st_size
        if size and os.pread(fd, 1, size - 1) != b"\n":
            line = b"\n" + line  # a torn line before this one must not swallow it
        os.write(fd, line)
    finally:
        os.close(fd)


class CommandTail:
    """Follows a commands file from its start, each command once, in order; skips other lines.

    Commands to earlier workers of a run that was resumed are left out.
    """

    def __init__(self, path: Path) -> None:
        self._lines = LineTail(path, longest=_LONGEST)
        self._seen: Stamp | None = None
        self._nonsense = 0
        """Lines that are no commands, and too long ones."""
        self._told = False
        """Whether a `UserError` has told of them."""

    def poll(self) -> list[Command]:
        """Commands sent since the last poll; one `stat` if there are none.

        Raises:
            UserError: the file exists but cannot be read; or the poll before this one met lines
                that are no commands, which is told once.
        """
        return [command for command in self.read() if not isinstance(command, Resume)]

    def read(self) -> list[Command]:
        """Like `poll`, and begins with the `Resume` if that was read in this call."""
        if self._nonsense and not self._told:
            self._told = True
            name = self._lines.path.name
            raise UserError(f"{many(self._nonsense, 'line')} of {name}: no known command")
        seen = stamp_of(self._lines.path)
        if seen is None or seen == self._seen:
            return []
        self._seen = seen
        commands: list[Command] = []
        for _ in range(_MOST_READS):
            batch = self._lines.poll(BLOCK)
            self._nonsense += batch.overlong
            for line in batch.lines:
                self._take(line, commands)
            if not batch.more:
                return commands
        self._seen = None  # the rest in the next poll
        return commands

    def _take(self, line: bytes, commands: list[Command]) -> None:
        try:
            command = _decode(line)
        except UNREADABLE:
            self._nonsense += bool(line.strip())
            return
        if isinstance(command, Resume):
            commands.clear()
        commands.append(command)
