"""The words of the `clr-tui` command: its commands, its options and what they take.

Nothing heavy is imported here, so that every `--help` is there at once. A mistake is a
`UserError` of one sentence; whether values fit together is for `engine.runs.check`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from clr_tui.engine.errors import UserError
from clr_tui.engine.runs.config import (
    MODELS,
    POLICIES,
    RangeTestConfig,
    TaskConfig,
    TrainConfig,
)
from clr_tui.tui.commands.help_words import (
    COMMAND_EXAMPLES,
    DESCRIPTION,
    DESCRIPTIONS,
    EXAMPLES,
    EXIT_CODES,
    epilog,
)
from clr_tui.tui.commands.parsing import Parser, real, whole

SHOWING = (None, "range-test", "train", "attach", "replay")
"""The commands that can open a screen."""

FACTOR = 6.0
"""max_lr / base_lr where nothing else says (Smith 2017, section 3.3: 3 or 4; the article: 6)."""


def _speed(text: str) -> float:
    """Events' own time, times this; infinity for `max`."""
    try:
        value = float("inf") if text == "max" else float(text)
    except ValueError:
        value = 0.0
    if not value > 0:
        raise UserError(f"--speed '{text}' is not a speed; give a number above 0 like 10, or max")
    return value


def _moment(text: str) -> float:
    """A part of the whole, 0 to 1."""
    try:
        value = float(text.removesuffix("%"))
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:
        raise UserError(f"--at '{text}' is not a moment of the run; give one from 0% to 100%")
    return value / 100


def _add_real(
    group: argparse._ActionsContainer, option: str, example: str, text: str, **kwargs: Any
) -> None:
    group.add_argument(option, type=real(option, example), metavar="X", help=text, **kwargs)


def _add_whole(group: argparse._ActionsContainer, option: str, example: str, text: str) -> None:
    group.add_argument(option, type=whole(option, example), metavar="N", help=text)


def _add_common(parser: Parser, command: str | None = None) -> None:
    """What every command takes, before its name or after it; shown where it makes a difference."""

    def default(value: Any) -> Any:
        return value if command is None else argparse.SUPPRESS

    def shown(text: str, commands: tuple[str | None, ...]) -> str:
        return text if command in commands else argparse.SUPPRESS

    group = parser.add_argument_group("all commands")
    group.add_argument(
        "--runs-dir",
        metavar="DIR",
        default=default(None),
        help="where runs are kept (default: $CLR_TUI_RUNS, else your state directory)",
    )
    group.add_argument(
        "--headless",
        action="store_true",
        default=default(False),
        help=shown("no screen: progress on stderr, the result on stdout", SHOWING),
    )
    if command != "export":  # whose --json takes a file
        group.add_argument(
            "--json",
            action="store_true",
            default=default(False),
            help="no screen: one JSON object on stdout, and nothing else there",
        )
    group.add_argument(
        "--version",
        action=_Version,
        dest=argparse.SUPPRESS,
        help=shown("print the version of clr-tui and leave", (None,)),
    )
    group.add_argument("-h", "--help", action="help", help="print this and leave")


def _add_task(parser: Parser) -> None:
    usual = TaskConfig()
    group = parser.add_argument_group("the task")
    group.add_argument(
        "--data",
        metavar="DIR",
        help=f"{usual.data} (embedded), or a folder of images, one folder a class"
        f" (default {usual.data})",
    )
    group.add_argument(
        "--model", metavar="NAME", help=f"{' or '.join(MODELS)} (default {usual.model})"
    )
    group.add_argument(
        "--weights",
        metavar="W",
        help=f"for resnet34: imagenet, none, or a file of weights (default {usual.weights})",
    )
    _add_whole(group, "--batch-size", "64", f"images a step (default {usual.batch_size})")
    _add_whole(
        group,
        "--image-size",
        "64",
        "side of the square images, pixels (default 8 for digits, else 64, or 224 for resnet34)",
    )
    _add_whole(group, "--seed", "0", f"the first seed (default {usual.seed})")
    group.add_argument(
        "--device", metavar="D", help=f"auto, cpu, mps, cuda or cuda:N (default {usual.device})"
    )
    group.add_argument(
        "--no-augment", action="store_true", help="do not shift, turn or flip the images"
    )


def _add_optimizer(group: argparse._ActionsContainer) -> None:
    usual = RangeTestConfig().optimizer
    group.add_argument("--optimizer", metavar="NAME", help=f"the optimizer (default {usual.name})")
    _add_real(group, "--momentum", "0.9", f"momentum of sgd (default {usual.momentum})")
    _add_real(group, "--weight-decay", "1e-4", f"weight decay (default {usual.weight_decay:g})")


def _add_detach(group: argparse._ActionsContainer) -> None:
    group.add_argument(
        "--detach",
        action="store_true",
        help="start it, print its id and return; clr-tui attach shows it",
    )


def _range_test(parser: Parser) -> None:
    usual = RangeTestConfig()
    group = parser.add_argument_group("the sweep")
    _add_real(group, "--start-lr", "1e-7", f"the first rate (default {usual.start_lr:g})")
    _add_real(group, "--end-lr", "1", f"the last rate (default {usual.end_lr:g})")
    _add_real(
        group,
        "--epochs",
        "2",
        f"its length in epochs, at least 100 steps (default {usual.epochs:g})",
    )
    _add_whole(group, "--steps", "200", "its length in steps, instead of --epochs")
    _add_whole(
        group, "--seeds", "3", f"sweeps, each with a seed of its own (default {usual.seeds})"
    )
    group.add_argument(
        "--accuracy",
        action="store_true",
        help="also measure accuracy on a validation subset (Smith's own reading)",
    )
    _add_optimizer(group)
    _add_detach(group)
    _add_task(parser)


