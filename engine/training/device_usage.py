"""The load of the device, told every few seconds while a run is at work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.events import DeviceUsage, Event
from clr_tui.engine.nvml import UsageMonitor
from clr_tui.engine.training.control import RunGone

USAGE_SECONDS = 5.0


@contextmanager
def reporting_usage(device: torch.device, emit: Callable[[Event], object]) -> Iterator[None]:
    """Emits `device-usage` events from a thread of its own inside; nothing where NVML is not."""
    if device.type != "cuda":
        yield
        return
    over = threading.Event()
    monitor = UsageMonitor(device.index or 0)
    thread = threading.Thread(target=_report, args=(monitor, emit, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _report(monitor: UsageMonitor, emit: Callable[[Event], object], over: threading.Event) -> None:
    while (usage := monitor.read()) is not None:
        used, total, utilisation = usage
        try:
            emit(DeviceUsage(memory_used=used, memory_total=total, utilisation=utilisation))
        except (UserError, RunGone):
            return  # the log takes no more: the main thread finds out by itself
        if over.wait(USAGE_SECONDS):
            return
