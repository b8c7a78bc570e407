"""Loading the task that a `TaskConfig` describes."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from clr_tui.engine.by_name import named
from clr_tui.engine.settings.catalogue import model_named, source_of
from clr_tui.engine.settings.config import TaskConfig
from clr_tui.engine.tasks.augment import RandomAffine
from clr_tui.engine.tasks.cache import cache_path
from clr_tui.engine.tasks.class_counts import class_notes
from clr_tui.engine.tasks.dataset import Dataset, Notify, Progress, channel_statistics
from clr_tui.engine.tasks.features import FrozenFeatures
from clr_tui.engine.tasks.folder import read_folder
from clr_tui.engine.tasks.image_rows import image_parts, mapped_bytes, resized
from clr_tui.engine.tasks.image_task import ImageTask
from clr_tui.engine.tasks.initial_model import InitialModel, initial_model
from clr_tui.engine.tasks.own_training import own_task
from clr_tui.engine.tasks.task import Task
from clr_tui.engine.tasks.user_code import user_task


def load_task(
    config: TaskConfig,
    device: torch.device,
    progress: Progress,
    note: Notify,
    cache_dir: Path | None = None,
) -> Task:
    """Reads the data onto the device and prepares the model, or runs the user's own file.

    Args:
        device: for the data; see `choose_device`.
        progress: called while images are decoded, weights downloaded, and later, in any trial, the
            features of frozen layers computed. What it raises ends the work.
        note: takes sentences for the user, such as about skipped files.
        cache_dir: for decoded images; None for the user's cache directory.

    Raises:
        UserError: the data or the weights cannot be used, with the field at fault.
    """
    if config.task:
        return own_task(user_task(config, progress), config, device, progress, note)
    return _image_task(config, device, progress, note, cache_dir)


def _image_task(
    config: TaskConfig,
    device: torch.device,
    progress: Progress,
    note: Notify,
    cache_dir: Path | None,
) -> ImageTask:
    # The model comes first: a wrong file should not cost the time of decoding all images.
    model = initial_model(config, _image_size(config), progress, note)
    dataset = _read(config, progress, note, cache_dir)
    for text in class_notes(dataset, config.batch_size):
        note(text)
    mean, std = _normalisation(dataset, model)
    channels, size = dataset.images.shape[1], dataset.images.shape[-1]
    channels = 3 if model.entry.rgb else channels
    train, validation, test = image_parts(dataset, channels, device, note)
    return ImageTask(
        name=config.data_name,
        model_name=config.model,
        classes=dataset.classes,
        train=train,
        validation=validation,
        test=test,
        channels=channels,
        image_size=size,
        mean=mean.expand(channels).to(device),
        std=std.expand(channels).to(device),
        build=model.builder(channels, dataset.classes),
        augment=RandomAffine(
            flip=not dataset.upright,
            shift=max(size // 8, 1),
            fill="zeros" if dataset.upright else "reflection",
        )
        if config.augment
        else None,
        keep_last=config.last_batch == "keep",
        skipped=dataset.skipped,
        mapped_bytes=mapped_bytes(dataset),
        features=FrozenFeatures(device, progress) if model.entry.frozen else None,
    )


def _image_size(config: TaskConfig) -> int:
    if config.image_size is not None:
        return config.image_size
    source = source_of(config.data)
    return (source.image_size if source else 0) or model_named(
        config.model, config.freeze
    ).image_size


def _read(config: TaskConfig, progress: Progress, note: Notify, cache_dir: Path | None) -> Dataset:
    """The data, with images of the size that was asked for."""
    size = _image_size(config)
    if source := source_of(config.data):
        read = partial(named(source.read), config.data)
    else:
        read = partial(read_folder, Path(config.data))
    dataset: Dataset = read(size, progress, note, cache_dir)
    return resized(dataset, size, cache_path(cache_dir, Path("/", config.data), size), note)


def _normalisation(dataset: Dataset, model: InitialModel) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation; given weights need those of their own training."""
    if model.normalisation:
        return torch.tensor(model.normalisation[0]), torch.tensor(model.normalisation[1])
    mean, std = dataset.statistics or channel_statistics(dataset.images[dataset.train])
    return torch.from_numpy(mean.astype(np.float32)), torch.from_numpy(std.astype(np.float32))
