"""A data set and a model that no product file knows: stripes, across or along, and one layer."""

from __future__ import annotations

import numpy as np
from torch import nn

from clr_tui.engine.settings.catalogue import MODELS, SOURCES, Model, Source
from clr_tui.engine.tasks.dataset import Dataset


def read_stripes(_name, size, progress, note, _cache_dir) -> Dataset:
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 200)
    along = random.integers(0, 256, (200, 1, 1, size)).repeat(size, 2)
    images = np.where(labels[:, None, None, None], along, along.swapaxes(2, 3))
    progress("drawing stripes", 200, 200)
    note("stripes are easy")
    return Dataset(
        classes=["across", "along"],
        images=images.astype(np.uint8),
        labels=labels,
        train=np.arange(120),
        validation=np.arange(120, 160),
        test=np.arange(160, 200),
        upright=True,
    )


def build_line(channels: int, size: int, classes: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * size * size, classes))


TABLES = (
    (SOURCES, "stripes", Source(12, train=120, read="toy_images:read_stripes")),
    (MODELS, "line", Model("Line", 32, build="toy_images:build_line")),
)
"""Where they are named, and what there."""
