"""Logging the load of the device every few seconds during a run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.events import DeviceUsage, Event
from clr_tui.engine.nvml import UsageMonitor
from clr_tui.engine.training.control import RunRemoved
from clr_tui.engine.training.watching import watching

USAGE_SECONDS = 5.0


@contextmanager
def reporting_usage(device: torch.device, emit: Callable[[Event], object]) -> Iterator[None]:
    """Emits `device-usage` events from a thread inside the block; nothing without NVML."""
    if device.type != "cuda":
        yield
        return
    monitor = UsageMonitor(device.index or 0)

    def report(over: threading.Event) -> None:
        while (usage := monitor.read()) is not None:
            used, total, utilisation = usage
            try:
                emit(DeviceUsage(memory_used=used, memory_total=total, utilisation=utilisation))
            except (UserError, RunRemoved):
                return  # the log cannot be written, as the main thread will notice
            if over.wait(USAGE_SECONDS):
                return

    with watching(report, "device usage"):
        yield
