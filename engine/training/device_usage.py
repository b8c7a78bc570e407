"""Logging the load of the devices every few seconds during a run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.events import DeviceUsage, Event
from clr_tui.engine.nvml import UsageMonitor, uuid_of
from clr_tui.engine.training.control import RunRemoved
from clr_tui.engine.training.watching import watching

USAGE_SECONDS = 5.0

ReportOn = Callable[[Sequence[str]], None]
"""Takes the names of the devices to report on from then on, instead of those before."""


@contextmanager
def reporting_usage(device: torch.device, emit: Callable[[Event], object]) -> Iterator[ReportOn]:
    """Emits `device-usage` events from a thread inside the block; nothing without NVML.

    Args:
        device: the one to report on; the function that is returned sets others.
    """
    monitors: dict[str, UsageMonitor] = {}

    def report_on(names: Sequence[str]) -> None:
        nonlocal monitors
        cuda = [name for name in names if torch.device(name).type == "cuda"]
        monitors = {name: _monitor(torch.device(name)) for name in cuda}

    report_on([str(device)])
    if not monitors:
        yield report_on
        return

    def report(over: threading.Event) -> None:
        try:
            while readings := _readings(monitors):
                for reading in readings:
                    emit(reading)
                if over.wait(USAGE_SECONDS):
                    return
        except (UserError, RunRemoved):
            return  # the log cannot be written, as the main thread will find

    with watching(report, "device usage"):
        yield report_on


def _monitor(device: torch.device) -> UsageMonitor:
    index = device.index or 0
    return UsageMonitor(index, uuid_of(torch.cuda, index))


def _readings(monitors: dict[str, UsageMonitor]) -> list[DeviceUsage]:
    """Of those that can be read."""
    readings = [(name, monitor.read()) for name, monitor in monitors.items()]
    return [
        DeviceUsage(device=name, memory_used=read[0], memory_total=read[1], utilisation=read[2])
        for name, read in readings
        if read is not None
    ]
