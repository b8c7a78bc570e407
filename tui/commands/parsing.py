"""Reading a command line: argparse, with each mistake a `UserError` of one clear sentence."""

from __future__ import annotations

import argparse
import re
import textwrap
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from clr_tui.engine.errors import UserError, did_you_mean

NEGATIVE_NUMBER = re.compile(r"-(\.?\d|inf|nan)", re.IGNORECASE)


class _HelpFormatter(argparse.RawDescriptionHelpFormatter):
    def _split_lines(self, text: str, width: int) -> list[str]:
        return textwrap.wrap(text, width, break_on_hyphens=False)  # exp-range-amplitude is a word


class Parser(argparse.ArgumentParser):
    """An argument parser whose mistakes are raised as `UserError`, one sentence each."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=_HelpFormatter, **kwargs)
        self.commands: dict[str, Parser] = {}

    def error(self, message: str) -> NoReturn:
        """Raise argparse's complaint as a `UserError`, in our words where we know them."""
        raise UserError(self._sentence(message))

    def parse(self, argv: Sequence[str]) -> argparse.Namespace:
        """The options in `argv`.

        Raises:
            UserError: for a command, an option or a value that is not known.
            SystemExit: after `--help` or `--version` were printed.
        """
        args, extra = self.parse_known_args(_joined_negatives(argv))
        if extra:
            self.commands.get(args.command or "", self)._refuse(extra[0])
        return args

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Argparse's own hook for values outside `choices`, which only commands have here."""
        if action.choices is not None and value not in action.choices:
            names = list(action.choices)
            hint = did_you_mean(value, names) or f"; the commands are {', '.join(names)}"
            raise UserError(f"there is no command '{value}'{hint}")

    def _sentence(self, message: str) -> str:
        if found := re.match(r"argument (\S+?): expected one argument", message):
            return f"{found[1].split('/')[-1]} needs a value; see {self.prog} --help"
        if found := re.match(r"argument (\S+?): ignored explicit argument '(.*)'", message):
            return f"{found[1].split('/')[-1]} takes no value, but was given '{found[2]}'"
        if found := re.match(r"the following arguments are required: (.*)", message):
            return f"{self.prog} needs {found[1]}: a run's id, as clr-tui ls lists them"
        return message

    def _refuse(self, word: str) -> NoReturn:
        options = [o for action in self._actions for o in action.option_strings if o[:2] == "--"]
        if word.startswith("-"):
            name = word.split("=")[0]
            hint = did_you_mean(name, options) or f"; see {self.prog} --help"
            raise UserError(f"{self.prog} has no option '{name}'{hint}")
        hint = f"; for a folder of images give --data {word}" if "--data" in options else ""
        raise UserError(f"{self.prog} does not take the argument '{word}'{hint}")


def _joined_negatives(argv: Sequence[str]) -> list[str]:
    """`--lr -1e-3` as `--lr=-1e-3`: argparse would take `-1e-3` for an option."""
    joined: list[str] = []
    for word in argv:
        before = joined[-1] if joined else ""
        if NEGATIVE_NUMBER.match(word) and before.startswith("--") and "=" not in before:
            joined[-1] = f"{before}={word}"
        else:
            joined.append(word)
    return joined


def real(option: str, example: str) -> Callable[[str], float]:
    """Reads a number for `option`; whether it makes sense there is not asked here."""

    def parse(text: str) -> float:
        try:
            return float(text)
        except ValueError:
            raise UserError(
                f"{option} '{text}' is not a number; give one like {example}", _field(option)
            ) from None

    return parse


def whole(option: str, example: str) -> Callable[[str], int]:
    """Reads a whole number for `option`."""

    def parse(text: str) -> int:
        try:
            return int(text)
        except ValueError:
            raise UserError(
                f"{option} '{text}' is not a whole number; give one like {example}", _field(option)
            ) from None

    return parse


def _field(option: str) -> str:
    return option.lstrip("-").replace("-", "_")
