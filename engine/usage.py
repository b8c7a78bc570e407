"""The load of this process and of its CUDA device, without importing torch."""

from __future__ import annotations

import os
import sys
import time

from clr_tui.engine.log.events import DeviceUsage
from clr_tui.engine.nvml import UsageMonitor, uuid_of


class Usage:
    """Measures since the last measurement."""

    def __init__(self) -> None:
        self._before = (time.monotonic(), _processor_seconds())
        self._monitor: UsageMonitor | None = None
        self._name = ""
        """Of the device that it measures."""

    def read(self) -> DeviceUsage:
        """The load since the last call."""
        now, used = time.monotonic(), _processor_seconds()
        then, before = self._before
        self._before = (now, used)
        cores = (used - before) / (now - then) if now > then else None
        device = self._device()
        return DeviceUsage(
            device=self._name if device else "",
            memory_used=device[0] if device else None,
            memory_total=device[1] if device else None,
            utilisation=device[2] if device else None,
            process_cores=None if cores is None else round(cores, 2),
            process_memory=_resident_bytes(),
        )

    def _device(self) -> tuple[int, int, float | None] | None:
        """None until this process uses CUDA."""
        if self._monitor is None:
            torch = sys.modules.get("torch")
            cuda = getattr(torch, "cuda", None)
            if cuda is None or not cuda.is_initialized():
                return None
            # With several devices, each rank uses the one of its number.
            local = os.environ.get("LOCAL_RANK", "0")
            index = int(local) if local.isdecimal() else 0
            index = index if index < cuda.device_count() else 0
            self._monitor = UsageMonitor(index, uuid_of(cuda, index))
            self._name = f"cuda:{index}"
        return self._monitor.read()


def _processor_seconds() -> float:
    spent = os.times()
    return spent.user + spent.system


def _resident_bytes() -> int | None:
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):  # not Linux
        return None
