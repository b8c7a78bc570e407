"""The data sets and the models that are known by name, each described once.

Readers and builders are given as "module:function" and imported by `by_name.named` only where a
task is loaded: settings must not load torch.
"""

from __future__ import annotations

from typing import NamedTuple

_TASKS = "clr_tui.engine.tasks"
WEIGHTS = ("imagenet", "none")
"""The weights that are known by name; all others are paths."""


class Source(NamedTuple):
    """A data set that is known by name. What is no such name is the path of a folder of images."""

    help: str
    """Where it is from, in a word or two."""
    image_size: int
    """The side of its images where none is asked for, pixels."""
    train: int
    """Images in its training part."""
    read: str
    """`(size: int, Progress, Notify, cache_dir: Path | None) -> Dataset`; its images may have
    another size, since they are resized."""


class Model(NamedTuple):
    """A model that can be trained."""

    title: str
    """As people write it."""
    help: str
    """What it is, in half a line."""
    image_size: int
    """The side of the images that a folder is decoded to where none is asked for, pixels."""
    build: str
    """`(channels, image_size, classes) -> Module`, drawn at random; where the model has weights to
    load, what `weights` read comes before these."""
    weights: str = ""
    """`(str, Progress) -> object`: reads the initial weights, None for "none". Such a model takes
    colour images, normalised as in ImageNet where weights are given. Empty: has none to load."""
    frozen: bool = False
    """Whether its first layers are frozen (a `FrozenTrunk`), so that their output can be kept."""
    study_epochs: int = 0
    """Epochs of the article's study of this model; 0: there is none."""


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
