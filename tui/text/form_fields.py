"""The settings of the new-run form, in one table.

They are named as in the configuration, which every `UserError` names too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import get_args

from clr_tui.engine.settings.config import MODELS, POLICIES, Rates
from clr_tui.engine.settings.entries import article_entries

Values = Mapping[str, str]
"""The text of every setting, by its name."""
RANGE_TEST, TRAINING, COMPARISON = "range test", "training", "comparison"
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


def is_comparison(values: Values) -> bool:
    """Whether a comparison is asked for."""
    return values["kind"] == COMPARISON


def has_one_optimizer(values: Values) -> bool:
    """Whether the optimizer is one whose options stand in fields of their own."""
    return not is_comparison(values)


def has_step_size(values: Values) -> bool:
    """Whether there may be cycles."""
    return is_training(values) or is_comparison(values)


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
        "Find the bounds of the learning rate; train between them; compare optimizers.",
        RANGE_TEST,
        (RANGE_TEST, TRAINING, COMPARISON),
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
_CONTESTANTS = (
    Setting(
        "optimizers",
        "optimizers",
        "As adam, sgd(lr=0.1)+clr, adamw(weight_decay=0.05)+one-cycle, my.module:Opt.",
        ", ".join(entry.label for entry in article_entries()),
        when=is_comparison,
    ),
    Setting(
        "compare_seeds",
        "seeds",
        "Trials of each optimizer, a seed each; two are needed for an interval.",
        "3",
        when=is_comparison,
    ),
    Setting(
        "rates",
        "rates",
        "Where there is no lr=: torch's default (a policy is tuned), or all tuned.",
        "default",
        get_args(Rates),
        when=is_comparison,
    ),
    Setting(
        "compare_epochs",
        "epochs",
        "Length of each trial; where one has cycles, whole cycles for all.",
        "16",
        when=is_comparison,
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
        when=has_step_size,
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
_COMPARISON = (
    Setting(
        "target",
        "target",
        "Accuracy, the way to which is timed, as 65% or 0.65; empty: none.",
        placeholder="none",
        when=is_comparison,
    ),
    Setting(
        "jobs",
        "jobs",
        "Trials side by side; empty: as many as cores, GPUs and memory allow.",
        placeholder="auto",
        when=is_comparison,
    ),
)
_REST = (
    Setting(
        "momentum",
        "momentum",
        "Of SGD, from 0 to below 1.",
        "0.9",
        when=has_one_optimizer,
    ),
    Setting(
        "weight_decay",
        "weight decay",
        "L2 penalty on the weights; 0 is none.",
        "0",
        when=has_one_optimizer,
    ),
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
    return (*_TASK, *_SWEEP, *_CONTESTANTS, *_TRAINING, *_COMPARISON, *_REST, device)
