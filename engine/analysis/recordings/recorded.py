"""The whole log of a run, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from clr_tui.engine.log.events import AnyEvent
from clr_tui.engine.log.tail import Batch
from clr_tui.engine.settings.config import RunConfig


@dataclass(frozen=True)
class Recording:
    """The whole log of a run, in memory."""

    config: RunConfig
    events: list[AnyEvent]
    batch: Batch
    """The same events with the reader's counts, to feed to a `RunHistory`."""
    path: Path


def recording_of(config: RunConfig, unnumbered: Sequence[AnyEvent], path: Path) -> Recording:
    """Makes a recording of events that were not read from a log of ours."""
    events = [msgspec.structs.replace(e, seq=seq) for seq, e in enumerate(unnumbered)]
    return Recording(config, events, Batch(events=events), path)
