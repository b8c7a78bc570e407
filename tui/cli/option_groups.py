"""Options that several commands share."""

from __future__ import annotations

import argparse
from typing import Any

from clr_tui.tui.cli.defaults import MODELS, OPTIMIZER, TASK, TRAIN
from clr_tui.tui.cli.parsing import Parser, real, whole

FACTOR = 6.0
"""max_lr / base_lr where nothing else says (Smith 2017, section 3.3: 3 or 4; the article: 6)."""


def add_real(
    group: argparse._ActionsContainer, option: str, example: str, text: str, **kwargs: Any
) -> None:
    """An option that takes a number."""
    group.add_argument(option, type=real(option, example), metavar="X", help=text, **kwargs)


def add_whole(group: argparse._ActionsContainer, option: str, example: str, text: str) -> None:
    """An option that takes a whole number."""
    group.add_argument(option, type=whole(option, example), metavar="N", help=text)


def add_task(parser: Parser) -> None:
    """What is trained, and on what."""
    group = parser.add_argument_group("the task")
    group.add_argument(
        "--data",
        metavar="DIR",
        help=f"{TASK.data} (embedded), or a folder of images, one folder a class"
        f" (default {TASK.data})",
    )
    group.add_argument(
        "--model", metavar="NAME", help=f"{' or '.join(MODELS)} (default {TASK.model})"
    )
    group.add_argument(
        "--weights",
        metavar="W",
        help=f"for resnet34: imagenet, none, or a file of weights (default {TASK.weights})",
    )
    add_whole(group, "--batch-size", "64", f"images a step (default {TASK.batch_size})")
    add_whole(
        group,
        "--image-size",
        "64",
        "side of the square images, pixels (default 8 for digits, else 64, or 224 for resnet34)",
    )
    add_whole(group, "--seed", "0", f"the first seed (default {TASK.seed})")
    group.add_argument(
        "--device", metavar="D", help=f"auto, cpu, mps, cuda or cuda:N (default {TASK.device})"
    )
    group.add_argument(
        "--no-augment", action="store_true", help="do not shift, turn or flip the images"
    )
    group.add_argument(
        "--compile",
        action="store_true",
        help="on CUDA, train through torch.compile: for long runs, since compiling takes a while",
    )


def add_optimizer(group: argparse._ActionsContainer) -> None:
    """The optimizer of a sweep or a training."""
    group.add_argument(
        "--optimizer",
        metavar="NAME",
        help="a class of torch.optim, or package.module:Class; with options as"
        f" 'adamw(weight_decay=0.05)' (default {OPTIMIZER.name})",
    )
    add_real(group, "--momentum", "0.9", f"momentum of sgd (default {OPTIMIZER.momentum})")
    add_real(group, "--weight-decay", "1e-4", "weight decay (default: the optimizer's own)")


def add_schedule(group: argparse._ActionsContainer) -> None:
    """How the rate of a policy moves."""
    add_real(group, "--factor", "6", f"upper / lower bound of a policy (default {FACTOR:g})")
    add_real(
        group,
        "--step-size-epochs",
        "4",
        f"half a cycle, in epochs (default {TRAIN.step_size_epochs:g})",
    )
    add_real(group, "--gamma", "0.99994", f"decay a step of exp-range (default {TRAIN.gamma:g})")


def add_detach(group: argparse._ActionsContainer) -> None:
    """Whether to stay with the run."""
    group.add_argument(
        "--detach",
        action="store_true",
        help="start it, print its id and return; clr-tui attach shows it",
    )
