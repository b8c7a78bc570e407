"""Classification of images: uint8 on the device, augmented there in batches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from clr_tui.engine.tasks.devices import layout_on
from clr_tui.engine.tasks.features import FrozenFeatures, FrozenTrunk, Unaugmented
from clr_tui.engine.tasks.measure import BY_ACCURACY, Measure
from clr_tui.engine.tasks.parts import Batch, Part, Rows
from clr_tui.engine.tasks.task import Task
from clr_tui.engine.tasks.trees import Tree

Augment = Callable[[Tensor, torch.Generator], Tensor]


@dataclass(frozen=True, kw_only=True)
class ImageTask(Task):
    """Classification of images, made by `load_task`.

    A part's inputs are uint8 (n, channels, size, size), its targets int64 (n,).
    """

    train: Rows
    validation: Rows
    test: Rows
    classes: list[str]
    channels: int
    image_size: int
    """Side of the square images, pixels."""
    mean: Tensor
    """(channels,), on the device, in units of the full range: 0 is black, 1 is white."""
    std: Tensor
    """Like `mean`."""
    augment: Augment | None = None
    """(uint8 batch on the device, CPU generator) -> float32 batch, values still 0 to 255."""
    features: FrozenFeatures | None = None
    """For models whose first layers are frozen; None: all layers are trained."""
    loss: Callable[[Tree, Tree], Tensor] = functional.cross_entropy
    measures: tuple[Measure, ...] = BY_ACCURACY
    samples: str = "images"

    def make_model(self, seed: int) -> nn.Module:
        """Like `Task.make_model`, in the fastest memory layout."""
        return super().make_model(seed).to(memory_format=layout_on(self.device))

    def normalise(self, batch: Tensor) -> Tensor:
        """Normalises a batch: (value / 255 - mean) / std.

        Args:
            batch: (n, channels, height, width), values 0 to 255, uint8 or (augmented) float32.

        Returns:
            float32, the same shape, in the model's memory layout; `batch` is not changed.
        """
        batch = batch.contiguous(memory_format=layout_on(self.device))
        shift, scale = self._normalisation
        return (batch - shift).mul_(scale)

    @cached_property
    def _normalisation(self) -> tuple[Tensor, Tensor]:
        """What to subtract and to multiply by, (1, channels, 1, 1), on the device."""
        shift = (self.mean * 255).view(1, -1, 1, 1)
        return shift, (1 / (self.std * 255)).view(1, -1, 1, 1)

    def inputs(self, part: Rows, chosen: Tensor | slice) -> Tree:
        """Normalised images, float32 (n, channels, size, size), or a batch of cached features."""
        if self.features is None:
            return self.normalise(part.inputs_at(chosen))
        return Unaugmented(part, chosen, self.normalise, self.features)

    def training_batch(self, part: Rows, chosen: Tensor, generator: torch.Generator) -> Batch:
        """Augmented and normalised images; without augmentation like `inputs`."""
        if self.augment is None:
            return super().training_batch(part, chosen, generator)
        images = self.normalise(self.augment(part.inputs_at(chosen), generator))
        return images, part.targets_at(chosen)

    def prepare(self, model: nn.Module, part: Part) -> None:
        """Computes the features of frozen layers for all of `part`, if they are cached.

        Draws nothing and does not change `model`. What `FrozenFeatures.progress` raises ends the
        work.
        """
        if self.features is None or (part is self.train and self.augment is not None):
            return
        assert isinstance(part, Rows)
        one = torch.zeros(1, dtype=torch.int64, device=part.held_on)  # any index computes all
        batch = Unaugmented(part, one, self.normalise, self.features)
        batch.features(cast(FrozenTrunk, model))

    def trained(self, model: nn.Module) -> tuple[Callable[..., Tree], Callable[[Tree], Tree]]:
        """The layers after the frozen ones, if features are cached."""
        if self.features is None or self.augment is not None:
            return super().trained(model)
        trunk = cast(FrozenTrunk, model)
        return trunk.head, lambda batch: cast(Unaugmented, batch).features(trunk)

    def probe(self, n: int) -> Batch:
        """Normalised images, whether features are cached or not."""
        first = slice(0, 1)
        images, labels = self.train.inputs_at(first), self.train.targets_at(first)
        return self.normalise(images.expand(n, -1, -1, -1)), labels.expand(n)

    def kept_bytes(self, model: nn.Module) -> int:
        """The cached features of all parts that are not augmented."""
        if self.features is None:
            return 0
        each = cast(FrozenTrunk, model).trunk(self.probe(1)[0]).nbytes
        parts = [self.validation, self.test, *([self.train] if self.augment is None else [])]
        return sum(min(self.features.limit, each * len(part)) for part in parts)

    def facts(self) -> dict[str, Any]:
        """Classes, the size of images, and their normalisation, one value per channel."""
        return {
            "classes": list(self.classes),
            "image_size": self.image_size,
            "mean": self.mean.tolist(),
            "std": self.std.tolist(),
        }

    def details(self) -> dict[str, Any]:
        """Classes and the shape of images."""
        return {"classes": self.classes, "channels": self.channels, "image_size": self.image_size}
