"""A tiny model whose first layers are frozen, and a task that keeps what they make of images."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn
from training_bench import CLASSES, make_task, shift_a_little

from clr_tui.engine.tasks.features import FrozenFeatures, Unaugmented
from clr_tui.engine.tasks.image_task import ImageTask


class FrozenTiny(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(2, 4, 3, padding=1).requires_grad_(False)
        self.last = nn.Sequential(nn.Flatten(), nn.Dropout(0.25), nn.Linear(256, CLASSES))

    def forward(self, batch: Tensor | Unaugmented) -> Tensor:
        features = batch.features(self) if isinstance(batch, Unaugmented) else self.trunk(batch)
        return self.head(features)

    @torch.no_grad()
    def trunk(self, images: Tensor) -> Tensor:
        return self.first(images).relu()

    def head(self, features: Tensor) -> Tensor:
        return self.last(features)

    def trunk_state(self) -> list[Tensor]:
        return [self.first.weight, self.first.bias]


def frozen_task(*, augmented: bool) -> ImageTask:
    features = FrozenFeatures(torch.device("cpu"), lambda what, done, total: None)
    return dataclasses.replace(
        make_task(build=FrozenTiny),
        features=features,
        augment=shift_a_little if augmented else None,
    )
