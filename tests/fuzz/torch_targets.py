"""Readers that need torch: weights of others, checkpoints, resume points, the cache of images."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from bounded_calls import Calls
from damage import BINARY, TEXT
from fuzz_targets import Target

from clr_tui.engine.errors import UserError
from clr_tui.engine.tasks.cache import CachedImages, read_cache, write_cache
from clr_tui.engine.tasks.weights import read_weights
from clr_tui.engine.training.resume_points import ResumePoints

torch.set_num_threads(1)  # children are forked


def torch_targets(root: Path) -> Iterator[Target]:
    """Their good files are made in `root`."""
    state = {"conv.weight": torch.arange(600.0).reshape(6, 100), "conv.bias": torch.zeros(6)}
    whole = {"model": state, "step": 7, "classes": ["a", "b"], "random": [torch.zeros(99)]}
    for name, content, zipped in (
        ("weights", state, True),
        ("old weights", state, False),
        ("checkpoint", whole, True),
    ):
        folder = root / name
        folder.mkdir()
        torch.save(content, folder / "a.pt", _use_new_zipfile_serialization=zipped)
        yield Target(name, folder, "a.pt", BINARY, _weights, share=2)
    folder = root / "resume points"
    folder.mkdir()
    for step in (10, 20):
        points = ResumePoints(folder, 3, print, every=1.0)
        points.save({**whole, "step": step})
        points.close()
    yield Target("resume point", folder, "resume-3-20.pt", BINARY, _resume_point, share=2)
    folder = root / "cache"
    cached = CachedImages(
        images=np.arange(5 * 3 * 64, dtype=np.uint8).reshape(5, 3, 8, 8),
        readable=np.array([True] * 5 + [False]),
        reasons=["broken"],
        notes=["a note"],
        statistics=(np.zeros(3), np.ones(3)),
    )
    write_cache(folder / "a.npy", "key", cached)
    yield Target("cache", folder, "a.npy", BINARY, _cache)
    yield Target("cache's JSON", folder, "a.json", TEXT, _cache)


def _weights(_folder: Path, file: Path, _intact: Path) -> Calls:
    return {"read_weights": _or_sentence(lambda: read_weights(file))}


def _or_sentence(call: Callable[[], object]) -> Callable[[], None]:
    def checked() -> None:
        with contextlib.suppress(UserError):
            call()

    return checked


def _resume_point(folder: Path, _file: Path, _intact: Path) -> Calls:
    def latest() -> None:
        notes: list[str] = []
        state = ResumePoints(folder, 3, notes.append, every=1.0).latest()
        assert state is not None, "the older point is intact"
        assert state["step"] == (10 if notes else 20)
        expected = torch.arange(600.0).reshape(6, 100)
        assert torch.equal(state["model"]["conv.weight"], expected)

    return {"latest": latest}


def _cache(folder: Path, _file: Path, _intact: Path) -> Calls:
    def read() -> None:
        found = read_cache(folder / "a.npy", "key")
        if found is not None:
            assert found.images.tobytes() == bytes(range(256)) * 3 + bytes(range(192))
            assert found.reasons == ["broken"]

    return {"read_cache": read}
