"""The data of one part (training, validation, test): rows in memory, or a stream of batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

import torch
from torch import Tensor

from clr_tui.engine.tasks.trees import Tree, rows, tensors, tree_map, tree_to

Batch = tuple[Tree, Tree]
"""Inputs and targets, on the device."""


def batch_length(batch: Batch) -> int:
    """The number of samples: the length of the targets, or else of the inputs, or else 1."""
    inputs, targets = batch
    return next((len(tensor) for tensor in tensors((targets, inputs)) if tensor.dim()), 1)


@dataclass(frozen=True)
class Rows:
    """Samples in memory: all tensors have one sample per row, so their lengths are equal.

    The memory is the device's, or the machine's: then each batch is gathered there and copied.
    """

    inputs: Tree
    """Not augmented or normalised; for images uint8 (n, channels, height, width)."""
    targets: Tree
    """For a classification labels, int64 (n,), indices into its classes."""
    used_on: torch.device | None = None
    """The device of the batches; None: the one that holds the rows."""

    def __len__(self) -> int:
        return len(self._first)

    @property
    def device(self) -> torch.device:
        """The device of the batches."""
        return self.used_on or self.held_on

    @property
    def held_on(self) -> torch.device:
        """The device whose memory holds the rows, and which indices must be on."""
        return self._first.device

    @property
    def _first(self) -> Tensor:
        return tensors((self.inputs, self.targets))[0]

    def take(self, chosen: Tensor | slice) -> Rows:
        """The samples at these indices, int64 (m,) on `held_on`, or in this range."""
        return Rows(rows(self.inputs, chosen), rows(self.targets, chosen), self.used_on)

    def inputs_at(self, chosen: Tensor | slice) -> Tree:
        """The inputs of the samples at these indices, as for `take`, on the device."""
        return self._used(rows(self.inputs, chosen))

    def targets_at(self, chosen: Tensor | slice) -> Tree:
        """The targets of the samples at these indices, as for `take`, on the device."""
        return self._used(rows(self.targets, chosen))

    def _used(self, tree: Tree) -> Tree:
        if self.used_on is None or self.used_on == self.held_on:
            return tree
        if self.used_on.type == "cuda":  # a copy from other memory would wait for the device
            tree = tree_map(Tensor.pin_memory, tree)
        return tree_to(tree, self.used_on)

    def subset(self, count: int, generator: torch.Generator) -> Rows:
        """At most `count` samples, drawn with a CPU generator, in their order."""
        order = torch.randperm(len(self), generator=generator)[:count]
        return self.take(order.sort().values.to(self.held_on))

    @property
    def device_bytes(self) -> int:
        """Bytes of the rows in the device's memory."""
        if self.held_on != self.device:
            return 0
        return sum(tensor.nbytes for tensor in tensors((self.inputs, self.targets)))


@dataclass(frozen=True)
class Stream:
    """Batches that are made while they are used, such as those of a `DataLoader`."""

    open: Callable[[], Iterator[Batch]]
    """Starts a pass over the data, which gives batches on the device."""
    steps: int
    """Batches in a pass; 0: there is no data."""
    batch_size: int
    """Samples in a batch, except the last."""
    samples: int
    """Samples in a pass."""
    device: torch.device
    example: Batch
    """Some batch."""
    generators: tuple[tuple[torch.Generator, Tensor], ...] = ()
    """Generators of its own, from which a pass draws its order, with the states to begin with."""

    def __len__(self) -> int:
        return self.samples

    def subset(self, count: int, _generator: torch.Generator) -> Stream:
        """The first batches, at least `count` samples, which are kept once they are made."""
        steps = min(self.steps, -(-count // self.batch_size))
        kept: list[Batch] = []

        def open_kept() -> Iterator[Batch]:
            if not kept:
                kept.extend(islice(self.open(), steps))
            return iter(kept)

        samples = min(self.samples, steps * self.batch_size)
        return replace(self, open=open_kept, steps=steps, samples=samples)

    @property
    def device_bytes(self) -> int:
        """Bytes of the batches that are held at once: one in use, one on its way."""
        return 2 * sum(tensor.nbytes for tensor in tensors(self.example))


Part = Rows | Stream
