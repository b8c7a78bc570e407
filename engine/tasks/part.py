"""One part of the data, in memory on the device."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from clr_tui.engine.tasks.trees import Tree, tensors, tree_map


@dataclass(frozen=True)
class Part:
    """The samples of the training, validation or test part.

    All tensors have one sample per row, so their first dimensions are equal.
    """

    inputs: Tree
    """Not augmented or normalised; for images uint8 (n, channels, height, width)."""
    targets: Tree
    """For a classification labels, int64 (n,), indices into its classes."""

    def __len__(self) -> int:
        return len(tensors(self.targets)[0])

    def take(self, chosen: Tensor | slice) -> Part:
        """The samples at these indices, int64 (m,) on the device, or in this range."""
        return Part(
            inputs=tree_map(lambda tensor: tensor[chosen], self.inputs),
            targets=tree_map(lambda tensor: tensor[chosen], self.targets),
        )
