"""Runs that no worker of ours does: a user's own loop, or the log of another tool."""

from __future__ import annotations

import msgspec


class LoggedRun(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="logged"):
    """A run whose values were logged by somebody's own training loop."""

    name: str = ""
    """Its name to show; empty for the id of the run."""
    source: str = ""
    """The format of the log, such as "Lightning CSV"; empty for a loop that logs with clr_tui."""
    config: dict[str, str] = {}
    """Its settings by name, as text to show."""
