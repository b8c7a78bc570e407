"""Choosing the device to compute on."""

from __future__ import annotations

import os

import torch

from clr_tui.engine.errors import UserError
from clr_tui.engine.nvml import driver_version
from clr_tui.engine.words import many


def choose_device(name: str) -> tuple[torch.device, str, int | None, str]:
    """Finds the device that `TaskConfig.device` asks for.

    Args:
        name: `auto` (the first available of CUDA, MPS and CPU), `cpu`, `mps`, `cuda` (the first
            one) or `cuda:N`.

    Returns:
        The device, a readable name ("NVIDIA H100 80GB HBM3", "2 CPU threads"), its own memory in
        bytes (None if it has none of its own), and its precision: "bfloat16" if it computes in it
        (autocast; the weights are always float32), else "float32".

    Raises:
        UserError: this machine has no such device, or the name is invalid (field "device").
    """
    if name == "auto":
        name = next(kind for kind in ("cuda", "mps", "cpu") if _is_available(kind))
    kind, _, index = name.partition(":")
    if kind not in ("cpu", "mps", "cuda") or (index and not (kind == "cuda" and index.isdigit())):
        raise UserError(f"'{name}' is not a device: give auto, cpu, mps, cuda or cuda:N", "device")
    if not _is_available(kind):
        raise UserError(f"no device '{name}' on this machine; {_available_devices()}", "device")
    if kind == "cuda":
        return _cuda(int(index or 0))
    if kind == "mps":
        device = torch.device("mps")
        return device, "Apple GPU", None, precision_of(device)
    device, threads = torch.device("cpu"), torch.get_num_threads()
    return device, many(threads, "CPU thread"), None, precision_of(device)


def precision_of(device: torch.device) -> str:
    """The precision in which a device computes; see `choose_device`."""
    if device.type != "cuda":
        return "float32"
    # Before compute capability 8, bfloat16 is emulated and slower than float32.
    properties = torch.cuda.get_device_properties(device.index or 0)
    return "bfloat16" if properties.major >= 8 else "float32"


def layout_on(device: torch.device) -> torch.memory_format:
    """The memory layout of images in which convolutions are fastest, if it can be used.

    On MPS the gradient of batch norm fails in `channels_last` (pytorch pull request 188371).
    """
    return torch.contiguous_format if device.type == "mps" else torch.channels_last


def memory_of(device: torch.device) -> int:
    """Bytes of memory, free or not, where tensors on `device` lie."""
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def unused_gpu(requested: str, chosen: torch.device) -> str:
    """A sentence if there is a GPU that `auto` did not choose, as torch cannot use it; else empty.

    That is so if torch was built for the CPU alone, or for a newer CUDA than the driver knows.
    """
    driver = driver_version() if requested == "auto" and chosen.type == "cpu" else ""
    if not driver:
        return ""
    built = f"for CUDA {torch.version.cuda}" if torch.version.cuda else "without CUDA"
    return (
        f"this machine has a GPU, but torch {torch.__version__}, built {built}, cannot use it with "
        f"driver {driver}: the run uses the CPU"
    )


def _is_available(kind: str) -> bool:
    if kind == "cuda":
        return torch.cuda.is_available()
    return kind == "cpu" or torch.backends.mps.is_available()


def _available_devices() -> str:
    names = [f"cuda:{i}" for i in range(torch.cuda.device_count())] if _is_available("cuda") else []
    names += ["mps"] if _is_available("mps") else []
    return f"it has {', '.join([*names, 'cpu'])}"


def _cuda(index: int) -> tuple[torch.device, str, int | None, str]:
    if index >= torch.cuda.device_count():
        raise UserError(
            f"no device 'cuda:{index}' on this machine; {_available_devices()}", "device"
        )
    properties = torch.cuda.get_device_properties(index)
    device = torch.device("cuda", index)
    return device, properties.name, properties.total_memory, precision_of(device)
