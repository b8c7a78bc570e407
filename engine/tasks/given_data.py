"""Data that a caller has and goes on using: read without a trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch.utils.data import DataLoader

from clr_tui.engine.tasks.model_state import GENERATORS, keep_generator

_INSIDE = ("batch_sampler", "sampler", "dataset", "datasets", "data_source")
"""Attributes of loaders, samplers and data sets that lead to others."""


@contextmanager
def generators_as_found(data: Any) -> Iterator[None]:
    """Restores the generators that a loader, its samplers and its data sets hold as attributes."""
    put_back = [keep_generator(generator) for generator in _generators(data)]
    try:
        yield
    finally:
        for restore in put_back:
            restore()


def _generators(data: Any) -> list[Any]:
    found: dict[int, Any] = {}
    waiting, seen = [data], set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen or not hasattr(one, "__dict__"):
            continue
        seen.add(id(one))
        held = vars(one)
        found |= {id(value): value for value in held.values() if isinstance(value, GENERATORS)}
        for name in _INSIDE:
            inside = held.get(name)
            waiting += inside if isinstance(inside, (list, tuple)) else [inside]
    return list(found.values())


@contextmanager
def own_workers(data: Any) -> Iterator[None]:
    """Starts new processes for a loader with persistent workers, which keeps those that it has.

    They hold random states of their own, which a pass over the data would move.
    """
    if not isinstance(data, DataLoader) or not data.persistent_workers:
        yield
        return
    running, data._iterator = data._iterator, None
    try:
        yield
    finally:
        data._iterator = running


def has_length(data: Any) -> bool:
    """Whether its number of batches or samples is known without reading it."""
    try:
        len(data)
    except TypeError:
        return False
    return True


def no_progress(_what: str, _done: int, _total: int) -> None:
    """Takes reports of progress, for data that is read quickly."""
