"""Commands to a living run: the lines of `commands.jsonl`.

Schema 1. One JSON object per line; `type` names the command, `time` is when it was sent, Unix
seconds. Any process may append; the worker reads between steps and answers in the log
(`bounds-changed`, `paused`, ..., or `command-refused`).
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Union

import msgspec

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.decoding import UNREADABLE
from clr_tui.engine.log.events import kebab
from clr_tui.engine.log.line_tail import LineTail
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.log.writer import write_failed
from clr_tui.engine.regular import Stamp, open_regular, stamp_of
from clr_tui.engine.settings.lr_bounds import bounds_mistakes


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


Command = Union[  # noqa: UP007 - msgspec wants it
    SetBounds, Pause, Continue, Stop, StopTrial, SaveCheckpoint
]

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
    if not command.time:
        command = msgspec.structs.replace(command, time=time.time())
    try:
        _append(run.commands_path, msgspec.json.encode(command) + b"\n")
    except OSError as error:
        raise UserError(write_failed(run.commands_path, error), "runs_dir") from error


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
    """Follows a commands file from its start, each command once, in order; skips other lines."""

    def __init__(self, path: Path) -> None:
        self._lines = LineTail(path)
        self._seen: Stamp | None = None

    def poll(self) -> list[Command]:
        """Commands sent since the last poll; one `stat` if there are none.

        Raises:
            UserError: the file exists but cannot be read.
        """
        seen = stamp_of(self._lines.path)
        if seen is None or seen == self._seen:
            return []
        self._seen = seen
        commands: list[Command] = []
        for line in self._lines.poll().lines:
            with suppress(*UNREADABLE):
                commands.append(_decode(line))
        return commands
