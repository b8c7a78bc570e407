"""The commands and options of `clr-tui`.

Nothing heavy is imported here, so that `--help` is instant. A mistake raises a `UserError` of
one sentence; `engine.settings.check` tests whether the values fit together.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any

from clr_tui.engine.errors import UserError
from clr_tui.tui.cli.help_text import (
    COMMAND_EXAMPLES,
    DESCRIPTION,
    DESCRIPTIONS,
    EXAMPLES,
    EXIT_CODES,
    epilog,
)
from clr_tui.tui.cli.parsing import Parser, add_detach, count, notify_way, replay_position, speed
from clr_tui.tui.kinds.registry import KINDS, Kind, kinds_with_command

SCREEN_COMMANDS = (None, *kinds_with_command(), "resume", "attach", "watch", "replay")
NOTIFY_COMMANDS = (None, *kinds_with_command(), "resume", "attach", "watch", "wait")


def _add_common(parser: Parser, command: str | None = None) -> None:
    """Add the options that every command takes, before or after its name; help only if useful."""

    def default(value: Any) -> Any:
        return value if command is None else argparse.SUPPRESS

    def shown(text: str, commands: tuple[str | None, ...]) -> str:
        return text if command in commands else argparse.SUPPRESS

    group = parser.add_argument_group("common options")
    group.add_argument(
        "--runs-dir",
        metavar="DIR",
        default=default(None),
        help="where runs are stored (default: $CLR_TUI_RUNS, else your state directory)",
    )
    group.add_argument(
        "--headless",
        action="store_true",
        default=default(False),
        help=shown("no screen: print progress on stderr and the result on stdout", SCREEN_COMMANDS),
    )
    if command in NOTIFY_COMMANDS:
        group.add_argument(
            "--notify",
            metavar="HOW",
            type=notify_way,
            action="append",
            default=default(None),
            help="tell when a run ends, diverges or falls silent: bell, desktop (a note, also"
            " through SSH) or a command, which finds $CLR_TUI_MESSAGE; may be repeated",
        )
    if command != "export":  # whose --json takes a file
        group.add_argument(
            "--json",
            action="store_true",
            default=default(False),
            help="no screen: print one JSON object on stdout, and nothing else there",
        )
    group.add_argument(
        "--version",
        action=_Version,
        dest=argparse.SUPPRESS,
        help=shown("show the version and exit", (None,)),
    )
    group.add_argument("-h", "--help", action="help", help="show this help and exit")


def _attach(parser: Parser) -> None:
    parser.add_argument(
        "run",
        nargs="?",
        metavar="RUN",
        help="a run's id, or the start of it (default: the newest running run, else the newest)",
    )


def _run(parser: Parser) -> None:
    parser.add_argument(
        "run", metavar="RUN", help="the run's id as listed by clr-tui ls, or the start of it"
    )


def _resume(parser: Parser) -> None:
    _run(parser)
    parser.add_argument(
        "--epochs",
        type=count,
        metavar="N",
        help="train longer than was asked for: N epochs in all, where the policy allows it",
    )
    add_detach(parser)


def _remove(parser: Parser) -> None:
    _run(parser)
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask for confirmation")


def _watch(parser: Parser) -> None:
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="a file, a folder, a pattern, or a run (default: the logs in the working directory)",
    )
    parser.add_argument(
        "--follow",
        action="store_true",
        help="no screen: print lines on stderr as values come, until Ctrl-C",
    )
    _add_as(parser, "no longer live: take what is there now for a run of this kind")
    _add_mapping(parser)


def _kind_of_run(text: str) -> str:
    """Read the kind of run that `--as` gives, by its title or its name in the engine."""
    titles = {kind.title.replace(" ", "-"): name for name, kind in KINDS.items()}
    if text not in titles and text not in KINDS:
        raise UserError(f"--as '{text}' is no kind of run; there are {', '.join(titles)}")
    return titles.get(text, text)


def _add_as(parser: Parser, what: str) -> None:
    parser.add_argument(
        "--as",
        dest="kind",
        type=_kind_of_run,
        metavar="KIND",
        help=f"{what}: range-test, comparison, or logged-run (values as they are)",
    )


def _add_mapping(parser: Parser) -> None:
    parser.add_argument(
        "--x",
        metavar="COLUMN",
        help="the column of another tool's log that counts its rows (default: found by its name)",
    )
    parser.add_argument(
        "--y",
        metavar="COLUMN",
        action="append",
        help="a column to show, and no others; may be given several times",
    )


def _replay(parser: Parser) -> None:
    parser.add_argument(
        "run",
        metavar="RUN|PATH",
        help="a run's id or folder, an events.jsonl, a CSV of step,lr,loss or of a comparison's"
        " curves, or another tool's log",
    )
    parser.add_argument(
        "--speed",
        type=speed,
        metavar="N|max",
        help="playback speed: 10 is ten times as fast (default: 1)",
    )
    parser.add_argument(
        "--at",
        type=replay_position,
        metavar="PART",
        help="start there, for example at 50%%; without a screen: print the result up to there",
    )
    from dataclasses import replace

    from clr_tui.engine.settings.config import Compare
    from clr_tui.engine.settings.table import setting_of
    from clr_tui.tui.cli.job_options import add_setting

    target = setting_of(Compare, "target")
    add_setting(parser, replace(target, help=f"for a comparison: {target.help}"))
    parser.add_argument("--svg", metavar="FILE", help="no screen: also write the charts to FILE")
    _add_as(parser, "what to take another tool's log for (default: what fits)")
    _add_mapping(parser)


def _import(parser: Parser) -> None:
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="another tool's log, a folder of some, a CSV, or a run's folder from another machine",
    )
    _add_mapping(parser)


def _export(parser: Parser) -> None:
    parser.add_argument(
        "run",
        metavar="RUN|PATH",
        help="a run's id or folder, an events.jsonl, a CSV, or another tool's log",
    )
    _add_as(parser, "what to take another tool's log for (default: what fits)")
    _add_mapping(parser)
    group = parser.add_argument_group("files to write ('-' for stdout)")
    group.add_argument(
        "--csv",
        metavar="FILE",
        help="every step: trial,step,epoch,lr,loss,... (on the screen: press e, name it *.csv)",
    )
    group.add_argument("--epochs-csv", metavar="FILE", help="every epoch of every training")
    group.add_argument(
        "--curves-csv",
        metavar="FILE",
        help="a comparison's curves: optimizer,seed,epoch,train_acc,...; clr-tui replay reads them "
        "(on the screen: press e, name it *curves.csv)",
    )
    group.add_argument(
        "--rates-csv",
        metavar="FILE",
        help="a grid's rates: optimizer,lr,state,mean,... (on the screen: press e, name it "
        "*rates.csv)",
    )
    group.add_argument("--markdown", metavar="FILE", help="a comparison's table")
    group.add_argument("--svg", metavar="FILE", help="the charts, as vector graphics")
    group.add_argument("--png", metavar="FILE", help="the charts, as pixels; needs Pillow")
    group.add_argument("--json", dest="json_file", metavar="FILE", help="the result")
    group.add_argument(
        "--tensorboard",
        metavar="DIR",
        help="event files of TensorBoard, in a folder of the run's name in DIR",
    )


def _report(parser: Parser) -> None:
    parser.add_argument(
        "run",
        metavar="RUN|PATH",
        help="a run's id or folder, an events.jsonl, a CSV, or another tool's log",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        default="-",
        help="where to write it: NAME.md or NAME.html (default: Markdown to stdout)",
    )
    parser.add_argument(
        "--html", action="store_true", help="HTML with the charts as pictures, in one file"
    )
    _add_as(parser, "what to take another tool's log for (default: what fits)")
    _add_mapping(parser)


def _new_task(parser: Parser) -> None:
    from clr_tui.tui.cli.new_task import KINDS as TASK_KINDS
    from clr_tui.tui.cli.new_task import kind_named

    parser.add_argument("file", metavar="FILE.py", help="the file to write; it must not exist")
    parser.add_argument(
        "--kind",
        type=kind_named,
        metavar="KIND",
        default=TASK_KINDS[0],
        help=f"the kind of task: {', '.join(TASK_KINDS)} (default: {TASK_KINDS[0]})",
    )


COMMANDS: dict[str, tuple[str, str, Callable[[Parser], None]]] = {
    "attach": ("[RUN] [OPTION]...", "show a run, live if it is still running", _attach),
    "ls": ("[OPTION]...", "list the runs", lambda parser: None),
    "wait": ("[RUN] [OPTION]...", "wait for the end of a run, for scripts", _attach),
    "stop": ("RUN", "stop a run (a training saves a checkpoint)", _run),
    "resume": ("RUN [OPTION]...", "continue a run that was stopped, failed or died", _resume),
    "rm": ("RUN [--yes]", "remove a run that has ended (asks first)", _remove),
    "watch": ("[PATH]... [OPTION]...", "show logs of any tool, live while they grow", _watch),
    "replay": ("RUN|PATH [OPTION]...", "play back a run or a log", _replay),
    "import": ("PATH... [OPTION]...", "make runs of another tool's logs", _import),
    "export": (
        "RUN|PATH [--csv FILE] [--svg FILE] [OPTION]...",
        "write a run's steps, curves, charts or result to files",
        _export,
    ),
    "report": ("RUN|PATH [-o FILE] [--html]", "write a run's result as one page", _report),
    "new-task": (
        "FILE.py [--kind KIND]",
        "write a task file to put your own model and data into",
        _new_task,
    ),
}


class _Version(argparse.Action):
    """Print the version, which is looked up only then, and exit."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(nargs=0, **kwargs)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from clr_tui.engine.version import package_version

        print(f"clr-tui {package_version()}")
        parser.exit()


def build_parser() -> Parser:
    """Build the parser of `clr-tui`; a command gets its options once it is named."""
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
    for name, kind in kinds_with_command().items():
        command = _add(parser, commands, name, kind.usage, kind.purpose)
        parser.unbuilt[name] = partial(_build_starting, command, kind)
    for name, (usage, purpose, add_options) in COMMANDS.items():
        command = _add(parser, commands, name, usage, purpose)
        parser.unbuilt[name] = partial(
            _build, command, name, DESCRIPTIONS[name], COMMAND_EXAMPLES[name], add_options
        )
    return parser


def _add(parser: Parser, commands: Any, name: str, usage: str, purpose: str) -> Parser:
    command: Parser = commands.add_parser(
        name, usage=f"clr-tui {name} {usage}", help=purpose, add_help=False
    )
    parser.commands[name] = command
    return command


def _build_starting(parser: Parser, kind: Kind) -> None:
    command = kind.load_command()
    _build(parser, kind.name, command.description, command.examples, command.add_options)


def _build(
    parser: Parser,
    name: str,
    description: str,
    examples: str,
    add_options: Callable[[Parser], None],
) -> None:
    parser.description, parser.epilog = description, epilog(examples)
    add_options(parser)
    _add_common(parser, name)
