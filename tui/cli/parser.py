"""The words of the `clr-tui` command: its commands, its options and what they take.

Nothing heavy is imported here, so that every `--help` is there at once. A mistake is a
`UserError` of one sentence; whether values fit together is for `engine.settings.check`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any

from clr_tui.tui.cli.defaults import (
    COMPARE,
    POLICIES,
    RANGE_TEST,
    RATES,
    SEEDS,
    STUDIES,
    TRAIN,
)
from clr_tui.tui.cli.help_text import (
    COMMAND_EXAMPLES,
    DESCRIPTION,
    DESCRIPTIONS,
    EXAMPLES,
    EXIT_CODES,
    epilog,
)
from clr_tui.tui.cli.option_groups import (
    add_detach,
    add_optimizer,
    add_real,
    add_schedule,
    add_task,
    add_whole,
)
from clr_tui.tui.cli.parsing import Parser, accuracy, moment, rates, speed

SHOWING = (None, "range-test", "train", "compare", "attach", "replay")
"""The commands that can open a screen."""


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


def _range_test(parser: Parser) -> None:
    group = parser.add_argument_group("the sweep")
    add_real(group, "--start-lr", "1e-7", f"the first rate (default {RANGE_TEST.start_lr:g})")
    add_real(group, "--end-lr", "1", f"the last rate (default {RANGE_TEST.end_lr:g})")
    add_real(
        group,
        "--epochs",
        "2",
        f"its length in epochs, at least 100 steps (default {RANGE_TEST.epochs:g})",
    )
    add_whole(group, "--steps", "200", "its length in steps, instead of --epochs")
    add_whole(
        group, "--seeds", "3", f"sweeps, each with a seed of its own (default {RANGE_TEST.seeds})"
    )
    group.add_argument(
        "--accuracy",
        action="store_true",
        help="also measure accuracy on a validation subset (Smith's own reading)",
    )
    add_optimizer(group)
    add_detach(group)
    add_task(parser)


def _train(parser: Parser) -> None:
    group = parser.add_argument_group("the training")
    group.add_argument(
        "--from",
        dest="parent",
        metavar="RUN",
        help="take the bounds and all settings from this range test, unless given here",
    )
    add_real(group, "--base-lr", "6e-4", "the lower bound (default: the upper one / factor)")
    add_real(
        group, "--max-lr", "3.6e-3", "the upper bound (default: what the range test recommends)"
    )
    group.add_argument(
        "--policy", metavar="NAME", help=f"{', '.join(POLICIES)} (default {TRAIN.policy})"
    )
    add_schedule(group)
    add_whole(
        group, "--epochs", "16", f"length, rounded up to whole cycles (default {TRAIN.epochs})"
    )
    group.add_argument(
        "--no-whole-cycles", action="store_true", help="do not round the length to whole cycles"
    )
    add_optimizer(group)
    add_detach(group)
    add_task(parser)


def _compare(parser: Parser) -> None:
    group = parser.add_argument_group("the optimizers")
    group.add_argument(
        "--optimizers",
        metavar="LIST",
        help="with commas between them, each a class of torch.optim or package.module:Class, with"
        " options as 'adamw(weight_decay=0.05)' and a policy as sgd+clr or adam+one-cycle (default:"
        " the six of the article)",
    )
    group.add_argument(
        "--lr",
        type=rates("--lr", RATES),
        metavar="default|tuned|X",
        help="default: torch's own rates (a policy has none, and is tuned); tuned: a range test"
        " each, of one length; or the rate of all that name none (default default)",
    )
    add_schedule(group)
    group.add_argument(
        "--study",
        metavar="NAME",
        help=f"the article's comparison on the model {' or '.join(STUDIES)}, {SEEDS} seeds;"
        " other options go over it",
    )
    _add_trials(parser.add_argument_group("the trials"))
    group.add_argument(
        "--from", dest="parent", metavar="RUN", help="take the task of this run, unless given here"
    )
    add_task(parser)


def _add_trials(group: argparse._ActionsContainer) -> None:
    add_whole(group, "--seeds", "3", f"trials of each optimizer (default {COMPARE.seeds})")
    add_whole(
        group,
        "--epochs",
        "16",
        f"length of each, rounded up to whole cycles (default {COMPARE.epochs})",
    )
    group.add_argument(
        "--whole-cycles",
        action=argparse.BooleanOptionalAction,
        help="round the length to whole cycles, or not (default: rounded, but in a study)",
    )
    group.add_argument(
        "--target",
        type=accuracy,
        metavar="X%",
        help="an accuracy on validation, as 65%% or 0.65: how long each needs to reach it is told",
    )
    add_whole(
        group, "--jobs", "2", "trials side by side (default: as cores, GPUs and memory allow)"
    )
    add_whole(group, "--threads", "1", f"CPU threads of each (default {COMPARE.threads})")
    add_detach(group)


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
        help="a run's id, its folder, an events.jsonl, or a CSV: of step,lr,loss, or of the curves"
        " of a comparison",
    )
    parser.add_argument(
        "--speed", type=speed("--speed"), metavar="N|max", help="how many times as fast (default 1)"
    )
    parser.add_argument(
        "--at",
        type=moment("--at"),
        metavar="PART",
        help="begin there, as at 50%%; without a screen: what was known there",
    )
    parser.add_argument(
        "--target",
        type=accuracy,
        metavar="X%",
        help="of a comparison: tell how long each needs to reach this accuracy, as 65%% or 0.65",
    )
    parser.add_argument("--svg", metavar="FILE", help="no screen: also write the chart to FILE")


def _export(parser: Parser) -> None:
    parser.add_argument(
        "run", metavar="RUN|PATH", help="a run's id, its folder, an events.jsonl, or a CSV"
    )
    group = parser.add_argument_group("files ('-' is stdout)")
    group.add_argument(
        "--csv",
        metavar="FILE",
        help="every step: trial,step,epoch,lr,loss,... (on the screen: e, a name ending in .csv)",
    )
    group.add_argument("--epochs-csv", metavar="FILE", help="every epoch of every training")
    group.add_argument(
        "--curves-csv",
        metavar="FILE",
        help="of a comparison: optimizer,seed,epoch,train_acc,..., which replays as one (on the "
        "screen: e, a name ending in curves.csv)",
    )
    group.add_argument("--markdown", metavar="FILE", help="of a comparison: its table")
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
    "compare": (
        "[OPTION]...",
        "train with several optimizers, some seeds each, and compare them",
        _compare,
    ),
    "attach": ("[RUN] [OPTION]...", "show a run that goes on, or one that ended", _attach),
    "ls": ("[OPTION]...", "list the runs", _nothing),
    "stop": ("RUN", "stop a run in order (a training saves a checkpoint)", _run),
    "rm": ("RUN [--yes]", "remove a run that has ended (asks)", _remove),
    "replay": ("RUN|PATH [OPTION]...", "show a run, or a log, from its beginning", _replay),
    "export": (
        "RUN|PATH [--csv|--epochs-csv|--curves-csv|--markdown|--svg|--json FILE]...",
        "write a run's steps, curves, chart or result to files",
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
    """The parser of the whole command. Its commands get their options when they are asked for."""
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
        command = commands.add_parser(
            name,
            usage=f"clr-tui {name} {usage}",
            help=text,
            description=DESCRIPTIONS[name],
            epilog=epilog(COMMAND_EXAMPLES[name]),
            add_help=False,
        )
        parser.commands[name] = command
        parser.unbuilt[name] = partial(_build, command, name, add_options)
    return parser


def _build(parser: Parser, name: str, add_options: Callable[[Parser], None]) -> None:
    add_options(parser)
    _add_common(parser, name)
