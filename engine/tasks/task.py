"""What is trained: data in three parts, a model factory, a loss and a metric."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from clr_tui.engine.tasks.devices import layout_on
from clr_tui.engine.tasks.features import FrozenFeatures, FrozenTrunk, Inputs, Unaugmented
from clr_tui.engine.tasks.part import Part

Augment = Callable[[Tensor, torch.Generator], Tensor]


@dataclass(frozen=True, kw_only=True)
class Task:
    """A classification task that is ready to be trained. Made by `load_task`."""

    name: str
    """A short name to show: "digits", "flowers"."""
    model_name: str
    classes: list[str]
    train: Part
    validation: Part
    test: Part
    channels: int
    image_size: int
    """Side of the square images, pixels."""
    mean: Tensor
    """(channels,), on the device, in units of the full range: 0 is black, 1 is white."""
    std: Tensor
    """As `mean`."""
    build: Callable[[], nn.Module]
    """Makes the model on the CPU, its weights drawn from torch's global CPU generator."""
    augment: Augment | None = None
    """(uint8 batch on the device, CPU generator) -> float32 batch, values still 0 to 255."""
    skipped: int = 0
    """Files that could not be read."""
    features: FrozenFeatures | None = None
    """Of models whose first layers are frozen; None: all layers are trained."""

    @property
    def device(self) -> torch.device:
        """Where the data lies and the models are put."""
        return self.train.images.device

    def make_model(self, seed: int) -> nn.Module:
        """A new model on the task's device, in the layout that is best there.

        The weights depend on `seed` alone; every global generator is left as it was found. (They
        are drawn on the CPU, so they are the same on every device.)
        """
        with torch.random.fork_rng(devices=[]):
            # torch.manual_seed would seed the generators of the accelerators too.
            torch.default_generator.manual_seed(seed)
            model = self.build()
        return model.to(self.device).to(memory_format=layout_on(self.device))

    def normalise(self, batch: Tensor) -> Tensor:
        """What the model takes: (value / 255 - mean) / std.

        Args:
            batch: (n, channels, height, width), values 0 to 255, uint8 or (augmented) float32.

        Returns:
            float32, the same shape, in the layout of the model; `batch` is left alone.
        """
        batch = batch.contiguous(memory_format=layout_on(self.device))
        shift = (self.mean * 255).view(1, -1, 1, 1)
        scale = (1 / (self.std * 255)).view(1, -1, 1, 1)
        return (batch - shift).mul_(scale)

    def inputs(self, part: Part, chosen: Tensor | slice) -> Inputs:
        """What the model takes for images of `part` as they are, not augmented.

        Args:
            chosen: indices, int64 (n,) on the device, or a range.
        """
        if self.features is None:
            return self.normalise(part.images[chosen])
        return Unaugmented(part, chosen, self.normalise, self.features)

    def prepare(self, model: nn.Module, part: Part) -> None:
        """Computes what frozen layers make of all of `part`, where that is kept for later trials.

        Nothing is drawn, and `model` is left as it was. What `FrozenFeatures.progress` raises ends
        the work.
        """
        if self.features is None or (part is self.train and self.augment is not None):
            return
        one = torch.zeros(1, dtype=torch.int64, device=self.device)  # any: it needs the whole part
        batch = Unaugmented(part, one, self.normalise, self.features)
        batch.features(cast(FrozenTrunk, model))

    @staticmethod
    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        """Mean cross entropy, a scalar: logits (n, classes), labels int64 (n,)."""
        return functional.cross_entropy(logits, labels)

    @staticmethod
    def correct(logits: Tensor, labels: Tensor) -> Tensor:
        """How many are right: an int64 scalar on the device (no synchronisation)."""
        return (logits.argmax(dim=1) == labels).sum()
