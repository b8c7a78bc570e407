"""Caching the features of frozen layers for images that are not augmented."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from clr_tui.engine.tasks.dataset import Progress
from clr_tui.engine.tasks.devices import layout_on, memory_of
from clr_tui.engine.tasks.parts import Rows

BLOCK = 256
"""Images that pass the frozen layers at a time. The blocks are fixed, so that features are the
same, bit for bit, whichever trial needs them first."""
MEMORY_SHARE = 1 / 8
"""Maximum share of the device's memory for the features of one part. Of its total, not its free
memory, so that the same trial always computes the same way."""


class FrozenTrunk(Protocol):
    """A model whose first layers are frozen: their weights and statistics never change."""

    def trunk(self, images: Tensor) -> Tensor:
        """Normalised images to features, (n, channels, height, width), without gradients."""

    def head(self, features: Tensor) -> Tensor:
        """Features to logits: the layers that are trained."""

    def trunk_state(self) -> list[Tensor]:
        """All weights and statistics of the frozen layers, in a fixed order."""


@dataclass(frozen=True)
class Unaugmented:
    """A batch of a part's images, not augmented: a `FrozenTrunk` takes it instead of images."""

    part: Rows
    chosen: Tensor | slice
    """Indices, int64 (n,), or a range of the part's images."""
    normalise: Callable[[Tensor], Tensor]
    kept: FrozenFeatures

    def features(self, model: FrozenTrunk) -> Tensor:
        """The features from the frozen layers of `model`; do not write to them."""
        return self.kept.of(self, model)


_Versions = list[tuple[int, int]]


class _KeptPart:
    """The features of one part, as far as computed."""

    def __init__(self, part: Rows) -> None:
        self.part = part
        """Referenced, so that its id is not reused for another part."""
        self.missing = set(range(0, len(part), BLOCK))
        """Starts of the blocks still to be computed."""
        self.values: Tensor | None = None
        self.too_large = False


class FrozenFeatures:
    """Caches the features of whole parts, for one set of frozen weights at a time.

    They are valid for every model with the same frozen weights, to the last bit: for all trials if
    weights come from a file, for those of one seed if they are random. Batches read in order
    compute only their own blocks; the first shuffled batch computes the whole part.

    Args:
        device: of the data and the models.
        progress: called while a whole part is computed. What it raises ends the work; features
            computed so far are kept.
        limit: maximum bytes for the features of one part; those of a larger part are recomputed
            each time. None: `MEMORY_SHARE` of the device's memory.
    """

    def __init__(self, device: torch.device, progress: Progress, limit: int | None = None) -> None:
        self._device = device
        self._progress = progress
        self.limit = int(memory_of(device) * MEMORY_SHARE) if limit is None else limit
        self._key: tuple[bytes, bool] | None = None
        self._parts: dict[int, _KeptPart] = {}
        self._digests: WeakKeyDictionary[FrozenTrunk, tuple[_Versions, bytes]] = WeakKeyDictionary()

    def of(self, batch: Unaugmented, model: FrozenTrunk) -> Tensor:
        """The features of `batch`, (n, channels, height, width); do not write to them."""
        part, chosen = batch.part, batch.chosen
        stored = self._kept(part, model)
        for start in self._missing_blocks(stored, chosen):
            if stored.too_large:
                break
            block = slice(start, start + BLOCK)
            self._store(stored, block, model.trunk(batch.normalise(part.inputs_at(block))))
            if not isinstance(chosen, slice):
                done = len(part) - sum(min(BLOCK, len(part) - m) for m in stored.missing)
                self._progress("computing features of the frozen layers", done, len(part))
        if stored.too_large or stored.values is None:
            return model.trunk(batch.normalise(part.inputs_at(chosen)))
        return stored.values[chosen].contiguous(memory_format=layout_on(self._device))

    def _kept(self, part: Rows, model: FrozenTrunk) -> _KeptPart:
        key = (self._digest(model), torch.is_autocast_enabled(self._device.type))
        if key != self._key:
            self._parts.clear()
            self._key = key
        if id(part) not in self._parts:
            self._parts[id(part)] = _KeptPart(part)
        return self._parts[id(part)]

    def _missing_blocks(self, stored: _KeptPart, chosen: Tensor | slice) -> list[int]:
        if not isinstance(chosen, slice):
            # The indices are on the device, and shuffled: they are in nearly all blocks.
            return sorted(stored.missing)
        first, end, _ = chosen.indices(len(stored.part))
        return sorted(start for start in stored.missing if start < end and start + BLOCK > first)

    def _store(self, stored: _KeptPart, block: slice, features: Tensor) -> None:
        count = len(stored.part)
        if stored.values is None:
            if features.nbytes / len(features) * count > self.limit:
                stored.too_large = True
                return
            stored.values = torch.empty(
                (count, *features.shape[1:]),
                dtype=features.dtype,
                device=self._device,
                memory_format=layout_on(self._device),
            )
        stored.values[block] = features
        stored.missing.remove(block.start)

    def _digest(self, model: FrozenTrunk) -> bytes:
        """A hash of the frozen weights, recomputed only after they were written to."""
        state = model.trunk_state()
        versions = [(id(tensor), tensor._version) for tensor in state]
        cached = self._digests.get(model)
        if cached is not None and cached[0] == versions:
            return cached[1]
        digest = hashlib.sha256()
        for tensor in state:
            digest.update(tensor.detach().cpu().numpy().tobytes())
        self._digests[model] = versions, digest.digest()
        return digest.digest()
