"""Choosing the accelerators of a comparison, and how many of its trials each takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from clr_tui.engine.errors import UserError
from clr_tui.engine.nvml import device_state, uuid_of
from clr_tui.engine.tasks.devices import precision_of
from clr_tui.engine.words import gib


@dataclass(frozen=True)
class Accelerator:
    """A device for trials."""

    name: str
    """As torch names it."""
    precision: str
    """See `choose_device`."""
    free: int | None
    """Bytes of its own memory; None if it shares the machine's."""
    in_use: bool = False
    """Whether another program computes on it."""
    exclusive: bool = False
    """Whether it takes one process at a time."""
    prohibited: bool = False
    """Whether it takes none."""

    def room(self, need: int, most: int) -> int:
        """How many trials fit that need so many bytes each, at most `most`."""
        most = 1 if self.exclusive else most
        return most if self.free is None else min(most, self.free // need)


def accelerators(requested: str, first: torch.device) -> list[Accelerator]:
    """The accelerators that `requested` means: with `auto`, all CUDA devices; none for the CPU.

    Args:
        requested: `TaskConfig.device`.
        first: the first of them, or the CPU.
    """
    if first.type != "cuda":
        return [] if first.type == "cpu" else [Accelerator(str(first), precision_of(first), None)]
    if requested != "auto":
        return [_cuda_device(first)]
    return [_cuda_device(torch.device("cuda", i)) for i in range(torch.cuda.device_count())]


def _cuda_device(device: torch.device) -> Accelerator:
    index, precision = device.index or 0, precision_of(device)
    state = device_state(index, uuid_of(torch.cuda, index))
    if state is None:  # this starts CUDA here, but there is no other way
        return Accelerator(str(device), precision, torch.cuda.mem_get_info(device)[0])
    return Accelerator(str(device), precision, **state._asdict())


def chosen(
    found: Sequence[Accelerator], need: int, precision: str
) -> tuple[list[Accelerator], list[str]]:
    """Those to use, and a sentence for each one that is left out.

    Others' devices are used only if there is no other. All trials compute in `precision`, as they
    could not be compared otherwise.

    Args:
        need: bytes on the device of one trial. If none has so much, all are returned.

    Raises:
        UserError: none can be used (field "device").
    """
    usable = [device for device in found if not _bar(device, precision)]
    if found and not usable:
        first = found[0]
        raise UserError(f"{first.name} cannot be used: {_bar(first, precision)}", "device")
    with_room = [device for device in usable if device.room(need, 1)]
    taken = [device for device in with_room if not device.in_use] or with_room or usable
    left = [device for device in found if device not in taken]
    return taken, [f"{d.name} is left out: {_reason(d, need, precision)}" for d in left]


def _bar(device: Accelerator, precision: str) -> str:
    """Why a device cannot be used whatever its memory; empty if it can."""
    if device.prohibited:
        return "its compute mode is 'prohibited'"
    if device.exclusive and device.in_use:
        return "another program computes on it, and its compute mode is 'exclusive process'"
    if precision == "bfloat16" and device.precision != precision:
        return f"it does not compute in {precision}, unlike the first device"
    return ""


def _reason(device: Accelerator, need: int, precision: str) -> str:
    if bar := _bar(device, precision):
        return bar
    if device.free is not None and device.free < need:
        return f"a trial needs about {gib(need)} of memory, and {gib(device.free)} are free"
    return "another program computes on it"


def spread(jobs: int, room: Mapping[str, int]) -> list[str]:
    """A device for each of `jobs` processes: evenly, but not more on one than it has room for."""
    places: list[str] = []
    for _ in range(jobs):
        with_room = [name for name in room if places.count(name) < room[name]]
        places.append(min(with_room or room, key=places.count))
    return places
