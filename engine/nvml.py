"""The devices of this machine and their load, without importing torch.

CUDA devices have torch's numbers, which count only those that `CUDA_VISIBLE_DEVICES` allows. They
are listed by NVML; if it is absent or fails, there are none.
"""

from __future__ import annotations

import os
import platform
import re
from contextlib import suppress
from functools import cache
from typing import Any

from clr_tui.engine.errors import UserError


@cache
def _nvml() -> Any:
    """The NVML binding, initialised once per process; None without a driver."""
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception:  # noqa: BLE001 - no driver, an old one, a broken one: no CUDA devices
        return None
    return pynvml


def _handles() -> list[Any]:
    """An NVML handle for each CUDA device, in torch's order; None for a device without its own."""
    nvml = _nvml()
    if nvml is None:
        return []
    with suppress(Exception):
        every = [nvml.nvmlDeviceGetHandleByIndex(i) for i in range(nvml.nvmlDeviceGetCount())]
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        return every if visible is None else _visible(every, visible)
    return []


def _visible(every: list[Any], visible: str) -> list[Any]:
    """Handles of the devices in `visible`, by number or UUID, up to the first that is missing."""
    uuids = [_uuid(handle) for handle in every]
    chosen: list[Any] = []
    for name in map(str.strip, visible.split(",")):
        if name.startswith("MIG-"):
            chosen.append(None)
        elif name.startswith("GPU-"):
            matches = [h for h, uuid in zip(every, uuids, strict=True) if uuid.startswith(name)]
            if len(matches) != 1:
                break
            chosen.append(matches[0])
        elif name.isdecimal() and int(name) < len(every):
            chosen.append(every[int(name)])
        else:
            break
    return chosen


def _uuid(handle: Any) -> str:
    uuid = _nvml().nvmlDeviceGetUUID(handle)
    return uuid.decode() if isinstance(uuid, bytes) else str(uuid)


def available() -> list[str]:
    """The devices that can be chosen, by their names in torch: `cpu`, `mps`, `cuda:0`, ..."""
    names = ["cpu"]
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        names.append("mps")
    return names + [f"cuda:{i}" for i in range(len(_handles()))]


def check_device(name: str) -> None:
    """Checks that this machine has the device `name` (`auto`, `cpu`, `mps`, `cuda`, `cuda:N`).

    Raises:
        UserError: (field `device`) `name` is not a device, or the machine has no such device.
    """
    if name in ("auto", "cpu"):
        return
    here = available()
    if (f"{name}:0" if name == "cuda" else name) in here:
        return
    choice = ", ".join(["auto", *here])
    if re.fullmatch(r"mps|cuda(:[0-9]+)?", name):
        raise UserError(f"no device '{name}' on this machine: choose from {choice}", "device")
    raise UserError(f"'{name}' is not a device: choose from {choice}", "device")


class UsageMonitor:
    """The load of one CUDA device; `index` is the N of torch's `cuda:N`."""

    def __init__(self, index: int) -> None:
        handles = _handles()
        self._handle = handles[index] if 0 <= index < len(handles) else None

    def read(self) -> tuple[int, int, float | None] | None:
        """Memory used by all processes and in total, bytes; utilisation, 0 to 1.

        Returns:
            None if the device cannot be read. Only the utilisation is None on devices that do not
            report it (a partitioned GPU).
        """
        nvml = _nvml()
        if nvml is None or self._handle is None:
            return None
        try:
            memory = nvml.nvmlDeviceGetMemoryInfo(self._handle)
        except Exception:  # noqa: BLE001 - such as a lost device: its load is not worth a run
            return None
        utilisation = None
        with suppress(Exception):
            utilisation = nvml.nvmlDeviceGetUtilizationRates(self._handle).gpu / 100
        return int(memory.used), int(memory.total), utilisation
