"""Argument parsing with argparse, in which each mistake is a `UserError` of one sentence."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from clr_tui.engine.errors import UserError, did_you_mean

NEGATIVE_NUMBER = re.compile(r"-(\.?\d|inf|nan)", re.IGNORECASE)


class _HelpFormatter(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)

    def _split_lines(self, text: str, width: int) -> list[str]:
        import textwrap

        return textwrap.wrap(text, width, break_on_hyphens=False)  # exp-range-amplitude is a word


class Parser(argparse.ArgumentParser):
    """An argument parser that raises mistakes as a `UserError` of one sentence."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=_HelpFormatter, **kwargs)
        self.commands: dict[str, Parser] = {}
        self.unbuilt: dict[str, Callable[[], object]] = {}
        """Adds the options of each command that `parse` has not met yet."""

    def error(self, message: str) -> NoReturn:
        """Raise argparse's message as a `UserError`, reworded if we know it."""
        raise UserError(self._sentence(message))

    def parse(self, argv: Sequence[str]) -> argparse.Namespace:
        """Parse `argv`.

        Raises:
            UserError: a command, option or value is unknown.
            SystemExit: `--help` or `--version` was printed.
        """
        for name in self.unbuilt.keys() & set(argv):
            self.unbuilt.pop(name)()
        args, extra = self.parse_known_args(_join_negative_values(argv))
        if extra:
            self.commands.get(args.command or "", self)._refuse(extra[0])
        return args

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Override argparse's hook for values outside `choices`, which only commands have here."""
        if action.choices is not None and value not in action.choices:
            names = list(action.choices)
            hint = did_you_mean(value, names) or f"; the commands are {', '.join(names)}"
            raise UserError(f"there is no command '{value}'{hint}")

    def _sentence(self, message: str) -> str:
        if found := re.match(r"argument (\S+?): expected one argument", message):
            return f"{_long(found[1])} needs a value; see {self.prog} --help"
        if found := re.match(r"argument (\S+?): ignored explicit argument '(.*)'", message):
            return f"{_long(found[1])} takes no value, but was given '{found[2]}'"
        if found := re.match(r"the following arguments are required: (.*)", message):
            run = ": a run's id as listed by clr-tui ls" if "RUN" in found[1] else ""
            return f"{self.prog} needs {found[1]}{run or f'; see {self.prog} --help'}"
        return message

    def _refuse(self, word: str) -> NoReturn:
        options = [o for action in self._actions for o in action.option_strings if o[:2] == "--"]
        if word.startswith("-"):
            name = word.split("=")[0]
            hint = did_you_mean(name, options) or f"; see {self.prog} --help"
            raise UserError(f"{self.prog} has no option '{name}'{hint}")
        hint = f"; for a folder of images give --data {word}" if "--data" in options else ""
        raise UserError(f"{self.prog} does not take the argument '{word}'{hint}")


def _columns() -> int:
    """Return the width of the terminal as `shutil.get_terminal_size` does, without loading it."""
    try:
        columns = int(os.environ.get("COLUMNS", ""))
    except ValueError:
        columns = 0
    if columns > 0:
        return columns
    try:
        return os.get_terminal_size().columns or 80
    except OSError:  # stdout is no terminal
        return 80


def _long(names: str) -> str:
    """Return the first long name of an option: `--yes` of `-y/--yes`."""
    every = names.split("/")
    return next((name for name in every if name.startswith("--")), every[0])


def _join_negative_values(argv: Sequence[str]) -> list[str]:
    """Turn `--lr -1e-3` into `--lr=-1e-3`: argparse would take `-1e-3` for an option."""
    joined: list[str] = []
    for word in argv:
        before = joined[-1] if joined else ""
        if NEGATIVE_NUMBER.match(word) and before.startswith("--") and "=" not in before:
            joined[-1] = f"{before}={word}"
        else:
            joined.append(word)
    return joined


def replay_position(text: str) -> float:
    """Read the position in a run that `--at` gives, such as 50%, as 0 to 1."""
    try:
        value = float(text.removesuffix("%"))
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:
        raise UserError(f"--at '{text}' is not a position in the run; give one from 0% to 100%")
    return value / 100


def speed(text: str) -> float:
    """Read the playback speed that `--speed` gives; `max` is infinity."""
    try:
        value = float("inf") if text == "max" else float(text)
    except ValueError:
        value = 0.0
    if not value > 0:
        raise UserError(
            f"--speed '{text}' is not a speed; give a number above 0 such as 10, or max"
        )
    return value


def count(text: str) -> int:
    """Read a whole number above 0."""
    if not text.isdecimal() or not 0 < len(text) < 10 or int(text) == 0:
        raise UserError(f"'{text}' is not a whole number above 0")
    return int(text)


def notify_way(text: str) -> str:
    """Check a value of `--notify`."""
    from clr_tui.tui.terminal_notes import check_way

    return check_way(text)


def add_detach(group: argparse._ActionsContainer) -> None:
    """Add the option that starts a run without following it."""
    group.add_argument(
        "--detach",
        action="store_true",
        help="start the run, print its id and return; clr-tui attach shows it",
    )
    group.add_argument(
        "--restart-on-crash",
        dest="restarts",
        type=count,
        default=0,
        metavar="N",
        help="if its process dies, such as for lack of memory, resume the run, at most N times",
    )
