"""torchvision's classifiers, with a head for any number of classes, and their ImageNet weights."""

from __future__ import annotations

import dataclasses
import warnings
from typing import Any

from torch import nn

from clr_tui.engine.settings.catalogue import IMAGENET
from clr_tui.engine.tasks.dataset import Progress
from clr_tui.engine.tasks.published_weights import PublishedWeights, downloaded
from clr_tui.engine.tasks.weights import Weights, read_weights


def build_torchvision(name: str, _channels: int, size: int, classes: int) -> nn.Module:
    """One of torchvision's classifiers, drawn at random, with one output: the logits.

    Raises:
        ValueError: it is not made for images of this size.
    """
    # Imported here, as it takes a second that the CNN need not wait for.
    from torchvision import models

    options: dict[str, Any] = {"num_classes": classes}
    if name.startswith("vit_"):
        if size % int(name.rpartition("_")[2]):
            raise ValueError(f"the side must be a multiple of {name.rpartition('_')[2]} pixels")
        options["image_size"] = size
    elif name.startswith("maxvit_"):
        options["input_size"] = (size, size)
    with warnings.catch_warnings():
        # GoogLeNet and Inception say that their initial weights will change some day.
        warnings.simplefilter("ignore", FutureWarning)
        net: nn.Module = models.get_model(name, weights=None, **options)
    # Further outputs, for training with several losses.
    for extra, none in (("aux1", None), ("aux2", None), ("AuxLogits", None), ("aux_logits", False)):
        if hasattr(net, extra):
            setattr(net, extra, none)
    return net


def published_by_torchvision(name: str, size: int) -> PublishedWeights:
    """torchvision's newest weights of a model, for images of `size` pixels."""
    from torchvision import models

    newest = models.get_model_weights(name).DEFAULT
    inputs = newest.transforms()

    def read(progress: Progress) -> Weights:
        weights = read_weights(downloaded(newest.url, name, progress))
        return dataclasses.replace(weights, name=IMAGENET)

    return PublishedWeights(tuple(inputs.mean), tuple(inputs.std), read)
