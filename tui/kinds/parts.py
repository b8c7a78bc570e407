"""What a kind of run brings to the command line and to the screens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from pathlib import Path

    from clr_tui.engine.analysis.history import RunHistory
    from clr_tui.engine.settings.config import Job, RunConfig, TaskConfig
    from clr_tui.tui.charts.chart import Chart
    from clr_tui.tui.cli.parsing import Parser
    from clr_tui.tui.text.event_lines import EventLines


class Command(NamedTuple):
    """The command that starts runs of one kind."""

    description: str
    """What it does, above the options of its help."""
    examples: str
    add_options: Callable[[Parser], None]
    settings: Callable[[argparse.Namespace, Path], tuple[TaskConfig, Job, str | None]]
    """The task, the job, and the id of the run that they came from, where one was named; takes the
    options and the folder of runs, and raises `UserError` where they make no sense."""


class Display(NamedTuple):
    """What is shown of a run besides its screen. A report is what the engine makes of its kind."""

    title: Callable[[RunConfig], list[str]]
    """What its title says after the data and the model. Of what a log alone does not tell, the task
    has empty names."""
    charts: Callable[[RunHistory, Any], list[Chart]]
    """From top to bottom, as the screen shows them at first."""
    lines: Callable[[RunHistory, Any, int], list[str]]
    """The printed result below its title, in lines of at most so many cells."""
    preview: Callable[[RunHistory, bool], Chart]
    """The one chart that tells most, for the list of runs; takes whether the run is alive."""
    progress: Callable[[], EventLines]
    """A new teller of what happens, for runs that are followed without a screen."""
    sketch: Callable[[Any], Chart]
    """The learning rate of a job that has not begun, over its length."""
    length: Callable[[Any], str] = lambda _job: ""
    """What the length of such a job comes to, where that is more than its field says."""
    files: Callable[[RunHistory, Any], dict[str, Callable[[], str]]] = lambda _history, _report: {}
    """Text files of its own, by the name of the option of `export` that asks for each."""
    what_next: Callable[[str, Any], str] = lambda _run, _report: ""
    """The command that makes use of a result, a sentence; takes how to name the run."""
