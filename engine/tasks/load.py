"""Loading the task that a `TaskConfig` describes."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from clr_tui.engine.by_name import named
from clr_tui.engine.errors import UserError
from clr_tui.engine.settings import limits
from clr_tui.engine.settings.catalogue import MODELS, SOURCES
from clr_tui.engine.settings.config import TaskConfig
from clr_tui.engine.tasks.augment import RandomAffine
from clr_tui.engine.tasks.class_counts import class_notes
from clr_tui.engine.tasks.dataset import Dataset, Indices, Notify, Progress, channel_statistics
from clr_tui.engine.tasks.features import FrozenFeatures
from clr_tui.engine.tasks.folder import read_folder
from clr_tui.engine.tasks.image_task import ImageTask
from clr_tui.engine.tasks.parts import Rows
from clr_tui.engine.tasks.resnet34 import IMAGENET_MEAN, IMAGENET_STD
from clr_tui.engine.words import many


def load_task(
    config: TaskConfig,
    device: torch.device,
    progress: Progress,
    note: Notify,
    cache_dir: Path | None = None,
) -> ImageTask:
    """Reads the data onto the device and prepares the model.

    Args:
        device: for the data; see `choose_device`.
        progress: called while images are decoded, weights downloaded, and later, in any trial, the
            features of frozen layers computed. What it raises ends the work.
        note: takes sentences for the user, such as about skipped files.
        cache_dir: for decoded images; None for the user's cache directory.

    Raises:
        UserError: the data or the weights cannot be used, with the field at fault.
    """
    if config.model not in MODELS:
        raise limits.choice_mistake("model", config.model, MODELS)
    model = MODELS[config.model]
    build, weights = named(model.build), None
    # The weights come first: a wrong file should not cost the time of decoding all images.
    if model.weights:
        weights = named(model.weights)(config.weights, progress)
        build = partial(build, weights)
    if model.frozen and weights is None:
        note(f"{config.model} without weights: its frozen layers are random, so it learns little")
    dataset, images = _read(config, progress, note, cache_dir)
    for text in class_notes(dataset, config.batch_size):
        note(text)
    if model.weights:
        images = images.expand(-1, 3, -1, -1)
    mean, std = _normalisation(dataset, imagenet=weights is not None)
    channels, size = images.shape[1], images.shape[-1]
    return ImageTask(
        name=config.data_name,
        model_name=config.model,
        classes=dataset.classes,
        train=_part(dataset, images, dataset.train, device),
        validation=_part(dataset, images, dataset.validation, device),
        test=_part(dataset, images, dataset.test, device),
        channels=channels,
        image_size=size,
        mean=mean.expand(channels).to(device),
        std=std.expand(channels).to(device),
        build=partial(build, channels, size, len(dataset.classes)),
        augment=RandomAffine(
            flip=not dataset.upright,
            shift=max(size // 8, 1),
            fill="zeros" if dataset.upright else "reflection",
        )
        if config.augment
        else None,
        skipped=dataset.skipped,
        features=FrozenFeatures(device, progress) if model.frozen else None,
    )


def _read(
    config: TaskConfig, progress: Progress, note: Notify, cache_dir: Path | None
) -> tuple[Dataset, Tensor]:
    """The data, and its images at the size that was asked for."""
    if config.data in SOURCES:
        source = SOURCES[config.data]
        read = partial(named(source.read), config.data)
        size = source.image_size or MODELS[config.model].image_size
    else:
        read, size = partial(read_folder, Path(config.data)), MODELS[config.model].image_size
    size = config.image_size or size
    dataset: Dataset = read(size, progress, note, cache_dir)
    return dataset, _resized(torch.from_numpy(dataset.images), size)


def _resized(images: Tensor, size: int) -> Tensor:
    """uint8 (n, c, size, size)."""
    if images.shape[-1] == size:
        return images
    larger = functional.interpolate(
        images.float(), size=(size, size), mode="bilinear", align_corners=False, antialias=True
    )
    return larger.round().to(torch.uint8)


def _normalisation(dataset: Dataset, *, imagenet: bool) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation; pretrained weights need those of their own training."""
    if imagenet:
        return torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_STD)
    mean, std = dataset.statistics or channel_statistics(dataset.images[dataset.train])
    return torch.from_numpy(mean.astype(np.float32)), torch.from_numpy(std.astype(np.float32))


def _part(dataset: Dataset, images: Tensor, indices: Indices, device: torch.device) -> Rows:
    chosen = _rows(indices)
    try:
        return Rows(images[chosen].to(device), torch.from_numpy(dataset.labels)[chosen].to(device))
    except torch.OutOfMemoryError as error:
        size = images.shape[-1]
        raise UserError(
            f"{many(len(images), 'image')} of {size}x{size} pixels do not fit into the memory of "
            f"{device}: choose a smaller image size, or the device cpu",
            "image_size",
        ) from error


def _rows(indices: Indices) -> slice | Tensor:
    """A slice if the indices are consecutive, to avoid a copy on the CPU."""
    first, count = int(indices[0]), len(indices)
    if np.array_equal(indices, np.arange(first, first + count)):
        return slice(first, first + count)
    return torch.from_numpy(indices)
