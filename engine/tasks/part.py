"""One part of the data, in memory on the device."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from clr_tui.engine.tasks.trees import Tree, tensors, tree_map


@dataclass(frozen=True)
class Part:
    """The samples of the training, validation or test part.

    The tensors of both trees have one sample a row: their first dimension is of one length.
    """

    inputs: Tree
    """What models are given, before it is augmented and normalised: images, uint8 (n, channels,
    height, width)."""
    targets: Tree
    """What they are to find: of a classification labels, int64 (n,), indices into its classes."""

    def __len__(self) -> int:
        return len(tensors(self.targets)[0])

    def take(self, chosen: Tensor | slice) -> Part:
        """The samples at these indices, int64 (m,) on the device, or in this range."""
        return Part(
            inputs=tree_map(lambda tensor: tensor[chosen], self.inputs),
            targets=tree_map(lambda tensor: tensor[chosen], self.targets),
        )
