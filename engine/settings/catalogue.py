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

    image_size: int
    """The default side of its images, pixels; 0 if that depends on the model, as for folders."""
    train: int
    """The number of training images, or a little more: no batch can be larger."""
    read: str
    """`(name, size, Progress, Notify, cache_dir: Path | None) -> Dataset`, of any image size."""


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


def _published(image_size: int, train: int) -> Source:
    """One of torchvision's data sets."""
    return Source(image_size, train, f"{_TASKS}.torchvision_sets:read_torchvision")


SOURCES = {
    "digits": Source(image_size=8, train=1259, read=f"{_TASKS}.digits:read_digits"),
    "cifar10": _published(32, 45_000),
    "cifar100": _published(32, 45_000),
    "mnist": _published(28, 54_001),
    "fashion-mnist": _published(28, 54_000),
    "flowers102": _published(0, 1020),
    "oxford-iiit-pet": _published(0, 3312),
    "food101": _published(0, 68_175),
    "svhn": _published(32, 65_931),
    "stl10": _published(96, 4500),
    "imagenette": _published(0, 8522),
    "eurosat": _published(0, 21_600),
    "gtsrb": _published(0, 23_976),
    "dtd": _published(0, 1880),
    "fgvc-aircraft": _published(0, 3334),
    "caltech101": _published(0, 6942),
    "caltech256": _published(0, 24_488),
    "sun397": _published(0, 87_000),
    "country211": _published(0, 31_650),
    "rendered-sst2": _published(0, 6920),
    "kmnist": _published(28, 54_000),
    "qmnist": _published(28, 54_001),
    "emnist": _published(28, 101_520),
    "emnist-letters": _published(28, 112_320),
    "emnist-byclass": _published(28, 628_139),
    "usps": _published(16, 6562),
    "semeion": _published(16, 1275),
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
