"""What a reader of another tool's log provides."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import msgspec

from clr_tui.engine.log.tail import Batch


class ForeignLog(Protocol):
    """One run in the log of another tool, followed while it is written."""

    name: str
    """Its name to show, unique among those opened together as far as the paths allow."""
    path: Path
    """The file or folder that it is read from."""
    format: str
    """Such as "Lightning CSV"."""
    settings: dict[str, str]
    """Its settings as text to show; may grow with the log."""

    def poll(self, limit: int | None = None) -> Batch:
        """Returns what is new as `Logged` events, with a warning for what was left out.

        Never blocks, and keeps no file open. `reset` says that the file was rewritten, truncated
        or replaced: everything returned before is void.

        Args:
            limit: stop after about this many bytes; `more` then says whether to poll again.

        Raises:
            UserError: the file exists but cannot be read.
        """


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """Which columns of a log to read, where its names do not say."""

    x: str = ""
    """The column that counts steps or epochs; empty: found by its name."""
    y: tuple[str, ...] = ()
    """The columns to show; empty: all with numbers."""


NO_MAPPING = Mapping()
