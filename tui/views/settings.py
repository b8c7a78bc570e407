"""The settings of the new-run form, in one table.

They are named as in the configuration, which every `UserError` names too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from clr_tui.engine.runs.config import MODELS, POLICIES

Values = Mapping[str, str]
"""The text of every setting, by its name."""
RANGE_TEST, TRAINING = "range test", "training"
ON, OFF = "on", "off"


@dataclass(frozen=True)
class Setting:
    """One line of the form."""

    name: str
    label: str
    hint: str
    """What it means and what may stand there: one line."""
    default: str = ""
    choices: tuple[str, ...] = ()
    """What may be chosen; empty: it is typed."""
    placeholder: str = ""
    when: Callable[[Values], bool] = lambda _: True
    """Whether it plays a part, as the other fields stand."""


def is_range_test(values: Values) -> bool:
    """Whether a range test is asked for."""
    return values["kind"] == RANGE_TEST


def is_training(values: Values) -> bool:
    """Whether a training is asked for."""
    return values["kind"] == TRAINING


def decays(values: Values) -> bool:
    """Whether the policy is one that gamma plays a part in."""
    return is_training(values) and values["policy"].startswith("exp-range")


def loads_weights(values: Values) -> bool:
    """Whether the model begins with weights from somewhere."""
    return values["model"] == "resnet34"


_TASK = (
    Setting(
        "kind",
        "kind",
        "A range test finds the bounds of the learning rate; training uses them.",
        RANGE_TEST,
        (RANGE_TEST, TRAINING),
    ),
    Setting(
        "data",
        "data",
        "'digits' comes with clr-tui; else a folder of images, one folder a class.",
        "digits",
        placeholder="digits, or a folder",
    ),
    Setting(
        "model",
        "model",
        "A small CNN for any image size, or ResNet34, frozen but for its last block.",
        "cnn",
        MODELS,
    ),
    Setting(
        "weights",
        "weights",
        "What ResNet34 begins with: imagenet, none, or the path of a state dict.",
        "imagenet",
        placeholder="imagenet, none, or a file",
        when=loads_weights,
    ),
    Setting(
        "image_size",
        "image size",
        "Side of the square images, pixels; empty: 8 for digits, else 64 (CNN) or 224.",
        placeholder="auto",
    ),
    Setting("batch_size", "batch size", "Images a step.", "64"),
)
_SWEEP = (
    Setting(
        "start_lr",
        "start lr",
        "The sweep begins at this learning rate: so low that nothing is learned.",
        "1e-7",
        when=is_range_test,
    ),
    Setting(
        "end_lr",
        "end lr",
        "The sweep ends here, or earlier where the loss diverges.",
        "1",
        when=is_range_test,
    ),
    Setting(
        "epochs",
        "epochs",
        "Length of a sweep; it takes 100 steps at least.",
        "2",
        when=is_range_test,
    ),
    Setting(
        "steps",
        "steps",
        "Length of a sweep in steps, instead of in epochs.",
        placeholder="by epochs",
        when=is_range_test,
    ),
    Setting(
        "seeds",
        "seeds",
        "So many sweeps, each from new weights: a median curve and a band.",
        "1",
        when=is_range_test,
    ),
    Setting(
        "accuracy",
        "accuracy",
        "Also measure accuracy on a fixed validation subset: Smith's own reading.",
        OFF,
        (ON, OFF),
        when=is_range_test,
    ),
)
_TRAINING = (
    Setting(
        "base_lr",
        "base lr",
        "The lower bound of the learning rate, some 6 times below max lr.",
        "6e-4",
        when=is_training,
    ),
    Setting(
        "max_lr",
        "max lr",
        "The upper bound; a range test tells where it should be.",
        "3.6e-3",
        when=is_training,
    ),
    Setting(
        "policy",
        "policy",
        "How the learning rate moves between its bounds.",
        "triangular",
        POLICIES,
        when=is_training,
    ),
    Setting(
        "step_size_epochs",
        "step size",
        "Half a cycle, in epochs (Smith: 2 to 10).",
        "4",
        when=is_training,
    ),
    Setting(
        "train_epochs",
        "epochs",
        "Length of the training, rounded up to whole cycles.",
        "16",
        when=is_training,
    ),
    Setting(
        "gamma",
        "gamma",
        "What exp-range multiplies by, a step.",
        "0.99994",
        when=decays,
    ),
)
_REST = (
    Setting("momentum", "momentum", "Of SGD, from 0 to below 1.", "0.9"),
    Setting("weight_decay", "weight decay", "L2 penalty on the weights; 0 is none.", "0"),
    Setting(
        "augment",
        "augmentation",
        "Each image its own small shift and rotation; photos are flipped as well.",
        ON,
        (ON, OFF),
    ),
    Setting(
        "seed",
        "first seed",
        "The same seed means the same weights, order and augmentation.",
        "0",
    ),
)


def settings(devices: tuple[str, ...]) -> tuple[Setting, ...]:
    """All of them in their order.

    Args:
        devices: what this machine has, as torch names it.
    """
    device = Setting(
        "device",
        "device",
        "Where it runs; auto takes the fastest there is.",
        "auto",
        ("auto", *devices),
    )
    return (*_TASK, *_SWEEP, *_TRAINING, *_REST, device)
