"""The data sets and models that have names, each described once.

Readers and builders are "module:function", imported by `by_name.named` when a task is loaded:
settings must not import torch.
"""

from __future__ import annotations

from typing import NamedTuple

_TASKS = "clr_tui.engine.tasks"
WEIGHTS = ("imagenet", "none")
"""The weights that have names; all others are paths."""


class Source(NamedTuple):
    """A data set with a name. All other data is a folder of images, given by its path."""

    help: str
    """Where it comes from, in a word or two."""
    image_size: int
    """The default side of its images, pixels."""
    train: int
    """The number of training images."""
    read: str
    """`(size, Progress, Notify, cache_dir: Path | None) -> Dataset`, of any image size."""


class Model(NamedTuple):
    """A model that can be trained."""

    title: str
    help: str
    """What it is, in half a line."""
    image_size: int
    """The default side of images from a folder, pixels."""
    build: str
    """`(channels, image_size, classes) -> Module`; if it has weights, they come first."""
    weights: str = ""
    """`(str, Progress) -> object | None`: reads the initial weights. The images have three
    channels then, and are normalised as in ImageNet unless it returns None."""
    frozen: bool = False
    """Whether it is a `FrozenTrunk`, whose features can be kept."""
    study_epochs: int = 0
    """The length of the article's study of it; 0 if there is none."""


SOURCES = {
    "digits": Source("built in", image_size=8, train=1259, read=f"{_TASKS}.digits:read_digits"),
}
MODELS = {
    "cnn": Model(
        title="CNN",
        help="small CNN for any image size",
        image_size=64,
        build=f"{_TASKS}.cnn:build_cnn",
        study_epochs=150,
    ),
    "resnet34": Model(
        title="ResNet34",
        help="ResNet34, frozen except for its last block",
        image_size=224,
        build=f"{_TASKS}.resnet34:build_resnet34",
        weights=f"{_TASKS}.weights:read_weights",
        frozen=True,
        study_epochs=100,
    ),
}
STUDIES = tuple(name for name, model in MODELS.items() if model.study_epochs)
"""The studies of the article, named after their models: see `engine.settings.studies`."""


def with_weights() -> list[str]:
    """The models that have weights to load."""
    return [name for name, model in MODELS.items() if model.weights]