def _train(parser: Parser) -> None:
    usual = TrainConfig(base_lr=1.0, max_lr=FACTOR)
    group = parser.add_argument_group("the training")
    group.add_argument(
        "--from",
        dest="parent",
        metavar="RUN",
        help="take the bounds and all settings from this range test, unless given here",
    )
    _add_real(group, "--base-lr", "6e-4", "the lower bound (default: the upper one / factor)")
    _add_real(
        group, "--max-lr", "3.6e-3", "the upper bound (default: what the range test recommends)"
    )
    _add_real(group, "--factor", "6", f"max_lr / base_lr (default {FACTOR:g})")
    group.add_argument(
        "--policy", metavar="NAME", help=f"{', '.join(POLICIES)} (default {usual.policy})"
    )
    _add_real(
        group,
        "--step-size-epochs",
        "4",
        f"half a cycle, in epochs (default {usual.step_size_epochs:g})",
    )
    _add_whole(
        group, "--epochs", "16", f"length, rounded up to whole cycles (default {usual.epochs})"
    )
    group.add_argument(
        "--no-whole-cycles", action="store_true", help="do not round the length to whole cycles"
    )
    _add_real(group, "--gamma", "0.99994", f"decay a step of exp-range (default {usual.gamma:g})")
    _add_optimizer(group)
    _add_detach(group)
    _add_task(parser)


def _attach(parser: Parser) -> None:
    parser.add_argument(
        "run",
        nargs="?",
        metavar="RUN",
        help="a run's id, or the beginning of it (default: the newest that goes on, else of all)",
    )


def _run(parser: Parser) -> None:
    parser.add_argument(
        "run", metavar="RUN", help="its id as clr-tui ls shows it, or the beginning of it"
    )


def _remove(parser: Parser) -> None:
    _run(parser)
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")


def _replay(parser: Parser) -> None:
    parser.add_argument(
        "run",
        metavar="RUN|PATH",
        help="a run's id, its folder, an events.jsonl, or a CSV of step,lr,loss",
    )
    parser.add_argument(
        "--speed", type=_speed, metavar="N|max", help="how many times as fast (default 1)"
    )
    parser.add_argument(
        "--at",
        type=_moment,
        metavar="PART",
        help="begin there, as at 50%%; without a screen: what was known there",
    )
    parser.add_argument("--svg", metavar="FILE", help="no screen: also write the chart to FILE")


def _export(parser: Parser) -> None:
    parser.add_argument(
        "run", metavar="RUN|PATH", help="a run's id, its folder, an events.jsonl, or a CSV"
    )
    group = parser.add_argument_group("files ('-' is stdout)")
    group.add_argument("--csv", metavar="FILE", help="every step: trial,step,epoch,lr,loss,...")
    group.add_argument("--epochs-csv", metavar="FILE", help="every epoch of a training")
    group.add_argument("--svg", metavar="FILE", help="the chart, as vectors")
    group.add_argument("--json", dest="json_file", metavar="FILE", help="the result")


def _nothing(parser: Parser) -> None:
    """A command without options of its own."""


COMMANDS: dict[str, tuple[str, str, Callable[[Parser], None]]] = {
    "range-test": ("[OPTION]...", "sweep the learning rate and find its bounds", _range_test),
    "train": (
        "--from RUN | --max-lr X [OPTION]...",
        "train with cyclical learning rates between two bounds",
        _train,
    ),
    "attach": ("[RUN] [OPTION]...", "show a run that goes on, or one that ended", _attach),
    "ls": ("[OPTION]...", "list the runs", _nothing),
    "stop": ("RUN", "stop a run in order (a training saves a checkpoint)", _run),
    "rm": ("RUN [--yes]", "remove a run that has ended (asks)", _remove),
    "replay": ("RUN|PATH [OPTION]...", "show a run, or a log, from its beginning", _replay),
    "export": (
        "RUN|PATH [--csv|--epochs-csv|--svg|--json FILE]...",
        "write a run's steps, chart or result to files",
        _export,
    ),
}
"""Usage, purpose and options of each command."""


class _Version(argparse.Action):
    """Prints the version and leaves; it is looked up only then."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(nargs=0, **kwargs)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from clr_tui.tui.launching import package_version

        print(f"clr-tui {package_version()}")
        parser.exit()


def build_parser() -> Parser:
    """The parser of the whole command."""
    parser = Parser(
        prog="clr-tui",
        usage="clr-tui [COMMAND] [OPTION]...",
        description=DESCRIPTION,
        epilog=f"{epilog(EXAMPLES)}\n\n{EXIT_CODES}",
        add_help=False,
    )
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", title="commands", prog="clr-tui"
    )
    _add_common(parser)
    for name, (usage, text, add_options) in COMMANDS.items():
        parser.commands[name] = command = commands.add_parser(
            name,
            usage=f"clr-tui {name} {usage}",
            help=text,
            description=DESCRIPTIONS[name],
            epilog=epilog(COMMAND_EXAMPLES[name]),
            add_help=False,
        )
        add_options(command)
        _add_common(command, name)
    return parser
