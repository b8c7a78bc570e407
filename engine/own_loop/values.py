"""Values of a training loop: taken without waiting for a device, and read later."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, NamedTuple


class OnDevice(NamedTuple):
    """A number that a device may still be computing."""

    value: Any
    """A tensor that nothing else changes, or an array of JAX."""
    computed: Any = None
    """A CUDA event after the computation; None on devices that have one stream."""


def taken(value: object) -> float | OnDevice:
    """The number as it is now, whatever the loop does with its tensor later.

    A tensor on the CPU is read. One on a device is copied there, which the program does not wait
    for; without its graph, whose memory would stay in use until the copy is read.

    Raises:
        TypeError, ValueError: it is not one number. Other libraries' values may raise anything.
    """
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, getattr(torch, "Tensor", ())):
        return _taken_tensor(torch, value)
    if hasattr(value, "block_until_ready"):  # JAX's arrays cannot change
        return OnDevice(value)
    if isinstance(value, str | bytes):
        raise TypeError("a text")
    number: Any = value.item() if hasattr(value, "item") else value  # NumPy's
    return float(number)


def _taken_tensor(torch: Any, tensor: Any) -> float | OnDevice:
    if tensor.is_cpu:
        return float(tensor.item())
    if tensor.numel() != 1:
        raise ValueError(f"a tensor of {tensor.numel()} numbers")
    if tensor.is_complex():
        raise TypeError("a complex number")
    copy = tensor.detach().clone()
    if not copy.is_cuda or not torch.cuda.is_initialized():
        return OnDevice(copy)
    return OnDevice(copy, torch.cuda.current_stream(copy.device).record_event())


def read(waiting: Sequence[OnDevice]) -> list[float]:
    """Their numbers, with one copy from each device for all tensors of a type.

    Waits for the devices, so call it where the training does not wait for it. NaN if a number
    cannot be read.
    """
    numbers = [float("nan")] * len(waiting)
    groups: dict[tuple[str, str], list[int]] = {}
    for place, each in enumerate(waiting):
        device, dtype = getattr(each.value, "device", ""), getattr(each.value, "dtype", "")
        groups.setdefault((str(device), str(dtype)), []).append(place)
    for places in groups.values():
        try:
            found = _read_alike([waiting[place] for place in places])
        except (RuntimeError, TypeError, ValueError):  # the training meets a broken device itself
            continue
        for place, number in zip(places, found, strict=True):
            numbers[place] = number
    return numbers


def _read_alike(waiting: Sequence[OnDevice]) -> list[float]:
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(waiting[0].value, torch.Tensor):
        return [float(each.value) for each in waiting]
    tensors = [each.value.reshape(()) for each in waiting]
    events = [each.computed for each in waiting if each.computed is not None]
    if not events:
        return _numbers(torch, tensors)
    # A stream of its own waits for no step that the loop has asked for since.
    stream = torch.cuda.Stream(tensors[0].device)
    for event in events:
        stream.wait_event(event)
    with torch.cuda.stream(stream):
        return _numbers(torch, tensors)


def _numbers(torch: Any, tensors: list[Any]) -> list[float]:
    return [float(number) for number in torch.stack(tensors).tolist()]
