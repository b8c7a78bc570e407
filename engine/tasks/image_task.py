"""Classification of images: uint8 on the device, augmented there in batches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from clr_tui.engine.tasks.devices import layout_on
from clr_tui.engine.tasks.features import FrozenFeatures, FrozenTrunk, Unaugmented
from clr_tui.engine.tasks.measure import BY_ACCURACY, Measure
from clr_tui.engine.tasks.task import Part, Task
from clr_tui.engine.tasks.trees import Tree

Augment = Callable[[Tensor, torch.Generator], Tensor]


@dataclass(frozen=True, kw_only=True)
class ImageTask(Task):
    """Classification of images, made by `load_task`.

    A part's inputs are uint8 (n, channels, size, size), its targets int64 (n,).
    """

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
        shift = (self.mean * 255).view(1, -1, 1, 1)
        scale = (1 / (self.std * 255)).view(1, -1, 1, 1)
        return (batch - shift).mul_(scale)

    def inputs(self, part: Part, chosen: Tensor | slice) -> Tree:
        """Normalised images, float32 (n, channels, size, size), or a batch of cached features."""
        if self.features is None:
            return self.normalise(part.inputs[chosen])
        return Unaugmented(part, chosen, self.normalise, self.features)

    def training_inputs(self, chosen: Tensor, generator: torch.Generator) -> Tree:
        """Augmented and normalised images; without augmentation like `inputs`."""
        if self.augment is None:
            return self.inputs(self.train, chosen)
        return self.normalise(self.augment(self.train.inputs[chosen], generator))

    def prepare(self, model: nn.Module, part: Part) -> None:
        """Computes the features of frozen layers for all of `part`, if they are cached.

        Draws nothing and does not change `model`. What `FrozenFeatures.progress` raises ends the
        work.
        """
        if self.features is None or (part is self.train and self.augment is not None):
            return
        one = torch.zeros(1, dtype=torch.int64, device=self.device)  # any index computes all
        batch = Unaugmented(part, one, self.normalise, self.features)
        batch.features(cast(FrozenTrunk, model))

    def trained(self, model: nn.Module) -> tuple[Callable[..., Tree], Callable[[Tree], Tree]]:
        """The layers after the frozen ones, if features are cached."""
        if self.features is None or self.augment is not None:
            return super().trained(model)
        trunk = cast(FrozenTrunk, model)
        return trunk.head, lambda batch: cast(Unaugmented, batch).features(trunk)

    def probe(self, n: int) -> Tree:
        """Normalised images, whether features are cached or not."""
        return self.normalise(self.train.inputs[:1].expand(n, -1, -1, -1))

    def kept_bytes(self, model: nn.Module) -> int:
        """The cached features of all parts that are not augmented."""
        if self.features is None:
            return 0
        each = cast(FrozenTrunk, model).trunk(self.probe(1)).nbytes
        parts = [self.validation, self.test, *([self.train] if self.augment is None else [])]
        return sum(min(self.features.limit, each * len(part)) for part in parts)

    def details(self) -> dict[str, Any]:
        """Classes and the shape of images."""
        return {"classes": self.classes, "channels": self.channels, "image_size": self.image_size}
