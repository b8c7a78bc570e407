"""Opens the logs of other tools."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from clr_tui.engine.analysis.foreign.foreign_log import NO_MAPPING, ForeignLog, Mapping
from clr_tui.engine.analysis.foreign.formats import FORMATS
from clr_tui.engine.by_name import named
from clr_tui.engine.errors import UserError
from clr_tui.engine.regular import open_regular
from clr_tui.engine.settings.config import RunConfig, TaskConfig
from clr_tui.engine.settings.logged_config import LoggedRun

_HEAD_BYTES = 4096


class UnknownFormatError(UserError):
    """A file or folder is no log of a known format."""


def open_logs(paths: Sequence[Path], mapping: Mapping = NO_MAPPING) -> list[ForeignLog]:
    """Opens logs of other tools: one for each run in these files and folders.

    Raises:
        UserError: a path does not exist, cannot be read, or is of no known format.
    """
    return [log for path in paths for log in _open(path, mapping)]


def _open(path: Path, mapping: Mapping) -> list[ForeignLog]:
    head = _head(path)
    for row in FORMATS:
        if row.recognises(path, head):
            logs: list[ForeignLog] = named(row.reader)(path, mapping)
            return logs
    looked_for = "; ".join(row.looked_for for row in FORMATS)
    raise UnknownFormatError(f"'{path}' is no log of a known format: looked for {looked_for}")


def _head(path: Path) -> bytes:
    if os.path.isdir(path):
        return b""
    try:
        fd = open_regular(path)
    except FileNotFoundError:
        raise UserError(f"there is no '{path}'") from None
    except OSError as error:
        raise UserError(f"'{path}' cannot be read: {error.strerror}") from None
    try:
        return os.pread(fd, _HEAD_BYTES, 0)
    finally:
        os.close(fd)


def config_of(log: ForeignLog) -> RunConfig:
    """The configuration under which such a log is shown."""
    return RunConfig(
        id=log.name,
        created=0.0,
        version="",
        task=TaskConfig(data="", model=""),
        job=LoggedRun(name=log.name, source=log.format, config=dict(log.settings)),
    )
