"""Shared by the tests of run files; a module of its own, because every folder has a conftest."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from clr_tui.engine.log.events import AnyEvent
from clr_tui.engine.log.tail import Batch


@dataclass
class Reader:
    """What a reader knows after some polls, told only by batches."""

    events: list[AnyEvent] = field(default_factory=list)
    corrupt: int = 0
    unknown: dict[str, int] = field(default_factory=dict)
    newer_schema: int | None = None

    def feed(self, batch: Batch) -> None:
        if batch.reset:
            self.__init__()
        self.events += batch.events
        self.corrupt += batch.corrupt
        for name, count in batch.unknown.items():
            self.unknown[name] = self.unknown.get(name, 0) + count
        self.newer_schema = batch.newer_schema or self.newer_schema


def wait_until(true: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Whether it becomes true before the deadline."""
    pause = threading.Event()
    for _ in range(round(seconds / 0.02)):
        if true():
            return True
        pause.wait(0.02)
    return true()
