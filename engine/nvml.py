"""The devices of this machine and their load, without importing torch.

CUDA devices have torch's numbers, which count only those that `CUDA_VISIBLE_DEVICES` allows. They
are listed by NVML; if it is absent or fails, none is listed.
"""

from __future__ import annotations

import os
import platform
import re
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from clr_tui.engine.errors import UserError

_DRIVER_FILES = tuple(
    Path("/dev", name)
    for name in ("nvidiactl", "nvidia0", "kfd", "dxg", "nvhost-ctrl-gpu", "nvmap")
)
"""Of NVIDIA's driver, ROCm, WSL and Jetson, in this order (the last two are Jetson's)."""


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
    """An NVML handle for each CUDA device; None for one that NVML does not know.

    They are in torch's order if all GPUs are of one kind: CUDA counts the fastest first, unless
    `CUDA_DEVICE_ORDER` is PCI_BUS_ID, NVML by their places on the bus.
    """
    nvml = _nvml()
    if nvml is None:
        return []
    with suppress(Exception):
        every = [nvml.nvmlDeviceGetHandleByIndex(i) for i in range(nvml.nvmlDeviceGetCount())]
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        chosen = every if visible is None else _visible(every, visible)
        return [handle if handle is None else _as_cuda_uses(handle) for handle in chosen]
    return []


def _visible(every: list[Any], visible: str) -> list[Any]:
    """Handles of the devices in `visible`, by number or UUID, up to the first that is missing."""
    uuids = [_uuid(handle) for handle in every]
    chosen: list[Any] = []
    for name in map(str.strip, visible.split(",")):
        if name.startswith("MIG-"):
            chosen.append(_by_uuid(name))
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


def _by_uuid(uuid: str) -> Any:
    """The handle of a GPU or of a partition of one; None if NVML knows none of this name."""
    with suppress(Exception):
        return _nvml().nvmlDeviceGetHandleByUUID(uuid)
    return None


def _as_cuda_uses(handle: Any) -> Any:
    """The first partition of a GPU that is partitioned (MIG), which CUDA uses; else the GPU."""
    nvml = _nvml()
    with suppress(Exception):
        current, _ = nvml.nvmlDeviceGetMigMode(handle)
        if current:
            for number in range(nvml.nvmlDeviceGetMaxMigDeviceCount(handle)):
                with suppress(Exception):  # numbers may be unused
                    return nvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, number)
    return handle


def _handle(index: int, uuid: str) -> Any:
    """The handle of torch's `cuda:index`, by its UUID if that is known."""
    named = re.search("GPU-|MIG-", os.environ.get("CUDA_VISIBLE_DEVICES", ""))
    if uuid and not named:  # else the order is that of the names there
        for kind in ("GPU", "MIG"):
            if (handle := _by_uuid(f"{kind}-{uuid}")) is not None:
                return _as_cuda_uses(handle)
    handles = _handles()
    return handles[index] if 0 <= index < len(handles) else None


def uuid_of(cuda: Any, index: int) -> str:
    """The UUID of `cuda:index`; empty if torch does not know it.

    Args:
        cuda: the module torch.cuda.
    """
    with suppress(Exception):
        return str(cuda.get_device_properties(index).uuid)
    return ""


def _uuid(handle: Any) -> str:
    uuid = _nvml().nvmlDeviceGetUUID(handle)
    return uuid.decode() if isinstance(uuid, bytes) else str(uuid)


def driver_version() -> str:
    """The version of the GPUs' driver, "580.95.05"; empty without NVML or without a GPU."""
    nvml = _nvml()
    with suppress(Exception):
        version = nvml.nvmlSystemGetDriverVersion() if _handles() else ""
        return version.decode() if isinstance(version, bytes) else str(version)
    return ""


def available() -> list[str]:
    """The devices that can be chosen, by their names in torch: `cpu`, `mps`, `cuda:0`, ..."""
    names = ["cpu"]
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        names.append("mps")
    return names + [f"cuda:{i}" for i in range(len(_handles()))]


