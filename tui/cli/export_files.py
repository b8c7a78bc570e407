"""`export`: a run's steps, epochs, curves, table, charts and result as files."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.recordings.steps_csv import epochs_csv, steps_csv
from clr_tui.engine.analysis.recordings.tensorboard_export import export_tensorboard
from clr_tui.engine.analysis.report import Report
from clr_tui.engine.errors import UserError
from clr_tui.tui.cli.printing import charts_of, json_text
from clr_tui.tui.exporting import STDOUT, charts_png, charts_svg, write
from clr_tui.tui.kinds.registry import KINDS

FILES = {
    "csv": "--csv",
    "epochs_csv": "--epochs-csv",
    "curves_csv": "--curves-csv",
    "rates_csv": "--rates-csv",
    "markdown": "--markdown",
    "svg": "--svg",
    "png": "--png",
    "json_file": "--json",
}


def check_files(args: argparse.Namespace) -> None:
    """Check that at least one file, and at most one on stdout, is asked for."""
    targets = [getattr(args, name) for name in FILES]
    if not any(targets) and not args.tensorboard:
        options = ", ".join([f"{option} FILE" for option in FILES.values()] + ["--tensorboard DIR"])
        raise UserError(f"export needs at least one of {options}")
    if targets.count(STDOUT) > 1:
        raise UserError("only one of the exports can go to stdout ('-'); name files for the others")


def export(args: argparse.Namespace, history: RunHistory, report: Report) -> None:
    """Write the files that are asked for.

    Raises:
        UserError: this kind of run has no such file, or it cannot be written.
    """
    contents: dict[str, Callable[[], str | bytes]] = {
        "csv": lambda: steps_csv(history),
        "epochs_csv": lambda: epochs_csv(history),
        "svg": lambda: charts_svg(charts_of(history, report), report.run),
        "png": lambda: charts_png(charts_of(history, report), report.run),
        "json_file": lambda: json_text(report),
    }
    contents |= KINDS[history.config.kind].load_display().files(history, report)
    wanted = {name: getattr(args, name) for name in FILES if getattr(args, name) is not None}
    for name in wanted:
        if name not in contents:
            raise UserError(
                f"{FILES[name]} is for comparisons, which '{report.run}' is not: leave it out"
            )
    made = [
        (target, contents[name]()) for name, target in wanted.items()
    ]  # all, or none is written
    for target, content in made:
        write(target, content)
    if args.tensorboard:
        export_tensorboard(history, Path(os.path.expanduser(args.tensorboard)))
