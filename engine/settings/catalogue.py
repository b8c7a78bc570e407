"""The data sets and models that have names, each described once.

Readers and builders are "module:function", imported by `by_name.named` when a task is loaded:
settings must not import torch.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import NamedTuple

from clr_tui.engine.errors import UserError, did_you_mean
from clr_tui.engine.settings.limits import shown

_TASKS = "clr_tui.engine.tasks"
IMAGENET, NO_WEIGHTS = "imagenet", "none"
WEIGHTS = (IMAGENET, NO_WEIGHTS)
"""The weights that have names; all others are paths."""
ALL_BUT_LAST, NO_FREEZING = "all-but-last", "none"
"""What to freeze, if not up to a layer."""


class Source(NamedTuple):
    """A data set with a name. All other data is a folder of images, given by its path."""

    image_size: int
    """The default side of its images, pixels; 0 if that depends on the model, as for folders."""
    train: int | None
    """The number of training images, or a little more: no batch can be larger. None: unknown."""
    read: str
    """`(name, size, Progress, Notify, cache_dir: Path | None) -> Dataset`, of any image size."""


class Model(NamedTuple):
    """A model that can be trained."""

    title: str
    image_size: int
    """The default side of images from a folder, pixels."""
    build: str
    """`(channels, image_size, classes) -> Module`, with random weights."""
    library_name: str = ""
    """What its library calls it; if given, `build` takes it as its first argument."""
    published: str = ""
    """`(library_name, image_size) -> PublishedWeights`: its ImageNet weights, if it has any."""
    rgb: bool = False
    """Whether it takes three channels: grey images are repeated."""
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
    "sun397": _published(0, 87_100),
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
HUGGING_FACE = "hf:"
"""Before the names of data sets of Hugging Face."""


def source_of(data: str) -> Source | None:
    """The data set of this name; None if it is the path of a folder."""
    if data.startswith(HUGGING_FACE):
        return Source(0, None, f"{_TASKS}.hugging_face:read_hugging_face")
    return SOURCES.get(data)


_BY_SIZE = {
    224: """
        alexnet convnext_base convnext_large convnext_small convnext_tiny densenet121 densenet161
        densenet169 densenet201 efficientnet_b0 googlenet maxvit_t mnasnet0_5 mnasnet0_75 mnasnet1_0
        mnasnet1_3 mobilenet_v2 mobilenet_v3_large mobilenet_v3_small regnet_x_16gf regnet_x_1_6gf
        regnet_x_32gf regnet_x_3_2gf regnet_x_400mf regnet_x_800mf regnet_x_8gf regnet_y_16gf
        regnet_y_1_6gf regnet_y_32gf regnet_y_3_2gf regnet_y_400mf regnet_y_800mf regnet_y_8gf
        resnet101 resnet152 resnet18 resnet34 resnet50 resnext101_32x8d resnext101_64x4d
        resnext50_32x4d shufflenet_v2_x0_5 shufflenet_v2_x1_0 shufflenet_v2_x1_5 shufflenet_v2_x2_0
        squeezenet1_0 squeezenet1_1 swin_b swin_s swin_t vgg11 vgg11_bn vgg13 vgg13_bn vgg16
        vgg16_bn vgg19 vgg19_bn vit_b_16 vit_b_32 vit_l_16 vit_l_32 wide_resnet101_2
        wide_resnet50_2
        """,
    240: "efficientnet_b1",
    256: "swin_v2_b swin_v2_s swin_v2_t",
    288: "efficientnet_b2",
    299: "inception_v3",
    300: "efficientnet_b3",
    380: "efficientnet_b4",
    384: "efficientnet_v2_s regnet_y_128gf",
    456: "efficientnet_b5",
    480: "efficientnet_v2_l efficientnet_v2_m",
    518: "vit_h_14",
    528: "efficientnet_b6",
    600: "efficientnet_b7",
}
"""torchvision's classifiers by the side of the images, pixels, that its newest weights expect."""
TORCHVISION = {
    name: Model(
        title=name,
        image_size=size,
        build=f"{_TASKS}.torchvision_models:build_torchvision",
        library_name=name,
        published=f"{_TASKS}.torchvision_models:published_by_torchvision",
        rgb=True,
    )
    for size, names in _BY_SIZE.items()
    for name in names.split()
}
"""All of torchvision's classifiers, as it makes them."""
MODELS = {
    "cnn": Model(
        title="CNN",
        image_size=64,
        build=f"{_TASKS}.cnn:build_cnn",
        study_epochs=150,
    ),
    **TORCHVISION,
    "resnet34": TORCHVISION["resnet34"]._replace(
        title="ResNet34",
        build=f"{_TASKS}.resnet34:build_resnet34",
        frozen=True,
        study_epochs=100,
    ),
}
STUDIES = tuple(name for name, model in MODELS.items() if model.study_epochs)
"""The studies of the article, named after their models: see `engine.settings.studies`."""
TIMM = "timm:"
"""Before the name of one of timm's models."""


def model_named(name: str, freeze: str = "") -> Model:
    """The model of a `TaskConfig`; timm's own names are not checked, which would import torch.

    Args:
        freeze: what to freeze. If given, a preset with frozen layers is torchvision's own model.

    Raises:
        UserError: there is no such model, or timm is not installed (field "model").
    """
    if freeze and name in TORCHVISION:
        return TORCHVISION[name]
    if name in MODELS:
        return MODELS[name]
    if not name.startswith(TIMM):
        others = ": give cnn, a classifier of torchvision such as resnet18, or timm:NAME"
        near = did_you_mean(name.lower(), MODELS)
        raise UserError(f"no model '{shown(name)}'{near or others}", "model")
    library_name = name[len(TIMM) :]
    if not library_name:
        raise UserError("the name after timm: is missing: give one such as timm:resnet18", "model")
    if find_spec("timm") is None:
        words = "needs timm, which is not installed here: pip install timm"
        raise UserError(f"the model '{name}' {words}", "model")
    return Model(
        title=library_name,
        image_size=224,
        build=f"{_TASKS}.timm_models:build_timm",
        library_name=library_name,
        published=f"{_TASKS}.timm_models:published_by_timm",
        rgb=True,
    )