def check_device(name: str) -> None:
    """Checks that this machine has the device `name` (`auto`, `cpu`, `mps`, `cuda`, `cuda:N`).

    Without NVML (ROCm, WSL, Jetson, containers) CUDA devices cannot be counted: if there is a
    driver of one, the worker checks.

    Raises:
        UserError: (field `device`) `name` is not a device, or the machine has no such device.
    """
    if name in ("auto", "cpu"):
        return
    here = available()
    if (f"{name}:0" if name == "cuda" else name) in here:
        return
    if re.fullmatch(r"cuda(:[0-9]+)?", name) and _nvml() is None and _has_driver():
        return
    choice = ", ".join(["auto", *here])
    if re.fullmatch(r"mps|cuda(:[0-9]+)?", name):
        raise UserError(f"no device '{name}' on this machine: choose from {choice}", "device")
    raise UserError(f"'{name}' is not a device: choose from {choice}", "device")


def _has_driver() -> bool:
    return any(path.exists() for path in _DRIVER_FILES)


def _memory(handle: Any) -> Any:
    """`used`, `free` and `total` of a device, bytes.

    In NVML's second version `used` is what processes take, as in nvidia-smi; in its first one what
    the driver reserves for itself is part of it, some hundred megabytes.
    """
    nvml = _nvml()
    with suppress(Exception):  # an older driver or binding
        return nvml.nvmlDeviceGetMemoryInfo(handle, nvml.nvmlMemory_v2)
    return nvml.nvmlDeviceGetMemoryInfo(handle)


class DeviceState(NamedTuple):
    """What a CUDA device offers to new processes."""

    free: int
    """Bytes of its memory."""
    in_use: bool
    """Whether a process other than this one computes on it."""
    exclusive: bool
    """Whether it takes one process at a time: compute mode EXCLUSIVE_PROCESS, and no server of
    NVIDIA's Multi-Process Service to share it."""
    prohibited: bool
    """Whether it takes no process at all (compute mode PROHIBITED)."""


def device_state(index: int, uuid: str = "") -> DeviceState | None:
    """The state of torch's `cuda:index`; None if NVML does not tell.

    Asking torch for the free memory would start CUDA in this process, which takes memory and the
    only place on an exclusive device.

    Args:
        uuid: see `uuid_of`.
    """
    nvml, handle = _nvml(), _handle(index, uuid)
    if nvml is None or handle is None:
        return None
    try:
        free = int(_memory(handle).free)
    except Exception:  # noqa: BLE001 - such as a lost device
        return None
    mode, in_use = nvml.NVML_COMPUTEMODE_DEFAULT, False
    with suppress(Exception):  # partitions may have no mode of their own
        mode = nvml.nvmlDeviceGetComputeMode(handle)
    with suppress(Exception):
        running = nvml.nvmlDeviceGetComputeRunningProcesses(handle)
        in_use = any(process.pid != os.getpid() for process in running)
    return DeviceState(
        free=free,
        in_use=in_use,
        exclusive=mode == nvml.NVML_COMPUTEMODE_EXCLUSIVE_PROCESS and not _is_shared_by_server(),
        prohibited=mode == nvml.NVML_COMPUTEMODE_PROHIBITED,
    )


def _is_shared_by_server() -> bool:
    """Whether NVIDIA's Multi-Process Service runs here."""
    pipes = os.environ.get("CUDA_MPS_PIPE_DIRECTORY", "/tmp/nvidia-mps")
    return Path(pipes, "control").exists()


class UsageMonitor:
    """The load of one CUDA device; `index` is the N of torch's `cuda:N`, `uuid` as of `uuid_of`."""

    def __init__(self, index: int, uuid: str = "") -> None:
        self._handle = _handle(index, uuid)

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
            memory = _memory(self._handle)
        except Exception:  # noqa: BLE001 - such as a lost device: its load is not worth a run
            return None
        utilisation = None
        with suppress(Exception):
            utilisation = nvml.nvmlDeviceGetUtilizationRates(self._handle).gpu / 100
        return int(memory.used), int(memory.total), utilisation
