"""What a kind of run brings to the command line and to the screens."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from pathlib import Path

    from clr_tui.engine.settings.config import Job, TaskConfig
    from clr_tui.tui.cli.parsing import Parser


class Command(NamedTuple):
    """The command that starts runs of one kind."""

    description: str
    """What it does, above the options of its help."""
    examples: str
    add_options: Callable[[Parser], None]
    settings: Callable[[argparse.Namespace, Path], tuple[TaskConfig, Job, str | None]]
    """The task, the job, and the id of the run that they came from, where one was named; takes the
    options and the folder of runs, and raises `UserError` where they make no sense."""
